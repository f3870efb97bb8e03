//! What `identities` and `undeclared` say, as the policy knows it.

use crate::support::{Folder, changed};
use rstest::rstest;
use stepgate::policy::{Identities, Kind, Scope, Status, Undeclared};
use stepgate::time::UnixTime;

const IDENTITIES: &str = r#"
identities:
  - match: "spiffe://example.org/ns/billing/sa/*"
    kind: service
    owner: team-billing
    baseline: [payments:read, "reports:*"]
    networks: [10.20.0.0/16, "2001:db8::/32"]
    countries: [NL, DE, no]
    hours: { from: 07:00, to: "20:00", zone: Europe/Berlin }
    status: suspended
    review_by: 2027-03-31
  - match: "spiffe://example.org/ns/billing/sa/batch"
    aliases: [billing-batch]
"#;

/// 2026-11-23, 13:00 in Berlin.
const NOON: u64 = 1_795_435_200;

fn loaded(change: &str) -> Identities {
    Folder::with(&changed(change)).load().unwrap().policy.identities
}

#[test]
fn an_entry_is_read_whole() {
    let identities = loaded(IDENTITIES);
    let found = identities.find("spiffe://example.org/ns/billing/sa/web");
    let (_, entry) = found.described.unwrap();
    let uses = |scope: &str| entry.baseline.as_ref().unwrap().contains(&Scope::parse(scope).unwrap());
    assert_eq!((found.status, entry.kind), (Status::Suspended, Some(Kind::Service)));
    assert_eq!(entry.owner.as_ref().unwrap().as_str(), "team-billing");
    assert_eq!(entry.review_by.unwrap().to_string(), "2027-03-31");
    let calls_from = |address: &str| entry.networks.as_ref().unwrap().contains(address.parse().unwrap());
    assert!(calls_from("10.20.3.4") && calls_from("2001:db8::7") && !calls_from("10.21.0.1"));
    assert_eq!(format!("{:?}", entry.countries.as_ref().unwrap()), "[DE, NL, NO]");
    let works_at = |moment| entry.hours.as_ref().unwrap().contains(UnixTime::from_secs(moment));
    assert!(works_at(NOON) && !works_at(NOON + 12 * 60 * 60));
    assert!(uses("payments:read") && uses("reports:write") && !uses("payments:refund"));
}

#[test]
fn what_an_entry_leaves_out_is_not_known() {
    let identities = loaded(IDENTITIES);
    let found = identities.find("billing-batch");
    let (_, entry) = found.described.unwrap();
    assert_eq!(entry.pattern.as_str(), "spiffe://example.org/ns/billing/sa/batch");
    assert!(entry.kind.is_none() && entry.owner.is_none() && entry.baseline.is_none() && entry.review_by.is_none());
    assert!(entry.networks.is_none() && entry.countries.is_none() && entry.hours.is_none());
    assert_eq!((entry.status, found.status), (Status::Active, Status::Suspended));
}

#[rstest]
#[case("undeclared: gone", false)]
#[case("undeclared: { baseline: [] }", false)]
#[case("undeclared: { refuse: true }", true)]
fn the_undeclared_need_nothing_or_are_refused(#[case] change: &str, #[case] refused: bool) {
    let expected = if refused { Undeclared::Refuse } else { Undeclared::default() };
    assert_eq!(*loaded(&format!("{IDENTITIES}{change}")).undeclared(), expected);
}

#[test]
fn a_policy_without_identities_has_none() {
    assert!(loaded("unmatched: { deny: true }").is_empty());
}

#[test]
fn twenty_thousand_identities_are_within_every_limit() {
    let one = |index: usize| {
        format!(
            "  - match: \"spiffe://example.org/ns/team-{}/sa/app-{index}-*\"\n    kind: service\n    owner: team-{index}\n    baseline: [\"app-{index}:read\", \"reports:*\"]\n    review_by: 2027-03-31\n",
            index % 97
        )
    };
    let identities: String = (0..20_000).map(one).collect();
    assert_eq!(loaded(&format!("identities:\n{identities}")).iter().count(), 20_000);
}
