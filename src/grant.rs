//! Grants: what a proof that was given once still allows, for one task, to who proves again that it is the same caller.
//!
//! A grant holds what it was made from, so that every use asks anew whether the policy, the keys and the revocations of that
//! moment still stand behind it. Whether it is live is never remembered.

mod record;

pub use record::GrantRecordError;

use crate::attestation::{Details, Thumbprint};
use crate::identity::Principal;
use crate::policy::{Name, ScopeSet};
use crate::revocation::{Issued, Note, RevocationId, Revocations, Target, TaskOwner};
use crate::time::{Ttl, UnixTime};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// It follows from all that the grant says.
    pub id: RevocationId,
    pub principal: Principal,
    pub holder: Holder,
    pub basis: Basis,
    /// What it covers. A call must need some of them and no others.
    pub scopes: ScopeSet,
    /// The routes that it was given on: of those that need no scope, it covers no others.
    pub routes: Vec<Name>,
    pub task: Box<str>,
    /// When the oldest of what it was made from was issued.
    pub issued: UnixTime,
    /// From this moment on it counts no more.
    pub expires: UnixTime,
}

/// What has to be shown again for a grant to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// A proof by the key that the caller's token is bound to.
    Key(Thumbprint),
    /// This client certificate.
    Certificate(Thumbprint),
    /// Any client certificate that names the principal.
    Certified,
}

/// Why a grant was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    Attested(AttestedBasis),
    /// By an operator, for the day that nobody can attest.
    BreakGlass {
        by: Name,
        reason: Note,
    },
}

/// The attestation that a grant was given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedBasis {
    /// The level that it was proven for, and what that meant.
    pub level: Name,
    pub definition: Thumbprint,
    pub attestation: Name,
    /// The issuer that signed it.
    pub attester: Name,
    /// Whom it named.
    pub subject: Box<str>,
    /// The key of the issuer.
    pub signer: Thumbprint,
    /// What it was bound to, and the caller's token too.
    pub keys: Vec<Thumbprint>,
    /// What it was made for.
    pub details: Details,
}

/// Where grants of one caller are looked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GrantKey {
    pub principal: Principal,
    pub holder: Holder,
}

/// Longer than any incident should need without somebody looking again.
pub const LONGEST_BREAK_GLASS: Ttl = Ttl::from_secs(3_600);

impl Grant {
    pub fn key(&self) -> GrantKey {
        GrantKey { principal: self.principal.clone(), holder: self.holder }
    }

    /// Whether it has not expired, and nothing that it was made from is revoked.
    pub fn is_live(&self, now: UnixTime, revocations: &Revocations) -> bool {
        now < self.expires && !self.is_revoked(now, revocations)
    }

    fn is_revoked(&self, now: UnixTime, revocations: &Revocations) -> bool {
        let principal = self.principal.as_str();
        let issued = Issued {
            at: Some(self.issued),
            principals: &[principal],
            attester: None,
            task: Some(&self.task),
            keys: &[],
        };
        match &self.basis {
            Basis::BreakGlass { .. } => {
                revocations.is_void(&Issued { attester: Some(&self.attester()), ..issued }, now)
            }
            Basis::Attested(basis) => {
                let keys = basis.keys.iter().copied().map(Some);
                let keys: Vec<_> = keys.chain([Some(basis.signer), self.holder.key()]).collect();
                let principals = [principal, &basis.subject];
                let (attester, principals) = (Some(&basis.attester), principals.as_slice());
                revocations.is_void(&Issued { attester, principals, keys: &keys, ..issued }, now)
            }
        }
    }

    /// What ends it, and whatever else was given for its task.
    pub fn end(&self) -> Target {
        let of = Some(TaskOwner { principal: self.principal.clone(), attester: self.attester() });
        Target::Task { task: self.task.clone(), of }
    }

    /// Who vouched for it: of a break-glass grant, the operator.
    pub fn attester(&self) -> Name {
        match &self.basis {
            Basis::Attested(basis) => basis.attester.clone(),
            Basis::BreakGlass { by, .. } => by.clone(),
        }
    }
}

impl Holder {
    pub const fn key(self) -> Option<Thumbprint> {
        match self {
            Self::Key(key) | Self::Certificate(key) => Some(key),
            Self::Certified => None,
        }
    }

    pub const fn kind(self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Certificate(_) => "certificate",
            Self::Certified => "certified",
        }
    }
}
