//! Who calls: the client certificate, what other proxies and Envoy's filters say, and the bearer token; and whether they agree.

use super::{Case, Halt, Need, Progress, refuse};
use crate::attestation::{Thumbprint, TokenFault};
use crate::context::Lifetime;
use crate::identity::{AccessToken, Caller, PeerCertificate, Principal, SpiffeId, TrustDomain, VerifiedToken, xfcc};
use crate::policy::{IdentitySource, MtlsCredential, ScopeSet, XfccCredential};
use crate::reason::Reason;
use crate::time::UnixTime;

/// Where callers with certificates are reported by another proxy.
const XFCC_HEADER: &str = "x-forwarded-client-cert";

/// What the sources of identity yield.
struct Sources {
    certified: Option<Principal>,
    reported: Option<Principal>,
    by_envoy: Option<(AccessToken, Principal)>,
    bearer: Option<(AccessToken, Principal)>,
}

impl<'a> Case<'a> {
    pub(super) fn authenticate(&self, now: UnixTime) -> Progress<'a, Caller> {
        if let Some(recorded) = self.recorded {
            return recorded.caller();
        }
        let credentials = &self.ground.policy.credentials;
        let presented = self.presented()?;
        let certificate = self.certificate()?;
        let sources = Sources {
            certified: credentials.mtls.as_ref().and_then(|mtls| self.certified(mtls, certificate)),
            reported: credentials.xfcc.as_ref().and_then(|xfcc| self.reported(xfcc)),
            by_envoy: self.verified_by_envoy(certificate, now)?.map(with_principal).transpose()?,
            bearer: self.bearer(presented, certificate, now)?.map(with_principal).transpose()?,
        };
        let named = credentials.identity.iter().find_map(|source| Some((*source, sources.principal(*source)?.clone())));
        for (token, subject) in sources.tokens() {
            self.check_speaks_for(token, subject, named.as_ref())?;
        }
        sources.check_one_key()?;
        Ok(Caller {
            lifetime: sources.lifetime(named.as_ref().map(|(source, _)| *source), certificate),
            granted: sources.granted(),
            certified: certificate.is_some() && self.is_certified(sources.certified.as_ref(), named.as_ref()),
            principal: named.map(|(_, principal)| principal),
            beside: sources.by_envoy.as_ref().filter(|_| sources.bearer.is_some()).map(|(token, _)| token.clone()),
            token: sources.bearer.or(sources.by_envoy).map(|(token, _)| token),
            certificate: certificate.map(|certificate| certificate.thumbprint),
            scopes_enforced: credentials.grant_scopes(),
        })
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
        id.filter(|id| is_trusted(id, &mtls.trust_domains)).map(|id| (&id).into())
    }

    /// A header that stands twice names nobody: which of them the last proxy wrote can't be told.
    fn reported(&self, xfcc: &XfccCredential) -> Option<Principal> {
        let id = xfcc::last_spiffe_id(self.facts.headers.only(XFCC_HEADER)?)?;
        is_trusted(&id, &xfcc.trust_domains).then(|| (&id).into())
    }

    /// A token of somebody else's does not count, unless it is bound to the very certificate that names the caller, or may
    /// speak for others and says that it was given to the caller (RFC 8693 §4.1).
    fn check_speaks_for(
        &self,
        token: &AccessToken,
        subject: &Principal,
        named: Option<&(IdentitySource, Principal)>,
    ) -> Progress<'a, ()> {
        let Some((source, principal)) = named else { return Ok(()) };
        let is_caller = |name: &str| self.ground.policy.identities.is_alias(principal.as_str(), name);
        let certified = token.is_bound_to_certificate() && *source == IdentitySource::Mtls;
        if is_caller(subject.as_str()) || certified || token.claims().actors.iter().any(|actor| is_caller(actor)) {
            Ok(())
        } else {
            refuse(Reason::Credential(TokenFault::Subject))
        }
    }

    /// Whether the name in the client certificate is the caller's.
    fn is_certified(&self, certified: Option<&Principal>, named: Option<&(IdentitySource, Principal)>) -> bool {
        let identities = &self.ground.policy.identities;
        let both = certified.zip(named.map(|(_, principal)| principal));
        both.is_some_and(|(certified, caller)| identities.is_alias(caller.as_str(), certified.as_str()))
    }

    /// What the caller is recognised by. Of a token that Envoy verified, wherever that stood, what it says: a header beside
    /// it may be anything. A certificate that does not name the caller is a proxy's, and shown by all who come through it.
    pub(super) fn credential(&self, caller: &Caller) -> Option<Thumbprint> {
        match caller.token.as_ref().map(|token| &token.verified) {
            Some(VerifiedToken::ByEnvoy(_)) => {
                self.left_by_envoy().map(|payload| Thumbprint::of(payload.to_string().as_bytes()))
            }
            Some(VerifiedToken::Here(verified)) => Some(verified.digest()),
            Some(VerifiedToken::Earlier(_)) => None,
            None => {
                let own = self.known.certificate.as_ref()?.as_ref().ok()?;
                let id = own.spiffe_id.as_ref()?;
                let caller_is_its = caller.principal.as_ref().is_some_and(|caller| caller.as_str() == id.as_str());
                caller_is_its.then_some(own.thumbprint)
            }
        }
    }
}

impl Sources {
    fn principal(&self, source: IdentitySource) -> Option<&Principal> {
        match source {
            IdentitySource::Mtls => self.certified.as_ref(),
            IdentitySource::Xfcc => self.reported.as_ref(),
            IdentitySource::JwtAuthn => self.by_envoy.as_ref().map(|(_, principal)| principal),
            IdentitySource::Bearer => self.bearer.as_ref().map(|(_, principal)| principal),
        }
    }

    fn tokens(&self) -> impl Iterator<Item = (&AccessToken, &Principal)> {
        self.by_envoy.iter().chain(&self.bearer).map(|(token, subject)| (token, subject))
    }

    /// Of two tokens only the bearer is proven. One that Envoy verified, and that is bound to another key, would go unproven
    /// beside it.
    fn check_one_key<'a>(&self) -> Progress<'a, ()> {
        let key = |source: &Option<(AccessToken, Principal)>| source.as_ref().map(|(token, _)| token.bound_to());
        match (key(&self.by_envoy), key(&self.bearer)) {
            (Some(Some(by_envoy)), Some(bearer)) if bearer != Some(by_envoy) => {
                refuse(Reason::Credential(TokenFault::Binding))
            }
            _ => Ok(()),
        }
    }

    /// Where two tokens come with one call, what both grant.
    fn granted(&self) -> Option<ScopeSet> {
        let scopes = self.tokens().map(|(token, _)| token.claims().scopes.clone());
        scopes.reduce(|all, more| all.filtered(|scope| more.contains(scope)))
    }

    /// Of the tokens, and of the certificate where it names the caller. What only another proxy reports has no end that
    /// could be read.
    fn lifetime(&self, named_by: Option<IdentitySource>, certificate: Option<&PeerCertificate>) -> Lifetime {
        let tokens = self.tokens().map(|(token, _)| Lifetime::between(token.claims().issued, token.claims().expires));
        let named = match (named_by, certificate) {
            (Some(IdentitySource::Mtls), Some(certificate)) => {
                Lifetime::between(Some(certificate.not_before), Some(certificate.not_after))
            }
            (Some(IdentitySource::Mtls | IdentitySource::Xfcc), _) => Lifetime::Untold,
            _ => Lifetime::None,
        };
        tokens.fold(named, Lifetime::longer)
    }
}

fn is_trusted(id: &SpiffeId, domains: &[TrustDomain]) -> bool {
    domains.iter().any(|domain| id.is_member_of(domain))
}

fn with_principal<'a>(token: AccessToken) -> Progress<'a, (AccessToken, Principal)> {
    let subject = token.claims().subject.as_deref();
    match subject.map(Principal::parse) {
        Some(Ok(principal)) => Ok((token, principal)),
        _ => refuse(Reason::Credential(TokenFault::Subject)),
    }
}
