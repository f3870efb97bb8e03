//! What a caller is told: the problem of SPEC's table for each reason. Coarse on purpose, the finer reason is the operator's.

use crate::attestation::{ProofFault, TokenFault};
use crate::case::ProvenBy;
use crate::problem::Problem;
use crate::reason::Reason;
use std::borrow::Cow;

const NEEDS_ATTESTATION: Problem = Problem::new(
    401,
    "use_attestation_challenge",
    "Fresh attestation required",
    "Send an attestation of this workload that is no older than max_age, and a proof of possession that carries the challenge.",
);
const NEEDS_NEWER: Problem = Problem::new(
    401,
    "use_fresh_attestation",
    "Newer attestation required",
    "The attestation is too old, or was revoked. Get a new one from the attester, and send it with a proof that carries the challenge.",
);
const BAD_ATTESTATION: Problem = Problem::new(
    401,
    "invalid_client_attestation",
    "Attestation rejected",
    "The attestation or its proof was not accepted for this call.",
);
const BAD_PROOF: Problem = Problem::new(
    401,
    "invalid_dpop_proof",
    "DPoP proof rejected",
    "The DPoP proof was not accepted. Make a new one for this method, URL and token, with the challenge as its nonce.",
);
const NEEDS_NONCE: Problem = Problem::new(
    401,
    "use_dpop_nonce",
    "Challenge required in the DPoP proof",
    "Make a new DPoP proof whose nonce is the challenge.",
);
const BAD_TOKEN: Problem =
    Problem::new(401, "invalid_token", "Valid credential required", "The call needs a credential that is valid here.");
const SCOPE_MISSING: Problem = Problem::new(
    403,
    "insufficient_scope",
    "Scope missing",
    "The credential does not grant the scope that this call needs.",
);
const UNMATCHED: Problem =
    Problem::new(403, "unmatched_route", "Unknown route", "No route of the policy names this request.");
const IDENTITY_REFUSED: Problem = Problem::new(
    403,
    "",
    "Caller refused",
    "This caller may not call, whatever proof comes with it. Its owner knows why.",
);
const CONTRAINDICATED: Problem = Problem::new(
    403,
    "contraindicated",
    "Workload refused",
    "The verifier of this workload warns of it, and no other proof makes up for that. Its owner has to look.",
);
const UNANSWERABLE: Problem = Problem::new(
    403,
    "unanswerable",
    "Proof required",
    "The connection needs proof of its caller, and has no way to carry it.",
);
const LOOP: Problem = Problem::new(
    429,
    "challenge_loop",
    "Too many unanswered challenges",
    "Answer one of the challenges that were given, or ask for another after the time in Retry-After.",
);
const MALFORMED: Problem = Problem::new(
    400,
    "invalid_request",
    "Malformed request",
    "The request's method, host, path or headers can't be read in one way only.",
);
const AWAY: Problem = Problem::new(
    503,
    "temporarily_unavailable",
    "Temporarily unavailable",
    "The decision could not be made. Try again after the time in Retry-After.",
);

impl Problem {
    /// Of what is asked of a caller beside its credential. Only of a DPoP proof it is said in the words of RFC 9449.
    pub fn of_step_up(reason: &Reason, proof: Option<ProvenBy>) -> Self {
        match reason {
            Reason::Proof(fault) if proof != Some(ProvenBy::Dpop) && fault.wants_challenge() => NEEDS_ATTESTATION,
            Reason::Proof(_) if proof != Some(ProvenBy::Dpop) => BAD_ATTESTATION,
            reason => Self::of(reason),
        }
    }

    pub fn of(reason: &Reason) -> Self {
        match reason {
            Reason::AttestationMissing => NEEDS_ATTESTATION,
            Reason::Attestation(TokenFault::TooOld | TokenFault::Expired | TokenFault::Revoked) => NEEDS_NEWER,
            Reason::Attestation(TokenFault::Contraindicated) => CONTRAINDICATED,
            Reason::Attestation(_) | Reason::Proof(ProofFault::Missing) => BAD_ATTESTATION,
            Reason::Proof(fault) if fault.wants_challenge() => NEEDS_NONCE,
            Reason::Proof(_) => BAD_PROOF,
            Reason::CredentialMissing | Reason::Credential(_) => BAD_TOKEN,
            Reason::InsufficientScope => SCOPE_MISSING,
            Reason::UnmatchedRoute => UNMATCHED,
            Reason::Identity(fault) => Self { code: Cow::Borrowed(fault.as_str()), ..IDENTITY_REFUSED },
            Reason::Unanswerable => UNANSWERABLE,
            Reason::ChallengeLoop => LOOP,
            Reason::Rule(name) => Self {
                code: Cow::Owned(name.as_str().to_owned()),
                ..Self::new(
                    403,
                    "",
                    "Refused by policy",
                    "A rule of the policy refuses this call, whatever proof comes with it.",
                )
            },
            Reason::Request(_) => MALFORMED,
            // All but the last are no problems; were one rendered as such, it must not look like an allow.
            Reason::Routine
            | Reason::Attested
            | Reason::Granted
            | Reason::BreakGlass
            | Reason::TaskEnded
            | Reason::ChallengeRequested
            | Reason::Unavailable(_) => AWAY,
        }
    }
}
