//! The policy as it is judged by: every part checked, every name resolved. How it is written is the business of `config`.

pub mod assurance;
pub mod challenges;
pub mod classification;
pub mod credentials;
pub mod events;
pub mod floor;
pub mod glob;
pub mod host;
pub mod identities;
pub mod identity;
mod index;
pub mod issuer;
pub mod key_origin;
pub mod look;
pub mod mcp;
pub mod name;
pub mod origin;
pub mod pattern;
mod reach;
pub mod route;
pub mod rule;
pub mod scopes;
pub mod selector;
pub mod sensitivity;
pub mod table;
pub mod template;
pub mod touch;

pub use assurance::{
    Assurance, Attestation, AttestationId, Carry, LevelId, OnStateLoss, Possession, Profile, RequiredClaims,
};
pub use challenges::ChallengeLimit;
pub use classification::{Classification, Coverage, Subject};
pub use credentials::{
    BearerCredential, CREDENTIAL_HEADERS, Credentials, EVIDENCE_HEADERS, IdentitySource, JwtAuthnCredential,
    MtlsCredential, XfccCredential,
};
pub use events::Events;
pub use floor::{Floor, Floors};
pub use glob::Glob;
pub use host::HostPattern;
pub use identities::{Identities, Match, Undeclared};
pub use identity::{Identity, IdentityId, Kind, Status};
pub use issuer::{Issuer, IssuerId};
pub use key_origin::{KeyOrigin, KeyUrl, KeyUrlError, RemoteKeys};
pub use look::HeaderLook;
pub use mcp::McpCondition;
pub use name::Name;
pub use origin::Origin;
pub use pattern::NamePattern;
pub use route::{Fit, HeaderCondition, Route, RouteId, UNMATCHED, UNREAD};
pub use rule::{AnomalyAlone, ClaimCondition, Considered, Effect, Joined, Requirement, Rule, RuleId, Unmet, When};
pub use scopes::{ElevatedScopes, Scope, ScopePatterns, ScopeSet};
pub use selector::{Selected, Selector};
pub use sensitivity::{Privilege, PrivilegeReason, Sensitivity};
pub use table::{Found, RouteTable};
pub use template::{PathTemplate, Segment};
pub use touch::Taken;

use crate::attestation::Thumbprint;
use crate::context::Context;
use std::sync::OnceLock;

/// Everything that a request is judged by, but for the issuers' keys.
#[derive(Debug)]
pub struct Policy {
    /// Digest over the content of the files, so that a log line says what it was decided by.
    pub hash: Box<str>,
    /// Whether it is enforced, or everything is let through and only watched.
    pub mode: Mode,
    /// The origin that proofs are made for; without one, `https://<host>`.
    pub resource: Option<Origin>,
    pub issuers: Vec<Issuer>,
    pub credentials: Credentials,
    pub elevated: ElevatedScopes,
    pub identities: Identities,
    pub routes: RouteTable,
    pub unmatched: Unmatched,
    /// How many challenges a caller may leave unanswered.
    pub challenges: ChallengeLimit,
    pub floors: Floors,
    /// Whether a path that servers read differently by its own form is refused rather than judged in every reading.
    pub refuse_ambiguous: bool,
    pub context: Context,
    pub attestations: Vec<Attestation>,
    /// Weakest first.
    pub assurance: Vec<Assurance>,
    /// What each of the levels means, so that a grant is told from one that was given for another.
    pub definitions: Definitions,
    pub rules: Vec<Rule>,
    /// Nothing where no events are received.
    pub events: Option<Events>,
}

/// Whether what is decided counts, or is only watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    #[default]
    Enforce,
    Shadow,
}

/// What holds for a request that no route names: always elevated privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmatched {
    Sensitivity(Sensitivity),
    Deny,
}

impl Default for Unmatched {
    fn default() -> Self {
        Self::Sensitivity(Sensitivity::High)
    }
}

/// Found out when they are first asked for, and then kept.
#[derive(Debug, Default)]
pub struct Definitions(OnceLock<Box<[Thumbprint]>>);

impl Policy {
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(id.0)
    }

    pub fn level(&self, id: LevelId) -> Option<&Assurance> {
        self.assurance.get(id.0)
    }

    /// The level of this name, if it still means this.
    pub fn level_as_defined(&self, name: &Name, definition: Thumbprint) -> Option<(LevelId, &Assurance)> {
        let index = self.assurance.iter().position(|level| level.name == *name)?;
        let id = LevelId(index);
        let unchanged = self.definition(id) == Some(definition);
        self.level(id).filter(|_| unchanged).map(|level| (id, level))
    }

    /// All that a level means, in one digest.
    pub fn definition(&self, id: LevelId) -> Option<Thumbprint> {
        let define = |level: &Assurance| level.definition(&self.attestations, &self.issuers);
        self.definitions.0.get_or_init(|| self.assurance.iter().map(define).collect()).get(id.0).copied()
    }

    pub fn attestation(&self, id: AttestationId) -> Option<&Attestation> {
        self.attestations.get(id.0)
    }

    pub fn issuer(&self, id: IssuerId) -> Option<&Issuer> {
        self.issuers.get(id.0)
    }

    pub fn issuer_named(&self, name: &Name) -> Option<(IssuerId, &Issuer)> {
        let index = self.issuers.iter().position(|issuer| issuer.name == *name)?;
        self.issuers.get(index).map(|issuer| (IssuerId(index), issuer))
    }
}

impl Mode {
    pub const ALL: [Self; 2] = [Self::Enforce, Self::Shadow];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
        }
    }
}

impl Unmatched {
    /// A refused request is logged as being as sensitive as can be.
    const fn sensitivity(self) -> Sensitivity {
        match self {
            Self::Sensitivity(sensitivity) => sensitivity,
            Self::Deny => Sensitivity::Critical,
        }
    }
}

#[cfg(test)]
mod tests;
