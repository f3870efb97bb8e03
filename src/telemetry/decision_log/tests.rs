//! Whole lines, as they leave for their destination.

mod again;

use super::*;
use crate::attestation::Thumbprint;
use crate::case::tests::world::{Call, REFUND, WEB, World, certificate};
use crate::policy::{HeaderCondition, RouteTable};
use crate::reason::Reason;
use crate::request::Malformed;
use crate::telemetry::TraceContext;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A world whose rules have controls, and whose refunds are told apart by a header and, unwisely, by a credential.
fn world() -> World {
    let mut world = World::new();
    for rule in &mut world.policy.rules {
        rule.controls = vec!["OWASP-NHI5:2025".into()];
    }
    let mut routes: Vec<_> = world.policy.routes.iter().map(|(_, route)| route.clone()).collect();
    let condition = |name: &str, value: &str| HeaderCondition { name: name.into(), values: vec![value.into()] };
    routes[1].selector.headers = vec![condition("x-api-version", "2")];
    routes[4].selector.headers = vec![condition("dpop", "x"), condition("cookie", "x")];
    world.policy.routes = RouteTable::new(routes, false);
    world
}

fn dropped() -> IntCounter {
    IntCounter::new("dropped", "dropped").unwrap()
}

fn text(record: &Record<'_>) -> String {
    serde_json::to_string(&Line::of(record)).unwrap()
}

/// The line of a call.
fn line_of(world: &World, call: &Call) -> String {
    let (facts, decision, headers) = (call.facts(), world.decide(call), LoggedHeaders::of(&world.policy));
    text(&record(world, &decision, Seen::from(&facts), &headers))
}

/// A field a line, in their order.
fn spread(line: &str) -> String {
    line.replace(",\"", ",\n\"")
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

fn record<'a>(world: &'a World, decision: &'a Decision, request: Seen<'a>, headers: &'a LoggedHeaders) -> Record<'a> {
    Record {
        time: Duration::from_millis(1_800_000_000_007),
        policy: &world.policy,
        decision,
        decision_id: "d-1",
        trace: TraceContext::parse(TRACE),
        request,
        headers,
        credential: Some(Thumbprint::from_bytes([0xab; 32])),
        elapsed: Duration::from_nanos(42_900),
    }
}

fn refused() -> (Decision, Seen<'static>) {
    let seen = Seen { method: "GE T", host: "api.example.com", path: "/a\"\r\n\u{1b}[31m", source: None, facts: None };
    (Decision::refused(Reason::Request(Malformed::Method)), seen)
}

#[test]
fn an_allowed_call_that_proved_itself() {
    let world = world();
    let call = world.refund().with("x-api-version", "2").with("x-other", "unread");
    insta::assert_snapshot!(spread(&line_of(&world, &call)), @r#"
    {"time":"2027-01-15T08:00:00.007Z",
    "decision_id":"d-1",
    "trace_id":"0af7651916cd43dd8448eb211c80319c",
    "span_id":"b7ad6b7169203331",
    "decision":"allow",
    "reason":"attested",
    "mode":"enforce",
    "shadow_decision":null,
    "route":"refund",
    "owner":null,
    "sensitivity":"high",
    "privilege":"elevated",
    "privilege_reasons":["catalogue"],
    "scopes":["payments:refund"],
    "elevated_scopes":["payments:refund"],
    "signals":[],
    "anomaly":0,
    "rules":["elevated-on-sensitive"],
    "controls":["OWASP-NHI5:2025"],
    "assurance":"fresh",
    "principal":"spiffe://example.org/ns/billing/sa/web",
    "kind":null,
    "credential":"abababababababab",
    "attestation":{"name":"workload",
    "issuer":"attester",
    "age_seconds":0,
    "task":null},
    "method":"POST",
    "host":"api.example.com",
    "path":"/v1/payments/7/refund",
    "source":null,
    "policy_hash":"test",
    "duration_us":42,
    "inputs":{"method":"POST",
    "host":"api.example.com",
    "path":"/v1/payments/7/refund",
    "headers":{"dpop":"[withheld]",
    "x-api-version":"2"},
    "principal":"spiffe://example.org/ns/billing/sa/web",
    "scopes":["payments:refund"],
    "credential_lifetime":"10m",
    "attestation":{"by":"workload",
    "age":"0s",
    "proof":"dpop",
    "challenge":true}}}
    "#);
}

#[test]
fn a_call_that_is_asked_for_proof() {
    let world = world();
    let bare = world.refund().without("oauth-client-attestation").with("x-api-version", "2");
    insta::assert_snapshot!(spread(&line_of(&world, &bare)), @r#"
    {"time":"2027-01-15T08:00:00.007Z",
    "decision_id":"d-1",
    "trace_id":"0af7651916cd43dd8448eb211c80319c",
    "span_id":"b7ad6b7169203331",
    "decision":"step_up",
    "reason":"attestation_missing",
    "mode":"enforce",
    "shadow_decision":null,
    "route":"refund",
    "owner":null,
    "sensitivity":"high",
    "privilege":"elevated",
    "privilege_reasons":["catalogue"],
    "scopes":["payments:refund"],
    "elevated_scopes":["payments:refund"],
    "signals":[],
    "anomaly":0,
    "rules":["elevated-on-sensitive"],
    "controls":["OWASP-NHI5:2025"],
    "assurance":"fresh",
    "principal":"spiffe://example.org/ns/billing/sa/web",
    "kind":null,
    "credential":"abababababababab",
    "attestation":null,
    "method":"POST",
    "host":"api.example.com",
    "path":"/v1/payments/7/refund",
    "source":null,
    "policy_hash":"test",
    "duration_us":42,
    "inputs":{"method":"POST",
    "host":"api.example.com",
    "path":"/v1/payments/7/refund",
    "headers":{"dpop":"[withheld]",
    "x-api-version":"2"},
    "principal":"spiffe://example.org/ns/billing/sa/web",
    "scopes":["payments:refund"],
    "credential_lifetime":"10m"}}
    "#);
}

#[test]
fn a_call_that_is_denied() {
    let world = world();
    insta::assert_snapshot!(spread(&line_of(&world, &Call::new("GET", "/nowhere?token=secret"))), @r#"
    {"time":"2027-01-15T08:00:00.007Z",
    "decision_id":"d-1",
    "trace_id":"0af7651916cd43dd8448eb211c80319c",
    "span_id":"b7ad6b7169203331",
    "decision":"deny",
    "reason":"credential_missing",
    "mode":"enforce",
    "shadow_decision":null,
    "route":"unmatched",
    "owner":null,
    "sensitivity":"high",
    "privilege":"elevated",
    "privilege_reasons":["unmatched"],
    "scopes":[],
    "elevated_scopes":[],
    "signals":[],
    "anomaly":0,
    "rules":["elevated-on-sensitive"],
    "controls":["OWASP-NHI5:2025"],
    "assurance":null,
    "principal":null,
    "kind":null,
    "credential":"abababababababab",
    "attestation":null,
    "method":"GET",
    "host":"api.example.com",
    "path":"/nowhere",
    "source":null,
    "policy_hash":"test",
    "duration_us":42,
    "inputs":{"method":"GET",
    "host":"api.example.com",
    "path":"/nowhere"}}
    "#);
}

#[test]
fn a_call_that_could_not_be_read() {
    let (world, (decision, seen)) = (world(), refused());
    insta::assert_snapshot!(spread(&text(&record(&world, &decision, seen, &LoggedHeaders::default()))), @r#"
    {"time":"2027-01-15T08:00:00.007Z",
    "decision_id":"d-1",
    "trace_id":"0af7651916cd43dd8448eb211c80319c",
    "span_id":"b7ad6b7169203331",
    "decision":"deny",
    "reason":"malformed_method",
    "mode":"enforce",
    "shadow_decision":null,
    "route":null,
    "owner":null,
    "sensitivity":null,
    "privilege":null,
    "privilege_reasons":[],
    "scopes":[],
    "elevated_scopes":[],
    "signals":[],
    "anomaly":0,
    "rules":[],
    "controls":[],
    "assurance":null,
    "principal":null,
    "kind":null,
    "credential":"abababababababab",
    "attestation":null,
    "method":"GE T",
    "host":"api.example.com",
    "path":"/a\"\r\n\u001b[31m",
    "source":null,
    "policy_hash":"test",
    "duration_us":42,
    "inputs":{"method":"GE T",
    "host":"api.example.com",
    "path":"/a\"\r\n\u001b[31m",
    "fault":"malformed_method"}}
    "#);
}

#[test]
fn every_line_has_every_field_in_the_same_order() {
    let world = world();
    let (decision, seen) = refused();
    let line = text(&record(&world, &decision, seen, &LoggedHeaders::default()));
    let fields = concat!(
        "time decision_id trace_id span_id decision reason mode shadow_decision route owner sensitivity privilege ",
        "privilege_reasons scopes elevated_scopes signals anomaly rules controls assurance principal kind credential ",
        "attestation method host path source policy_hash duration_us inputs"
    );
    let places: Vec<_> = fields.split(' ').map(|field| line.find(&format!("\"{field}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{line}");
    assert_eq!(parsed(&line).as_object().unwrap().len(), places.len());
}

#[test]
fn no_credential_and_no_query_is_ever_logged() {
    let world = world();
    let call = Call { path: "/v1/payments/7/refund?access_token=s3cret", ..world.refund() };
    let line = line_of(&world, &call.clone().with("cookie", "s3cret"));
    let secrets = ["authorization", "oauth-client-attestation", "dpop"].map(|name| call.header(name));
    for secret in secrets.into_iter().chain(["s3cret", call.token()]) {
        assert!(!line.contains(secret), "{line}");
    }
}

#[test]
fn only_headers_that_the_policy_reads_are_logged() {
    let world = world();
    let read = |call: Call| parsed(&line_of(&world, &call))["inputs"]["headers"].clone();
    assert_eq!(read(Call::new("GET", "/").with("x-other", "unread")), Value::Null);
    let call = Call::new("GET", "/").with("x-api-version", "1").with("cookie", "s3cret");
    assert_eq!(read(call), serde_json::json!({ "cookie": "[withheld]", "x-api-version": "1" }));
}

#[test]
fn the_principal_is_in_the_line_and_its_inputs() {
    let world = World::new();
    let line = parsed(&line_of(&world, &world.refund()));
    assert_eq!((line["principal"].as_str(), line["inputs"]["principal"].as_str()), (Some(WEB), Some(WEB)));
}

#[test]
fn lines_arrive_in_the_file_and_go_on_in_a_new_one_after_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let (path, rotated) = (folder.path().join("decisions.jsonl"), folder.path().join("decisions.jsonl.1"));
    let (log, writer) = DecisionLog::open(&Destination::File(path.clone()), AllowShare::ALL, None, dropped()).unwrap();
    log_refusal(&log);
    until(|| !read(&path).is_empty());
    std::fs::rename(&path, &rotated).unwrap();
    log.reopen();
    until(|| path.exists());
    log_refusal(&log);
    log_refusal(&log);
    assert!(writer.finish(Duration::from_secs(5)));
    assert_eq!([&rotated, &path].map(|file| read(file).lines().count()), [1, 2]);
    assert!(read(&path).lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

#[test]
fn what_comes_after_the_end_is_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (path, lost) = (folder.path().join("decisions.jsonl"), dropped());
    let (log, writer) =
        DecisionLog::open(&Destination::File(path.clone()), AllowShare::ALL, None, lost.clone()).unwrap();
    assert!(writer.finish(Duration::from_secs(5)));
    log_refusal(&log);
    assert_eq!((lost.get(), read(&path).as_str()), (1, ""));
}

#[test]
fn a_full_disk_stops_nothing_and_is_counted() {
    let lost = dropped();
    let (log, writer) =
        DecisionLog::open(&Destination::File("/dev/full".into()), AllowShare::ALL, None, lost.clone()).unwrap();
    log_refusal(&log);
    log_refusal(&log);
    assert!(writer.finish(Duration::from_secs(5)));
    assert_eq!(lost.get(), 2);
}

#[test]
fn a_file_that_cannot_be_opened_is_said_at_once() {
    let nowhere = Destination::File("/nonexistent/decisions.jsonl".into());
    assert!(DecisionLog::open(&nowhere, AllowShare::ALL, None, dropped()).is_err());
}

#[test]
fn without_a_share_of_allows_only_what_is_not_allowed_is_logged() {
    let world = World::new();
    let path = tempfile::NamedTempFile::new().unwrap();
    let destination = Destination::File(path.path().to_owned());
    let (log, writer) = DecisionLog::open(&destination, "0.0".parse().unwrap(), None, dropped()).unwrap();
    assert!(!log.takes(&world.decide(&world.refund()), "d-1"));
    assert!(log.takes(&world.decide(&Call::new("POST", REFUND)), "d-1"));
    assert!(writer.finish(Duration::from_secs(5)));
}

#[test]
fn a_log_that_is_off_takes_nothing() {
    let (log, writer) = DecisionLog::open(&Destination::Off, AllowShare::ALL, None, dropped()).unwrap();
    assert!(!log.takes(&refused().0, "d-1"));
    assert!(writer.finish(Duration::ZERO));
}

#[test]
fn the_latest_decisions_are_kept_for_who_asks_also_where_the_log_is_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.jsonl");
    for destination in [Destination::Off, Destination::File(path.clone())] {
        let latest = Arc::new(LatestDecisions::default());
        let (log, writer) =
            DecisionLog::open(&destination, AllowShare::ALL, Some(Arc::clone(&latest)), dropped()).unwrap();
        assert!(log.takes(&refused().0, "d-1"));
        log_refusal(&log);
        log_refusal(&log);
        assert!(writer.finish(Duration::from_secs(5)));
        let kept = latest.newest(usize::MAX);
        assert_eq!((kept.len(), &parsed(&kept[0])["decision_id"]), (2, &"d-1".into()));
        let logged = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(destination == Destination::Off || logged.lines().eq(kept.iter().map(AsRef::as_ref)), "{logged}");
    }
}

fn log_refusal(log: &DecisionLog) {
    let (world, (decision, seen)) = (World::new(), refused());
    log.write(&record(&world, &decision, seen, &LoggedHeaders::default()));
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn until(condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it did not come about in five seconds");
}

/// Read back, it would make up for proof of everybody who comes through that proxy.
#[test]
fn a_certificate_is_what_binds_a_caller_only_where_it_names_it() {
    let mut world = world();
    world.policy.credentials.identity = vec![crate::policy::IdentitySource::Bearer];
    let bound = |id: &str| {
        let mut call = world.refund();
        call.peer.certificate = Some(certificate(id).into());
        parsed(&line_of(&world, &call))["inputs"]["bound"].clone()
    };
    assert_eq!(bound("spiffe://example.org/ns/edge/sa/gateway"), Value::Null);
    assert_eq!(bound(WEB), serde_json::json!(["certificate"]));
}
