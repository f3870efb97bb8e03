//! Why a decision came out as it did. A reason is the same word in the response's metadata, the log and the metrics.

use crate::attestation::{ProofFault, TokenFault};
use crate::policy::Name;
use crate::request::Malformed;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Allowed: no rule asks for proof.
    Routine,
    /// Allowed: what the rules ask for was proven.
    Attested,
    /// Allowed: what the rules ask for was proven before, for the same task.
    Granted,
    /// Allowed: an operator granted it by hand.
    BreakGlass,
    /// Answered: the caller's task has ended.
    TaskEnded,
    /// Answered: the caller asked for a challenge.
    ChallengeRequested,
    /// Stepped up: the caller showed no attestation.
    AttestationMissing,
    Attestation(TokenFault),
    Proof(ProofFault),
    CredentialMissing,
    Credential(TokenFault),
    InsufficientScope,
    /// No route names the request, and the policy refuses those.
    UnmatchedRoute,
    /// The policy refuses this caller, whatever it calls.
    Identity(IdentityFault),
    /// Proof is required, on a connection that nobody could give it over.
    Unanswerable,
    /// Proof is required, and the caller left too many challenges unanswered to be given one more.
    ChallengeLoop,
    /// A rule of the policy refuses the request, for a reason of its own.
    Rule(Name),
    Request(Malformed),
    Unavailable(Unavailable),
}

/// Why a caller is refused, whatever it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentityFault {
    Suspended,
    Offboarded,
    /// No entry of the policy names it, and the policy refuses those.
    Undeclared,
}

impl IdentityFault {
    pub const ALL: [Self; 3] = [Self::Suspended, Self::Offboarded, Self::Undeclared];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Offboarded => "offboarded",
            Self::Undeclared => "undeclared_identity",
        }
    }
}

/// What was missing for a decision to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unavailable {
    /// The call's deadline is about to pass.
    Deadline,
    Overload,
    Panic,
    /// The memory of spent proofs is full.
    ReplayMemory,
    /// The keys of an issuer, which could not be fetched, or not for too long.
    Keys,
    /// What is revoked, or what was used: the state that would tell is away, or was not read yet.
    State,
    /// The policy names something that it does not have, which loading rules out.
    Policy,
}

impl Unavailable {
    pub const ALL: [Self; 7] =
        [Self::Deadline, Self::Overload, Self::Panic, Self::ReplayMemory, Self::Keys, Self::State, Self::Policy];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Overload => "overload",
            Self::Panic => "panic",
            Self::ReplayMemory => "replay_memory_full",
            Self::Keys => "keys_unavailable",
            Self::State => "state_unavailable",
            Self::Policy => "policy_incomplete",
        }
    }
}

impl Reason {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Routine => "routine",
            Self::Attested => "attested",
            Self::Granted => "granted",
            Self::BreakGlass => "break_glass",
            Self::TaskEnded => "task_ended",
            Self::ChallengeRequested => "challenge_requested",
            Self::AttestationMissing => "attestation_missing",
            Self::Attestation(fault) => fault.attestation_word(),
            Self::Proof(fault) => fault.word(),
            Self::CredentialMissing => "credential_missing",
            Self::Credential(fault) => fault.credential_word(),
            Self::InsufficientScope => "insufficient_scope",
            Self::UnmatchedRoute => "unmatched_route",
            Self::Identity(fault) => fault.as_str(),
            Self::Unanswerable => "unanswerable",
            Self::ChallengeLoop => "challenge_loop",
            Self::Rule(name) => name.as_str(),
            Self::Request(fault) => fault.as_str(),
            Self::Unavailable(what) => what.as_str(),
        }
    }

    /// Every reason but those that a policy names.
    pub fn all_fixed() -> impl Iterator<Item = Self> {
        let plain = [
            Self::Routine,
            Self::Attested,
            Self::Granted,
            Self::BreakGlass,
            Self::TaskEnded,
            Self::ChallengeRequested,
            Self::AttestationMissing,
            Self::CredentialMissing,
            Self::InsufficientScope,
            Self::UnmatchedRoute,
            Self::Unanswerable,
            Self::ChallengeLoop,
        ];
        let identities = IdentityFault::ALL.into_iter().map(Self::Identity);
        let tokens = TokenFault::ALL.iter().flat_map(|fault| [Self::Attestation(*fault), Self::Credential(*fault)]);
        let proofs = ProofFault::ALL.iter().map(|fault| Self::Proof(*fault));
        let requests = Malformed::ALL.into_iter().map(Self::Request);
        let missing = Unavailable::ALL.into_iter().map(Self::Unavailable);
        plain.into_iter().chain(identities).chain(tokens).chain(proofs).chain(requests).chain(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        let words: Vec<_> = Reason::all_fixed().map(|reason| reason.as_str().to_owned()).collect();
        assert_eq!(words.iter().collect::<HashSet<_>>().len(), words.len());
    }
}
