//! A thief who calls between a workload's calls teaches nothing that would hide him.
//!
//! He has the workload's token, and neither its key nor its place. What he can't be kept from: before enough was seen of the
//! workload everything is familiar; and a call in which nothing is new says what the workload's own would, that it is there.

use super::calls::{Attested, Bearer, Sketch};
use super::identities::identity;
use super::policies::{Parts, Sources};
use super::routes::plain_route;
use super::rules::unusual_on_sensitive;
use super::scene::decide_with;
use super::signals::signal;
use super::{one_of, some_of};
use crate::case::tests::world::{NOW, WEB};
use crate::case::{Answer, Need};
use crate::context::{Anomaly, LearningTerms, SignalSet};
use crate::decision::{Decision, Outcome};
use crate::policy::{Identity, Policy, Sensitivity, Status};
use crate::store::Learned;
use crate::store::learned::{Bounds, ScopeKey};
use crate::time::UnixTime;
use proptest::prelude::*;

/// One call of the workload, or of the thief.
#[derive(Clone, Debug)]
struct Turn {
    is_thief: bool,
    path: &'static str,
    source: Option<&'static str>,
    country: Option<&'static str>,
    attested: Attested,
    seconds: u64,
}

const HOME: &str = "10.20.1.4";

fn turn() -> impl Strategy<Value = Turn> {
    let source = one_of(&[Some(HOME), Some("10.20.1.9"), Some("203.0.113.5"), Some("198.51.100.7"), None]);
    let attested = one_of(&[Attested::No, Attested::No, Attested::Fresh]);
    let path = one_of(&["/read", "/write", "/refund", "/none", "/elsewhere"]);
    (any::<bool>(), path, source, one_of(&[Some("DE"), Some("RU"), None]), attested, 0..60_u64).prop_map(
        |(is_thief, path, source, country, attested, seconds)| {
            let attested = if is_thief { Attested::No } else { attested };
            Turn { is_thief, path, source, country, attested, seconds }
        },
    )
}

const LEARNED: [&str; 4] = ["new_network", "new_country", "scope_jump", "dormant_identity"];

fn policy() -> impl Strategy<Value = Parts> {
    let signals = (some_of(&LEARNED), any::<bool>(), any::<bool>()).prop_map(|(mut names, shared, device)| {
        names.extend(shared.then_some("shared_credential"));
        names.extend(device.then_some("untrusted_device"));
        names.into_iter().map(|name| signal(name, 10)).collect()
    });
    let described = prop::option::of(one_of(&[WEB, "spiffe://example.org/**"]).prop_flat_map(identity));
    (signals, described).prop_map(|(signals, described)| Parts {
        identities: described.map(|identity| Identity { status: Status::Active, ..identity }).into_iter().collect(),
        signals,
        ..plain()
    })
}

fn plain() -> Parts {
    Parts {
        routes: vec![
            plain_route("/read", Sensitivity::Low, "read"),
            plain_route("/write", Sensitivity::High, "write"),
            plain_route("/refund", Sensitivity::Critical, "refund"),
            plain_route("/none", Sensitivity::Low, ""),
        ],
        rules: vec![unusual_on_sensitive(Anomaly::new(1).unwrap())],
        learning: LearningTerms { after: 3, ..LearningTerms::default() },
        sources: Sources::Bearer,
        ..Parts::empty()
    }
}

/// What is remembered, and by which policy it is judged.
struct World<'p> {
    policy: &'p Policy,
    learned: Learned,
    /// The one that the workload has, and the thief.
    token: String,
}

impl World<'_> {
    fn decide(&self, call: &Sketch) -> Decision {
        let terms = &self.policy.context.learning;
        let remembers = |need: &Need<'_>| match need {
            Need::Familiarity(sighting) => {
                let now = UnixTime::from_secs(call.at);
                Some(Answer::Familiarity(self.learned.familiarity(sighting, terms, now)))
            }
            _ => None,
        };
        decide_with(self.policy, &call.call_with(Some(&self.token)), call.at, remembers).unwrap()
    }

    fn decide_and_learn(&self, call: &Sketch) -> Decision {
        let decision = self.decide(call);
        if let Some((sighting, lesson)) = decision.lesson(&self.policy.context.signals) {
            self.learned.learn(sighting, lesson, &self.policy.context.learning, UnixTime::from_secs(call.at));
        }
        decision
    }
}

impl Turn {
    fn call(&self, at: u64) -> Sketch {
        let country = self.country.map(|country| ("x-geo-country".to_owned(), country.to_owned()));
        Sketch {
            headers: country.into_iter().collect(),
            source: self.source,
            bearer: Some(bearer()),
            attested: self.attested,
            at,
            ..Sketch::plain(self.path)
        }
    }
}

/// Outlives all turns.
fn bearer() -> Bearer {
    Bearer { lifetime: 86_400, ..Bearer::plain() }
}

fn fired(decision: &Decision) -> SignalSet {
    decision.findings.unusual.signals
}

/// Enough calls of the workload, all alike, to be known by.
fn known(policy: &Policy) -> World<'_> {
    let world = World {
        policy,
        learned: Learned::new(Bounds::default(), ScopeKey::from_bytes([7; 16])),
        token: bearer().token(NOW),
    };
    let usual = Turn {
        is_thief: false,
        path: "/read",
        source: Some(HOME),
        country: Some("DE"),
        attested: Attested::No,
        seconds: 1,
    };
    for second in 0..3 {
        world.decide_and_learn(&usual.call(NOW + second));
    }
    world
}

proptest! {
    #[test]
    fn a_thief_teaches_nothing_that_hides_him(parts in policy(), turns in prop::collection::vec(turn(), 1..12)) {
        let policy = parts.policy();
        let (disturbed, alone) = (known(&policy), known(&policy));
        let counts_places = parts.signals.iter().any(|signal| signal.name.as_str() == "shared_credential");
        let mut now = NOW + 3;
        for turn in turns {
            now += turn.seconds;
            let call = turn.call(now);
            let decision = disturbed.decide_and_learn(&call);
            if !turn.is_thief {
                alone.decide_and_learn(&call);
                continue;
            }
            let undisturbed = fired(&alone.decide(&call));
            prop_assert!(undisturbed.iter().all(|id| fired(&decision).contains(id)), "a signal fell silent");
            // In how many places a credential is shown, he himself makes known, and what fires then teaches nothing.
            prop_assert!(counts_places || fired(&decision) == undisturbed, "a signal began to fire");
        }
    }

    #[test]
    fn a_call_that_was_refused_or_looked_strange_teaches_nothing(parts in policy(), turns in prop::collection::vec(turn(), 1..12)) {
        let policy = parts.policy();
        let world = known(&policy);
        let mut now = NOW + 3;
        for turn in turns {
            now += turn.seconds;
            let call = turn.call(now);
            let probe = |world: &World<'_>| fired(&world.decide(&Turn { attested: Attested::No, ..turn.clone() }.call(now)));
            let before = probe(&world);
            let decision = world.decide_and_learn(&call);
            let strange = policy.context.signals.any_learned(fired(&decision));
            let proven = matches!(&decision.outcome, Outcome::Allow(permit) if permit.level().is_some());
            let teaches = proven || (matches!(decision.outcome, Outcome::Allow(_)) && !strange);
            prop_assert!(teaches || before.iter().all(|id| probe(&world).contains(id)));
        }
    }
}

/// The law would say nothing, if nothing ever fired on a thief.
#[test]
fn a_thief_is_seen_where_he_does_what_the_workload_does_not() {
    let parts = Parts { signals: LEARNED.map(|name| signal(name, 10)).into(), ..plain() };
    let policy = parts.policy();
    let world = known(&policy);
    let thief = Turn {
        is_thief: true,
        path: "/refund",
        source: Some("203.0.113.5"),
        country: Some("RU"),
        attested: Attested::No,
        seconds: 1,
    };
    for second in 0..10 {
        let decision = world.decide_and_learn(&thief.call(NOW + 10 + second));
        assert_eq!(fired(&decision).iter().count(), 3, "network, country and scopes");
        assert!(matches!(decision.outcome, Outcome::StepUp(_)));
    }
}
