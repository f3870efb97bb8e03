//! Plain maps that say what the store should, as long as nothing reaches its bounds.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

/// Short enough for every second to count.
const SHORT: LearningTerms = LearningTerms { after: 5, remember: Ttl::from_secs(40), within: Ttl::from_secs(20) };

#[derive(Debug, Default)]
struct Model {
    people: HashMap<(Standing, Principal), Person>,
    credentials: HashMap<Thumbprint, HashMap<Option<Network>, u64>>,
    latest: u64,
}

#[derive(Clone, Debug, Default)]
struct Person {
    calls: u32,
    last_seen: Option<u64>,
    networks: HashMap<Network, u64>,
    countries: HashMap<Country, u64>,
    scopes: HashMap<String, u64>,
}

/// One call, this many seconds after the one before it, and what may be learned from it.
type Step = (i64, Sighting, Lesson);

impl Model {
    fn ask(&mut self, shown: &Sighting, now: UnixTime) -> Familiarity {
        let now = self.tick(now);
        let fresh = |at: &u64| now.saturating_sub(*at) < SHORT.remember.as_secs();
        let person = self.people.get(&(shown.standing, shown.principal.clone())).cloned().unwrap_or_default();
        let seen = |before| if before { Seen::Before } else { Seen::Never };
        let used = |scope: &crate::policy::Scope| person.scopes.get(scope.as_str()).is_some_and(fresh);
        Familiarity {
            calls: person.calls,
            network: shown.network.map_or(Seen::Untold, |n| seen(person.networks.get(&n).is_some_and(fresh))),
            country: shown.country.map_or(Seen::Untold, |c| seen(person.countries.get(&c).is_some_and(fresh))),
            scopes: if shown.scopes.is_empty() { Seen::Untold } else { seen(shown.scopes.iter().all(used)) },
            knows_networks: !person.networks.is_empty(),
            knows_countries: !person.countries.is_empty(),
            last_seen: person.last_seen.map(UnixTime::from_secs),
            credential_networks: shown.credential.map_or(0, |credential| {
                let sources = self.credentials.get(&credential).cloned().unwrap_or_default();
                let recent = |at: &u64| now.saturating_sub(*at) <= SHORT.within.as_secs();
                let others = sources.iter().filter(|(network, at)| **network != shown.network && recent(at)).count();
                u32::try_from(others).unwrap() + 1
            }),
        }
    }

    fn learn(&mut self, shown: &Sighting, lesson: Lesson, now: UnixTime) {
        let now = self.tick(now);
        if let Some(credential) = shown.credential {
            self.credentials.entry(credential).or_default().insert(shown.network, now);
        }
        if lesson == Lesson::All {
            let person = self.people.entry((shown.standing, shown.principal.clone())).or_default();
            person.calls += 1;
            person.last_seen = Some(now);
            person.networks.extend(shown.network.map(|network| (network, now)));
            person.countries.extend(shown.country.map(|country| (country, now)));
            person.scopes.extend(shown.scopes.iter().map(|scope| (scope.to_string(), now)));
        }
    }

    fn tick(&mut self, now: UnixTime) -> u64 {
        self.latest = self.latest.max(now.as_secs());
        self.latest
    }
}

fn sightings() -> impl Strategy<Value = Sighting> {
    let standing = prop::sample::select(vec![Standing::Named, Standing::Patterned, Standing::Undeclared]);
    let scopes = prop::sample::subsequence(vec!["a", "b", "c", "d"], 0..=3);
    let networks = prop::option::weighted(0.9, 0_u8..5);
    let countries = prop::option::weighted(0.9, prop::sample::select(vec!["DE", "NL", "FR"]));
    (0..2_u8, standing, networks, countries, scopes, prop::option::weighted(0.9, 0_u32..3)).prop_map(
        |(number, standing, at, code, scopes, token)| Sighting {
            principal: principal(&format!("web-{number}")),
            standing,
            network: at.and_then(network),
            country: code.and_then(country),
            scopes: ScopeSet::parse(&scopes.join(" ")).unwrap(),
            credential: token.and_then(credential),
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lesson = prop_oneof![3 => Just(Lesson::All), 1 => Just(Lesson::CredentialOnly)];
    prop::collection::vec((-10_i64..12, sightings(), lesson), 1..200)
}

/// Takes the steps, and says the time after each before its lesson is learned.
fn walk(steps: &[Step], mut at_each: impl FnMut(UnixTime, &Step)) {
    let mut now = NOW.as_secs();
    for step in steps {
        now = now.checked_add_signed(step.0).unwrap();
        at_each(UnixTime::from_secs(now), step);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn below_its_bounds_the_store_says_what_plain_maps_say(steps in steps()) {
        let (learned, mut model) = (learned(), Model::default());
        walk(&steps, |now, (_, shown, lesson)| {
            assert_eq!(learned.familiarity(shown, &SHORT, now), model.ask(shown, now), "{shown:?} at {now:?}");
            learned.learn(shown, *lesson, &SHORT, now);
            model.learn(shown, *lesson, now);
            assert_eq!(learned.familiarity(shown, &SHORT, now), model.ask(shown, now), "{shown:?} after {now:?}");
        });
    }

    #[test]
    fn of_an_identity_nothing_is_learned_from_a_call_that_may_not_teach(steps in steps()) {
        let (taught, disturbed) = (learned(), learned());
        walk(&steps, |now, (_, shown, lesson)| {
            if *lesson == Lesson::All {
                taught.learn(shown, Lesson::All, &SHORT, now);
            }
            disturbed.learn(shown, *lesson, &SHORT, now);
            let of_identity = |store: &Learned| {
                Familiarity { credential_networks: 0, ..store.familiarity(shown, &SHORT, now) }
            };
            assert_eq!(of_identity(&taught), of_identity(&disturbed));
        });
    }

    #[test]
    fn time_makes_nothing_familiar(steps in steps(), asked in sightings(), waits in prop::collection::vec(-20_i64..60, 1..8)) {
        let learned = learned();
        let mut now = NOW.as_secs();
        walk(&steps, |at, (_, shown, lesson)| {
            learned.learn(shown, *lesson, &SHORT, at);
            now = at.as_secs();
        });
        let mut before = learned.familiarity(&asked, &SHORT, UnixTime::from_secs(now));
        for wait in waits {
            now = now.checked_add_signed(wait).unwrap();
            let after = learned.familiarity(&asked, &SHORT, UnixTime::from_secs(now));
            for (earlier, later) in
                [(before.network, after.network), (before.country, after.country), (before.scopes, after.scopes)]
            {
                prop_assert!(later != Seen::Before || earlier == Seen::Before);
            }
            prop_assert_eq!(before.knows_networks, after.knows_networks);
            prop_assert_eq!(before.knows_countries, after.knows_countries);
            prop_assert!(after.credential_networks <= before.credential_networks);
            prop_assert_eq!((before.calls, before.last_seen), (after.calls, after.last_seen));
            before = after;
        }
    }
}
