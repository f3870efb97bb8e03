//! Verified tokens and certificates, remembered in bounded memory. What is remembered is that these bytes carry a good
//! signature and what they say; whether they do for a call is asked every time, by the case.

use super::Issuers;
use super::digest::{DigestKey, NoRandomness, TokenDigest};
use super::gate::Gate;
use super::rejected::{Era, Rejected};
use crate::attestation::jose::{MAX_TOKEN_BYTES, check_form};
use crate::attestation::verify::verify;
use crate::attestation::{ClaimNames, TokenFault, TokenKind, Unverified, Verified};
use crate::case::Ground;
use crate::clock::Clock;
use crate::identity::PeerCertificate;
use crate::reason::Unavailable;
use crate::request::CertificateReading;
use foldhash::quality::RandomState;
use moka::Expiry;
use moka::future::Cache;
use prometheus::IntCounter;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A token to be verified, with everything that its reading depends on.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "it holds a credential")]
pub struct Token<'a> {
    pub text: &'a str,
    /// The attestation's name; nothing for bearers.
    pub purpose: &'a str,
    pub kind: TokenKind,
    pub names: ClaimNames<'a>,
    pub issuers: Issuers<'a>,
}

/// Counts look-ups in one cache.
#[derive(Clone, Debug)]
pub struct CacheMeter {
    pub hits: IntCounter,
    pub misses: IntCounter,
}

/// The meters of all caches.
#[derive(Clone, Debug)]
pub struct Meters {
    pub bearers: CacheMeter,
    pub attestations: CacheMeter,
    pub certificates: CacheMeter,
}

/// How much one cache holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSize {
    pub cache: &'static str,
    pub entries: u64,
    pub bytes: u64,
}

#[derive(Debug)]
pub struct Remembered {
    bearers: Tokens,
    attestations: Tokens,
    certificates: Cache<PemText, Arc<PeerCertificate>, RandomState>,
    rejected: Rejected,
    key: DigestKey,
    gate: Arc<Gate>,
    meters: Meters,
}

/// A certificate as Envoy forwards it.
type PemText = Box<str>;
type Tokens = Cache<TokenDigest, Arc<Verified>, RandomState>;

/// What moka keeps for an entry besides key and value, measured at 1 M entries.
const ENTRY_BYTES: u32 = 160;
/// A certificate is read again after this long; it costs little, and whether it is current is Envoy's business.
const CERTIFICATE_LIFETIME: Duration = Duration::from_hours(1);

/// Also what has expired is remembered for a moment, so that showing it again and again costs no signature check.
const EXPIRED_LIFETIME: Duration = Duration::from_secs(10);

/// Why a token is not verified just now.
enum Cold {
    Fault(TokenFault),
    Unavailable(Unavailable),
}

impl Remembered {
    /// Shares the bytes out: half for bearers, three eighths for attestations, the rest for certificates.
    pub fn new<C: Clock + Clone>(clock: C, bytes: u64, gate: Arc<Gate>, meters: Meters) -> Result<Self, NoRandomness> {
        Ok(Self {
            bearers: tokens(clock.clone(), bytes / 2),
            attestations: tokens(clock, bytes / 8 * 3),
            certificates: certificates(bytes / 8),
            rejected: Rejected::new(),
            key: DigestKey::random()?,
            gate,
            meters,
        })
    }

    /// What a token says, if its signature is good. Concurrent first sights of one token verify it once.
    pub async fn verified(
        &self,
        ground: Ground<'_>,
        token: &Token<'_>,
    ) -> Result<Result<Arc<Verified>, TokenFault>, Unavailable> {
        if token.text.len() > MAX_TOKEN_BYTES {
            return Ok(Err(TokenFault::Oversize));
        }
        let (cache, meter) = self.cache_for(token.kind);
        let digest = self.key.digest(token);
        if let Some(verified) = cache.get(&digest).await {
            match verified.still_holds(token.kind, ground.trusted(token.issuers)) {
                Ok(_) => {
                    meter.hits.inc();
                    return Ok(Ok(verified));
                }
                Err(Unverified::KeysAway) => return Err(Unavailable::Keys),
                // The policy or its keys have changed since; only a new look can tell.
                Err(Unverified::Fault(_)) => cache.invalidate(&digest).await,
            }
        }
        // What is remembered has passed the gate, so only what is new goes through it.
        if let Err(fault) = check_form(token.text) {
            return Ok(Err(fault));
        }
        meter.misses.inc();
        if let Some(fault) = self.rejected.find(&digest, Era::of(ground)).await {
            return Ok(Err(fault));
        }
        match cache.try_get_with(digest, self.verify(ground, token, digest)).await {
            Ok(verified) => Ok(Ok(verified)),
            Err(cold) => match *cold {
                Cold::Fault(fault) => Ok(Err(fault)),
                Cold::Unavailable(what) => Err(what),
            },
        }
    }

    /// What a client certificate says. No secret, so it is found by its own bytes.
    pub async fn certificate(&self, pem: &str) -> CertificateReading {
        if let Some(certificate) = self.certificates.get(pem).await {
            self.meters.certificates.hits.inc();
            return Ok(certificate);
        }
        self.meters.certificates.misses.inc();
        let certificate = Arc::new(PeerCertificate::parse(pem)?);
        self.certificates.insert(pem.into(), Arc::clone(&certificate)).await;
        Ok(certificate)
    }

    pub fn sizes(&self) -> Vec<CacheSize> {
        let tokens = [("bearer", &self.bearers), ("attestation", &self.attestations)];
        let mut sizes: Vec<_> = tokens.map(|(cache, held)| size(cache, held)).into();
        sizes.push(size("certificate", &self.certificates));
        sizes
    }

    fn cache_for(&self, kind: TokenKind) -> (&Tokens, &CacheMeter) {
        match kind {
            TokenKind::Bearer => (&self.bearers, &self.meters.bearers),
            _ => (&self.attestations, &self.meters.attestations),
        }
    }

    /// A fault is noted here, where it is known by which keys it was found: who waits along may be judged by others.
    async fn verify(&self, ground: Ground<'_>, token: &Token<'_>, digest: TokenDigest) -> Result<Arc<Verified>, Cold> {
        let _turn = self.gate.turn().await.map_err(Cold::Unavailable)?;
        match verify(token.text, token.kind, token.names, ground.trusted(token.issuers)) {
            Ok(verified) => Ok(Arc::new(verified)),
            Err(Unverified::KeysAway) => Err(Cold::Unavailable(Unavailable::Keys)),
            Err(Unverified::Fault(fault)) => {
                self.rejected.note(digest, Era::of(ground), fault).await;
                Err(Cold::Fault(fault))
            }
        }
    }
}

fn tokens<C: Clock>(clock: C, bytes: u64) -> Tokens {
    Cache::builder()
        .max_capacity(bytes)
        .weigher(|_, verified: &Arc<Verified>| {
            let own = size_of::<TokenDigest>() + size_of::<Verified>() + verified.heap_bytes();
            u32::try_from(own).unwrap_or(u32::MAX).saturating_add(ENTRY_BYTES)
        })
        .expire_after(UntilExpiry(clock))
        .build_with_hasher(RandomState::default())
}

fn certificates(bytes: u64) -> Cache<PemText, Arc<PeerCertificate>, RandomState> {
    Cache::builder()
        .max_capacity(bytes)
        .weigher(|pem: &PemText, _| u32::try_from(pem.len() + 512).unwrap_or(u32::MAX))
        .time_to_live(CERTIFICATE_LIFETIME)
        .build_with_hasher(RandomState::default())
}

fn size<K, V>(cache: &'static str, held: &Cache<K, V, RandomState>) -> CacheSize
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    CacheSize { cache, entries: held.entry_count(), bytes: held.weighted_size() }
}

/// Hygiene of memory: nothing is kept beyond its `exp`. Whether it still counts is not asked here.
struct UntilExpiry<C>(C);

impl<C: Clock> Expiry<TokenDigest, Arc<Verified>> for UntilExpiry<C> {
    fn expire_after_create(&self, _: &TokenDigest, verified: &Arc<Verified>, _: Instant) -> Option<Duration> {
        let left = verified.claims().expires.map_or(0, |expires| expires.since(self.0.now()).as_secs());
        Some(Duration::from_secs(left).max(EXPIRED_LIFETIME))
    }
}
