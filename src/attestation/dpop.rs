//! DPoP proofs (RFC 9449): a signature by the caller's own key over this very call.

use super::claims::{date, text};
use super::jose::Compact;
use super::jwk::{JwkError, VerifyingKey};
use super::thumbprint::thumbprint;
use super::{Algorithm, ProofFault, Thumbprint};
use crate::policy::Origin;
use crate::request::{Method, RequestPath, path};
use crate::time::{Ttl, UnixTime};

/// A DPoP proof whose signature was good, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpopProof {
    key: Thumbprint,
    id: Box<str>,
    method: Box<str>,
    target: Box<str>,
    issued: UnixTime,
    access_token: Option<Thumbprint>,
    challenge: Option<Box<str>>,
}

/// The call that a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct ProvenCall<'c> {
    pub method: &'c Method,
    pub path: &'c RequestPath,
    pub origin: &'c Origin,
    /// The digest of the bearer token that came along.
    pub access_token: Option<Thumbprint>,
}

/// How old a proof may be.
pub const PROOF_LIFETIME: Ttl = Ttl::from_secs(60);
/// An identifier needs 96 random bits (RFC 9449 §4.2); more than this is somebody filling our memory.
const MAX_ID_BYTES: usize = 256;

impl DpopProof {
    /// What a proof may be signed with: asymmetric, and short enough to be checked for every call.
    pub const ALGORITHMS: [Algorithm; 9] = Algorithm::ALL;

    /// Checks form, type and signature under the key that the proof brings along (RFC 9449 §4.3, 1 to 7), which must be the
    /// expected one: nobody makes us check signatures by keys of his own.
    pub fn verify(token: &str, expected: &Thumbprint) -> Result<Self, ProofFault> {
        let compact = Compact::parse(token)?;
        if compact.header.media_type.as_deref() != Some("dpop+jwt") {
            return Err(ProofFault::Type);
        }
        let jwk = compact.header.key.as_ref().ok_or(ProofFault::Malformed)?;
        if thumbprint(jwk).as_ref() != Some(expected) {
            return Err(ProofFault::Key);
        }
        let algorithm = compact.header.algorithm;
        let key = VerifyingKey::for_algorithm(jwk, algorithm).map_err(|why| match why {
            JwkError::Unsupported => ProofFault::Algorithm,
            _ => ProofFault::ForbiddenHeader,
        })?;
        let proof = Self::read(&compact, key.thumbprint)?;
        let good = key.verifies(algorithm, compact.signing_input().as_bytes(), compact.signature());
        if good { Ok(proof) } else { Err(ProofFault::Signature) }
    }

    fn read(compact: &Compact<'_>, key: Thumbprint) -> Result<Self, ProofFault> {
        let payload = &compact.payload;
        let required = |name: &str| text(payload, name)?.filter(|t| !t.is_empty()).ok_or(ProofFault::Malformed);
        let id = required("jti")?;
        if id.len() > MAX_ID_BYTES {
            return Err(ProofFault::Malformed);
        }
        let digest = text(payload, "ath")?.map(|ath| Thumbprint::parse(&ath).ok_or(ProofFault::Token));
        Ok(Self {
            key,
            id,
            method: required("htm")?,
            target: required("htu")?,
            issued: date(payload, "iat")?.ok_or(ProofFault::Malformed)?,
            access_token: digest.transpose()?,
            challenge: text(payload, "nonce")?,
        })
    }

    pub const fn key(&self) -> &Thumbprint {
        &self.key
    }

    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    /// Whether the proof is for this call (RFC 9449 §4.3, 8 to 12).
    pub fn is_for(&self, call: &ProvenCall<'_>) -> Result<(), ProofFault> {
        if *self.method != *call.method.as_str() {
            return Err(ProofFault::Method);
        }
        if !self.names_target(call) {
            return Err(ProofFault::Target);
        }
        if self.access_token != call.access_token {
            return Err(ProofFault::Token);
        }
        Ok(())
    }

    /// Whether the proof was made just now. A clock ahead of ours is forgiven up to `leeway`.
    pub fn is_recent(&self, now: UnixTime, leeway: Ttl) -> Result<(), ProofFault> {
        let recent = self.issued <= now.plus(leeway) && now <= self.expires();
        if recent { Ok(()) } else { Err(ProofFault::Stale) }
    }

    /// The last moment at which the proof could pass.
    pub const fn expires(&self) -> UnixTime {
        self.issued.plus(PROOF_LIFETIME)
    }

    /// What the proof is counted by: its key and its identifier. The key comes first and has a fixed length, so that no
    /// two pairs read the same.
    pub fn spending_key(&self) -> Thumbprint {
        Thumbprint::of(&[self.key.as_bytes(), self.id.as_bytes()].concat())
    }

    /// RFC 9449 §4.3, 9: compared without query and fragment, after normalization (RFC 3986 §6.2.2 and §6.2.3).
    fn names_target(&self, call: &ProvenCall<'_>) -> bool {
        let Ok((origin, rest)) = Origin::split_from(&self.target) else {
            return false;
        };
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        let named = match rest.get(..end) {
            None | Some("") => "/",
            Some(named) => named,
        };
        let Ok(canonical) = path::canonical_path(named) else {
            return false;
        };
        origin == *call.origin && canonical.as_deref().unwrap_or(named) == call.path.canonical()
    }
}
