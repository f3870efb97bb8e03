//! What holds for good calls, and which check comes before which.

use super::line;
use super::world::{Call, NOW, WEB, World, is_spent, key_set};
use crate::attestation::Keyring;
use crate::case::{Case, Ground, Step};
use crate::decision::Outcome;
use crate::policy::{
    Effect, Glob, Mode, Name, PathTemplate, Requirement, Route, RouteTable, Rule, ScopeSet, Selector, When,
};
use crate::reason::Reason;
use crate::request::{AskedIn, Hints, Host, Metadata, Peer, RequestFacts};

#[test]
fn a_routine_call_needs_no_evidence() {
    let world = World::new();
    let bearer = World::bearer(WEB, "payments:read").sign(&world.idp).unwrap();
    let call = Call::new("GET", "/v1/payments/7").with("authorization", format!("Bearer {bearer}"));
    assert_eq!(line(&world.decide(&call)), "allowed routine");
}

#[test]
fn a_sensitive_call_with_elevated_scope_needs_an_attestation() {
    let world = World::new();
    let call = world.refund().without("oauth-client-attestation").without("dpop");
    assert_eq!(line(&world.decide(&call)), "step_up attestation_missing");
}

#[test]
fn a_workload_that_proves_itself_passes() {
    let world = World::new();
    let decision = world.decide(&world.refund());
    assert_eq!(line(&decision), "verified attested");
    assert_eq!(decision.findings.attestation.unwrap().appraised.issuer.as_str(), "attester");
}

#[test]
fn an_unknown_route_is_challenged_and_not_waved_through() {
    let world = World::new();
    let call = Call { path: "/v2/unknown", ..world.refund().without("dpop") };
    let decision = world.decide(&call);
    assert_eq!(line(&decision), "step_up proof_missing");
    assert_eq!(decision.findings.classification.unwrap().route, None);
}

#[test]
fn deny_beats_step_up_and_asks_for_no_evidence() {
    let world = World::new();
    let call = Call { path: "/forbidden", ..world.refund() };
    let decision = world.decide(&call);
    assert_eq!(line(&decision), "deny closed_for_good");
    assert!(matches!(decision.findings.classification.unwrap().requirement, Requirement::Refusal(_)));
    assert!(!is_spent(&world, call.header("dpop")));
}

#[test]
fn a_missing_scope_is_refused_before_a_challenge_is_handed_out() {
    let world = World::new();
    let bearer = World::bearer(WEB, "payments:read").sign(&world.idp).unwrap();
    let call = Call::new("POST", super::world::REFUND).with("authorization", format!("Bearer {bearer}"));
    assert_eq!(line(&world.decide(&call)), "deny insufficient_scope");
}

#[test]
fn nobody_is_refused_but_where_a_route_is_anonymous() {
    let world = World::new();
    assert_eq!(line(&world.decide(&Call::new("GET", "/v1/payments/7"))), "deny credential_missing");
    assert_eq!(line(&world.decide(&Call::new("GET", "/status"))), "allowed routine");
    let forged = Call::new("GET", "/status").with("authorization", "Bearer a.b.c");
    assert_eq!(line(&world.decide(&forged)), "deny credential_malformed");
}

#[test]
fn a_proof_that_fails_another_check_is_not_spent() {
    let world = World::new();
    let call = world.refund();
    let stale = call.clone().at(NOW + 90);
    assert_eq!(line(&world.decide(&stale)), "step_up proof_stale");
    assert!(!is_spent(&world, call.header("dpop")));
}

#[test]
fn a_challenge_is_given_to_principals_only() {
    let world = World::new();
    let path = crate::case::CHALLENGE_PATH;
    let anonymous = Call::new("POST", path);
    let known = anonymous.clone().with("authorization", world.refund().header("authorization"));
    assert_eq!(line(&world.decide(&anonymous)), "deny credential_missing");
    assert_eq!(line(&world.decide(&known)), "challenge challenge_requested");
    assert_eq!(line(&world.decide(&Call { method: "GET", ..known })), "step_up attestation_missing");
}

#[test]
fn a_key_that_left_takes_what_it_signed_along() {
    let mut world = World::new();
    let call = world.refund();
    world.keyring = Keyring::new(vec![key_set(&[&world.idp]), key_set(&[&world.thief])]);
    assert_eq!(line(&world.decide(&call)), "step_up attestation_unknown_key");
}

#[test]
fn what_does_at_a_lax_level_does_not_at_a_strict_one() {
    let world = World::new();
    let bearer = World::bearer(WEB, "payments:refund admin:wipe").sign(&world.idp).unwrap();
    let wipe = |at| {
        let url = "https://api.example.com/v1/payments";
        let proof = crate::mint::Jwt::proof(world.web.public(), "DELETE", url).unwrap().claim("iat", at);
        Call::new("DELETE", "/v1/payments")
            .with("authorization", format!("Bearer {bearer}"))
            .with("oauth-client-attestation", world.refund().header("oauth-client-attestation"))
            .with("dpop", proof.with_token(&bearer).claim("nonce", world.challenge(WEB, at)).sign(&world.web).unwrap())
            .at(at)
    };
    assert_eq!(line(&world.decide(&wipe(NOW + 61))), "step_up attestation_too_old");
    assert_eq!(line(&world.decide(&wipe(NOW + 60))), "verified attested");
}

#[test]
fn a_path_that_servers_read_differently_is_judged_in_every_reading() {
    let world = World::new();
    let bearer = World::bearer(WEB, "payments:read payments:refund").sign(&world.idp).unwrap();
    let call = |path| Call::new("POST", path).with("authorization", format!("Bearer {bearer}"));
    for path in ["//v1/payments/7/refund", "/status/../v1/payments/7/refund", "/status/..;/v1/payments/7/refund"] {
        assert_eq!(line(&world.decide(&call(path))), "step_up attestation_missing", "{path}");
    }
    let forbidden = line(&world.decide(&call("/x/%2e%2e/forbidden")));
    assert_eq!(forbidden, "deny closed_for_good");
    let slash = line(&world.decide(&call("/forbidden/")));
    assert_eq!(slash, "deny closed_for_good");
}

#[test]
fn a_header_that_overrides_method_or_path_is_judged_too() {
    let world = World::new();
    let bearer = World::bearer(WEB, "payments:read").sign(&world.idp).unwrap();
    let read = Call::new("GET", "/v1/payments/7").with("authorization", format!("Bearer {bearer}"));
    assert_eq!(line(&world.decide(&read)), "allowed routine");
    let overridden = read.clone().with("x-http-method-override", "POST").with("x-original-url", "/forbidden");
    assert_eq!(line(&world.decide(&overridden)), "deny closed_for_good");
    let refund = read.with("x-rewrite-url", "/v1/payments");
    assert_eq!(line(&world.decide(&Call { method: "DELETE", ..refund })), "deny insufficient_scope");
}

#[test]
fn an_anonymous_route_does_not_open_another_reading() {
    let world = World::new();
    assert_eq!(line(&world.decide(&Call::new("GET", "/v1/../status"))), "deny credential_missing");
}

#[test]
fn the_reason_for_a_refusal_does_not_hang_on_the_order_of_rules() {
    let mut world = World::new();
    let closed = world.policy.rules.iter().find(|rule| rule.name.as_str() == "closed").unwrap().clone();
    let barred = Rule { effect: Effect::Deny(Name::parse("barred").unwrap()), ..closed };
    world.policy.rules.push(barred);
    let call = Call { path: "/forbidden", ..world.refund() };
    let one = line(&world.decide(&call));
    world.policy.rules.reverse();
    assert_eq!(one, line(&world.decide(&call)));
}

#[test]
fn a_rule_that_is_only_watched_does_not_choose_the_reading_that_is_named() {
    let mut world = World::new();
    world.policy.rules.clear();
    let call = Call::new("GET", "/x/../y").with("authorization", world.refund().header("authorization"));
    let named = |world: &World| {
        let class = world.decide(&call).findings.classification.unwrap();
        (class.route.map(|id| world.policy.routes.get(id).unwrap().name.to_string()), class.also.len())
    };
    let any = world.policy.routes.iter().next().unwrap().1.clone();
    let alike = |name: &str, path: &str| Route {
        name: Name::parse(name).unwrap(),
        selector: Selector { path: PathTemplate::parse(path).unwrap(), ..any.selector.clone() },
        scopes: ScopeSet::default(),
        ..any.clone()
    };
    world.policy.routes = RouteTable::new(vec![alike("inner", "/x/{*rest}"), alike("outer", "/y")], false);
    let before = named(&world);
    let when = When { routes: vec![Glob::parse("outer").unwrap()], ..When::default() };
    let effect = Effect::Deny(Name::parse("closed").unwrap());
    let name = Name::parse("watched").unwrap();
    world.policy.rules = vec![Rule { name, owner: None, when, effect, mode: Mode::Shadow, controls: Vec::new() }];
    assert_eq!(before, (Some("inner".to_owned()), 1));
    assert_eq!(named(&world), before);
}

#[test]
fn nothing_that_a_call_adds_lifts_it_out_of_a_rule_for_standard_privilege() {
    let mut world = World::new();
    let closed = world.policy.rules.iter().find(|rule| rule.name.as_str() == "closed").unwrap().clone();
    world.policy.rules = vec![closed];
    let call = Call { path: "/forbidden", ..world.refund() };
    for hint in [("stepgate.scopes", "admin:wipe"), ("stepgate.scopes", "?\"")] {
        let hinted = Call { hints: Hints::read([hint]), ..call.clone() };
        assert_eq!(line(&world.decide(&hinted)), "deny closed_for_good", "{hint:?}");
    }
    let forbidden = |(_, route): (_, &Route)| Route {
        issues: (route.name.as_str() == "forbidden").then(|| AskedIn::Header("x-scope".into())),
        ..route.clone()
    };
    world.policy.routes = RouteTable::new(world.policy.routes.iter().map(forbidden).collect(), false);
    for asked in ["payments:read", "admin:wipe", "not \"readable\""] {
        assert_eq!(line(&world.decide(&call.clone().with("x-scope", asked))), "deny closed_for_good", "{asked}");
    }
}

/// Nobody could answer a step-up there.
#[test]
fn what_would_be_asked_of_a_connection_is_watched_as_a_refusal() {
    let mut world = World::new();
    world.policy.credentials.mtls.as_mut().unwrap().certificate_required = false;
    let peer = Peer { certificate: None, principal: Some(WEB.into()) };
    let (metadata, hints) = (Metadata::default(), Hints::default());
    let facts = RequestFacts::of_connection(None, peer, metadata, hints, Host::unknown());
    let decide = |world: &World| {
        let ground = Ground { policy: &world.policy, keyring: &world.keyring, challenges: &world.challenges };
        match world.step(&mut Case::open(ground, &facts), NOW) {
            Step::Decided(decision) => decision,
            Step::Needs(need) => unreachable!("{need:?}"),
        }
    };
    assert_eq!(decide(&world).outcome, Outcome::Deny(Reason::Unanswerable));
    for rule in &mut world.policy.rules {
        rule.mode = Mode::Shadow;
    }
    let watched = decide(&world);
    assert_eq!(
        (line(&watched).as_str(), watched.shadow),
        ("allowed routine", Some(Outcome::Deny(Reason::Unanswerable)))
    );
}
