//! Several files as one policy.

use crate::support::{Folder, GOOD, changed, sections, stderr};
use proptest::prelude::*;
use std::path::PathBuf;
use stepgate::config::render::Style;
use stepgate::config::{self, Code, Loaded};

const IDENTITIES: &str = r#"
identities:
  - { match: "spiffe://example.org/ns/*/sa/web", kind: service, baseline: [payments:read] }
  - { match: "spiffe://example.org/**", status: suspended }
  - { match: batch, aliases: [billing-batch], review_by: 2027-03-31 }
undeclared: { refuse: true }
"#;

const BOUNDS: &str = r#"
paths: { ambiguous: refuse, ignore_case: true }
owners:
  team-a: { hosts: [a.example, "*.a.example"], paths: ["/a/{*rest}"] }
floors:
  - { match: { path: "/b/{*rest}" }, sensitivity: high }
  - { match: { path: "/admin/{*rest}", methods: [PUT, GET] }, sensitivity: critical }
context:
  custom:
    - { name: odd-client, points: 10, header: user-agent, matches: "curl/*" }
    - { name: break-glass, points: 50, header: x-break-glass, present: true }
  signals:
    outside_hours: { points: 20 }
"#;

const TEAM: &str = r#"
routes:
  - { name: z, match: { hosts: [a.example], path: "/a/{x}" }, sensitivity: low }
  - { name: a, match: { hosts: [x.a.example], path: /a }, sensitivity: moderate }
rules:
  - { name: y, when: { routes: [z], signals: [outside_hours, break-glass] }, require: fresh, mode: shadow }
  - { name: b, when: { kinds: [shared, agent], claims: { team: [b, a] } }, require: bound }
floors:
  - { match: { hosts: [x.a.example], path: "/a/{*rest}" }, sensitivity: low }
  - { match: { hosts: [a.example], path: "/a/{x}" }, sensitivity: low }
"#;

/// All of a policy but its hash, in a form that can be compared.
fn content(loaded: &Loaded) -> String {
    let policy = &loaded.policy;
    let routes: Vec<_> = policy.routes.iter().collect();
    let identities: Vec<_> = policy.identities.iter().collect();
    let floors: Vec<_> = policy.floors.iter().collect();
    format!(
        "{:#?}",
        (
            (policy.mode, policy.refuse_ambiguous, &policy.resource),
            &policy.issuers,
            &policy.credentials,
            (identities, policy.identities.undeclared()),
            (routes, floors, &policy.context),
            &policy.unmatched,
            &policy.attestations,
            &policy.assurance,
            &policy.rules,
        )
    )
}

fn good() -> String {
    [GOOD, IDENTITIES, BOUNDS].concat()
}

/// With a team's, each in a file of its own.
fn all_pieces() -> Vec<String> {
    let team = pieces(TEAM).into_iter().map(|piece| format!("owner: team-a\n{piece}"));
    pieces(&good()).into_iter().chain(team).collect()
}

/// Cuts a policy into pieces that could each stand in a file of its own: once-only sections whole, the others by entry.
fn pieces(policy: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    for (key, text) in sections(policy).into_iter().filter(|(key, _)| *key != "version") {
        if !["issuers", "identities", "routes", "floors", "attestations", "rules"].contains(&key) {
            pieces.push(text);
            continue;
        }
        let starts_entry = |line: &str| !line.starts_with("   ");
        let lines: Vec<_> = text.lines().skip(1).collect();
        let entries = lines.chunk_by(|_, next| !starts_entry(next));
        pieces.extend(entries.map(|entry| format!("{key}:\n{}\n", entry.join("\n"))));
    }
    pieces
}

fn write(pieces: &[String], folder: &Folder) -> Vec<PathBuf> {
    let file =
        |(index, piece): (usize, &String)| folder.write(&format!("{index}.yaml"), format!("version: 1\n{piece}"));
    pieces.iter().enumerate().map(file).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn neither_the_number_nor_the_order_of_files_makes_a_difference(order in Just(all_pieces()).prop_shuffle()) {
        let (whole, parts) = (Folder::with(&good()), Folder::new());
        whole.write("team.yaml", format!("version: 1\nowner: team-a\n{TEAM}"));
        let paths = write(&order, &parts);
        prop_assert_eq!(content(&whole.load().unwrap()), content(&config::load(&paths).unwrap()));
    }

    #[test]
    fn the_hash_is_of_the_content_and_not_of_the_order(order in Just((0..pieces(GOOD).len()).collect::<Vec<_>>()).prop_shuffle()) {
        let folder = Folder::new();
        let paths = write(&pieces(GOOD), &folder);
        let shuffled: Vec<_> = order.iter().map(|index| paths[*index].clone()).collect();
        prop_assert_eq!(config::load(&paths).unwrap().policy.hash, config::load(&shuffled).unwrap().policy.hash);
    }

    #[test]
    fn a_damaged_policy_is_refused_or_good_and_never_a_crash(at in 0..good().len(), length in 0..40_usize, text in "[-{}:,*&!#a-z0 \n\"']{0,4}") {
        let mut policy = good();
        let end = (at + length).min(policy.len());
        policy.replace_range(at..end, &text);
        let found = match Folder::with(&policy).load() {
            Ok(loaded) => loaded.warnings,
            Err(problems) => {
                prop_assert!(problems.has_errors());
                problems
            }
        };
        prop_assert!(found.iter().all(|problem| !problem.help.is_empty()));
        let text = found.to_text(Style::plain());
        prop_assert_eq!(text.lines().filter(|line| line.starts_with("SG00")).count(), found.iter().count(), "{}", text);
        prop_assert_eq!(found.to_json().as_array().unwrap().len(), found.iter().count());
    }
}

#[test]
fn the_hash_changes_with_a_key_file_and_when_two_issuers_swap_theirs() {
    let folder = Folder::with(GOOD);
    let first = folder.load().unwrap().policy.hash;
    assert_eq!((first.len(), &folder.load().unwrap().policy.hash), (16, &first));

    let other = r#"{"keys":[{"kid":"x","kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    folder.write("keys/idp.jwks.json", other);
    let second = folder.load().unwrap().policy.hash;
    folder.write("keys/idp.jwks.json", crate::support::JWKS);
    folder.write("keys/attester.jwks.json", other);
    let swapped = folder.load().unwrap().policy.hash;
    assert!(first != second && second != swapped && first != swapped);
}

#[test]
fn what_stands_twice_over_two_files_is_shown_in_both() {
    let folder = Folder::with(GOOD);
    folder.write(
        "second.yml",
        "version: 1\nresource: https://b.example\nissuers:\n  idp: { algorithms: [ES256], keys: { file: keys/idp.jwks.json } }\nassurance: []\n",
    );
    let output = folder.check(&["."]);
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!("defined_twice_over_two_files", stderr(&output));
}

#[test]
fn twenty_thousand_routes_are_within_every_limit() {
    let one = |index: usize| {
        format!(
            "  - {{ name: r{index}, match: {{ hosts: [api.example.com], methods: [GET, POST], path: \"/t{}/r{index}/{{id}}\" }}, sensitivity: moderate, scopes: [\"r{index}:read\"] }}\n",
            index % 97
        )
    };
    let folder = Folder::with(GOOD);
    folder.write("routes.yaml", format!("version: 1\nroutes:\n{}", (0..20_000).map(one).collect::<String>()));
    assert_eq!(folder.load().unwrap().policy.routes.iter().count(), 20_002);
}

#[test]
fn all_problems_of_all_files_are_reported_at_once() {
    let folder = Folder::with(&changed("rules:\n  - { name: a, when: { sensitivity: hgih }, require: fresher }"));
    folder.write("second.yml", "version: 1\nroutes:\n  - { name: x, match: { path: x }, sensitivty: low }\n");
    folder.write("third.yml", "routes: {\n");
    let problems = folder.load().unwrap_err();
    let found: Vec<_> =
        problems.iter().map(|problem| (problem.code, problems.source(problem.place.source).unwrap())).collect();
    let found: Vec<_> =
        found.iter().map(|(code, source)| (*code, source.path.file_name().unwrap().to_str().unwrap())).collect();
    assert_eq!(
        found,
        [
            (Code::InvalidValue, "policy.yaml"),
            (Code::MissingKey, "second.yml"),
            (Code::InvalidValue, "second.yml"),
            (Code::UnknownKey, "second.yml"),
            (Code::Syntax, "third.yml"),
        ],
        "`fresher` may stand in the file that can't be read"
    );
}
