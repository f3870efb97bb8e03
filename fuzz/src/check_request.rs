//! Whole requests, as Envoy sends them: from bytes to the answer. An OK needs a permit, a caller who is nobody gets one only
//! where a route is open to anybody, and where all must prove themselves, no bytes pass that no known key signed.

use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use prometheus::IntCounter;
use prost::Message;
use std::fs;
use std::sync::Arc;
use stepgate::case::{Case, Ground, Moment, Step};
use stepgate::challenge::ChallengeKeys;
use stepgate::clock::Clock;
use stepgate::config::{Loaded, load};
use stepgate::decision::{Decision, Outcome};
use stepgate::ext_authz::{Removals, Rendering, facts, render};
use stepgate::reason::Reason;
use stepgate::revocation::Revocations;
use stepgate::store::learned::Bounds;
use stepgate::store::{CacheMeter, Gate, Learned, Ledger, Meters, ScopeKey, Store};
use stepgate::time::UnixTime;
use tokio::runtime::Runtime;

/// Whoever calls must show a token, and an attestation.
const STRICT: &str = r#"
version: 1
resource: https://api.example.com
issuers:
  idp: { issuer: https://idp.example.com, audiences: [https://api.example.com], algorithms: [EdDSA], keys: { file: keys.json } }
  attester: { issuer: https://attest.example.com, algorithms: [EdDSA], keys: { file: keys.json } }
credentials:
  bearer: { issuers: [idp] }
unmatched: { deny: true }
routes:
  - { name: all, match: { path: "/{*rest}" }, sensitivity: critical, scopes: [everything] }
attestations:
  workload: { profile: oauth-client-attestation, issuers: [attester] }
assurance:
  - { name: bound, max_age: 60s, accept: [workload], challenge: required }
rules:
  - { name: everything, when: { sensitivity: low }, require: bound }
"#;

/// Every source of identity is believed, every signal looks, and one route is open to anybody.
const WIDE: &str = r#"
version: 1
resource: https://api.example.com
issuers:
  idp: { issuer: https://idp.example.com, audiences: [https://api.example.com], algorithms: [EdDSA], keys: { file: keys.json }, subjects: ["**"] }
  attester: { issuer: https://attest.example.com, algorithms: [EdDSA], keys: { file: keys.json } }
credentials:
  mtls: { trust_domains: [prod.example] }
  xfcc: { trust_domains: [prod.example] }
  jwt_authn: { namespace: envoy.filters.http.jwt_authn, key: idp, subject: sub, scopes: scope }
  bearer: { issuers: [idp] }
scopes:
  elevated: ["admin:*"]
identities:
  - { match: "spiffe://prod.example/ns/agents/sa/*", kind: agent, baseline: [tools:read], networks: [10.0.0.0/8], countries: [DE] }
unmatched: { sensitivity: moderate }
routes:
  - { name: open, match: { methods: [GET], path: /x }, sensitivity: low, anonymous: true }
  - { name: token, match: { methods: [POST], path: /oauth2/token }, sensitivity: high, issues: { scopes: { form: scope } } }
  - { name: tool, match: { path: /mcp, mcp: { method: tools/call, tools: ["delete_*"] } }, sensitivity: critical, scopes: [] }
floors:
  - { match: { path: "/admin/{*rest}" }, sensitivity: high }
context:
  client_address: { trusted_proxies: [192.0.2.0/24, 127.0.0.0/8] }
  signals:
    new_network: { points: 30 }
    new_country: { points: 30, header: x-geo-country }
    long_lived_credential: { points: 20, lifetime: 1h }
    shared_credential: { points: 40, sources: 3, within: 10m }
    dormant_identity: { points: 30, after: 30d }
    credential_in_url: { points: 30 }
attestations:
  workload: { profile: oauth-client-attestation, issuers: [attester] }
assurance:
  - { name: fresh, max_age: 5m, accept: [workload] }
rules:
  - { name: elevated, when: { sensitivity: high, privilege: elevated }, require: fresh }
  - { name: unusual, when: { sensitivity: moderate, anomaly: 50 }, require: fresh }
"#;

/// A public key (RFC 8032 §7.1, test 3); no seed is signed with the private one.
const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU"}]}"#;

#[derive(Clone, Debug)]
struct Always;

impl Clock for Always {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(1_800_000_000)
    }
}

/// What answers requests, under one policy.
struct World {
    loaded: Loaded,
    removals: Removals,
    challenges: ChallengeKeys,
    store: Store<Always>,
    runtime: Runtime,
}

thread_local! {
    static STRICTLY: World = World::new(STRICT);
    static WIDELY: World = World::new(WIDE);
}

pub fn holds(data: &[u8]) -> bool {
    let Ok(check) = CheckRequest::decode(data) else { return false };
    STRICTLY.with(|world| {
        let decision = world.answer(check.clone());
        assert!(!matches!(decision.outcome, Outcome::Allow(_)), "{:?}", decision.outcome);
    });
    WIDELY.with(|world| {
        let decision = world.answer(check);
        let known = decision.findings.caller.as_ref().is_some_and(|caller| caller.principal.is_some());
        let passes = matches!(decision.outcome, Outcome::Allow(_));
        assert!(known || !passes || world.is_open(&decision), "{:?}", decision.findings.classification);
        passes
    })
}

impl World {
    #[expect(clippy::expect_used, reason = "without its world nothing can be fuzzed")]
    fn new(policy: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("keys.json"), KEYS).expect("room for keys");
        fs::write(folder.path().join("policy.yaml"), policy).expect("room for a policy");
        let loaded = load(&[folder.path().to_owned()]).map_err(|problems| problems.to_json()).expect("a good policy");
        let meter = || {
            let counter = || IntCounter::new("lookups", "lookups").expect("a counter");
            CacheMeter { hits: counter(), misses: counter() }
        };
        let meters = Meters { bearers: meter(), attestations: meter(), certificates: meter() };
        let learned = Learned::new(Bounds::default(), ScopeKey::from_bytes([1; 16]));
        let ledger = Arc::new(Ledger::in_process(Revocations::DEFAULT_KEEP));
        Self {
            removals: Removals::of(&loaded.policy),
            loaded,
            challenges: ChallengeKeys::single(&[1; ChallengeKeys::KEY_BYTES]),
            store: Store::new(Always, 1 << 20, Gate::new(1, Gate::DEFAULT_MAX_WAITING), meters, ledger, learned)
                .expect("randomness"),
            runtime: tokio::runtime::Builder::new_current_thread().build().expect("a runtime"),
        }
    }

    /// Decides, and holds the answer that Envoy gets against the decision.
    fn answer(&self, check: CheckRequest) -> Decision {
        let ground =
            Ground { policy: &self.loaded.policy, keyring: &self.loaded.keyring, challenges: &self.challenges };
        let facts = facts(check);
        let decision = match &facts {
            Ok(facts) => self.runtime.block_on(self.decide(Case::open(ground, facts), ground)),
            Err(refused) => Decision::refused(Reason::Request(refused.why)),
        };
        self.store.learn(ground, &decision);
        let answer = render(&Rendering {
            policy: &self.loaded.policy,
            decision: &decision,
            decision_id: "0123456789abcdef0123456789abcdef",
            sent: facts.as_ref().ok().map(|facts| &facts.headers),
            removals: &self.removals,
            resource: self.loaded.policy.resource.as_ref(),
            challenge: None,
        });
        let response = CheckResponse::decode(answer.encode_to_vec().as_slice()).expect("a CheckResponse");
        // Without a status, a response lets pass.
        let ok = response.status.is_none_or(|status| status.code == 0);
        assert_eq!(ok, matches!(decision.outcome, Outcome::Allow(_)));
        decision
    }

    async fn decide(&self, mut case: Case<'_>, ground: Ground<'_>) -> Decision {
        loop {
            let revoked = Arc::clone(&self.store.ledger().revocations());
            match case.step(Moment { now: Always.now(), revoked: &revoked }) {
                Step::Needs(need) => case.supply(self.store.answer(ground, need).await),
                Step::Decided(decision) => return decision,
            }
        }
    }

    /// Whether every route that the request takes is open to anybody.
    fn is_open(&self, decision: &Decision) -> bool {
        let routes = &self.loaded.policy.routes;
        decision.findings.classification.as_ref().is_some_and(|classification| {
            classification.touched().all(|id| id.and_then(|id| routes.get(id)).is_some_and(|route| route.anonymous))
        })
    }
}
