//! Calls of all sorts, by callers of all sorts, with evidence of all sorts.

use crate::attestation::json::Object;
use crate::case::tests::world::{NOW, ORIGIN, THIEF, WEB, World, certificate};
use crate::case::{Allowance, CHALLENGE_WINDOW};
use crate::context::{Familiarity, Seen};
use crate::mint::Jwt;
use crate::policy::Mode;
use crate::request::{
    Body, Headers, Hints, Host, Layer, McpCall, Metadata, Method, Peer, Readings, RequestFacts, RequestPath,
};
use crate::time::UnixTime;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

const AGENT: &str = "spiffe://example.org/ns/agents/sa/one";
pub(super) const GONE: &str = "spiffe://example.org/ns/gone/sa/one";

/// What a call is made of, before its tokens are signed.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    pub mode: Mode,
    layer: Layer,
    method: &'static str,
    path: &'static str,
    headers: Vec<(&'static str, Option<&'static str>)>,
    source: Option<IpAddr>,
    hints: Hints,
    body: Option<&'static str>,
    tool: Option<&'static str>,
    caller: Caller,
    evidence: Evidence,
    pub familiarity: Familiarity,
    /// Whether the caller left too many challenges unanswered.
    pub allowance: Allowance,
}

#[derive(Clone, Debug)]
struct Caller {
    subject: Option<&'static str>,
    certificate: Option<&'static str>,
    scope: &'static str,
    team: Option<&'static str>,
    lifetime: u64,
    expired: bool,
    bound: bool,
}

#[derive(Clone, Debug)]
struct Evidence {
    attested: Option<(u64, &'static str)>,
    proven: Option<(u64, bool)>,
}

pub(super) fn sketches() -> impl Strategy<Value = Sketch> {
    let methods = select(vec!["GET", "POST", "DELETE"]);
    let paths = select(vec![
        "/v1/payments/7",
        "/v1/payments/7/refund",
        "/v1/payments",
        "/status",
        "/forbidden",
        "/token",
        "/mcp",
        "/unknown",
        "/v1/payments/7?access_token=s3cret",
        "/status/../forbidden",
        "//v1/payments/7/refund",
        "/V1%2fpayments;x/7/",
        "/.well-known/stepgate/challenge",
    ]);
    let request = (select(vec![Layer::Http, Layer::Http, Layer::Http, Layer::Network]), methods, paths, headers());
    let places = select(vec![None, Some("10.20.1.4"), Some("192.0.2.9"), Some("2001:db8::1")]);
    let source = places.prop_map(|place| place.map(|place| place.parse().unwrap()));
    let hints = select(vec![
        Hints::default(),
        Hints::default(),
        Hints::default(),
        Hints::read([("stepgate.sensitivity", "critical"), ("stepgate.scopes", "payments:read")]),
        Hints::read([("stepgate.scope", "typo")]),
    ]);
    let body = select(vec![None, Some("scope=admin:x"), Some("scope=a&scope=b"), Some("scope=payments:read")]);
    let tool = select(vec![None, Some("delete_user"), Some("read_user")]);
    let around = (source, hints, body, tool);
    let mode = select(vec![Mode::Enforce, Mode::Enforce, Mode::Shadow]);
    let loops = Allowance::Loop { retry_after: CHALLENGE_WINDOW };
    let remembered = (familiarities(), select(vec![Allowance::Allowed, Allowance::Allowed, loops]));
    (mode, request, around, callers(), evidence(), remembered).prop_map(
        |(
            mode,
            (layer, method, path, headers),
            (source, hints, body, tool),
            caller,
            evidence,
            (familiarity, allowance),
        )| Sketch {
            mode,
            layer,
            method,
            path,
            headers,
            source,
            hints,
            body,
            tool,
            caller,
            evidence,
            familiarity,
            allowance,
        },
    )
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, Option<&'static str>)>> {
    let some = |name: &'static str, values: Vec<Option<&'static str>>| {
        prop::option::weighted(0.3, select(values)).prop_map(move |value| value.map(|value| (name, value)))
    };
    let secret = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl";
    let known = [
        some("x-api-version", vec![Some("2"), Some("1"), Some("1,2"), Some(secret), None]),
        some("x-tier", vec![Some("gold"), Some("silver"), Some("gold,silver")]),
        some("x-geo-country", vec![Some("DE"), Some("US"), Some("nowhere"), None]),
        some("x-device", vec![Some("managed"), Some("byod"), Some("a?token=s3cret"), None]),
        some("x-break-glass", vec![Some("s3cret"), None]),
        some("x-trace", vec![Some("s3cret")]),
        some("x-api-key", vec![Some("test"), Some("odd-s3cret"), Some("s3cret"), Some("test,s3cret"), None]),
        some("user-agent", vec![Some("curl/8"), Some("probe"), Some("Bearer s3cret")]),
        some("x-original-url", vec![Some("/forbidden?a=s3cret"), Some("https://h/status")]),
        some("x_http_method_override", vec![Some("delete")]),
    ];
    let twice = prop::option::weighted(0.1, select(vec![("x-device", Some("managed")), ("x-tier", Some("gold"))]));
    (known.to_vec(), twice).prop_map(|(known, twice)| known.into_iter().flatten().chain(twice).collect())
}

fn callers() -> impl Strategy<Value = Caller> {
    let subjects = vec![Some(WEB), Some(WEB), Some("billing-web"), Some(AGENT), Some(GONE), Some(THIEF), None];
    let certificates = select(vec![None, None, Some(WEB), Some(AGENT)]);
    let scopes =
        select(vec!["", "payments:read", "payments:read payments:refund", "payments:read payments:refund admin:wipe"]);
    let teams = select(vec![None, Some("red"), Some("blue")]);
    let lifetimes = select(vec![600, 800]);
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.3));
    (select(subjects), certificates, scopes, teams, lifetimes, flags).prop_map(
        |(subject, certificate, scope, team, lifetime, (expired, bound))| Caller {
            subject,
            certificate,
            scope,
            team,
            lifetime,
            expired,
            bound,
        },
    )
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let attested = (select(vec![0, 50, 200, 400]), select(vec![WEB, "billing-web", AGENT, THIEF]));
    let proven = (select(vec![0, 0, 90]), any::<bool>());
    (prop::option::weighted(0.7, attested), prop::option::weighted(0.8, proven))
        .prop_map(|(attested, proven)| Evidence { attested, proven })
}

fn familiarities() -> impl Strategy<Value = Familiarity> {
    let seen = || select(vec![Seen::Before, Seen::Never, Seen::Untold]);
    (0_u32..3, seen(), seen(), seen(), any::<bool>(), prop::option::of(0_u64..7_200), 0_u32..4).prop_map(
        |(calls, network, country, scopes, knows, silent, credential_networks)| Familiarity {
            calls,
            network,
            country,
            scopes,
            knows_networks: knows,
            knows_countries: knows,
            last_seen: silent.map(|silent| UnixTime::from_secs(NOW - silent)),
            credential_networks,
        },
    )
}

impl Sketch {
    pub(super) fn facts(&self, world: &World) -> Option<RequestFacts> {
        let mut headers: Vec<_> =
            self.headers.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
        headers.extend(self.credentials(world).into_iter().map(|(name, value)| (name.to_owned(), Some(value))));
        headers.push(("content-type".into(), Some("application/x-www-form-urlencoded".into())));
        let headers = Headers::apart(headers, HashMap::new());
        let peer = Peer { certificate: self.caller.certificate.map(|id| certificate(id).into()), principal: None };
        let host = Host::parse("api.example.com").unwrap();
        if self.layer == Layer::Network {
            let metadata = Metadata::default();
            return Some(RequestFacts::of_connection(self.source, peer, metadata, self.hints.clone(), host));
        }
        let path = RequestPath::parse(self.path, self.method).unwrap();
        let method = Method::parse(self.method).unwrap();
        Some(RequestFacts {
            layer: Layer::Http,
            readings: Readings::of(&method, &path, &headers).ok()?,
            method,
            path,
            host,
            body: self.body.map(|body| Body::of_bytes(body.into(), &headers)).unwrap_or_default(),
            headers: if self.tool.is_some() { without_content_type(&headers) } else { headers },
            asked: None,
            source: self.source,
            peer,
            metadata: self.tool.map(|tool| (McpCall::NAMESPACE.into(), seen(tool))).into_iter().collect(),
            hints: self.hints.clone(),
        })
    }

    fn credentials(&self, world: &World) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        let bearer = self.caller.subject.map(|subject| self.bearer(world, subject));
        if let Some(bearer) = &bearer {
            let scheme = if self.caller.bound { "DPoP" } else { "Bearer" };
            headers.push(("authorization", format!("{scheme} {bearer}")));
        }
        if let Some((age, subject)) = self.evidence.attested {
            let attestation = World::attestation(subject, &world.web).issued(NOW - age, 600).claim("txn", "run-1");
            headers.push(("oauth-client-attestation", attestation.sign(&world.attester).unwrap()));
        }
        if let Some((age, challenged)) = self.evidence.proven {
            let url = format!("{ORIGIN}{}", self.path.split('?').next().unwrap());
            let proof = Jwt::proof(world.web.public(), self.method, &url).unwrap().claim("iat", NOW - age);
            let proof = bearer.iter().fold(proof, |proof, bearer| proof.with_token(bearer));
            let principal = self.caller.certificate.or(self.caller.subject).unwrap_or(WEB);
            let proof = if challenged { proof.claim("nonce", world.challenge(principal, NOW)) } else { proof };
            headers.push(("dpop", proof.sign(&world.web).unwrap()));
        }
        headers
    }

    fn bearer(&self, world: &World, subject: &str) -> String {
        let age = if self.caller.expired { 1_000 } else { 10 };
        let mut bearer = World::bearer(subject, self.caller.scope).issued(NOW - age, self.caller.lifetime);
        // Lent to whoever shows the certificate.
        bearer = self.caller.certificate.into_iter().fold(bearer, |bearer, id| bearer.claim("client_id", id));
        if let Some(team) = self.caller.team {
            bearer = bearer.claim("team", json!([team, "all"]));
        }
        if self.caller.bound {
            bearer = bearer.claim("cnf", json!({ "jkt": world.web.public().thumbprint() }));
        }
        bearer.sign(&world.idp).unwrap()
    }
}

fn seen(tool: &str) -> Object {
    json!({ "method": "tools/call", "params": { "name": tool } }).as_object().unwrap().clone()
}

fn without_content_type(headers: &Headers) -> Headers {
    let names: BTreeSet<_> = headers.names().filter(|name| *name != "content-type").collect();
    let all = names
        .into_iter()
        .flat_map(|name| headers.values(name).map(move |value| (name.to_owned(), value.map(str::to_owned))));
    Headers::apart(all.collect(), HashMap::new())
}
