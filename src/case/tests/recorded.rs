//! What was verified before is not verified again, and everything else is decided as it ever was.

use super::line;
use super::world::{Call, NOW, REFUND, WEB, World};
use crate::attestation::{ClaimNames, Claims, ProofFault, Purpose, TokenFault};
use crate::case::{Case, Ground, Moment, ProvenBy, Recorded, RecordedAttestation, Step};
use crate::context::{Anomaly, Context, HeaderTest, Lifetime, Look, Signal, SignalId, SignalSet, Signals, Test};
use crate::decision::{Decision, Findings};
use crate::identity::{AccessToken, Caller, Principal, Scheme, VerifiedToken};
use crate::policy::{AttestationId, ScopeSet};
use crate::reason::Reason;
use crate::request::Asked;
use crate::revocation::Revocations;
use crate::time::{Ttl, UnixTime};
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::Arc;

fn token(payload: &Value) -> AccessToken {
    let names =
        ClaimNames { subject: "sub", scopes: "scope", task: "", purpose: Purpose::Token, kept: &["team".into()] };
    let claims = Claims::read(payload.as_object().unwrap(), names).unwrap();
    AccessToken { verified: VerifiedToken::Earlier(Arc::new(claims)), scheme: Scheme::Bearer }
}

fn web(scopes: &str) -> Recorded {
    Recorded {
        caller: Caller {
            principal: Some(Principal::parse(WEB).unwrap()),
            token: Some(token(&json!({ "sub": WEB }))),
            beside: None,
            granted: Some(ScopeSet::parse(scopes).unwrap()),
            certificate: None,
            certified: false,
            lifetime: Lifetime::Untold,
            scopes_enforced: true,
        },
        fault: None,
        country: None,
        fired: SignalSet::default(),
        attestation: None,
        grant: None,
        looped: false,
    }
}

fn attestation(age: u64) -> RecordedAttestation {
    RecordedAttestation {
        by: Some(AttestationId(0)),
        age: Some(Ttl::from_secs(age)),
        task: Some("run-1".into()),
        proof: Some(ProvenBy::Dpop),
        ..RecordedAttestation::default()
    }
}

fn with(attestation: RecordedAttestation) -> Recorded {
    Recorded { attestation: Some(attestation), ..web("payments:refund admin:wipe") }
}

fn decide(world: &World, call: &Call, recorded: &Recorded) -> Decision {
    let ground = Ground { policy: &world.policy, keyring: &world.keyring, challenges: &world.challenges };
    recorded.decide(ground, &call.facts(), UnixTime::from_secs(NOW))
}

fn refund(recorded: &Recorded) -> String {
    line(&decide(&World::new(), &Call::new("POST", REFUND), recorded))
}

#[test]
fn a_recorded_case_asks_for_nothing() {
    let world = World::new();
    let ground = Ground { policy: &world.policy, keyring: &world.keyring, challenges: &world.challenges };
    // Also where the call shows all that is asked for.
    let facts = world.refund().facts();
    let recorded = web("payments:refund");
    let mut case = Case::recorded(ground, &facts, &recorded);
    let Step::Decided(decision) =
        case.step(Moment { now: UnixTime::from_secs(NOW), revoked: &Revocations::none(Ttl::from_secs(1)) })
    else {
        panic!("it asks")
    };
    assert_eq!(line(&decision), "step_up attestation_missing");
}

#[test]
fn who_calls_is_who_was_recorded_and_no_header_says_otherwise() {
    let world = World::new();
    let call = world.refund().with("authorization", "Bearer a.b.c");
    assert_eq!(line(&decide(&world, &call, &web("payments:refund"))), "step_up attestation_missing");
    assert_eq!(line(&decide(&world, &call, &web("payments:read"))), "deny insufficient_scope");
    let nobody = Caller { principal: None, ..web("payments:refund").caller };
    assert_eq!(line(&decide(&world, &call, &Recorded { caller: nobody, ..web("") })), "deny credential_missing");
}

#[rstest]
#[case(attestation(0), "verified attested")]
#[case(attestation(300), "verified attested")]
#[case(attestation(301), "step_up attestation_too_old")]
#[case(RecordedAttestation { age: None, ..attestation(0) }, "step_up attestation_too_old")]
#[case(RecordedAttestation { by: None, ..attestation(0) }, "step_up attestation_missing")]
#[case(RecordedAttestation { by: Some(AttestationId(9)), ..attestation(0) }, "step_up attestation_missing")]
#[case(RecordedAttestation { proof: None, ..attestation(0) }, "step_up proof_missing")]
#[case(RecordedAttestation { proof: Some(ProvenBy::Pop), ..attestation(0) }, "verified attested")]
#[case(RecordedAttestation { proof: Some(ProvenBy::Mtls), ..attestation(0) }, "step_up proof_missing")]
#[case(RecordedAttestation { fault: Some(Reason::Proof(ProofFault::Replayed)), ..attestation(0) }, "step_up proof_replayed")]
#[case(
    RecordedAttestation { fault: Some(Reason::Attestation(TokenFault::Expired)), ..RecordedAttestation::default() },
    "step_up attestation_expired"
)]
fn a_recorded_attestation_is_held_against_the_level(#[case] attestation: RecordedAttestation, #[case] came_out: &str) {
    assert_eq!(refund(&with(attestation)), came_out);
}

#[test]
fn a_level_that_asks_for_a_challenge_gets_one() {
    let (world, wipe) = (World::new(), Call::new("DELETE", "/v1/payments"));
    let of = |attestation| line(&decide(&world, &wipe, &with(attestation)));
    assert_eq!(of(attestation(60)), "step_up proof_challenge_missing");
    assert_eq!(of(RecordedAttestation { challenge: true, ..attestation(60) }), "verified attested");
    assert_eq!(of(RecordedAttestation { challenge: true, ..attestation(61) }), "step_up attestation_too_old");
}

#[test]
fn a_caller_that_had_left_too_many_challenges_unanswered_is_refused_where_it_is_asked() {
    assert_eq!(refund(&Recorded { looped: true, ..web("payments:refund") }), "deny challenge_loop");
    assert_eq!(refund(&Recorded { looped: true, ..web("payments:read") }), "deny insufficient_scope");
    assert_eq!(refund(&Recorded { looped: true, ..with(attestation(0)) }), "verified attested");
}

#[test]
fn what_was_found_of_the_attestation_is_what_was_recorded() {
    let decision = decide(&World::new(), &Call::new("POST", REFUND), &with(attestation(7)));
    let attested = decision.findings.attestation.unwrap();
    assert_eq!((attested.appraised.issuer.as_str(), attested.appraised.task.as_deref()), ("attester", Some("run-1")));
    assert_eq!((attested.appraised.age, attested.proven, attested.challenged), (Ttl::from_secs(7), true, false));
}

#[test]
fn a_refused_credential_is_refused_again_and_leaves_what_was_touched() {
    let nobody = Caller { principal: None, token: None, granted: None, ..web("").caller };
    let fault = Some(Reason::Credential(TokenFault::Expired));
    let refused = Recorded { caller: nobody, fault, ..web("") };
    let decision = decide(&World::new(), &Call::new("POST", REFUND), &refused);
    assert_eq!(line(&decision), "deny credential_expired");
    assert!(decision.findings.classification.is_some() && decision.findings.caller.is_none());
}

#[test]
fn the_proof_of_a_bound_token_is_looked_at_after_who_calls() {
    let world = World::new();
    let bound = token(&json!({ "sub": WEB, "cnf": { "jkt": "A".repeat(43) } }));
    let recorded = web("payments:read");
    let recorded = Recorded { caller: Caller { token: Some(bound), ..recorded.caller }, ..recorded };
    let read = Call::new("GET", "/v1/payments/7");
    let decision = decide(&world, &read, &recorded);
    assert_eq!((line(&decision).as_str(), decision.findings.scheme), ("allowed routine", Scheme::Dpop));
    let fault = Some(Reason::Proof(ProofFault::Stale));
    let decision = decide(&world, &read, &Recorded { fault, ..recorded });
    assert_eq!(line(&decision), "deny proof_stale");
    assert!(decision.findings.caller.is_some());
}

#[test]
fn what_was_asked_for_is_not_read_again() {
    let mut world = World::new();
    let mut routes: Vec<_> = world.policy.routes.iter().map(|(_, route)| route.clone()).collect();
    routes[1].issues = Some(crate::request::AskedIn::Form("scope".into()));
    world.policy.routes = crate::policy::RouteTable::new(routes, false);
    let ground = Ground { policy: &world.policy, keyring: &world.keyring, challenges: &world.challenges };
    let scopes_of = |asked| {
        let facts = crate::request::RequestFacts { asked, ..Call::new("POST", REFUND).facts() };
        let decision = web("payments:refund").decide(ground, &facts, UnixTime::from_secs(NOW));
        let class = decision.findings.classification.unwrap();
        (class.scopes.to_string(), class.privilege_reasons.len())
    };
    let asked = Asked::Scopes(ScopeSet::parse("admin:x").unwrap());
    assert_eq!(scopes_of(Some(asked)), ("admin:x payments:refund".to_owned(), 1));
    assert_eq!(scopes_of(Some(Asked::Unreadable)), ("payments:refund".to_owned(), 2));
    assert_eq!(scopes_of(None), ("payments:refund".to_owned(), 2));
}

fn signal(name: &str, test: Test) -> Signal {
    Signal { name: crate::policy::Name::parse(name).unwrap(), points: Anomaly::new(30).unwrap(), test }
}

/// The findings of a read, where these of four signals fired by record.
fn signals(fired: &[usize], header: bool) -> Findings {
    let mut world = World::new();
    let look = HeaderTest { name: "x-odd".into(), looks_for: Look::Present };
    let signals = vec![
        signal("new-network", Test::NewNetwork),
        signal("outside-hours", Test::OutsideHours),
        signal("credential-in-url", Test::CredentialInUrl),
        signal("odd", Test::Header(look)),
    ];
    world.policy.context = Context { signals: Signals::new(signals).unwrap(), ..Context::default() };
    let fired = fired.iter().map(|index| SignalId::at(*index).unwrap()).collect();
    let call = Call::new("GET", "/v1/payments/7");
    let call = if header { call.with("x-odd", "1") } else { call };
    decide(&world, &call, &Recorded { fired, ..web("payments:read") }).findings
}

fn indices(findings: &Findings) -> Vec<usize> {
    findings.unusual.signals.iter().map(SignalId::index).collect()
}

#[test]
fn learned_signals_are_silent_without_memory_unless_the_record_names_them() {
    assert_eq!(indices(&signals(&[], false)), [0_usize; 0]);
    let findings = signals(&[0, 2], false);
    assert_eq!((indices(&findings).as_slice(), findings.unusual.anomaly.points()), ([0, 2].as_slice(), 60));
    assert_eq!(findings.sighting, None);
}

#[test]
fn a_signal_counts_once_and_only_where_the_record_leaves_it_open() {
    let findings = signals(&[1, 3], true);
    assert_eq!((indices(&findings).as_slice(), findings.unusual.anomaly.points()), ([3].as_slice(), 30));
}
