//! Who describes a name as tables, the same answer as an obvious search, and independence of order.

use super::*;
use crate::policy::NamePattern;
use proptest::prelude::*;
use rstest::rstest;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// `pattern[=alias[,alias]][!status]`
fn entry(text: &str) -> Identity {
    let (text, status) = text.split_once('!').unwrap_or((text, "active"));
    let (pattern, aliases) = text.split_once('=').unwrap_or((text, ""));
    Identity {
        pattern: NamePattern::parse(pattern).unwrap(),
        aliases: aliases.split(',').filter(|a| !a.is_empty()).map(|alias| Principal::parse(alias).unwrap()).collect(),
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

fn identities(entries: &[&str]) -> Identities {
    Identities::new(entries.iter().map(|text| entry(text)).collect(), Undeclared::default())
}

/// The pattern that describes a name, and the status.
fn found<'i>(identities: &'i Identities, name: &str) -> (Option<&'i str>, Status) {
    let Match { described, status } = identities.find(name);
    (described.map(|(_, entry)| entry.pattern.as_str()), status)
}

const ENTRIES: [&str; 17] = [
    "**",
    "*",
    "spiffe://example.org/**",
    "spiffe://example.org/ns/*/sa/*",
    "spiffe://example.org/ns/*/sa/web",
    "spiffe://example.org/ns/billing/**",
    "spiffe://example.org/ns/billing/sa/*",
    "spiffe://example.org/ns/billing/sa/b*",
    "spiffe://example.org/ns/billing/sa/batch*",
    "spiffe://example.org/ns/billing/sa/*-eu-west",
    "spiffe://example.org/ns/billing/sa/batch=billing-batch,nightly",
    "billing-*",
    "a*/*",
    "*a/x",
    "a*/y/*",
    "*a/y/**",
    "/*/",
];

#[rstest]
#[case("anything", "*")]
#[case("some/thing", "**")]
#[case("spiffe://example.org/x", "spiffe://example.org/**")]
#[case("spiffe://example.org", "**")]
#[case("spiffe://example.org/ns/a/sa/b", "spiffe://example.org/ns/*/sa/*")]
#[case("spiffe://example.org/ns/a/sa/web", "spiffe://example.org/ns/*/sa/web")]
#[case("spiffe://example.org/ns/a/sa/web/", "spiffe://example.org/**")]
#[case("spiffe://example.org/ns/billing/sa/web", "spiffe://example.org/ns/billing/sa/*")]
#[case("spiffe://example.org/ns/billing/x", "spiffe://example.org/ns/billing/**")]
#[case("spiffe://example.org/ns/billing/sa/", "spiffe://example.org/ns/billing/sa/*")]
#[case("spiffe://example.org/ns/billing/sa/bob", "spiffe://example.org/ns/billing/sa/b*")]
#[case("spiffe://example.org/ns/billing/sa/batch-7", "spiffe://example.org/ns/billing/sa/batch*")]
#[case("spiffe://example.org/ns/billing/sa/batch-eu-west", "spiffe://example.org/ns/billing/sa/*-eu-west")]
#[case("spiffe://example.org/ns/billing/sa/batch", "spiffe://example.org/ns/billing/sa/batch")]
#[case("billing-batch", "spiffe://example.org/ns/billing/sa/batch")]
#[case("nightly", "spiffe://example.org/ns/billing/sa/batch")]
#[case("billing-batch-2", "billing-*")]
#[case("aa/x", "*a/x")]
#[case("aa/z", "a*/*")]
#[case("aa/y/z", "a*/y/*")]
#[case("/x/", "/*/")]
#[case("///", "**")]
fn the_most_specific_entry_describes_a_principal(#[case] name: &str, #[case] expected: &str) {
    assert_eq!(found(&identities(&ENTRIES), name), (Some(expected), Status::Active));
}

#[rstest]
#[case(&["a"], "b", Status::Active)]
#[case(&["a", "**!suspended"], "a", Status::Suspended)]
#[case(&["a!offboarded", "*!suspended"], "a", Status::Offboarded)]
#[case(&["a/b*", "a/*!suspended", "**!offboarded"], "a/bc", Status::Offboarded)]
#[case(&["a/b*!suspended", "a/**"], "a/c", Status::Active)]
#[case(&["web=web-1", "web-*!suspended"], "web", Status::Suspended)]
#[case(&["web=web-1", "web-*!suspended"], "web-1", Status::Suspended)]
#[case(&["ns/web=one,two", "ns/*!suspended"], "one", Status::Suspended)]
#[case(&["ns/web=one,two", "t*!suspended"], "one", Status::Suspended)]
#[case(&["web=web-1", "web-2*!suspended"], "web-1", Status::Active)]
fn any_entry_that_matches_one_of_its_names_can_suspend(
    #[case] entries: &[&str],
    #[case] name: &str,
    #[case] status: Status,
) {
    assert_eq!(identities(entries).find(name).status, status);
}

#[test]
fn an_alias_leads_to_its_entry_and_to_no_other() {
    let identities = identities(&["web=w1,w2", "batch=b1", "w*"]);
    for (principal, other) in [("web", "web"), ("web", "w1"), ("w1", "web"), ("w1", "w2"), ("else", "else")] {
        assert!(identities.is_alias(principal, other), "{principal} {other}");
    }
    for (principal, other) in
        [("web", "batch"), ("web", "b1"), ("w1", "b1"), ("w3", "w1"), ("w3", "w4"), ("web", "else")]
    {
        assert!(!identities.is_alias(principal, other), "{principal} {other}");
    }
}

#[test]
fn without_identities_nobody_is_described_and_nobody_suspended() {
    let none = Identities::default();
    assert!(none.is_empty());
    assert_eq!(found(&none, "anybody"), (None, Status::Active));
    assert_eq!(none.undeclared(), &Undeclared::Baseline(ScopePatterns::default()));
}

#[rstest]
#[case("a*", "*a", true)]
#[case("a*", "a*", true)]
#[case("a", "a", true)]
#[case("a/**", "a/**", true)]
#[case("ab*", "cd*", false)]
#[case("ab*", "a*", false)]
#[case("a*b", "*ab", true)]
#[case("a*c", "ab*", true)]
#[case("a*c", "b*c", false)]
#[case("*a*", "*b*", true)]
#[case("x/a*/y", "x/*a/y", true)]
#[case("x/a*/y", "x/*a/z", false)]
#[case("a*/x*", "*a/y*", false)]
#[case("a*/*", "*a/x", false)]
#[case("a*/**", "*a/*", false)]
#[case("*/**", "**", false)]
#[case("*", "**", false)]
#[case("a", "*", false)]
fn entries_tie_where_neither_is_more_specific(#[case] one: &str, #[case] other: &str, #[case] tie: bool) {
    let patterns = [one, other].map(|text| NamePattern::parse(text).unwrap());
    assert_eq!(ties(&[&patterns[0], &patterns[1]]), if tie { vec![(0, 1)] } else { vec![] });
}

#[test]
fn the_same_entry_many_times_is_not_told_of_in_millions() {
    let pattern = NamePattern::parse("ns/*/batch-*").unwrap();
    assert_eq!(ties(&vec![&pattern; 20_000]).len(), ties::MAX_TIES);
}

/// An attacker chooses the name: a thousand segments, as long as can be, against patterns that nearly match it.
#[test]
fn a_name_of_a_thousand_slashes_is_looked_up_no_deeper_than_patterns_go() {
    let deep = |piece: &str, depth: usize| [piece].repeat(depth).join("/");
    let names = [deep("", 2_049), deep("a", 1_024), format!("{}{}", deep("", 1_001), "a".repeat(1_000))];
    let mut entries: Vec<_> =
        (1..=NamePattern::MAX_SEGMENTS).flat_map(|depth| [deep("*", depth), deep("a*", depth)]).collect();
    entries.extend((1..NamePattern::MAX_SEGMENTS).map(|depth| format!("{}/**", deep("*a", depth))));
    entries.push("a*".repeat(1_000));
    let identities = identities(&entries.iter().map(String::as_str).collect::<Vec<_>>());
    for name in &names {
        let mut met = 0;
        identities.patterns.each(name, &mut |_| met += 1);
        assert!(met < NamePattern::MAX_SEGMENTS, "{met}");
    }
}

#[test]
fn patterns_that_differ_in_their_texts_are_not_tried_one_by_one() {
    let texts: Vec<_> = (0..20_000).map(|n| format!("ns/billing-{n}-*")).collect();
    let patterns: Vec<_> = texts.iter().map(|text| NamePattern::parse(text).unwrap()).collect();
    assert_eq!(ties(&patterns.iter().collect::<Vec<_>>()), []);
    let identities = identities(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(found(&identities, "ns/billing-7-eu").0, Some("ns/billing-7-*"));
    assert_eq!(found(&identities, "ns/billing-20000-eu").0, None);
}

fn segment() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "ab", "", "*", "a*", "*a", "*b", "a*b", "*a*", "ab*", "*a*b*"])
}

fn pattern() -> impl Strategy<Value = String> {
    (prop::collection::vec(segment(), 0..4), any::<bool>()).prop_filter_map("no pattern", |(mut pieces, open)| {
        pieces.extend(open.then_some("**"));
        Some(pieces.join("/")).filter(|text| !text.is_empty())
    })
}

fn name() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec!["a", "b", "ab", "ba", "aab", "abab", ""]);
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.join("/"))
}

/// Entries that do not tie, with aliases that belong to one each.
fn entries() -> impl Strategy<Value = Vec<Identity>> {
    let status = prop::sample::select(Status::ALL.to_vec());
    let parts = prop::collection::vec((pattern(), status, prop::collection::vec(name(), 0..3)), 0..12);
    parts.prop_map(|parts| {
        let mut entries: Vec<Identity> = Vec::new();
        for (pattern, status, _) in &parts {
            let more = Identity { status: *status, ..entry(pattern) };
            if entries.iter().all(|other| ties(&[&other.pattern, &more.pattern]).is_empty()) {
                entries.push(more);
            }
        }
        let mut taken: BTreeSet<_> = entries.iter().map(|entry| entry.pattern.to_string()).collect();
        let exact = entries.iter_mut().filter(|entry| entry.pattern.is_exact());
        for (entry, (_, _, aliases)) in exact.zip(parts) {
            let free = aliases.into_iter().filter(|alias| !alias.is_empty() && taken.insert(alias.clone()));
            entry.aliases = free.map(|alias| Principal::parse(&alias).unwrap()).collect();
        }
        entries
    })
}

/// How wide each segment is, as the specification words it.
fn width(pattern: &str) -> Vec<(u8, Reverse<usize>)> {
    let segments = pattern.split('/').map(|segment| match segment {
        "**" => (3, Reverse(0)),
        "*" => (2, Reverse(0)),
        glob if glob.contains('*') => (1, Reverse(glob.replace('*', "").len())),
        _ => (0, Reverse(0)),
    });
    segments.collect()
}

/// Asks every entry.
fn search<'e>(entries: &'e [Identity], name: &str) -> (Option<&'e str>, Status) {
    let has = |entry: &Identity, name: &str| entry.pattern.is_exact() && entry.names().any(|own| own == name);
    let exact = entries.iter().find(|entry| has(entry, name));
    let names: Vec<_> = exact.map_or(vec![name], |entry| entry.names().collect());
    let matching = || entries.iter().filter(|entry| names.iter().any(|name| entry.pattern.matches(name)));
    let described = exact.or_else(|| matching().min_by_key(|entry| width(entry.pattern.as_str())));
    (described.map(|entry| entry.pattern.as_str()), matching().map(|entry| entry.status).max().unwrap_or_default())
}

proptest! {
    #[test]
    fn a_look_up_agrees_with_an_obvious_search(entries in entries(), name in name()) {
        let identities = Identities::new(entries.clone(), Undeclared::default());
        prop_assert_eq!(found(&identities, &name), search(&entries, &name));
    }

    #[test]
    fn the_order_of_entries_never_matters(
        (entries, shuffled) in entries().prop_flat_map(|entries| (Just(entries.clone()), Just(entries).prop_shuffle())),
        name in name(),
    ) {
        let [one, other] = [entries, shuffled].map(|entries| Identities::new(entries, Undeclared::default()));
        prop_assert_eq!(found(&one, &name), found(&other, &name));
    }

    #[test]
    fn adding_an_entry_never_improves_the_status(entries in entries(), name in name()) {
        let Some((_, fewer)) = entries.split_last() else { return Ok(()) };
        let [before, after] = [fewer, &entries].map(|entries| Identities::new(entries.to_vec(), Undeclared::default()));
        prop_assert!(after.find(&name).status >= before.find(&name).status);
    }

    #[test]
    fn every_name_of_an_identity_gets_the_same_answer(entries in entries()) {
        let identities = Identities::new(entries, Undeclared::default());
        for (_, entry) in identities.iter().filter(|(_, entry)| entry.pattern.is_exact()) {
            for name in entry.names() {
                prop_assert_eq!(found(&identities, name), found(&identities, entry.pattern.as_str()));
                prop_assert!(identities.is_alias(entry.pattern.as_str(), name));
            }
        }
    }

    #[test]
    fn what_ties_is_what_a_comparison_of_all_pairs_finds(texts in prop::collection::vec(pattern(), 0..14)) {
        let patterns: Vec<_> = texts.iter().map(|text| NamePattern::parse(text).unwrap()).collect();
        let tie = |one: &NamePattern, other: &NamePattern| {
            width(one.as_str()) == width(other.as_str())
                && std::iter::zip(one.as_str().split('/'), other.as_str().split('/')).all(|(a, b)| a == b || texts_of_both(a, b))
        };
        let pairs = (0..patterns.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        let mut expected: Vec<_> = pairs.filter(|(a, b)| tie(&patterns[*a], &patterns[*b])).collect();
        expected.sort_unstable();
        prop_assert_eq!(ties(&patterns.iter().collect::<Vec<_>>()), expected);
    }
}

/// Whether a short text matches both.
fn texts_of_both(one: &str, other: &str) -> bool {
    let texts = ["", "a", "b", "ab", "ba", "aa", "aab", "aba", "abb", "bab", "abab", "aabb", "abba"];
    texts
        .iter()
        .any(|text| [one, other].iter().all(|glob| NamePattern::parse(glob).is_ok_and(|glob| glob.matches(text))))
}
