//! Whom and what learned signals remember a call by: nothing that a thief could choose, and nothing that many share.

use super::reported;
use super::standing::identities;
use super::world::{Call, NOW, WEB, World, certificate};
use crate::context::{Anomaly, Context, LearningTerms, Signal, Signals, Test};
use crate::decision::Decision;
use crate::identity::TrustDomain;
use crate::policy::{IdentitySource, Name, XfccCredential};
use serde_json::json;

const READ: &str = "/v1/payments/7";

pub(super) fn looks_for(world: &mut World, test: Test) {
    let signal = Signal { name: Name::parse("odd").unwrap(), points: Anomaly::new(30).unwrap(), test };
    let learning = LearningTerms { after: 3, ..LearningTerms::default() };
    world.policy.context = Context { learning, signals: Signals::new(vec![signal]).unwrap(), ..Context::default() };
}

fn fired(decision: &Decision) -> bool {
    !decision.findings.unusual.signals.is_empty()
}

fn with_token_of(world: &World, subject: &str, source: &str) -> Call {
    let token = World::bearer(subject, "payments:read").sign(&world.idp).unwrap();
    Call::new("GET", READ).with("authorization", format!("Bearer {token}")).from(source)
}

/// Whoever stole a token under the other name would be a stranger, of whom learned signals say nothing.
#[test]
fn an_identity_is_known_under_all_its_names() {
    let mut world = World::new();
    looks_for(&mut world, Test::NewNetwork);
    world.policy.identities = identities(&["WEB=billing-web"]);
    for _ in 0..3 {
        assert!(!fired(&world.decide(&with_token_of(&world, WEB, "10.20.1.4"))));
    }
    assert!(fired(&world.decide(&with_token_of(&world, "billing-web", "66.6.6.6"))));
    assert!(!fired(&world.decide(&with_token_of(&world, "billing-web", "10.20.1.5"))));
}

/// Envoy takes tokens out of other headers and out of queries; what stands in `authorization` then is the caller's choice.
#[test]
fn a_token_that_envoy_verified_is_the_same_whatever_stands_beside_it() {
    let mut world = World::new();
    looks_for(&mut world, Test::SharedCredential { sources: 2 });
    let credentials = &mut world.policy.credentials;
    (credentials.bearer, credentials.jwt_authn) = (None, Some(reported::jwt_authn()));
    credentials.identity = vec![IdentitySource::JwtAuthn];
    let call = |source: &str| reported::verified(Call::new("GET", READ), reported::claims()).from(source);
    assert!(!fired(&world.decide(&call("10.20.1.4"))));
    assert!(fired(&world.decide(&call("10.20.2.4"))));
    assert!(fired(&world.decide(&call("10.20.3.4").with("authorization", "Bearer anything"))));
    let another = reported::claims_with("jti", &json!("another"));
    assert!(!fired(&world.decide(&reported::verified(Call::new("GET", READ), another).from("10.20.2.4"))));
}

/// Its certificate comes with the calls of all.
#[test]
fn who_comes_through_a_proxy_does_not_share_its_certificate() {
    let mut world = World::new();
    looks_for(&mut world, Test::SharedCredential { sources: 2 });
    let credentials = &mut world.policy.credentials;
    let trust_domains = vec![TrustDomain::parse("example.org").unwrap()];
    (credentials.bearer, credentials.xfcc) = (None, Some(XfccCredential { trust_domains }));
    credentials.identity = vec![IdentitySource::Xfcc, IdentitySource::Mtls];
    let proxy = certificate("spiffe://example.org/ns/edge/sa/gateway");
    for (index, name) in ["web", "batch", "cron"].into_iter().enumerate() {
        let xfcc = format!("URI=spiffe://example.org/ns/billing/sa/{name}");
        let mut call = Call::new("GET", READ).with("x-forwarded-client-cert", xfcc).from(&format!("10.20.{index}.4"));
        call.peer.certificate = Some(proxy.clone().into());
        assert!(!fired(&world.decide(&call)), "{name}");
    }
    let own = certificate(WEB);
    let mut call = Call::new("GET", READ).from("10.20.1.4").at(NOW + 1);
    call.peer.certificate = Some(own.into());
    assert!(!fired(&world.decide(&call)));
    assert!(fired(&world.decide(&call.from("10.20.2.4"))), "a certificate of its own is in two places");
}
