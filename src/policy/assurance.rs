//! What counts as proof: the attestations that are known, and levels of assurance that ask for them.

use super::{IssuerId, Name};
use crate::attestation::ClaimNames;
use crate::time::Ttl;

/// The place of an attestation in its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttestationId(pub usize);

/// The place of a level in its policy: the later, the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LevelId(pub usize);

/// One way for a caller to prove itself.
#[derive(Clone, Debug)]
pub struct Attestation {
    pub name: Name,
    pub profile: Profile,
    pub issuers: Vec<IssuerId>,
    /// Whether its headers stay on the request to the upstream.
    pub forward: bool,
    /// The claim that names the task.
    pub task_claim: Box<str>,
    /// The claim that names the scopes it covers.
    pub scope_claim: Box<str>,
}

/// The standard that an attestation follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// draft-ietf-oauth-attestation-based-client-auth, proven with DPoP (RFC 9449).
    OauthClientAttestation,
}

/// A level of assurance: how fresh, by whom, and bound to what.
#[derive(Clone, Debug)]
pub struct Assurance {
    pub name: Name,
    pub max_age: Ttl,
    pub accept: Vec<AttestationId>,
    /// Whether the proof must carry a challenge that stepgate issued.
    pub challenge_required: bool,
}

impl Profile {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OauthClientAttestation => "oauth-client-attestation",
        }
    }

    /// The headers that a caller sends, as the profile's standard writes them.
    pub const fn headers(self) -> &'static [&'static str] {
        match self {
            Self::OauthClientAttestation => &["OAuth-Client-Attestation", "DPoP"],
        }
    }

    /// The header with the attestation, in lower case.
    pub const fn attestation_header(self) -> &'static str {
        match self {
            Self::OauthClientAttestation => "oauth-client-attestation",
        }
    }

    /// The header with the proof of possession, in lower case.
    pub const fn proof_header(self) -> &'static str {
        match self {
            Self::OauthClientAttestation => "dpop",
        }
    }
}

impl Attestation {
    pub const DEFAULT_TASK_CLAIM: &'static str = "txn";
    pub const DEFAULT_SCOPE_CLAIM: &'static str = "scope";

    /// The claims that are read of it.
    pub fn claim_names(&self) -> ClaimNames<'_> {
        ClaimNames {
            subject: "sub",
            scopes: &self.scope_claim,
            task: &self.task_claim,
            actors: false,
            nonces: false,
            kept: &[],
        }
    }
}
