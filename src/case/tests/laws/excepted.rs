//! The exceptions to what `removed` says, one by one: here a call does get more without a header, and it can't be otherwise.

use super::calls::{Bearer, Sketch};
use super::identities::{network, plain_identity};
use super::memory::Memory;
use super::policies::Parts;
use super::routes::plain_route;
use super::rules::{critical, unusual_on_sensitive};
use super::scene::verdict;
use super::signals::signal;
use crate::case::tests::world::WEB;
use crate::context::Anomaly;
use crate::policy::{
    ClaimCondition, Floor, Glob, HeaderCondition, Identity, McpCondition, Route, Rule, Selector, Sensitivity, Status,
    When,
};
use crate::request::AskedIn;
use rstest::rstest;

/// `/a` is of this sensitivity and its scopes are nothing special; what is critical asks for proof.
fn policy(sensitivity: Sensitivity) -> Parts {
    Parts { routes: vec![plain_route("/a", sensitivity, "")], rules: vec![critical()], ..Parts::empty() }
}

fn lax() -> Parts {
    policy(Sensitivity::Low)
}

fn shows(name: &str, value: &str) -> Sketch {
    Sketch { headers: vec![(name.to_owned(), value.to_owned())], ..Sketch::plain("/a") }
}

fn of_kind_one() -> Selector {
    let headers = vec![HeaderCondition { name: "x-kind".into(), values: vec!["1".into()] }];
    Selector { headers, ..plain_route("/a", Sensitivity::Low, "").selector }
}

fn critical_route(selector: Selector) -> Route {
    Route { selector, ..plain_route("/x", Sensitivity::Critical, "") }
}

/// A route takes only what shows its header.
fn narrowed() -> (Parts, Sketch) {
    let mut parts = lax();
    parts.routes.push(critical_route(of_kind_one()));
    (parts, shows("x-kind", "1"))
}

fn under_a_floor() -> (Parts, Sketch) {
    let floor = Floor { owner: None, selector: of_kind_one(), sensitivity: Sensitivity::Critical };
    (Parts { floors: vec![floor], ..lax() }, shows("x-kind", "1"))
}

fn named_by_a_rule() -> (Parts, Sketch) {
    let rule = Rule { when: When { headers: of_kind_one().headers, ..When::default() }, ..critical() };
    (Parts { rules: vec![rule], ..lax() }, shows("x-kind", "1"))
}

fn unusual(signal_name: &str) -> Parts {
    let rules = vec![unusual_on_sensitive(Anomaly::MAX)];
    Parts { rules, signals: vec![signal(signal_name, 100)], ..policy(Sensitivity::High) }
}

fn looked_for_by_a_signal() -> (Parts, Sketch) {
    (unusual("kind-one"), shows("x-kind", "1"))
}

/// The call of the proxy itself.
fn forwarded() -> (Parts, Sketch) {
    let identity = Identity { networks: Some(network("10.0.0.0/8")), ..plain_identity(WEB) };
    let parts = Parts { identities: vec![identity], behind_proxy: true, ..unusual("new_network") };
    (parts, shows("x-forwarded-for", "203.0.113.5"))
}

fn another_path() -> (Parts, Sketch) {
    let mut parts = lax();
    parts.routes.push(plain_route("/b", Sensitivity::Critical, ""));
    (parts, shows("x-original-url", "/b"))
}

fn another_method() -> (Parts, Sketch) {
    let mut parts = lax();
    let methods = vec![crate::request::Method::parse("DELETE").unwrap()];
    parts.routes.push(critical_route(Selector { methods, ..plain_route("/a", Sensitivity::Low, "").selector }));
    (parts, shows("x-http-method-override", "DELETE"))
}

/// What can't be read may ask for anything, so it counts as elevated.
fn issuing(asked: &AskedIn) -> Parts {
    let mut parts = lax();
    parts.routes.iter_mut().for_each(|route| route.issues = Some(asked.clone()));
    let when = When { privilege: Some(crate::policy::Privilege::Elevated), ..When::default() };
    Parts { rules: vec![Rule { when, ..critical() }], ..parts }
}

fn compressed() -> (Parts, Sketch) {
    let call = Sketch { method: "POST".to_owned(), form: Some("scope=read"), ..shows("content-encoding", "gzip") };
    (issuing(&AskedIn::Form("scope".into())), call)
}

fn with_a_twin() -> (Parts, Sketch) {
    let mut call = shows("x_scope", "read");
    call.headers.push(("x-scope".to_owned(), "read".to_owned()));
    (issuing(&AskedIn::Header("x-scope".into())), call)
}

/// What names two calls may be any.
fn of_another_tool() -> (Parts, Sketch) {
    let tools = |glob| Some(McpCondition { method: "tools/call".into(), tools: [Glob::parse(glob).unwrap()].into() });
    let selector = |glob| Selector { mcp: tools(glob), ..plain_route("/a", Sensitivity::Low, "").selector };
    let harmless = Route { selector: selector("read"), ..plain_route("/r", Sensitivity::Low, "") };
    let routes = vec![harmless, critical_route(selector("delete"))];
    (Parts { routes, ..lax() }, Sketch { tool: Some(("tools/call", Some("read"))), ..shows("mcp-name", "delete") })
}

/// Nobody in particular may call as well.
fn of_the_suspended_on_an_anonymous_route() -> (Parts, Sketch) {
    let mut parts = lax();
    parts.routes.iter_mut().for_each(|route| route.anonymous = true);
    parts.identities = vec![Identity { status: Status::Suspended, ..plain_identity(WEB) }];
    (parts, Sketch::plain("/a"))
}

/// The certificate names the caller as well, and the rule speaks of tokens.
fn of_a_token_beside_a_certificate() -> (Parts, Sketch) {
    let claim = ClaimCondition { name: "env".into(), values: vec!["prod".into()] };
    let rule = Rule { when: When { claims: vec![claim], ..When::default() }, ..critical() };
    let bearer = Bearer { environment: Some("prod"), ..Bearer::plain() };
    (
        Parts { rules: vec![rule], ..lax() },
        Sketch { certificate: Some(WEB), bearer: Some(bearer), ..Sketch::plain("/a") },
    )
}

#[rstest]
#[case(narrowed(), "x-kind")]
#[case(under_a_floor(), "x-kind")]
#[case(named_by_a_rule(), "x-kind")]
#[case(looked_for_by_a_signal(), "x-kind")]
#[case(forwarded(), "x-forwarded-for")]
#[case(another_path(), "x-original-url")]
#[case(another_method(), "x-http-method-override")]
#[case(compressed(), "content-encoding")]
#[case(with_a_twin(), "x_scope")]
#[case(of_another_tool(), "mcp-name")]
#[case(of_the_suspended_on_an_anonymous_route(), "authorization")]
#[case(of_a_token_beside_a_certificate(), "authorization")]
fn a_call_gets_more_without(#[case] (parts, sketch): (Parts, Sketch), #[case] header: &str) {
    let (policy, call) = (parts.policy(), sketch.call());
    let [with, without] = [&call, &call.without(header)].map(|call| verdict(&policy, &Memory::NOTHING, call));
    assert!(without < with, "{without:?} without, and {with:?} with it");
}
