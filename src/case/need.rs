//! What a case asks, and what it is told.

use super::{Allowance, ChallengeKey, EndedTask, GrantSource, Spending, Unproven, Wanted};
use crate::attestation::{Proof, ProofFault, ProofKind, Thumbprint, TokenFault, Verified};
use crate::context::{Familiarity, Sighting};
use crate::grant::Grant;
use crate::policy::{AttestationId, IssuerId};
use crate::reason::Unavailable;
use crate::request::CertificateReading;
use std::fmt;
use std::sync::Arc;

/// What a case asks of the world.
#[derive(Clone)]
pub enum Need<'a> {
    /// Read this client certificate.
    Certificate(&'a str),
    /// Verify this bearer token.
    Bearer(&'a str),
    /// Say how this compares to what was seen of the caller before.
    Familiarity(Arc<Sighting>),
    /// Verify this attestation.
    Attestation(AttestationId, &'a str),
    /// Verify this proof.
    Proof(Unproven<'a>),
    /// Look whether these issuers have newer keys than those that were judged by.
    Keys(&'a [IssuerId]),
    /// Record a proof as used, if nobody did.
    Spend(Spending),
    /// Say which grants this caller has.
    Grants(Wanted),
    /// Revoke what was issued for this task until now.
    EndTask(EndedTask),
    /// Say whether one more challenge may be given, and count it.
    Challenge(ChallengeKey),
}

/// What the world answers, each to the need of the same name.
#[derive(Clone, Debug)]
pub enum Answer {
    Certificate(CertificateReading),
    Bearer(Result<Arc<Verified>, TokenFault>),
    Familiarity(Familiarity),
    Attestation(AttestationId, Result<Arc<Verified>, TokenFault>),
    Proof(ProofKind, Thumbprint, Signed),
    Spent(Thumbprint, Spent),
    Keys(Renewal),
    Challenge(Allowance),
    Grants(GrantSource, Vec<Arc<Grant>>),
    TaskEnded(Result<(), NotShared>),
    /// The world can't answer; there is no decision without it.
    Unavailable(Unavailable),
}

/// A proof whose signature was good, or what is wrong with it.
pub type Signed = Result<Arc<Proof>, ProofFault>;

/// Whether there are newer keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// This case is judged by the old ones: it has to be opened anew.
    Renewed,
    Unchanged,
}

/// Whether a proof was recorded as used just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    First,
    Replayed,
    /// There is no room to remember it, so it must not pass.
    Full,
    /// The state that all replicas count by is away.
    Untold,
}

/// What was to be known by all replicas is known by this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotShared;

/// Which need it is, and nothing of the credential in it.
impl fmt::Debug for Need<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate(_) => "Certificate",
            Self::Bearer(_) => "Bearer",
            Self::Familiarity(_) => "Familiarity",
            Self::Attestation(..) => "Attestation",
            Self::Keys(_) => "Keys",
            Self::Proof(_) => "Proof",
            Self::Spend(_) => "Spend",
            Self::Challenge(_) => "Challenge",
            Self::Grants(_) => "Grants",
            Self::EndTask(_) => "EndTask",
        })
    }
}
