//! Access tokens: verified here or by Envoy, current, meant for us, and in the hands of whom they are bound to.

use super::presented::Presented;
use super::revoked::check_proof_stands;
use super::{Case, Halt, Moment, Need, Progress, Reach, Spending, refuse};
use crate::attestation::json::Object;
use crate::attestation::{Claims, Proof, ProofFault, TokenFault, TokenKind, Verified, appraise};
use crate::identity::{AccessToken, Caller, PeerCertificate, Scheme, VerifiedToken};
use crate::policy::{Issuer, JwtAuthnCredential};
use crate::reason::Reason;
use crate::time::UnixTime;
use serde_json::Value;
use std::sync::Arc;

/// What came of looking for the proof of a token.
pub(super) enum TokenProof {
    /// The token is bound to no key, or there is none.
    Unbound,
    /// Still to be spent.
    Good(Arc<Proof>),
    /// Spent when the call was recorded.
    Recorded,
}

impl<'a> Case<'a> {
    pub(super) fn bearer(
        &self,
        presented: Option<Presented<'a>>,
        certificate: Option<&PeerCertificate>,
        now: UnixTime,
    ) -> Progress<'a, Option<AccessToken>> {
        let (Some(bearer), Some(presented)) = (&self.ground.policy.credentials.bearer, presented) else {
            return Ok(None);
        };
        let verified = match &self.known.bearer {
            None => return Err(Halt::Needs(Need::Bearer(presented.token))),
            Some(Ok(verified)) => verified,
            Some(Err(fault)) => {
                self.look_for_newer_keys(*fault, &bearer.issuers)?;
                return refuse(Reason::Credential(*fault));
            }
        };
        self.signer(verified, TokenKind::Bearer, &bearer.issuers)?
            .and_then(|issuer| self.check_token(issuer, verified, certificate, presented.scheme, now))
            .map_err(|fault| Halt::Refused(Reason::Credential(fault)))?;
        Ok(Some(AccessToken { verified: VerifiedToken::Here(Arc::clone(verified)), scheme: presented.scheme }))
    }

    fn check_token(
        &self,
        issuer: &Issuer,
        verified: &Verified,
        certificate: Option<&PeerCertificate>,
        scheme: Scheme,
        now: UnixTime,
    ) -> Result<(), TokenFault> {
        let claims = verified.claims();
        appraise::check_times(claims, now, self.ground.policy.credentials.leeway)?;
        if !claims.audiences.iter().any(|audience| issuer.is_named(audience)) {
            return Err(TokenFault::Audience);
        }
        if !claims.subject.as_deref().is_some_and(|subject| issuer.may_speak_for(subject)) {
            return Err(TokenFault::Subject);
        }
        check_binding(claims, certificate, scheme)
    }

    /// The token that Envoy's `jwt_authn` filter verified, by the claims that it left as metadata.
    pub(super) fn verified_by_envoy(
        &self,
        certificate: Option<&PeerCertificate>,
        now: UnixTime,
    ) -> Progress<'a, Option<AccessToken>> {
        let Some(jwt_authn) = &self.ground.policy.credentials.jwt_authn else { return Ok(None) };
        let Some(payload) = self.left_by_envoy() else { return Ok(None) };
        // Also where bearers have a header of their own: a bound token must come where its scheme says so.
        let scheme = super::presented::scheme_of_authorization(self.facts);
        self.read_payload(jwt_authn, payload, certificate, scheme, now)
            .map(Some)
            .map_err(|fault| Halt::Refused(Reason::Credential(fault)))
    }

    /// The claims as they are in Envoy's metadata.
    pub(super) fn left_by_envoy(&self) -> Option<&'a Value> {
        let jwt_authn = self.ground.policy.credentials.jwt_authn.as_ref()?;
        self.facts.metadata.namespace(&jwt_authn.namespace)?.get(&*jwt_authn.key)
    }

    fn read_payload(
        &self,
        jwt_authn: &JwtAuthnCredential,
        payload: &Value,
        certificate: Option<&PeerCertificate>,
        scheme: Scheme,
        now: UnixTime,
    ) -> Result<AccessToken, TokenFault> {
        let credentials = &self.ground.policy.credentials;
        let payload: &Object = payload.as_object().ok_or(TokenFault::Malformed)?;
        let claims = Claims::read(payload, jwt_authn.claim_names(credentials))?;
        // Envoy takes tokens without an end; one that is there must be to come here too.
        match appraise::check_times(&claims, now, credentials.leeway) {
            Err(TokenFault::NoExpiry) => appraise::check_begun(&claims, now, credentials.leeway)?,
            checked => checked?,
        }
        if !claims.subject.as_deref().is_some_and(|subject| jwt_authn.may_name(subject)) {
            return Err(TokenFault::Subject);
        }
        check_binding(&claims, certificate, scheme)?;
        Ok(AccessToken { verified: VerifiedToken::ByEnvoy(Arc::new(claims)), scheme })
    }

    /// A token that is bound to a key counts only with a proof by that key, for this call (RFC 9449 §7.1).
    pub(super) fn prove_token(&self, caller: &Caller, moment: Moment<'_>) -> Progress<'a, TokenProof> {
        let bound = caller.token.as_ref().and_then(AccessToken::bound_to);
        if let Some(recorded) = self.recorded {
            return recorded.token_proof(bound.is_some());
        }
        let Some(bound) = bound else { return Ok(TokenProof::Unbound) };
        let proof = self.token_proof(bound)?.map_err(|fault| {
            Halt::Refused(match fault {
                // Nobody asked this caller for an attestation: what it lacks is a credential.
                ProofFault::Missing => Reason::Credential(TokenFault::Binding),
                fault => Reason::Proof(fault),
            })
        })?;
        let origin = self.origin()?;
        self.check_proof(&proof, None, caller, &origin, moment.now)
            .and_then(|()| check_proof_stands(&proof, caller, moment))
            .map_err(|fault| Halt::Refused(Reason::Proof(fault)))?;
        Ok(TokenProof::Good(proof))
    }

    pub(super) fn spend_token_proof(&self, proof: &TokenProof, reach: Reach) -> Progress<'a, ()> {
        match proof {
            TokenProof::Unbound | TokenProof::Recorded => Ok(()),
            TokenProof::Good(proof) => {
                let spent = self.spend(Spending::of_proof(proof, reach))?;
                spent.map_err(|fault| Halt::Refused(Reason::Proof(fault)))
            }
        }
    }
}

impl TokenProof {
    pub(super) const fn is_given(&self) -> bool {
        !matches!(self, Self::Unbound)
    }
}

/// RFC 8705 §3, RFC 9449 §7.1: what a token is bound to must be shown, and in the scheme made for it. That a key was
/// shown is looked at with the proof.
fn check_binding(claims: &Claims, certificate: Option<&PeerCertificate>, scheme: Scheme) -> Result<(), TokenFault> {
    let confirmation = claims.confirmation.as_ref();
    let bound_to_key = confirmation.is_some_and(|confirmation| confirmation.key.is_some());
    let certificate_shown = match confirmation.and_then(|confirmation| confirmation.certificate) {
        None => true,
        Some(expected) => certificate.is_some_and(|own| own.thumbprint == expected),
    };
    let understood = !confirmation.is_some_and(|confirmation| confirmation.unknown);
    let scheme_fits = bound_to_key == (scheme == Scheme::Dpop);
    if certificate_shown && understood && scheme_fits { Ok(()) } else { Err(TokenFault::Binding) }
}
