//! What follows from two moments, as tables and as laws.

use super::*;
use crate::attestation::KeySet;
use crate::mint::{SigningKey, jwks};
use crate::policy::{Identity, NamePattern, Undeclared};
use proptest::prelude::*;
use rstest::rstest;
use std::sync::{Arc, LazyLock};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// `pattern[=alias[,alias]][!status]`
fn entry(text: &str) -> Identity {
    let (text, status) = text.split_once('!').unwrap_or((text, "active"));
    let (pattern, aliases) = text.split_once('=').unwrap_or((text, ""));
    Identity {
        pattern: NamePattern::parse(pattern).unwrap(),
        aliases: aliases.split(',').filter(|a| !a.is_empty()).map(principal).collect(),
        networks: None,
        countries: None,
        hours: None,
        kind: None,
        owner: None,
        baseline: None,
        status: Status::parse(status).unwrap(),
        review_by: None,
    }
}

fn principal(name: &str) -> Principal {
    Principal::parse(name).unwrap()
}

fn identities(entries: &[&str]) -> Identities {
    Identities::new(entries.iter().map(|text| entry(text)).collect(), Undeclared::default())
}

/// Whom a change from one policy to another revokes, where `known` was seen before.
fn fallen(old: &Identities, new: &Identities, known: &[&str]) -> Vec<String> {
    let known: Vec<_> = known.iter().map(|name| principal(name)).collect();
    values(&of_identities(old, new, &known, NOW), "principal", Source::Identity)
}

fn values(revocations: &[Revocation], kind: &str, source: Source) -> Vec<String> {
    let value = |one: &Revocation| {
        assert_eq!((one.target.kind(), one.source, one.not_before), (kind, source, NOW));
        one.target.value().unwrap()
    };
    revocations.iter().map(value).collect()
}

#[rstest]
#[case::suspended(&["web"], &["web!suspended"], &["web"])]
#[case::offboarded(&["web"], &["web!offboarded"], &["web"])]
#[case::offboarded_later(&["web!suspended"], &["web!offboarded"], &["web"])]
#[case::never_there(&[], &["web!suspended"], &["web"])]
#[case::all_names(&["web=w1,w2"], &["web=w1,w2!suspended"], &["w1", "w2", "web"])]
#[case::names_that_are_new(&["web"], &["web=w1!suspended"], &["w1", "web"])]
#[case::names_that_left_with_it(&["web=w1,w2"], &["web=w2!suspended"], &["w1", "w2", "web"])]
#[case::a_name_that_went_elsewhere(&["web=w1", "api"], &["web!suspended", "api=w1"], &["w1", "web"])]
#[case::a_name_of_the_suspended(&["web!suspended", "w1"], &["web=w1!suspended"], &["w1", "web"])]
#[case::by_a_pattern(&["web", "w*"], &["web", "w*!suspended"], &["web"])]
#[case::by_a_pattern_of_an_alias(&["web=job"], &["web=job", "j*!suspended"], &["job", "web"])]
#[case::described_by_the_pattern_alone(&["web=w1"], &["web!offboarded", "w*!suspended"], &["w1", "web"])]
#[case::no_entry_any_more(&["web=w1"], &["web*!suspended"], &["w1", "web"])]
#[case::known_to_nobody(&["x*"], &["x*!suspended"], &["x-known"])]
#[case::known_and_named(&["x-known=x"], &["x-known=x!suspended"], &["x", "x-known"])]
#[case::unchanged(&["web!suspended", "x*!offboarded"], &["web!suspended", "x*!offboarded"], &[])]
#[case::better(&["web!offboarded", "api!suspended"], &["web!suspended", "api"], &[])]
#[case::left(&["web", "api!suspended"], &[], &[])]
#[case::suspended_already(&["w*!suspended"], &["w*!suspended", "web!suspended"], &[])]
#[case::others(&["web=w1", "api"], &["web=w1", "api!suspended"], &["api"])]
fn who_may_do_less_than_before_is_revoked_by_all_names(
    #[case] old: &[&str],
    #[case] new: &[&str],
    #[case] expected: &[&str],
) {
    assert_eq!(fallen(&identities(old), &identities(new), &["x-known"]), expected);
}

#[test]
fn the_record_says_why() {
    let revocations = of_identities(&identities(&[]), &identities(&["web!offboarded"]), [], NOW);
    assert_eq!(revocations[0].reason.as_ref().map(Note::as_str), Some("offboarded by the policy"));
}

/// Back to a policy of before, and to the bad one again: what was issued in between must not outlive it.
#[test]
fn who_is_suspended_again_is_revoked_again() {
    let (active, suspended) = (identities(&["web"]), identities(&["web!suspended"]));
    let [first, second] = [0, 1].map(|secs| of_identities(&active, &suspended, [], UnixTime::from_secs(secs)));
    assert_ne!(first[0].id, second[0].id);
    assert_eq!(first, of_identities(&active, &suspended, [], UnixTime::from_secs(0)));
}

fn policies() -> impl Strategy<Value = Identities> {
    let statuses = || prop::sample::select(Status::ALL.map(Status::as_str).to_vec());
    let names = prop::sample::subsequence(vec!["a=a1,a2", "b=b1", "c", "a*", "*", "d/**"], 0..=6);
    names.prop_flat_map(move |names| {
        let count = names.len();
        (Just(names), prop::collection::vec(statuses(), count)).prop_map(|(names, statuses)| {
            let texts: Vec<_> = names.iter().zip(statuses).map(|(name, status)| format!("{name}!{status}")).collect();
            identities(&texts.iter().map(String::as_str).collect::<Vec<_>>())
        })
    })
}

const KNOWN: [&str; 8] = ["a", "a1", "a2", "b", "b1", "c", "d/x", "e"];

proptest! {
    #[test]
    fn exactly_those_are_revoked_of_whom_one_name_got_worse(old in policies(), new in policies()) {
        let revoked = fallen(&old, &new, &KNOWN);
        for name in KNOWN {
            let name = principal(name);
            let names = new.names_of(&name).into_iter().chain(old.names_of(&name));
            let fell = names.into_iter().any(|name| worse(&old, &new, &name).is_some());
            prop_assert_eq!(revoked.contains(&name.to_string()), fell, "{}", name);
        }
    }

    #[test]
    fn a_policy_that_stays_as_it_is_revokes_nobody(policy in policies()) {
        prop_assert_eq!(fallen(&policy, &policy, &KNOWN), [""; 0]);
    }
}

/// Four keys, by their places; all issuers of these tests share them.
static KEYS: LazyLock<[SigningKey; 4]> =
    LazyLock::new(|| std::array::from_fn(|_| SigningKey::generate(crate::mint::Algorithm::Es256).unwrap()));

fn thumbprint(key: usize) -> String {
    let set = KeySet::parse(jwks([&KEYS[key]]).to_string().as_bytes()).unwrap();
    set.thumbprints().next().unwrap().to_string()
}

/// Issuers with the places of their keys; nothing where they are away.
type Moment<'m> = &'m [(&'m str, Option<Vec<usize>>)];

fn moment(issuers: Moment<'_>) -> (Vec<Issuer>, Keyring) {
    let issuer = |name: &str| Issuer {
        name: Name::parse(name).unwrap(),
        issuer: None,
        audiences: Vec::new(),
        algorithms: Vec::new(),
        subjects: Vec::new(),
    };
    let keys = |keys: &Vec<usize>| {
        let keys = keys.iter().map(|key| &KEYS[*key]);
        Arc::new(KeySet::parse(jwks(keys).to_string().as_bytes()).unwrap())
    };
    let sets = issuers.iter().map(|(_, own)| own.as_ref().map(keys)).collect();
    (issuers.iter().map(|(name, _)| issuer(name)).collect(), Keyring::of_moment(sets, 0))
}

/// The places of the keys that are revoked.
fn gone(old: Moment<'_>, new: Moment<'_>) -> Vec<usize> {
    let (old, new) = (moment(old), moment(new));
    let [old, new] = [&old, &new].map(|(issuers, keyring)| IssuerKeys { issuers, keyring });
    let gone = values(&of_keys(old, new, NOW), "key", Source::KeyRemoved);
    (0..KEYS.len()).filter(|key| gone.contains(&thumbprint(*key))).collect()
}

#[rstest]
#[case::rotated(&[("a", Some(vec![0, 1]))], &[("a", Some(vec![1, 2]))], &[0])]
#[case::unchanged(&[("a", Some(vec![0, 1]))], &[("a", Some(vec![1, 0]))], &[])]
#[case::more(&[("a", Some(vec![0]))], &[("a", Some(vec![0, 1]))], &[])]
#[case::came_back(&[("a", None)], &[("a", Some(vec![0]))], &[])]
#[case::away(&[("a", Some(vec![0, 1]))], &[("a", None)], &[])]
#[case::away_at_one_of_two(&[("a", Some(vec![0])), ("b", Some(vec![0, 1]))], &[("a", None), ("b", Some(vec![2]))], &[1])]
#[case::issuer_left(&[("a", Some(vec![0])), ("b", Some(vec![1]))], &[("b", Some(vec![1]))], &[0])]
#[case::renumbered(&[("a", Some(vec![0])), ("b", Some(vec![1]))], &[("b", Some(vec![1])), ("a", Some(vec![0]))], &[])]
#[case::renumbered_and_away(&[("a", Some(vec![0])), ("b", Some(vec![1]))], &[("b", None), ("a", Some(vec![2]))], &[0])]
#[case::renamed(&[("a", Some(vec![0]))], &[("z", Some(vec![0]))], &[])]
#[case::went_to_another(&[("a", Some(vec![0, 1])), ("b", Some(vec![2]))], &[("a", Some(vec![1])), ("b", Some(vec![2, 0]))], &[])]
#[case::another_is_away(&[("a", Some(vec![0])), ("b", None)], &[("a", Some(vec![1])), ("b", None)], &[0])]
fn a_key_that_is_nobodys_any_more_is_revoked(
    #[case] old: Moment<'_>,
    #[case] new: Moment<'_>,
    #[case] expected: &[usize],
) {
    assert_eq!(gone(old, new), expected);
}

fn moments() -> impl Strategy<Value = Vec<(&'static str, Option<Vec<usize>>)>> {
    let keys = || prop::option::of(prop::sample::subsequence(vec![0, 1, 2, 3], 1..=4));
    (keys(), keys(), keys()).prop_map(|(a, b, c)| vec![("a", a), ("b", b), ("c", c)]).prop_shuffle()
}

proptest! {
    #[test]
    fn a_key_that_is_still_anywhere_is_not_revoked(old in moments(), new in moments()) {
        let gone = gone(&old, &new);
        for key in 0..KEYS.len() {
            let has = |own: &Option<Vec<usize>>| own.as_ref().is_some_and(|keys| keys.contains(&key));
            let was = |name: &str| old.iter().any(|(own, keys)| *own == name && has(keys));
            let is_kept = new.iter().any(|(name, keys)| has(keys) || keys.is_none() && was(name));
            let was_there = old.iter().any(|(_, keys)| has(keys));
            prop_assert_eq!(gone.contains(&key), was_there && !is_kept, "{}", key);
        }
    }
}
