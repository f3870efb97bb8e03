//! What a scrape shows.

use super::*;
use crate::case::tests::world::{Call, World};
use crate::decision::Decision;
use crate::policy::{AttestationId, Name, Route, RouteTable};
use crate::reason::{Reason, Unavailable};
use crate::request::Malformed;
use std::collections::BTreeSet;
use std::time::Duration;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn load(metrics: &Metrics, world: &World) -> PolicyMetrics {
    metrics.for_policy(&world.policy, &world.keyring, NOW).unwrap()
}

/// The samples of our own, without the histogram's.
fn samples(metrics: &Metrics) -> Vec<(String, f64)> {
    let text = metrics.scrape().unwrap();
    let own = text.lines().filter(|line| line.starts_with("stepgate_") && !line.contains("_duration_seconds"));
    own.map(|line| line.rsplit_once(' ').unwrap()).map(|(name, value)| (name.into(), value.parse().unwrap())).collect()
}

/// Those that are not 0, but for what is always there.
fn counted(metrics: &Metrics) -> Vec<String> {
    let standing = ["build_info", "policy_info", "policy_loaded", "jwks_keys", "state_up"];
    let own = |name: &str| name.trim_start_matches("stepgate_").to_owned();
    let samples = samples(metrics).into_iter().map(|(name, value)| (own(&name), value));
    let counted = samples.filter(|(name, value)| *value != 0.0 && !standing.iter().any(|s| name.starts_with(s)));
    counted.map(|(name, value)| format!("{name} {value}")).collect()
}

fn routes(world: &World, keep: impl Fn(&Route) -> bool) -> RouteTable {
    RouteTable::new(
        world.policy.routes.iter().map(|(_, route)| route.clone()).filter(|route| keep(route)).collect(),
        false,
    )
}

#[test]
fn every_known_series_stands_at_0_before_the_first_request() {
    let (metrics, world) = (Metrics::new().unwrap(), World::new());
    let _meters = load(&metrics, &world);
    assert_eq!(counted(&metrics), [""; 0]);
    let names: BTreeSet<_> =
        samples(&metrics).into_iter().map(|(name, _)| name.split('{').next().unwrap().to_owned()).collect();
    insta::assert_snapshot!(names.into_iter().collect::<Vec<_>>().join("\n"), @r#"
    stepgate_attestation_verifications_total
    stepgate_build_info
    stepgate_cache_bytes
    stepgate_cache_entries
    stepgate_cache_lookups_total
    stepgate_challenges_total
    stepgate_control_refused_total
    stepgate_decision_log_dropped_total
    stepgate_decision_reasons_total
    stepgate_decisions_total
    stepgate_grants_active
    stepgate_in_flight
    stepgate_jwks_keys
    stepgate_panics_total
    stepgate_policy_info
    stepgate_policy_loaded_timestamp_seconds
    stepgate_policy_reloads_total
    stepgate_revocation_lag_seconds_bucket
    stepgate_revocation_lag_seconds_count
    stepgate_revocation_lag_seconds_sum
    stepgate_revocations_total
    stepgate_rule_matches_total
    stepgate_shed_total
    stepgate_state_up
    "#);
    let text = metrics.scrape().unwrap();
    for series in [
        r#"stepgate_decisions_total{decision="allow",mode="enforce",route="refund"} 0"#,
        r#"stepgate_decisions_total{decision="deny",mode="enforce",route="none"} 0"#,
        r#"stepgate_decisions_total{decision="step_up",mode="enforce",route="unmatched"} 0"#,
        r#"stepgate_decision_reasons_total{decision="deny",reason="closed_for_good"} 0"#,
        r#"stepgate_decision_reasons_total{decision="step_up",reason="proof_replayed"} 0"#,
        r#"stepgate_challenges_total{outcome="answered",route="refund"} 0"#,
        r#"stepgate_challenges_total{outcome="loop",route="unmatched"} 0"#,
        r#"stepgate_decision_reasons_total{decision="deny",reason="challenge_loop"} 0"#,
        r#"stepgate_check_duration_seconds_bucket{decision="allow",le="0.000025"} 0"#,
        r#"stepgate_check_duration_seconds_bucket{decision="allow",le="0.25"} 0"#,
        r#"stepgate_rule_matches_total{mode="enforce",rule="wiping"} 0"#,
        r#"stepgate_attestation_verifications_total{attestation="workload",outcome="rejected"} 0"#,
        r#"stepgate_cache_lookups_total{cache="certificate",outcome="miss"} 0"#,
        r#"stepgate_policy_reloads_total{outcome="rejected"} 0"#,
        r#"stepgate_policy_info{hash="test"} 1"#,
        "stepgate_policy_loaded_timestamp_seconds 1800000000",
        r#"stepgate_jwks_keys{issuer="attester"} 1"#,
        "stepgate_grants_active 0",
        r#"stepgate_revocations_total{source="event"} 0"#,
        r#"stepgate_revocations_total{source="grant_ended"} 0"#,
        r#"stepgate_revocations_total{source="identity"} 0"#,
        r#"stepgate_revocations_total{source="key_removed"} 0"#,
        r#"stepgate_revocations_total{source="operator"} 0"#,
        r#"stepgate_revocations_total{source="task_end"} 0"#,
        "stepgate_state_up 1",
        "process_resident_memory_bytes",
    ] {
        assert!(text.contains(series), "{series} is not in\n{text}");
    }
}

#[test]
fn a_decision_counts_once_in_every_family_that_it_touches() {
    let (metrics, world) = (Metrics::new().unwrap(), World::new());
    let meters = load(&metrics, &world);
    meters.record(&world.decide(&world.refund()), Duration::from_micros(30));
    meters.record(&world.decide(&world.refund().without("oauth-client-attestation")), Duration::from_micros(30));
    insta::assert_snapshot!(counted(&metrics).join("\n"), @r#"
    challenges_total{outcome="answered",route="refund"} 1
    challenges_total{outcome="issued",route="refund"} 1
    decision_reasons_total{decision="allow",reason="attested"} 1
    decision_reasons_total{decision="step_up",reason="attestation_missing"} 1
    decisions_total{decision="allow",mode="enforce",route="refund"} 1
    decisions_total{decision="step_up",mode="enforce",route="refund"} 1
    rule_matches_total{mode="enforce",rule="elevated-on-sensitive"} 2
    "#);
    assert!(metrics.scrape().unwrap().contains(r#"check_duration_seconds_bucket{decision="allow",le="0.00005"} 1"#));
}

#[test]
fn a_loop_is_counted_by_route_and_is_no_challenge_that_was_issued() {
    let (metrics, world) = (Metrics::new().unwrap(), World::new());
    let meters = load(&metrics, &world);
    let call = world.refund().without("dpop");
    for _ in 0..25 {
        meters.record(&world.decide(&call), Duration::ZERO);
    }
    let challenges: Vec<_> = counted(&metrics).into_iter().filter(|line| line.starts_with("challenges")).collect();
    assert_eq!(
        challenges,
        [
            r#"challenges_total{outcome="issued",route="refund"} 20"#,
            r#"challenges_total{outcome="loop",route="refund"} 5"#,
        ]
    );
}

#[test]
fn what_could_not_be_decided_is_counted_by_its_cause() {
    let (metrics, world) = (Metrics::new().unwrap(), World::new());
    let meters = load(&metrics, &world);
    for what in [Unavailable::Overload, Unavailable::Panic] {
        meters.record(&Decision::refused(Reason::Unavailable(what)), Duration::ZERO);
    }
    insta::assert_snapshot!(counted(&metrics).join("\n"), @r#"
    decision_reasons_total{decision="deny",reason="overload"} 1
    decision_reasons_total{decision="deny",reason="panic"} 1
    decisions_total{decision="deny",mode="enforce",route="none"} 2
    panics_total 1
    shed_total 1
    "#);
}

#[test]
fn no_request_can_make_a_series() {
    let (metrics, world) = (Metrics::new().unwrap(), World::new());
    let meters = load(&metrics, &world);
    let before = samples(&metrics).len();
    let forged = World::bearer("spiffe://example.org/thief", "payments:refund").sign(&world.thief).unwrap();
    let calls = [
        world.refund(),
        world.refund().with("authorization", format!("Bearer {forged}")),
        world.refund().with("dpop", "x"),
        Call::new("GET", "/nowhere/at/all"),
        Call::new("BREW", "/v1/payments/7"),
        Call::new("GET", "/status"),
        Call::new("POST", "/.well-known/stepgate/challenge"),
    ];
    for call in &calls {
        meters.record(&world.decide(call), Duration::ZERO);
    }
    for fault in Malformed::ALL {
        meters.record(&Decision::refused(Reason::Request(fault)), Duration::ZERO);
    }
    assert_eq!(samples(&metrics).len(), before);
    let decisions = counted(&metrics).iter().filter(|line| line.starts_with("decisions_total")).count();
    assert!(decisions > 1, "something was counted");
}

#[test]
fn a_reason_that_was_not_foreseen_for_an_outcome_is_counted_under_its_own_word() {
    let (metrics, world) = (Metrics::new().unwrap(), World::new());
    let meters = load(&metrics, &world);
    meters.record(&Decision::refused(Reason::AttestationMissing), Duration::ZERO);
    let series = r#"decision_reasons_total{decision="deny",reason="attestation_missing"} 1"#;
    assert!(counted(&metrics).iter().any(|line| line == series));
}

#[test]
fn series_of_what_left_the_policy_go_and_the_others_keep_their_count() {
    let (metrics, mut world) = (Metrics::new().unwrap(), World::new());
    let old = load(&metrics, &world);
    old.record(&world.decide(&Call::new("GET", "/status")), Duration::ZERO);
    world.policy.routes = routes(&world, |route| route.name.as_str() != "refund");
    world.policy.rules.remove(0);
    world.policy.hash = "next".into();
    let _meters = load(&metrics, &world);
    let text = metrics.scrape().unwrap();
    for gone in [r#"route="refund""#, r#"rule="wiping""#, r#"hash="test""#] {
        assert!(!text.contains(gone), "{gone} is in\n{text}");
    }
    for kept in [r#"decision="allow",mode="enforce",route="status"} 1"#, r#"rule="closed""#, r#"hash="next"} 1"#] {
        assert!(text.contains(kept), "{kept} is not in\n{text}");
    }
}

#[test]
fn a_large_policy_begins_its_series_when_they_are_counted() {
    let (metrics, mut world) = (Metrics::new().unwrap(), World::new());
    let status = world.policy.routes.iter().last().map(|(_, route)| route.clone()).unwrap();
    let more = (0..1_000).map(|n| Route { name: Name::parse(&format!("more-{n}")).unwrap(), ..status.clone() });
    world.policy.routes =
        RouteTable::new(world.policy.routes.iter().map(|(_, r)| r.clone()).chain(more).collect(), false);
    let meters = load(&metrics, &world);
    let of_status =
        |metrics: &Metrics| samples(metrics).into_iter().filter(|(name, _)| name.contains(r#"route="status""#)).count();
    assert_eq!(of_status(&metrics), 0);
    meters.record(&world.decide(&Call::new("GET", "/status")), Duration::ZERO);
    meters.record(&world.decide(&Call::new("GET", "/status")), Duration::ZERO);
    assert!(
        counted(&metrics).contains(&r#"decisions_total{decision="allow",mode="enforce",route="status"} 2"#.to_owned())
    );
    assert_eq!(of_status(&metrics), 1);
}

#[test]
fn what_is_read_at_a_scrape_is_of_that_moment() {
    let metrics = Metrics::new().unwrap();
    metrics.at_scrape(|readings| {
        readings.in_flight(3);
        readings.grants(4);
        readings.cache(Cache::Bearer, 7, 2_000);
    });
    metrics.lookups(Cache::Bearer).unwrap().hits.inc();
    metrics.count_reload(Reload::Rejected);
    metrics.decision_log_dropped().inc_by(5);
    metrics.revocations(Source::Operator).unwrap().inc();
    insta::assert_snapshot!(counted(&metrics).join("\n"), @r#"
    cache_bytes{cache="bearer"} 2000
    cache_entries{cache="bearer"} 7
    cache_lookups_total{cache="bearer",outcome="hit"} 1
    decision_log_dropped_total 5
    grants_active 4
    in_flight 3
    policy_reloads_total{outcome="rejected"} 1
    revocations_total{source="operator"} 1
    "#);
}

#[test]
fn attestations_are_counted_by_name_and_outcome() {
    let (metrics, world) = (Metrics::new().unwrap(), World::new());
    let meters = load(&metrics, &world);
    meters.record_attestation(AttestationId(0), true);
    meters.record_attestation(AttestationId(0), false);
    meters.record_attestation(AttestationId(7), true);
    assert_eq!(
        counted(&metrics),
        [
            r#"attestation_verifications_total{attestation="workload",outcome="rejected"} 1"#,
            r#"attestation_verifications_total{attestation="workload",outcome="verified"} 1"#,
        ]
    );
}
