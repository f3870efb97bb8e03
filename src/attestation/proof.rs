//! Proofs of possession: a signature by the caller's own key over this very call.
//!
//! Three standards write one down. What each says of the call is read by a file of its own; that it is for this call, made
//! just now, and by which name it is counted once, is asked of all of them here.

mod dpop;
mod pop;
mod wpt;

use super::claims::text;
use super::jose::Compact;
use super::json::Object;
use super::jwk::PublicKey;
use super::{ProofFault, Thumbprint};
use crate::policy::Origin;
use crate::request::{Headers, Method, RequestPath, path};
use crate::time::{Ttl, UnixTime};

/// How long a proof may live.
pub const PROOF_LIFETIME: Ttl = Ttl::from_secs(60);
/// An identifier needs 96 random bits (RFC 9449 §4.2); more than this is somebody filling our memory.
const MAX_ID_BYTES: usize = 256;
/// Where a transaction token comes (draft-ietf-oauth-transaction-tokens §11.1).
const TRANSACTION_TOKEN_HEADER: &str = "txn-token";

/// The standard that a proof follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProofKind {
    /// RFC 9449.
    Dpop,
    /// The client attestation's own (draft-ietf-oauth-attestation-based-client-auth).
    Pop,
    /// A workload proof token (draft-ietf-wimse-wpt).
    Wpt,
}

/// What a proof must be signed with.
#[derive(Clone, Copy, Debug)]
pub struct ProofKey<'k> {
    pub thumbprint: Thumbprint,
    /// The key itself, where what is bound to it holds it. Only a DPoP proof brings its key along.
    pub key: Option<&'k PublicKey>,
}

/// A proof whose signature was good, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    kind: ProofKind,
    key: Thumbprint,
    id: Box<str>,
    call: Call,
    time: Time,
    challenge: Option<Box<str>>,
    access_token: Option<Thumbprint>,
}

/// What it says of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Call {
    /// `htm` and `htu`, and of a client attestation's proof, whom it is for.
    Request { method: Box<str>, target: Box<str>, audience: Option<Box<str>> },
    /// The URL, and the tokens that go with it.
    Target { target: Box<str>, attestation: Thumbprint, transaction: Option<Thumbprint> },
}

/// When it was made, or until when it is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    Issued(UnixTime),
    Expires(UnixTime),
}

/// The call that a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct ProvenCall<'c> {
    pub method: &'c Method,
    pub path: &'c RequestPath,
    pub headers: &'c Headers,
    pub origin: &'c Origin,
    /// The digest of the bearer token that came along.
    pub access_token: Option<Thumbprint>,
    /// The digest of the attestation that it proves; nothing where it proves a token.
    pub attestation: Option<Thumbprint>,
}

impl ProofKind {
    pub const ALL: [Self; 3] = [Self::Dpop, Self::Pop, Self::Wpt];

    /// The header that it comes in, as its standard writes it.
    pub const fn standard_header(self) -> &'static str {
        match self {
            Self::Dpop => "DPoP",
            Self::Pop => "OAuth-Client-Attestation-PoP",
            Self::Wpt => "Workload-Proof-Token",
        }
    }

    /// The same in lower case.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Dpop => "dpop",
            Self::Pop => "oauth-client-attestation-pop",
            Self::Wpt => "workload-proof-token",
        }
    }

    /// The scheme of `authorization` under which it may come too, in lower case.
    pub const fn scheme(self) -> Option<&'static str> {
        match self {
            Self::Wpt => Some("wpt"),
            Self::Dpop | Self::Pop => None,
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Dpop => "dpop+jwt",
            Self::Pop => "oauth-client-attestation-pop+jwt",
            Self::Wpt => "wpt+jwt",
        }
    }
}

impl Proof {
    /// Checks form, type and signature by the expected key: nobody makes us check signatures by keys of his own.
    pub fn verify(kind: ProofKind, token: &str, expected: &ProofKey<'_>) -> Result<Self, ProofFault> {
        let compact = Compact::parse(token)?;
        if compact.header.media_type.as_deref() != Some(kind.media_type()) {
            return Err(ProofFault::Type);
        }
        let brought = match (kind, &compact.header.key) {
            (ProofKind::Dpop, Some(jwk)) => Some(dpop::brought_key(jwk, expected)?),
            (ProofKind::Dpop, None) => return Err(ProofFault::Malformed),
            (ProofKind::Pop | ProofKind::Wpt, Some(_)) => return Err(ProofFault::ForbiddenHeader),
            (ProofKind::Pop | ProofKind::Wpt, None) => None,
        };
        let key = expected.key.or(brought.as_ref().and_then(Option::as_ref)).ok_or(ProofFault::Key)?;
        if !key.fits(compact.header.algorithm) {
            return Err(ProofFault::Algorithm);
        }
        let proof = Self::read(kind, &compact.payload, expected.thumbprint)?;
        let signed = compact.signing_input().as_bytes();
        let good = key.verifies(compact.header.algorithm, signed, compact.signature());
        if good { Ok(proof) } else { Err(ProofFault::Signature) }
    }

    fn read(kind: ProofKind, payload: &Object, key: Thumbprint) -> Result<Self, ProofFault> {
        let (call, time, challenge) = match kind {
            ProofKind::Dpop => dpop::read(payload)?,
            ProofKind::Pop => pop::read(payload)?,
            ProofKind::Wpt => wpt::read(payload)?,
        };
        let id = required(payload, "jti")?;
        if id.len() > MAX_ID_BYTES {
            return Err(ProofFault::Malformed);
        }
        Ok(Self { kind, key, id, call, time, challenge, access_token: digest(payload, "ath")? })
    }

    pub const fn kind(&self) -> ProofKind {
        self.kind
    }

    pub const fn key(&self) -> &Thumbprint {
        &self.key
    }

    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    /// Whether the proof is for this call.
    pub fn is_for(&self, call: &ProvenCall<'_>) -> Result<(), ProofFault> {
        self.call.agrees_with(call)?;
        if self.access_token == call.access_token { Ok(()) } else { Err(ProofFault::Token) }
    }

    /// Whether the proof was made just now. A clock ahead of ours is forgiven up to `leeway`.
    pub fn is_recent(&self, now: UnixTime, leeway: Ttl) -> Result<(), ProofFault> {
        let ahead = match self.time {
            Time::Issued(issued) => issued > now.plus(leeway),
            Time::Expires(expires) => expires > now.plus(PROOF_LIFETIME).plus(leeway),
        };
        if ahead || now > self.expires(leeway) { Err(ProofFault::Stale) } else { Ok(()) }
    }

    /// The last moment at which the proof could pass.
    pub const fn expires(&self, leeway: Ttl) -> UnixTime {
        match self.time {
            Time::Issued(issued) => issued.plus(PROOF_LIFETIME),
            Time::Expires(expires) => expires.plus(leeway),
        }
    }

    /// What the proof is counted by: its key and its identifier. The key comes first and has a fixed length, so that no
    /// two pairs read the same.
    pub fn spending_key(&self) -> Thumbprint {
        Thumbprint::of(&[self.key.as_bytes(), self.id.as_bytes()].concat())
    }
}

impl Call {
    fn agrees_with(&self, call: &ProvenCall<'_>) -> Result<(), ProofFault> {
        match self {
            Self::Request { method, target, audience } => {
                if **method != *call.method.as_str() {
                    return Err(ProofFault::Method);
                }
                let for_us = audience.as_deref().is_none_or(|audience| audience == call.origin.as_str());
                if for_us && names_target(target, call) { Ok(()) } else { Err(ProofFault::Target) }
            }
            Self::Target { target, attestation, transaction } => {
                if !names_target(target, call) {
                    return Err(ProofFault::Target);
                }
                let same_transaction =
                    || transaction.is_none_or(|digest| transaction_token(call.headers) == Some(digest));
                if call.attestation == Some(*attestation) && same_transaction() {
                    Ok(())
                } else {
                    Err(ProofFault::Token)
                }
            }
        }
    }
}

/// RFC 9449 §4.3, 9: compared without query and fragment, after normalization (RFC 3986 §6.2.2 and §6.2.3).
fn names_target(target: &str, call: &ProvenCall<'_>) -> bool {
    let Ok((origin, rest)) = Origin::split_from(target) else {
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

fn transaction_token(headers: &Headers) -> Option<Thumbprint> {
    headers.only(TRANSACTION_TOKEN_HEADER).map(|token| Thumbprint::of(token.as_bytes()))
}

fn required(payload: &Object, name: &str) -> Result<Box<str>, ProofFault> {
    text(payload, name)?.filter(|text| !text.is_empty()).ok_or(ProofFault::Malformed)
}

/// A digest of a token, in base64url (RFC 9449 §4.2, `ath`).
fn digest(payload: &Object, name: &str) -> Result<Option<Thumbprint>, ProofFault> {
    text(payload, name)?.map(|digest| Thumbprint::parse(&digest).ok_or(ProofFault::Token)).transpose()
}
