//! What is revoked: asked of everything that the caller shows, at every step anew, so that what is revoked while a case waits
//! is void when it ends.

use super::evidence::{Bearing, Candidate};
use super::{Case, Moment, Progress, refuse};
use crate::attestation::{Claims, Proof, ProofFault, Thumbprint, TokenFault};
use crate::identity::{AccessToken, Caller, Principal, VerifiedToken};
use crate::policy::Name;
use crate::reason::Reason;
use crate::revocation::Issued;
use crate::time::UnixTime;

impl<'a> Case<'a> {
    /// Whether what says who calls still counts: each token, and the certificate by its key. A certificate does not say for
    /// what it was issued, so that a revocation of its principal alone leaves it.
    pub(super) fn check_standing(caller: &Caller, moment: Moment<'_>) -> Progress<'a, ()> {
        let key_is_revoked = |key: &Thumbprint| moment.revoked.is_key_revoked(key);
        let certificate = caller.certificate.filter(|_| caller.certified);
        let void = certificate.iter().any(key_is_revoked)
            || caller.tokens().any(|token| token_is_void(token, caller.principal.as_ref(), moment));
        if void { refuse(Reason::Credential(TokenFault::Revoked)) } else { Ok(()) }
    }

    /// Whether an attestation, or the proof that came with it, is void.
    pub(super) fn is_void(candidate: &Candidate<'a>, made: Option<UnixTime>, bearing: &Bearing<'_>) -> bool {
        let claims = candidate.verified.claims();
        let names = names(Some(bearing.principal), claims);
        let issued = Issued {
            at: claims.issued,
            principals: &names,
            attester: Some(candidate.verified.issuer()),
            task: candidate.appraised.task.as_deref(),
            keys: &keys(claims, Some(candidate.verified.key())),
        };
        let Moment { now, revoked } = bearing.moment;
        let proof_is_void = made.is_some() && revoked.is_void(&Issued { at: made, ..issued }, now);
        revoked.is_void(&issued, now) || proof_is_void
    }
}

/// Whether the proof for a token was made before its caller or its key was revoked.
pub(super) fn check_proof_stands(proof: &Proof, caller: &Caller, moment: Moment<'_>) -> Result<(), ProofFault> {
    let principal = [caller.principal.as_ref().map_or(NOBODY, Principal::as_str)];
    let (at, keys) = (proof.issued(), [Some(*proof.key())]);
    let issued = Issued { at, principals: &principal, attester: None, task: None, keys: &keys };
    if moment.revoked.is_void(&issued, moment.now) { Err(ProofFault::Revoked) } else { Ok(()) }
}

fn token_is_void(token: &AccessToken, principal: Option<&Principal>, moment: Moment<'_>) -> bool {
    let (claims, attester, signer): (_, Option<&Name>, _) = match &token.verified {
        VerifiedToken::Here(verified) => (verified.claims(), Some(verified.issuer()), Some(verified.key())),
        VerifiedToken::ByEnvoy(claims) => (&**claims, None, None),
        // It counted when the call was recorded.
        VerifiedToken::Earlier(_) => return false,
    };
    let names = names(principal, claims);
    let issued = Issued { at: claims.issued, principals: &names, attester, task: None, keys: &keys(claims, signer) };
    moment.revoked.is_void(&issued, moment.now)
}

/// Names no principal.
const NOBODY: &str = "";

/// Whom a statement may be known by: its caller, and the name that it gives.
fn names<'n>(principal: Option<&'n Principal>, claims: &'n Claims) -> [&'n str; 2] {
    [principal.map_or(NOBODY, Principal::as_str), claims.subject.as_deref().unwrap_or(NOBODY)]
}

/// What a statement is bound to, and signed by.
fn keys(claims: &Claims, signer: Option<Thumbprint>) -> [Option<Thumbprint>; 3] {
    let confirmation = claims.confirmation.as_ref();
    let key = confirmation.and_then(|confirmation| confirmation.key);
    [key, confirmation.and_then(|confirmation| confirmation.certificate), signer]
}
