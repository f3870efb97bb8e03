//! What is given is what a case is told, and what could loosen is not assumed.

use super::*;
use crate::case::tests::world::{NOW, REFUND, WEB, World};
use crate::context::{Anomaly, Context, HeaderTest, Lifetime, Look, Signal, Signals, Test};
use crate::identity::Scheme;
use crate::policy::Policy;
use crate::request::{AskedIn, Body, Malformed, McpCall, Occurrence};

fn web() -> Inputs {
    Inputs {
        principal: Some(Principal::parse(WEB).unwrap()),
        scopes: Some(ScopeSet::parse("payments:refund payments:read").unwrap()),
        ..Inputs::new("POST", "api.example.com", REFUND)
    }
}

fn policy() -> Policy {
    World::new().policy
}

/// What comes of it, and why.
fn outcome(inputs: &Inputs) -> (&'static str, String) {
    let world = World::new();
    let ground = Ground { policy: &world.policy, keyring: &world.keyring, challenges: &world.challenges };
    let decision = inputs.decide(ground, UnixTime::from_secs(NOW));
    (decision.outcome.as_str(), decision.reason().as_str().to_owned())
}

#[test]
fn a_request_is_decided_as_a_server_would() {
    assert_eq!(outcome(&web()), ("step_up", "attestation_missing".into()));
    let by = Some(Name::parse("workload").unwrap());
    let attestation = GivenAttestation {
        by,
        age: Some(Ttl::from_secs(60)),
        proof: Some(ProvenBy::Dpop),
        ..GivenAttestation::default()
    };
    let attested = Inputs { attestation: Some(attestation), ..web() };
    assert_eq!(outcome(&attested), ("allow", "attested".into()));
    let nobody = Inputs { principal: None, scopes: None, ..web() };
    assert_eq!(outcome(&nobody), ("deny", "credential_missing".into()));
}

#[test]
fn without_scopes_nothing_is_granted() {
    assert_eq!(outcome(&Inputs { scopes: None, ..web() }), ("deny", "insufficient_scope".into()));
}

#[test]
fn what_is_malformed_is_refused_as_a_request_is() {
    let decided = |inputs| outcome(&inputs).1;
    assert_eq!(decided(Inputs { path: "/a%zz".into(), ..web() }), "malformed_path");
    assert_eq!(decided(Inputs { method: "GE T".into(), ..web() }), "malformed_method");
    assert_eq!(decided(Inputs { host: "user@host".into(), ..web() }), "malformed_host");
    let overridden = Inputs { headers: vec![("x-original-url".into(), None)], ..web() };
    assert_eq!(decided(overridden), "malformed_override");
    // What is not shown of a refused request may be what it was refused for.
    let fault = Some(Reason::Request(Malformed::Host));
    assert_eq!(decided(Inputs { fault, ..web() }), "malformed_host");
}

#[test]
fn a_lifetime_that_is_not_given_cannot_be_told() {
    let lifetime = |inputs: Inputs| inputs.recorded(&policy()).caller.lifetime;
    let hour = Ttl::from_secs(3_600);
    assert_eq!(lifetime(web()), Lifetime::Untold);
    assert_eq!(lifetime(Inputs { credential_lifetime: Some(hour), ..web() }), Lifetime::Told(hour));
    assert_eq!(lifetime(Inputs::new("GET", "h", "/")), Lifetime::None);
}

#[test]
fn claims_are_those_that_the_policy_asks_for_and_the_subject() {
    let mut policy = policy();
    policy.credentials.claims = ["team".into()].into();
    let claims = serde_json::json!({ "team": "billing", "other": 1 });
    let given = Inputs { subject: Some("batch".into()), claims: claims.as_object().cloned(), ..web() };
    let caller = given.recorded(&policy).caller;
    let read = caller.claims().unwrap();
    assert_eq!((read.values("team").collect::<Vec<_>>(), read.values("other").count()), (vec!["billing"], 0));
    assert_eq!(read.subject.as_deref(), Some("batch"));
    let own = web().recorded(&policy).caller;
    assert_eq!(own.claims().unwrap().subject.as_deref(), Some(WEB));
}

#[test]
fn a_bound_token_is_one_whose_proof_was_shown() {
    let bound = Inputs { bound: Bound { key: true, certificate: true }, ..web() };
    let caller = bound.recorded(&policy()).caller;
    assert_eq!(caller.token.as_ref().map(|token| token.scheme), Some(Scheme::Dpop));
    assert!(caller.token.unwrap().bound_to().is_some() && caller.certificate.is_some());
}

#[test]
fn names_that_the_policy_does_not_know_say_nothing_and_are_named() {
    let mut policy = policy();
    let look = HeaderTest { name: "x-odd".into(), looks_for: Look::Present };
    let odd = Signal { name: Name::parse("odd").unwrap(), points: Anomaly::MAX, test: Test::Header(look) };
    policy.context = Context { signals: Signals::new(vec![odd]).unwrap(), ..Context::default() };
    let name = |text| Name::parse(text).unwrap();
    let attestation = GivenAttestation { by: Some(name("tee")), ..GivenAttestation::default() };
    let given = Inputs { fired: vec![name("odd"), name("even")], attestation: Some(attestation), ..web() };
    let unknown = [("signal", name("even")), ("attestation", name("tee"))];
    assert!(given.unknown_names(&policy).into_iter().eq(unknown.iter().map(|(kind, name)| (*kind, name))));
    let recorded = given.recorded(&policy);
    assert_eq!((recorded.fired.iter().count(), recorded.attestation.unwrap().by), (1, None));
}

#[test]
fn a_body_is_given_whole() {
    let body = |inputs: Inputs| inputs.facts().unwrap().body;
    let form = Inputs {
        headers: vec![("content-type".into(), Some("application/x-www-form-urlencoded".into()))],
        body: Some(format!("scope={}", "a".repeat(5_000)).into()),
        ..web()
    };
    assert!(matches!(body(form.clone()), Body::Whole(_)));
    let scopes = AskedIn::Form("scope".into()).read(&Inputs { body: Some("scope=a".into()), ..form }.facts().unwrap());
    assert_eq!(scopes, Asked::Scopes(ScopeSet::parse("a").unwrap()));
    let cut = Inputs { headers: vec![("content-length".into(), Some("9".into()))], body: Some("abc".into()), ..web() };
    assert_eq!((body(cut), body(web())), (Body::Truncated, Body::Absent));
}

#[test]
fn a_call_is_the_one_that_was_seen() {
    for (method, tool) in [("tools/call", Some("delete_user")), ("tools/list", None), (McpCall::RESPONSE, None)] {
        let call = GivenCall { method: method.into(), tool: tool.map(Into::into) };
        let facts = Inputs { mcp: Some(call), ..web() }.facts().unwrap();
        assert_eq!(McpCall::of(&facts), McpCall::One { method, tool });
    }
    assert_eq!(McpCall::of(&web().facts().unwrap()), McpCall::Unclear);
}

#[test]
fn headers_stand_as_they_are_given() {
    let headers = [("x-a", Some("1")), ("x-a", Some("2")), ("x-b", None), ("x-c", Some("hello!"))];
    let headers = headers.map(|(name, value)| (name.into(), value.map(Into::into)));
    let facts = Inputs { headers: headers.into(), ..web() }.facts().unwrap();
    let of = |name| facts.headers.occurrence(name);
    assert_eq!(
        (of("x-a"), of("x-b"), of("x-c")),
        (Occurrence::Repeated, Occurrence::Unreadable, Occurrence::Once("hello!"))
    );
}

#[test]
fn a_connection_is_judged_as_one() {
    let connection = Inputs { layer: Layer::Network, method: "".into(), path: "".into(), host: "".into(), ..web() };
    assert_eq!(connection.facts().unwrap().host.as_str(), "unknown.invalid");
    assert_eq!(outcome(&connection), ("deny", "unanswerable".into()));
}
