//! Who calls: the client certificate and the bearer token, and whether the two agree.

use super::{Case, Halt, Need, Progress, refuse};
use crate::attestation::{DpopProof, ProofFault, Thumbprint, TokenFault, TokenKind, Verified, appraise};
use crate::identity::{AccessToken, Caller, PeerCertificate, Principal, Scheme, SpiffeId};
use crate::policy::{BearerCredential, IdentitySource, MtlsCredential, Policy};
use crate::reason::Reason;
use crate::request::{Malformed, Occurrence, RequestFacts};
use crate::time::UnixTime;
use std::sync::Arc;

/// A token as the caller presented it.
struct Presented<'a> {
    token: &'a str,
    scheme: Scheme,
}

impl<'a> Case<'a> {
    pub(super) fn authenticate(&self, now: UnixTime) -> Progress<'a, Caller> {
        let credentials = &self.ground.policy.credentials;
        let presented = self.presented()?;
        let certificate = self.certificate()?;
        let token = match (&credentials.bearer, presented) {
            (Some(bearer), Some(presented)) => Some(self.access_token(bearer, &presented, certificate, now)?),
            _ => None,
        };
        let by_token = token.as_ref().map(token_principal).transpose()?;
        let by_certificate = credentials.mtls.as_ref().and_then(|mtls| self.certified(mtls, certificate));
        let principal = credentials.identity.iter().find_map(|source| match source {
            IdentitySource::Mtls => by_certificate.clone(),
            IdentitySource::Bearer => by_token.clone(),
        });
        if let (Some(token), Some(subject)) = (&token, &by_token) {
            check_speaks_for(token, subject, principal.as_ref())?;
        }
        let certificate = certificate.map(|certificate| certificate.thumbprint);
        Ok(Caller { principal, token, certificate, scopes_enforced: credentials.bearer.is_some() })
    }

    pub(super) fn scheme(&self) -> Scheme {
        let presented = presented(self.ground.policy, self.facts).ok().flatten();
        presented.map_or(Scheme::Bearer, |presented| presented.scheme)
    }

    fn presented(&self) -> Progress<'a, Option<Presented<'a>>> {
        presented(self.ground.policy, self.facts).map_err(Halt::Refused)
    }

    /// A certificate that can't be read names nobody.
    fn certificate(&self) -> Progress<'a, Option<&PeerCertificate>> {
        match (&self.facts.peer.certificate, &self.known.certificate) {
            (None, _) => Ok(None),
            (Some(_), Some(reading)) => Ok(reading.as_deref().ok()),
            (Some(pem), None) => Err(Halt::Needs(Need::Certificate(pem))),
        }
    }

    fn certified(&self, mtls: &MtlsCredential, certificate: Option<&PeerCertificate>) -> Option<Principal> {
        let peer = &self.facts.peer;
        let id = match (certificate, &peer.certificate) {
            (Some(certificate), _) => certificate.spiffe_id.clone(),
            (None, None) if !mtls.certificate_required => {
                peer.principal.as_deref().and_then(|name| SpiffeId::parse(name).ok())
            }
            (None, _) => None,
        };
        id.filter(|id| mtls.trust_domains.iter().any(|domain| id.is_member_of(domain))).map(|id| (&id).into())
    }

    fn access_token(
        &self,
        bearer: &'a BearerCredential,
        presented: &Presented<'a>,
        certificate: Option<&PeerCertificate>,
        now: UnixTime,
    ) -> Progress<'a, AccessToken> {
        let verified = match &self.known.bearer {
            None => return Err(Halt::Needs(Need::Bearer(presented.token))),
            Some(Ok(verified)) => verified,
            Some(Err(fault)) => return refuse(Reason::Credential(*fault)),
        };
        self.check_token(bearer, verified, certificate, presented.scheme, now)
            .map_err(|fault| Halt::Refused(Reason::Credential(fault)))?;
        Ok(AccessToken { verified: Arc::clone(verified), scheme: presented.scheme })
    }

    fn check_token(
        &self,
        bearer: &'a BearerCredential,
        verified: &Verified,
        certificate: Option<&PeerCertificate>,
        scheme: Scheme,
        now: UnixTime,
    ) -> Result<(), TokenFault> {
        let issuer = verified.still_holds(TokenKind::Bearer, self.ground.trusted(&bearer.issuers))?;
        let claims = verified.claims();
        appraise::check_times(claims, now, self.ground.policy.credentials.leeway)?;
        if !claims.audiences.iter().any(|audience| issuer.is_named(audience)) {
            return Err(TokenFault::Audience);
        }
        if !claims.subject.as_deref().is_some_and(|subject| issuer.may_speak_for(subject)) {
            return Err(TokenFault::Subject);
        }
        check_binding(verified, certificate, scheme)
    }

    /// A token that is bound to a key counts only with a proof by that key, for this call (RFC 9449 §7.1).
    pub(super) fn prove_token(&self, caller: &Caller, now: UnixTime) -> Progress<'a, Option<DpopProof>> {
        let Some(bound) = caller.token.as_ref().and_then(AccessToken::bound_to) else {
            return Ok(None);
        };
        let proof = self.proof(bound)?.map_err(|fault| {
            Halt::Refused(match fault {
                // Nobody asked this caller for an attestation: what it lacks is a credential.
                ProofFault::Missing => Reason::Credential(TokenFault::Binding),
                fault => Reason::Proof(fault),
            })
        })?;
        let origin = self.origin()?;
        self.check_proof(&proof, caller, &origin, now).map_err(|fault| Halt::Refused(Reason::Proof(fault)))?;
        Ok(Some(proof))
    }

    pub(super) fn spend_token_proof(&self, proof: Option<DpopProof>) -> Progress<'a, ()> {
        match proof {
            None => Ok(()),
            Some(proof) => self.spend(&proof)?.map_err(|fault| Halt::Refused(Reason::Proof(fault))),
        }
    }
}

/// RFC 9449 §4.2: the digest of the token that a call presents, which is what the `ath` of its proof must be.
pub fn token_digest(policy: &Policy, facts: &RequestFacts) -> Option<Thumbprint> {
    presented(policy, facts).ok().flatten().map(|presented| Thumbprint::of(presented.token.as_bytes()))
}

fn presented<'a>(policy: &Policy, facts: &'a RequestFacts) -> Result<Option<Presented<'a>>, Reason> {
    let headers = &facts.headers;
    if headers.occurrence("authorization") == Occurrence::Repeated {
        return Err(Reason::Request(Malformed::RepeatedAuthorization));
    }
    let name = policy.credentials.bearer.as_ref().map_or("authorization", |bearer| &bearer.header);
    match headers.occurrence(name) {
        Occurrence::Absent => Ok(None),
        Occurrence::Once(value) => read_presented(value, name == "authorization"),
        Occurrence::Repeated => Err(Reason::Credential(TokenFault::Repeated)),
        Occurrence::Unreadable => Err(Reason::Credential(TokenFault::Malformed)),
    }
}

/// `Bearer <token>` or `DPoP <token>`; a header of its own may hold the bare token. Other schemes are not ours. What only
/// looks like one of ours could be taken for it further on, and is refused.
fn read_presented(value: &str, is_authorization: bool) -> Result<Option<Presented<'_>>, Reason> {
    if is_authorization && holds_another(value) {
        return Err(Reason::Request(Malformed::RepeatedAuthorization));
    }
    let name_end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
    let (name, rest) = value.split_at(name_end);
    let scheme = match name.to_ascii_lowercase().as_str() {
        "bearer" => Scheme::Bearer,
        "dpop" => Scheme::Dpop,
        _ if is_authorization => return Ok(None),
        _ => return Ok(Some(Presented { token: value, scheme: Scheme::Bearer })),
    };
    match rest.strip_prefix(' ').map(|token| token.trim_start_matches(' ')) {
        Some(token) if !token.is_empty() => Ok(Some(Presented { token, scheme })),
        _ => Err(Reason::Credential(TokenFault::Malformed)),
    }
}

/// Envoy joins repeated headers by a comma, which no token holds.
fn holds_another(value: &str) -> bool {
    let joined = value.contains(',');
    joined && value.split(',').any(|part| is_ours(part.trim_start()))
}

fn is_ours(value: &str) -> bool {
    let name = value.split([' ', '\t']).next().unwrap_or_default();
    name.eq_ignore_ascii_case("bearer") || name.eq_ignore_ascii_case("dpop")
}

fn token_principal<'a>(token: &AccessToken) -> Progress<'a, Principal> {
    let subject = token.verified.claims().subject.as_deref();
    match subject.map(Principal::parse) {
        Some(Ok(principal)) => Ok(principal),
        _ => refuse(Reason::Credential(TokenFault::Subject)),
    }
}

/// A token of somebody else's does not count, unless it is bound to the very certificate that names the caller.
fn check_speaks_for<'a>(token: &AccessToken, subject: &Principal, principal: Option<&Principal>) -> Progress<'a, ()> {
    let confirmation = token.verified.claims().confirmation.as_ref();
    let bound_to_certificate = confirmation.is_some_and(|confirmation| confirmation.certificate.is_some());
    if bound_to_certificate || principal.is_none_or(|principal| principal == subject) {
        Ok(())
    } else {
        refuse(Reason::Credential(TokenFault::Subject))
    }
}

/// RFC 8705 §3, RFC 9449 §7.1: what a token is bound to must be shown, and in the scheme made for it. That a key was
/// shown is looked at with the proof.
fn check_binding(verified: &Verified, certificate: Option<&PeerCertificate>, scheme: Scheme) -> Result<(), TokenFault> {
    let confirmation = verified.claims().confirmation.as_ref();
    let bound_to_key = confirmation.is_some_and(|confirmation| confirmation.key.is_some());
    let certificate_shown = match confirmation.and_then(|confirmation| confirmation.certificate) {
        None => true,
        Some(expected) => certificate.is_some_and(|own| own.thumbprint == expected),
    };
    let understood = !confirmation.is_some_and(|confirmation| confirmation.unknown);
    let scheme_fits = bound_to_key == (scheme == Scheme::Dpop);
    if certificate_shown && understood && scheme_fits { Ok(()) } else { Err(TokenFault::Binding) }
}
