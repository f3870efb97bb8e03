//! Who asks again and again, who is asked instead of whom, and what makes it end.

use super::line;
use super::reported;
use super::world::{Call, NOW, REFUND, THIEF, WEB, World, certificate};
use crate::case::ChallengeKey;
use crate::decision::Decision;
use crate::identity::TrustDomain;
use crate::mint::Jwt;
use crate::policy::{ChallengeLimit, IdentitySource, Mode, XfccCredential};
use crate::request::Peer;
use serde_json::json;

const HOME: &str = "10.20.1.4";
const LOOP: &str = "deny challenge_loop";
const ASKED: &str = "step_up attestation_missing";

/// The workload refunds, and proves nothing.
fn unproven(world: &World) -> Call {
    world.refund().without("oauth-client-attestation").without("dpop").from(HOME)
}

/// Calls until it is refused, and says how often it was asked for proof.
fn asked(world: &World, call: &Call) -> usize {
    (0..100).take_while(|_| line(&world.decide(call)) == ASKED).count()
}

#[test]
fn after_too_many_unanswered_challenges_the_next_is_refused() {
    let world = World::new();
    let call = unproven(&world);
    assert_eq!(asked(&world, &call), 20);
    let decision = world.decide(&call.clone().at(NOW + 18));
    assert_eq!((line(&decision).as_str(), decision.findings.retry_after.unwrap().as_secs()), (LOOP, 42));
    assert!(!decision.hands_out_challenge() && decision.findings.classification.is_some());
    assert_eq!(line(&world.decide(&call.at(NOW + 60))), ASKED);
}

#[test]
fn the_policy_says_how_many() {
    let mut world = World::new();
    world.policy.challenges = ChallengeLimit::new(3).unwrap();
    assert_eq!(asked(&world, &unproven(&world)), 3);
}

#[test]
fn good_evidence_passes_all_the_same_and_ends_the_count() {
    let world = World::new();
    let call = unproven(&world);
    assert_eq!(asked(&world, &call), 20);
    let proof = World::proof(&world.web, call.token()).claim("jti", "own").sign(&world.web).unwrap();
    let attestation = World::attestation(WEB, &world.web).sign(&world.attester).unwrap();
    let proven = call.clone().with("oauth-client-attestation", attestation).with("dpop", proof);
    assert_eq!(line(&world.decide(&proven)), "verified attested");
    assert_eq!(asked(&world, &call), 20);
}

#[test]
fn bad_evidence_is_a_challenge_left_unanswered() {
    let world = World::new();
    let call = unproven(&world).with("oauth-client-attestation", "a.b.c");
    let lines: Vec<_> = (0..21).map(|_| line(&world.decide(&call))).collect();
    assert_eq!((lines[19].as_str(), lines[20].as_str()), ("step_up attestation_malformed", LOOP));
}

#[test]
fn a_thief_elsewhere_does_not_use_up_what_the_owner_of_the_token_is_given() {
    let world = World::new();
    let call = unproven(&world);
    for source in ["203.0.113.5", "2001:db8::1"] {
        assert_eq!(asked(&world, &call.clone().from(source)), 20);
    }
    assert_eq!(asked(&world, &call), 20);
    // The same network, another address.
    assert_eq!(line(&world.decide(&call.from("10.20.1.9"))), LOOP);
}

#[test]
fn another_token_and_another_route_are_counted_apart() {
    let world = World::new();
    let call = unproven(&world);
    assert_eq!(asked(&world, &call), 20);
    let unknown = Call { path: "/v2/unknown", ..call.clone() };
    assert_eq!(asked(&world, &unknown), 20);
    let renewed = World::bearer(WEB, "payments:refund").claim("jti", "renewed").sign(&world.idp).unwrap();
    assert_eq!(asked(&world, &call.clone().with("authorization", format!("Bearer {renewed}"))), 20);
    let stranger = World::bearer(THIEF, "payments:refund").sign(&world.idp).unwrap();
    assert_eq!(asked(&world, &call.with("authorization", format!("Bearer {stranger}"))), 20);
}

/// Neither a header nor another spelling of a path makes a new count, and no unknown path has one of its own.
#[test]
fn what_a_caller_can_vary_freely_makes_no_new_count() {
    let world = World::new();
    let call = unproven(&world);
    assert_eq!(asked(&world, &call), 20);
    let varied = [
        call.clone().with("user-agent", "another/1.0"),
        call.clone().with("x-forwarded-for", "203.0.113.5"),
        call.clone().with("authorization", format!("bearer  {}", call.token())),
        call.clone().with("oauth-client-attestation", "d.e.f"),
        Call { path: "/v1/payments/8/refund?a=b", ..call.clone() },
        Call { path: "/v1/%70ayments/7/refund", ..call.clone() },
    ];
    for other in varied {
        assert_eq!(line(&world.decide(&other)), LOOP, "{} {:?}", other.path, other.headers.last());
    }
    assert_eq!(asked(&world, &Call { path: "/x/1", ..call.clone() }), 20);
    assert_eq!(line(&world.decide(&Call { path: "/x/2", method: "PUT", ..call.clone() })), LOOP);
    // One of its readings is a path that no route names.
    assert_eq!(line(&world.decide(&Call { path: "//v1/payments/7/refund", ..call })), LOOP);
}

#[test]
fn a_token_that_envoy_verified_is_the_same_whatever_stands_beside_it() {
    let mut world = World::new();
    let credentials = &mut world.policy.credentials;
    (credentials.bearer, credentials.jwt_authn) = (None, Some(reported::jwt_authn()));
    credentials.identity = vec![IdentitySource::JwtAuthn];
    let call = |payload| reported::verified(Call::new("POST", REFUND), payload).from(HOME);
    let claims = reported::claims_with("scope", &json!("payments:refund"));
    assert_eq!(asked(&world, &call(claims.clone())), 20);
    assert_eq!(line(&world.decide(&call(claims).with("authorization", "Bearer anything"))), LOOP);
}

/// Its certificate comes with the calls of all.
#[test]
fn who_comes_through_a_proxy_does_not_share_its_count() {
    let mut world = World::new();
    let trust_domains = vec![TrustDomain::parse("example.org").unwrap()];
    world.policy.credentials.xfcc = Some(XfccCredential { trust_domains });
    world.policy.credentials.identity = vec![IdentitySource::Xfcc];
    (world.policy.credentials.bearer, world.policy.credentials.mtls) = (None, None);
    let peer = Peer { certificate: Some(certificate("spiffe://example.org/ns/edge/sa/proxy").into()), principal: None };
    let of = |principal: &str| {
        Call { peer: peer.clone(), ..Call::new("POST", REFUND) }
            .with("x-forwarded-client-cert", format!("URI={principal}"))
            .from(HOME)
    };
    assert_eq!((asked(&world, &of(WEB)), asked(&world, &of(THIEF))), (20, 20));
}

#[test]
fn a_challenge_that_is_fetched_is_not_counted_and_given_to_whoever_loops() {
    let world = World::new();
    let fetch = Call { method: "POST", path: crate::case::CHALLENGE_PATH, ..unproven(&world) };
    for _ in 0..30 {
        assert_eq!(line(&world.decide(&fetch)), "challenge challenge_requested");
    }
    assert_eq!(asked(&world, &unproven(&world)), 20);
    assert_eq!(line(&world.decide(&fetch)), "challenge challenge_requested");
}

#[test]
fn what_is_not_enforced_is_not_counted() {
    let mut world = World::new();
    let call = unproven(&world);
    let counted = |world: &World| (0..30).all(|_| line(&world.decide(&call)) == "allowed attestation_missing");
    world.policy.mode = Mode::Shadow;
    assert!(counted(&world));
    world.policy.mode = Mode::Enforce;
    for rule in &mut world.policy.rules {
        rule.mode = Mode::Shadow;
    }
    assert!((0..30).all(|_| line(&world.decide(&call)) == "allowed routine"));
    world.policy.rules.iter_mut().for_each(|rule| rule.mode = Mode::Enforce);
    assert_eq!(asked(&world, &call), 20);
}

#[test]
fn a_call_that_proves_more_than_it_is_asked_for_answers_nothing() {
    let world = World::new();
    let read = Jwt::proof(world.web.public(), "GET", "https://api.example.com/v1/payments/7").unwrap();
    let bearer = World::bearer(WEB, "payments:read").sign(&world.idp).unwrap();
    let call = Call::new("GET", "/v1/payments/7")
        .with("authorization", format!("Bearer {bearer}"))
        .with("oauth-client-attestation", World::attestation(WEB, &world.web).sign(&world.attester).unwrap())
        .with("dpop", read.claim("iat", NOW).with_token(&bearer).sign(&world.web).unwrap());
    let answered = |decision: Decision| decision.findings.answered;
    assert_eq!(answered(world.decide(&call)), None::<ChallengeKey>);
    assert!(answered(world.decide(&world.refund())).is_some());
}
