//! Proofs of possession: a signature by the caller's own key over this very call. One type for all kinds, so that none
//! is checked less than another, and all are counted together.
//!
//! A proof says whose key made it and what for; whether that is the call at hand, now, is asked by who knows the call.

mod call;
mod dpop;
mod pop;
mod wpt;

pub use call::ProvenCall;

use super::claims::{date, text};
use super::jose::{Compact, Header};
use super::json::Object;
use super::jwk::{ConfirmedKey, JwkError, Material};
use super::{Algorithm, ProofFault, Thumbprint};
use crate::time::{Ttl, UnixTime};
use std::borrow::Cow;
use std::sync::Arc;

/// The standard that a proof follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProofKind {
    /// RFC 9449.
    Dpop,
    /// draft-ietf-oauth-attestation-based-client-auth-10 §5.1.
    Pop,
    /// draft-ietf-wimse-wpt-01 §2.
    Wpt,
}

/// The key that a proof must be made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofKey {
    pub thumbprint: Thumbprint,
    /// The key itself, where it is known. A `DPoP` proof brings its own along; the others can't be checked without.
    pub key: Option<Arc<ConfirmedKey>>,
}

/// A proof whose signature was good, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    key: Thumbprint,
    id: Box<str>,
    /// The digest of the access token that it is shown with (RFC 9449 §4.2, `ath`).
    access_token: Option<Thumbprint>,
    challenge: Option<Box<str>>,
    issued: Option<UnixTime>,
    lifetime: Lifetime,
    statement: Statement,
}

/// What a proof says of its call.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Statement {
    Dpop(dpop::Statement),
    Pop(pop::Statement),
    Wpt(wpt::Statement),
}

/// The first and the last moment at which a proof passes, by its maker's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lifetime {
    begins: UnixTime,
    ends: UnixTime,
}

/// How long a proof may pass.
pub const PROOF_LIFETIME: Ttl = Ttl::from_secs(60);
/// An identifier needs 96 random bits (RFC 9449 §4.2); more than this is somebody filling our memory.
const MAX_ID_BYTES: usize = 256;

impl ProofKind {
    pub const ALL: [Self; 3] = [Self::Dpop, Self::Pop, Self::Wpt];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Dpop => "dpop",
            Self::Pop => "pop",
            Self::Wpt => "wpt",
        }
    }

    /// The header that carries it, in lower case.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Dpop => "dpop",
            Self::Pop => "oauth-client-attestation-pop",
            Self::Wpt => "workload-proof-token",
        }
    }

    /// The header as its standard writes it.
    pub const fn header_as_written(self) -> &'static str {
        match self {
            Self::Dpop => "DPoP",
            Self::Pop => "OAuth-Client-Attestation-PoP",
            Self::Wpt => "Workload-Proof-Token",
        }
    }

    /// The scheme under which it may come in `authorization` too, in lower case.
    pub const fn scheme(self) -> Option<&'static str> {
        match self {
            Self::Wpt => Some("wpt"),
            Self::Dpop | Self::Pop => None,
        }
    }

    /// Its `typ`, so that none passes for another (RFC 8725 §3.11).
    const fn media_type(self) -> &'static str {
        match self {
            Self::Dpop => "dpop+jwt",
            Self::Pop => "oauth-client-attestation-pop+jwt",
            Self::Wpt => "wpt+jwt",
        }
    }

    const fn challenge_claim(self) -> &'static str {
        match self {
            Self::Dpop => "nonce",
            Self::Pop | Self::Wpt => "challenge",
        }
    }
}

impl ProofKey {
    /// A key of which only the thumbprint is known, such as by `cnf.jkt`.
    pub const fn of_thumbprint(thumbprint: Thumbprint) -> Self {
        Self { thumbprint, key: None }
    }

    pub fn of_key(key: Arc<ConfirmedKey>) -> Self {
        Self { thumbprint: key.thumbprint(), key: Some(key) }
    }
}

impl Proof {
    /// What a proof may be signed with: asymmetric, and short enough to be checked for every call.
    pub const ALGORITHMS: [Algorithm; 9] = Algorithm::ALL;

    /// Checks form, type and signature. The expected key is the only one that is tried: nobody makes us check
    /// signatures by keys of his own.
    pub fn verify(kind: ProofKind, token: &str, key: &ProofKey) -> Result<Self, ProofFault> {
        let compact = Compact::parse(token)?;
        if compact.header.media_type.as_deref() != Some(kind.media_type()) {
            return Err(ProofFault::Type);
        }
        let signer = signer(kind, &compact.header, key)?;
        let proof = Self::read(kind, &compact.payload, key.thumbprint)?;
        let message = compact.signing_input().as_bytes();
        let good = signer.verifies(compact.header.algorithm, message, compact.signature());
        if good { Ok(proof) } else { Err(ProofFault::Signature) }
    }

    fn read(kind: ProofKind, payload: &Object, key: Thumbprint) -> Result<Self, ProofFault> {
        let id = required(payload, "jti")?;
        if id.len() > MAX_ID_BYTES {
            return Err(ProofFault::Malformed);
        }
        Ok(Self {
            key,
            id,
            access_token: digest(payload, "ath", ProofFault::Token)?,
            challenge: text(payload, kind.challenge_claim())?,
            issued: date(payload, "iat")?,
            lifetime: Lifetime::read(kind, payload)?,
            statement: match kind {
                ProofKind::Dpop => Statement::Dpop(dpop::Statement::read(payload)?),
                ProofKind::Pop => Statement::Pop(pop::Statement::read(payload)?),
                ProofKind::Wpt => Statement::Wpt(wpt::Statement::read(payload)?),
            },
        })
    }

    pub const fn kind(&self) -> ProofKind {
        match self.statement {
            Statement::Dpop(_) => ProofKind::Dpop,
            Statement::Pop(_) => ProofKind::Pop,
            Statement::Wpt(_) => ProofKind::Wpt,
        }
    }

    pub const fn key(&self) -> &Thumbprint {
        &self.key
    }

    /// Nothing where it does not say, as a WPT need not.
    pub const fn issued(&self) -> Option<UnixTime> {
        self.issued
    }

    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    /// Whether the proof is for this call, and for the credentials that came with it.
    pub fn is_for(&self, call: &ProvenCall<'_>) -> Result<(), ProofFault> {
        match &self.statement {
            Statement::Dpop(statement) => statement.is_for(call)?,
            Statement::Pop(statement) => statement.is_for(call)?,
            Statement::Wpt(statement) => statement.is_for(call)?,
        }
        if self.access_token == call.access_token { Ok(()) } else { Err(ProofFault::Token) }
    }

    /// Whether the proof was made just now. A clock ahead of ours is forgiven up to `leeway`; one behind it has the
    /// lifetime to spare.
    pub fn is_recent(&self, now: UnixTime, leeway: Ttl) -> Result<(), ProofFault> {
        let recent = self.lifetime.begins <= now.plus(leeway) && now <= self.lifetime.ends;
        if recent { Ok(()) } else { Err(ProofFault::Stale) }
    }

    /// The last moment at which the proof could pass, under any leeway: who remembers it until then need not fear that
    /// another policy lets it pass again.
    pub const fn expires(&self) -> UnixTime {
        self.lifetime.ends
    }

    /// What the proof is counted by: its key and its identifier, whatever its kind. The key comes first and has a fixed
    /// length, so that no two pairs read the same.
    pub fn spending_key(&self) -> Thumbprint {
        Thumbprint::of(&[self.key.as_bytes(), self.id.as_bytes()].concat())
    }
}

impl Lifetime {
    /// `iat` is required, but of a WPT, which has an `exp` instead; both hold wherever they are, and so does `nbf`
    /// (RFC 7519 §4.1). An `exp` further ahead than a proof may live is as if it were made in the future.
    fn read(kind: ProofKind, payload: &Object) -> Result<Self, ProofFault> {
        let (issued, expires) = (date(payload, "iat")?, date(payload, "exp")?);
        let stands = if kind == ProofKind::Wpt { expires } else { issued };
        if stands.is_none() {
            return Err(ProofFault::Malformed);
        }
        let made = expires.filter(|_| kind == ProofKind::Wpt).map(|expires| expires.minus(PROOF_LIFETIME));
        let begins = [issued, date(payload, "nbf")?, made].into_iter().flatten().max();
        // RFC 7519 §4.1.4: not at `exp` any more.
        let last = expires.map(|expires| expires.minus(Ttl::from_secs(1)));
        let ends = [issued.map(|issued| issued.plus(PROOF_LIFETIME)), last].into_iter().flatten().min();
        let (begins, ends) = begins.zip(ends).ok_or(ProofFault::Malformed)?;
        Ok(Self { begins, ends })
    }
}

/// The key to check under: what the attestation or token names, and never another.
fn signer<'k>(kind: ProofKind, header: &Header, key: &'k ProofKey) -> Result<Cow<'k, Material>, ProofFault> {
    if kind == ProofKind::Dpop {
        return dpop::signer(header, key);
    }
    if header.key.is_some() {
        return Err(ProofFault::ForbiddenHeader);
    }
    let known = key.key.as_deref().ok_or(ProofFault::Key)?;
    let fits = match kind {
        // draft-ietf-wimse-wpt-01 §2: the very `alg` that the key was given for.
        ProofKind::Wpt => known.named_algorithm() == Some(header.algorithm),
        ProofKind::Dpop | ProofKind::Pop => known.fits(header.algorithm),
    };
    if fits { Ok(Cow::Borrowed(known.material())) } else { Err(ProofFault::Algorithm) }
}

impl From<JwkError> for ProofFault {
    fn from(why: JwkError) -> Self {
        match why {
            JwkError::Unsupported => Self::Algorithm,
            _ => Self::ForbiddenHeader,
        }
    }
}

fn required(payload: &Object, name: &str) -> Result<Box<str>, ProofFault> {
    text(payload, name)?.filter(|text| !text.is_empty()).ok_or(ProofFault::Malformed)
}

/// The one audience of a proof; an array of one is the same (RFC 7519 §4.1.3). Who names more shows the proof elsewhere.
fn only_audience(payload: &Object) -> Result<Box<str>, ProofFault> {
    match super::claims::audiences(payload)?.as_ref() {
        [only] => Ok(only.clone()),
        [] => Err(ProofFault::Malformed),
        _ => Err(ProofFault::Target),
    }
}

/// A digest that is no digest is that of something else.
fn digest(payload: &Object, name: &str, otherwise: ProofFault) -> Result<Option<Thumbprint>, ProofFault> {
    text(payload, name)?.map(|digest| Thumbprint::parse(&digest).ok_or(otherwise)).transpose()
}

#[cfg(test)]
mod tests;
