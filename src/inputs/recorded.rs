//! To what a case is told instead of verifying it.

use super::{Bound, GivenAttestation, Inputs};
use crate::attestation::Claims;
use crate::case::{Recorded, RecordedAttestation};
use crate::context::{Lifetime, SignalSet};
use crate::identity::{AccessToken, Caller, Scheme, VerifiedToken};
use crate::policy::{Attestation, AttestationId, Name, Policy};
use crate::reason::Reason;
use std::sync::Arc;

impl Inputs {
    /// What this tells a case under a policy. Names that the policy does not know say nothing to it.
    pub fn recorded(&self, policy: &Policy) -> Recorded {
        Recorded {
            caller: self.caller(policy),
            fault: self.fault.clone().filter(|fault| *fault != Reason::ChallengeLoop),
            country: self.country,
            fired: self.fired(policy),
            attestation: self.attestation.as_ref().map(|given| given.recorded(policy)),
            grant: self.grant.clone(),
            looped: self.fault == Some(Reason::ChallengeLoop),
        }
    }

    /// Names in it that the policy does not know, each with what it should be a name of.
    pub fn unknown_names<'n>(&'n self, policy: &Policy) -> Vec<(&'static str, &'n Name)> {
        let is_signal = |name: &Name| policy.context.signals.iter().any(|(_, signal)| signal.name == *name);
        let signals = self.fired.iter().filter(|name| !is_signal(name)).map(|name| ("signal", name));
        let by = self.attestation.as_ref().and_then(|given| given.by.as_ref());
        let by = by.filter(|name| attestation(policy, name).is_none()).map(|name| ("attestation", name));
        let level = self.grant.as_ref().and_then(|grant| grant.level.as_ref());
        let is_level = |name: &Name| policy.assurance.iter().any(|level| level.name == *name);
        let level = level.filter(|name| !is_level(name)).map(|name| ("assurance level", name));
        let is_route = |name: &Name| policy.routes.iter().any(|(_, route)| route.name == *name);
        let routes = self.grant.iter().flat_map(|grant| &grant.routes).filter(|name| !is_route(name));
        signals.chain(by).chain(level).chain(routes.map(|name| ("route", name))).collect()
    }

    fn fired(&self, policy: &Policy) -> SignalSet {
        let named = policy.context.signals.iter().filter(|(_, signal)| self.fired.contains(&signal.name));
        named.map(|(id, _)| id).collect()
    }

    fn caller(&self, policy: &Policy) -> Caller {
        let token = self.token(policy);
        let shows_something = self.principal.is_some() || token.is_some();
        Caller {
            principal: self.principal.clone(),
            granted: self.scopes.clone(),
            certificate: self.bound.certificate.then_some(Recorded::KEY),
            certified: self.bound.certificate,
            lifetime: match self.credential_lifetime {
                Some(lifetime) => Lifetime::Told(lifetime),
                // Absent is not good: of what is shown, an end that is not given can't be read.
                None if shows_something => Lifetime::Untold,
                None => Lifetime::None,
            },
            token,
            beside: None,
            scopes_enforced: policy.credentials.grant_scopes(),
        }
    }

    fn token(&self, policy: &Policy) -> Option<AccessToken> {
        let Bound { key, .. } = self.bound;
        if self.scopes.is_none() && self.subject.is_none() && self.claims.is_none() && !key {
            return None;
        }
        let values = self.claims.clone().unwrap_or_default();
        let own = self.principal.as_ref().map(|principal| principal.as_str().into());
        let subject = self.subject.clone().or(own);
        let claims = Claims::recorded(subject, key.then_some(Recorded::KEY), &values, &policy.credentials.claims);
        let scheme = if key { Scheme::Dpop } else { Scheme::Bearer };
        Some(AccessToken { verified: VerifiedToken::Earlier(Arc::new(claims)), scheme })
    }
}

impl GivenAttestation {
    fn recorded(&self, policy: &Policy) -> RecordedAttestation {
        RecordedAttestation {
            by: self.by.as_ref().and_then(|name| attestation(policy, name)),
            age: self.age,
            task: self.task.clone(),
            scopes: self.scopes.clone(),
            proof: self.proof,
            challenge: self.challenge,
            fault: self.fault.clone(),
        }
    }
}

fn attestation(policy: &Policy, name: &Name) -> Option<AttestationId> {
    let is_named = |attestation: &Attestation| attestation.name == *name;
    policy.attestations.iter().position(is_named).map(AttestationId)
}
