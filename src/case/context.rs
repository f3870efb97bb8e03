//! Who the caller is to the policy, and how unusual the call is.

use super::{Case, Halt, Need, Progress, refuse};
use crate::context::client_address::client_address;
use crate::context::{Circumstances, CountrySource, Network, Sighting, Standing, Test, Unusual};
use crate::decision::Findings;
use crate::identity::{Caller, Principal};
use crate::policy::{Identity, IdentityId, Match, ScopeSet, Status, Taken, Undeclared};
use crate::reason::{IdentityFault, Reason};
use crate::time::UnixTime;
use std::sync::Arc;

/// What the policy says of a caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile<'a> {
    pub identity: Option<(IdentityId, &'a Identity)>,
    /// How well it is known: not at all where no entry names it.
    standing: Standing,
    fault: Option<IdentityFault>,
}

impl<'a> Case<'a> {
    /// Looks the caller up. A caller who is nobody has no profile.
    pub(super) fn profile(&self, caller: &Caller) -> Profile<'a> {
        let identities = &self.ground.policy.identities;
        let nobody = Profile { identity: None, standing: Standing::Undeclared, fault: None };
        // Who refuses the undeclared means it, also where nobody is declared.
        let speaks = !identities.is_empty() || *identities.undeclared() == Undeclared::Refuse;
        let Some(principal) = caller.principal.as_ref().filter(|_| speaks) else {
            return nobody;
        };
        let found = identities.find(principal.as_str());
        let Match { described, status } = found;
        // A token that lends its scopes to somebody else is its subject's all the same.
        let status =
            status.max(caller.foreign_subject().map_or(Status::Active, |subject| identities.find(subject).status));
        let suspended = match status {
            Status::Active => None,
            Status::Suspended => Some(IdentityFault::Suspended),
            Status::Offboarded => Some(IdentityFault::Offboarded),
        };
        match (described, identities.undeclared()) {
            (Some(entry), _) => Profile { identity: Some(entry), standing: found.standing(), fault: suspended },
            (None, Undeclared::Baseline(_)) => Profile { fault: suspended, ..nobody },
            (None, Undeclared::Refuse) => Profile { fault: suspended.or(Some(IdentityFault::Undeclared)), ..nobody },
        }
    }

    /// The signals that fire; nothing of a caller who is nobody is looked up.
    pub(super) fn unusual(
        &self,
        caller: &Caller,
        profile: &Profile<'a>,
        touched: &[Taken<'a>],
        now: UnixTime,
        findings: &mut Findings,
    ) -> Progress<'a, Unusual> {
        let context = &self.ground.policy.context;
        let (facts, headers) = (self.facts, &self.facts.headers);
        let client = client_address(facts.source, headers, &context.trusted_proxies);
        findings.client = client;
        if context.signals.is_empty() {
            return Ok(Unusual::default());
        }
        let identity = profile.identity.map(|(_, identity)| identity);
        let told = self.recorded.and_then(|recorded| recorded.country);
        let country = told.or_else(|| self.country_source().and_then(|source| source.country(headers, client)));
        findings.country = country;
        let asks_memory = context.signals.iter().any(|(_, signal)| signal.test.asks_memory(identity));
        let asks_credential = context.signals.iter().any(|(_, signal)| signal.test.asks_credential());
        // What is decided again asks no memory, and teaches nothing.
        let remembers = asks_memory && self.recorded.is_none();
        if let Some(principal) = caller.principal.as_ref().filter(|_| remembers) {
            let sighting = || Sighting {
                principal: profile.remembered_as(principal),
                standing: profile.standing,
                network: client.map(Network::of),
                country,
                scopes: union(touched),
                credential: asks_credential.then(|| self.credential(caller)).flatten(),
            };
            findings.sighting = Some(self.sighting.get_or_init(|| Arc::new(sighting())).clone());
        }
        let familiarity = match (&findings.sighting, &self.known.familiarity) {
            (Some(sighting), None) => return Err(Halt::Needs(Need::Familiarity(Arc::clone(sighting)))),
            (Some(_), known) => known.as_ref(),
            (None, _) => None,
        };
        let unusual = context.signals.fired(&Circumstances {
            now,
            facts,
            learning: context.learning,
            client,
            country,
            identity,
            lifetime: caller.lifetime,
            scopes_untold: touched.iter().any(|taken| !taken.told),
            familiarity,
        });
        Ok(self.recorded.map_or(unusual, |recorded| recorded.add_fired(unusual, &context.signals, identity)))
    }

    fn country_source(&self) -> Option<&'a CountrySource> {
        let mut signals = self.ground.policy.context.signals.iter();
        signals.find_map(|(_, signal)| if let Test::NewCountry(source) = &signal.test { Some(source) } else { None })
    }
}

impl Profile<'_> {
    /// An identity is one, whichever of its names it shows: else a thief who holds a token under another would be a
    /// stranger, of whom no learned signal speaks.
    fn remembered_as(&self, principal: &Principal) -> Principal {
        let own = self.identity.map(|(_, identity)| &identity.pattern);
        let own = own.filter(|own| own.is_exact() && own.as_str() != principal.as_str());
        own.and_then(|own| Principal::parse(own.as_str()).ok()).unwrap_or_else(|| principal.clone())
    }

    /// Suspended and offboarded callers are refused, without a challenge: there is nothing that they could prove.
    pub(super) fn admit<'a>(&self) -> Progress<'a, ()> {
        self.fault.map_or(Ok(()), |fault| refuse(Reason::Identity(fault)))
    }
}

/// What a call exercises, whichever way it is taken.
fn union(touched: &[Taken<'_>]) -> ScopeSet {
    let scopes = touched.iter().map(|taken| taken.scopes.clone());
    scopes.reduce(|all, more| all.union(&more)).unwrap_or_default()
}
