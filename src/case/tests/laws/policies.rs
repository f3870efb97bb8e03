//! Policies in parts, so that a law can add to one, or turn its order around.

use super::identities::{identities, undeclared};
use super::routes::{floor, routes, sensitivity};
use super::rules::rules;
use super::signals::signals;
use crate::case::tests::world::{ORIGIN, attestation, issuers, levels};
use crate::context::{Context, LearningTerms, NetworkSet, Signal, Signals};
use crate::identity::TrustDomain;
use crate::policy::{
    BearerCredential, ChallengeLimit, Credentials, Definitions, ElevatedScopes, Floor, Floors, Identities, Identity,
    IdentitySource, IssuerId, Mode, MtlsCredential, Origin, Policy, Route, RouteTable, Rule, Undeclared, Unmatched,
};
use proptest::prelude::*;
use std::sync::LazyLock;

#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub mode: Mode,
    pub routes: Vec<Route>,
    pub rules: Vec<Rule>,
    pub floors: Vec<Floor>,
    pub identities: Vec<Identity>,
    pub undeclared: Undeclared,
    pub unmatched: Unmatched,
    pub signals: Vec<Signal>,
    pub learning: LearningTerms,
    pub sources: Sources,
    pub ignore_case: bool,
    pub refuse_ambiguous: bool,
    /// Whether the peer is a proxy whose word on the client's address is believed.
    pub behind_proxy: bool,
}

/// Where callers are known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sources {
    Certificate,
    Bearer,
    /// `delegated`: a bearer may speak for another.
    Both {
        delegated: bool,
    },
}

pub(super) fn parts() -> impl Strategy<Value = Parts> {
    let sources = prop_oneof![
        1 => Just(Sources::Certificate),
        3 => Just(Sources::Bearer),
        3 => any::<bool>().prop_map(|delegated| Sources::Both { delegated }),
    ];
    let unmatched = prop_oneof![8 => sensitivity().prop_map(Unmatched::Sensitivity), 1 => Just(Unmatched::Deny)];
    let flags = (prop::bool::weighted(0.2), prop::bool::weighted(0.1), any::<bool>());
    let callers = (identities(), undeclared(), sources, signals());
    (routes("r", 8), rules("rule-", 6), prop::collection::vec(floor(), 0..=2), callers, unmatched, flags).prop_map(
        |(routes, rules, floors, (identities, undeclared, sources, signals), unmatched, flags)| Parts {
            routes,
            rules,
            floors,
            identities,
            undeclared,
            unmatched,
            signals,
            sources,
            ignore_case: flags.0,
            refuse_ambiguous: flags.1,
            behind_proxy: flags.2,
            ..Parts::empty()
        },
    )
}

/// Made once, as it is dear.
static ELEVATED: LazyLock<ElevatedScopes> = LazyLock::new(|| ElevatedScopes::new(["refund", "admin:*"]).unwrap());

impl Parts {
    /// A policy that says nothing yet.
    pub(super) fn empty() -> Self {
        Self {
            mode: Mode::Enforce,
            routes: Vec::new(),
            rules: Vec::new(),
            floors: Vec::new(),
            identities: Vec::new(),
            undeclared: Undeclared::default(),
            unmatched: Unmatched::default(),
            signals: Vec::new(),
            learning: LearningTerms::default(),
            sources: Sources::Both { delegated: false },
            ignore_case: false,
            refuse_ambiguous: false,
            behind_proxy: false,
        }
    }

    pub(super) fn policy(&self) -> Policy {
        let elevated = ELEVATED.clone();
        let resolved = |route: &Route| Route {
            elevated: route.scopes.filtered(|scope| elevated.contains(scope)),
            ..route.clone()
        };
        let proxies = self.behind_proxy.then(|| NetworkSet::network("10.0.0.0/24").unwrap());
        Policy {
            hash: "generated".into(),
            mode: self.mode,
            resource: Some(Origin::parse(ORIGIN).unwrap()),
            issuers: issuers(),
            credentials: self.sources.credentials(),
            identities: Identities::new(self.identities.clone(), self.undeclared.clone()),
            routes: RouteTable::new(self.routes.iter().map(resolved).collect(), self.ignore_case),
            elevated,
            unmatched: self.unmatched,
            challenges: ChallengeLimit::default(),
            floors: Floors::new(self.floors.clone()),
            refuse_ambiguous: self.refuse_ambiguous,
            context: Context {
                trusted_proxies: proxies.into_iter().collect(),
                learning: self.learning,
                signals: Signals::new(self.signals.clone()).unwrap(),
            },
            attestations: vec![attestation()],
            assurance: levels(),
            definitions: Definitions::default(),
            rules: self.rules.clone(),
            events: None,
        }
    }
}

impl Sources {
    fn credentials(self) -> Credentials {
        let mtls = MtlsCredential {
            trust_domains: vec![TrustDomain::parse("example.org").unwrap()],
            certificate_required: true,
        };
        let bearer = BearerCredential {
            issuers: vec![IssuerId(0)],
            header: "authorization".into(),
            subject: "sub".into(),
            scopes: "scope".into(),
            delegated: self == Self::Both { delegated: true },
        };
        Credentials {
            identity: vec![IdentitySource::Mtls, IdentitySource::Bearer],
            mtls: (self != Self::Bearer).then_some(mtls),
            bearer: (self != Self::Certificate).then_some(bearer),
            xfcc: None,
            jwt_authn: None,
            claims: ["env".into()].into(),
            leeway: Credentials::DEFAULT_LEEWAY,
        }
    }
}
