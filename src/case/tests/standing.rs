//! Callers that the policy refuses whatever they call: nothing that they could prove would help, so nothing is asked.

use super::world::{Call, NOW, REFUND, THIEF, WEB, World, certificate, is_spent};
use super::{line, reported};
use crate::case::CHALLENGE_PATH;
use crate::decision::{Decision, Outcome};
use crate::identity::Principal;
use crate::policy::{Identities, Identity, NamePattern, Status, Undeclared};
use crate::problem::Problem;
use crate::reason::Reason;
use rstest::rstest;
use serde_json::json;

const ALIAS: &str = "billing-web";

/// `pattern[=alias[,alias]][!status]`, where `WEB` stands for the name of the workload.
fn entry(text: &str) -> Identity {
    let text = text.replace("WEB", WEB);
    let (text, status) = text.split_once('!').unwrap_or((&text, "active"));
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

pub(crate) fn identities(entries: &[&str]) -> Identities {
    Identities::new(entries.iter().map(|text| entry(text)).collect(), Undeclared::default())
}

/// Refused with a 403 that hands out no challenge.
#[track_caller]
fn assert_refused(decision: &Decision, reason: &str, what: &str) {
    assert_eq!(line(decision), format!("deny {reason}"), "{what}");
    let Outcome::Deny(refused @ Reason::Identity(_)) = &decision.outcome else {
        panic!("{what}: {:?}", decision.outcome)
    };
    assert_eq!(Problem::of(refused).status, 403, "{what}");
}

/// Every sort of call: routine, proven, unknown, open to anybody, and for a challenge.
fn calls(world: &World, subject: &str) -> Vec<Call> {
    let token = World::bearer(subject, "payments:read payments:refund").sign(&world.idp).unwrap();
    let call = |method, path| Call::new(method, path).with("authorization", format!("Bearer {token}"));
    let attestation = World::attestation(subject, &world.web).sign(&world.attester).unwrap();
    let proof =
        World::proof(&world.web, &token).claim("nonce", world.challenge(subject, NOW)).sign(&world.web).unwrap();
    let refund = call("POST", REFUND).with("oauth-client-attestation", attestation).with("dpop", proof);
    let others = [("GET", "/v1/payments/7"), ("POST", REFUND), ("GET", "/status"), ("GET", "/unknown")];
    let mut calls: Vec<_> = others.map(|(method, path)| call(method, path)).into();
    calls.extend([call("POST", CHALLENGE_PATH), call("POST", "/forbidden"), refund]);
    calls
}

#[rstest]
#[case(&["WEB!suspended"], WEB, "suspended")]
#[case(&["WEB!offboarded"], WEB, "offboarded")]
#[case(&["spiffe://example.org/ns/billing/sa/*!suspended"], WEB, "suspended")]
// The most specific entry describes a caller, but any can suspend it, and the worst counts.
#[case(&["WEB", "spiffe://example.org/**!suspended"], WEB, "suspended")]
#[case(&["WEB!suspended", "**!offboarded"], WEB, "offboarded")]
// Under whichever of its names.
#[case(&["WEB=billing-web!suspended"], ALIAS, "suspended")]
#[case(&["WEB=billing-web", "billing-*!suspended"], ALIAS, "suspended")]
#[case(&["WEB=billing-web", "billing-*!suspended"], WEB, "suspended")]
#[case(&["WEB=billing-web", "spiffe://example.org/**!offboarded"], ALIAS, "offboarded")]
fn whoever_is_suspended_or_offboarded_is_refused_everywhere(
    #[case] entries: &[&str],
    #[case] subject: &str,
    #[case] reason: &str,
) {
    let mut world = World::new();
    world.policy.identities = identities(entries);
    for call in calls(&world, subject) {
        let decision = world.decide(&call);
        assert_refused(&decision, reason, call.path);
        if call.headers.iter().any(|(name, _)| name == "dpop") {
            assert!(!is_spent(&world, call.header("dpop")), "what proves nothing here is not used up");
        }
    }
}

#[test]
fn who_is_not_declared_is_refused_everywhere_where_the_policy_says_so() {
    let mut world = World::new();
    world.policy.identities = Identities::new(vec![entry("WEB")], Undeclared::Refuse);
    for call in calls(&world, THIEF) {
        assert_refused(&world.decide(&call), "undeclared_identity", call.path);
    }
    let declared = calls(&world, WEB);
    assert_eq!(line(&world.decide(&declared[0])), "allowed routine");
}

#[test]
fn a_name_that_nobody_declared_is_suspended_all_the_same_where_a_pattern_says_so() {
    let mut world = World::new();
    world.policy.identities =
        Identities::new(vec![entry("spiffe://example.org/ns/thief/**!offboarded")], Undeclared::Refuse);
    assert_refused(&world.decide(&calls(&world, THIEF)[0]), "offboarded", THIEF);
}

#[test]
fn a_certificate_of_whom_is_suspended_gets_no_challenge_either() {
    let mut world = World::new();
    world.policy.identities = identities(&["WEB=billing-web!suspended"]);
    for (method, path) in [("GET", "/status"), ("POST", CHALLENGE_PATH), ("GET", "/unknown")] {
        let mut call = Call::new(method, path);
        call.peer.certificate = Some(certificate(WEB).into());
        assert_refused(&world.decide(&call), "suspended", path);
    }
}

/// The certificate of one who may call, with the token of one who may not.
#[rstest]
#[case("alice!suspended", "suspended")]
#[case("ali*!offboarded", "offboarded")]
#[case("carol=alice!suspended", "suspended")]
fn a_token_of_whom_is_suspended_lends_nothing(
    #[case] entry: &str,
    #[case] reason: &str,
    #[values("GET", "POST")] method: &'static str,
) {
    let mut world = World::new();
    world.policy.identities = identities(&["WEB", entry]);
    world.policy.credentials.bearer.as_mut().unwrap().delegated = true;
    let (own, digest) = reported::with_digest(WEB);
    let given = World::bearer("alice", "payments:read").claim("azp", WEB);
    let bound = World::bearer("alice", "payments:read").claim("cnf", json!({"x5t#S256": digest}));
    for token in [given, bound] {
        let path = if method == "POST" { CHALLENGE_PATH } else { "/v1/payments/7" };
        let token = token.sign(&world.idp).unwrap();
        let mut call = Call::new(method, path).with("authorization", format!("Bearer {token}"));
        call.peer.certificate = Some(own.clone());
        assert_refused(&world.decide(&call), reason, path);
    }
}

/// The other way round: whom the token speaks for may call, and who calls may not.
#[test]
fn a_token_of_somebody_else_makes_nobody_active() {
    let mut world = World::new();
    world.policy.identities = identities(&["WEB!suspended", "alice"]);
    world.policy.credentials.bearer.as_mut().unwrap().delegated = true;
    let token = World::bearer("alice", "payments:read").claim("azp", WEB).sign(&world.idp).unwrap();
    let mut call = Call::new("GET", "/v1/payments/7").with("authorization", format!("Bearer {token}"));
    call.peer.certificate = Some(certificate(WEB).into());
    assert_refused(&world.decide(&call), "suspended", WEB);
}

#[test]
fn whom_envoy_or_a_proxy_reports_is_refused_like_anybody() {
    let mut world = World::new();
    world.policy.identities = identities(&["WEB=billing-web!suspended"]);
    world.policy.credentials.jwt_authn = Some(reported::jwt_authn());
    world.policy.credentials.identity = vec![crate::policy::IdentitySource::JwtAuthn];
    for subject in [WEB, ALIAS] {
        let claims = reported::claims_with("sub", &json!(subject));
        for (method, path) in [("GET", "/v1/payments/7"), ("POST", CHALLENGE_PATH)] {
            let call = reported::verified(Call::new(method, path), claims.clone());
            assert_refused(&world.decide(&call), "suspended", path);
        }
    }
}

/// Such as where the file with the identities got lost.
#[test]
fn whoever_refuses_the_undeclared_lets_nobody_in_by_declaring_nobody() {
    let mut world = World::new();
    world.policy.identities = Identities::new(Vec::new(), Undeclared::Refuse);
    assert_refused(&world.decide(&world.refund()), "undeclared_identity", "no entries");
}
