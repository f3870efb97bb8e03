//! Calls: what is asked for, by whom, with which credentials and evidence. A sketch says it in few words; a call has the
//! tokens.

use super::identities::{ALIAS, BATCH};
use super::scene::ACTORS;
use super::{one_of, some_of};
use crate::case::tests::world::{NOW, ORIGIN, THIEF, WEB};
use crate::identity::Principal;
use crate::mint::Jwt;
use crate::policy::Origin;
use crate::request::{
    Body, Headers, Hints, Host, Layer, Malformed, Metadata, Method, Peer, Readings, RequestFacts, RequestPath,
};
use crate::time::UnixTime;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::LazyLock;

#[derive(Clone, Debug)]
pub(super) struct Sketch {
    /// Envoy's network filter asks: nothing but the peer is seen.
    pub is_connection: bool,
    pub method: String,
    pub path: String,
    pub query: &'static str,
    pub host: &'static str,
    /// Each name once.
    pub headers: Vec<(String, String)>,
    pub source: Option<&'static str>,
    /// Whose certificate comes with it.
    pub certificate: Option<&'static str>,
    pub bearer: Option<Bearer>,
    pub attested: Attested,
    pub hints: Vec<(&'static str, &'static str)>,
    /// What Envoy's `mcp` filter saw.
    pub tool: Option<(&'static str, Option<&'static str>)>,
    /// A form, where it has one.
    pub form: Option<&'static str>,
    pub at: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Bearer {
    pub subject: &'static str,
    pub scopes: Vec<&'static str>,
    pub environment: Option<&'static str>,
    pub lifetime: u64,
    /// Bound to the workload's key.
    pub bound: bool,
    pub expired: bool,
}

/// The attestation that comes with it, with a proof for this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attested {
    No,
    /// Good for every level.
    Fresh,
    /// Good for the lax level only.
    Aging,
    Stale,
}

/// A call as it arrives.
#[derive(Clone)]
pub(super) struct Call {
    pub headers: Vec<(String, String)>,
    pub peer: Peer,
    is_connection: bool,
    method: String,
    target: String,
    host: &'static str,
    source: Option<&'static str>,
    hints: Hints,
    metadata: Metadata,
    body: Option<&'static str>,
}

pub(super) const PATHS: [&str; 10] = ["/a", "/a/b", "/a/c", "/b", "/b/", "/c", "/mcp", "/a/b/c", "/c/b", "/a/b/"];

/// Names that policies speak of, and one that they don't.
const HEADERS: [(&str, &[&str]); 9] = [
    ("x-kind", &["1", "2", "4", "1,2"]),
    ("x-extra", &["yes", "no"]),
    ("x-geo-country", &["DE", "RU", "ZZ"]),
    ("x-device", &["managed", "rooted"]),
    ("x-scope", &["read", "refund", "read admin:x", "a,b"]),
    ("user-agent", &["curl/8.5", "Mozilla/5.0"]),
    ("x-forwarded-for", &["203.0.113.5", "10.0.0.1, 198.51.100.7", "nobody"]),
    ("x-other", &["1"]),
    ("accept", &["*/*"]),
];

/// Headers by which servers may take a request for another, and its body for something else.
const CONFUSING: [(&str, &[&str]); 6] = [
    ("x-original-url", &["/b", "/a/b?scope=read"]),
    ("x-http-method-override", &["DELETE", "get"]),
    ("mcp-method", &["tools/call", "tools/list"]),
    ("mcp-name", &["read"]),
    ("x_scope", &["read"]),
    ("content-encoding", &["gzip", "identity"]),
];

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let header = |chance, (name, values): (&'static str, &[&'static str])| {
        let value = prop::option::weighted(chance, one_of(values));
        value.prop_map(move |value| value.map(|value| (name.to_owned(), value.to_owned())))
    };
    let plain = HEADERS.into_iter().map(|named| header(0.4, named));
    let confusing = CONFUSING.into_iter().map(|named| header(0.04, named));
    plain.chain(confusing).collect::<Vec<_>>().prop_map(|headers| headers.into_iter().flatten().collect())
}

fn bearer() -> impl Strategy<Value = Bearer> {
    let scopes = prop_oneof![1 => some_of(&super::SCOPES), 4 => Just(super::SCOPES.to_vec())];
    let subject = prop_oneof![20 => Just(WEB), 2 => Just(ALIAS), 1 => Just(BATCH), 1 => Just(THIEF)];
    let flags = (prop::bool::weighted(0.15), prop::bool::weighted(0.02));
    (subject, scopes, prop::option::of(one_of(&["prod", "test"])), one_of(&[600, 86_400]), flags).prop_map(
        |(subject, scopes, environment, lifetime, (bound, expired))| Bearer {
            subject,
            scopes,
            environment,
            lifetime,
            bound,
            expired,
        },
    )
}

pub(super) fn hints() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    some_of(&[
        ("stepgate.sensitivity", "low"),
        ("stepgate.sensitivity", "critical"),
        ("stepgate.scopes", "read"),
        ("stepgate.scopes", "refund admin:x"),
        ("stepgate.scopes", ""),
        ("other", "1"),
    ])
    .prop_map(|mut hints| {
        // Envoy's map has each name once.
        hints.dedup_by_key(|(name, _)| *name);
        hints
    })
}

pub(super) fn sketch() -> impl Strategy<Value = Sketch> {
    let target = (
        one_of(&super::METHODS),
        one_of(&PATHS),
        one_of(&["", "", "", "?scope=read", "?token=x"]),
        one_of(&["api.example.com", "x.example.com", "y.internal"]),
    );
    let caller = (
        prop_oneof![4 => Just(None), 8 => Just(Some(WEB)), 1 => Just(Some(BATCH))],
        prop::option::weighted(0.92, bearer()),
        one_of(&[Attested::No, Attested::No, Attested::Fresh, Attested::Fresh, Attested::Aging, Attested::Stale]),
    );
    let source = one_of(&[None, Some("10.0.0.1"), Some("203.0.113.5")]);
    let hints = prop_oneof![4 => Just(Vec::new()), 1 => hints()];
    let tool = one_of(&[
        None,
        Some(("tools/call", Some("delete_all"))),
        Some(("tools/call", Some("read"))),
        Some(("tools/list", None)),
    ]);
    let form = one_of(&[None, None, Some("scope=read"), Some("scope=refund"), Some("scope=read&scope=write")]);
    let is_connection = prop::bool::weighted(0.04);
    (is_connection, target, headers(), source, caller, hints, tool, form).prop_map(
        |(is_connection, (method, path, query, host), headers, source, caller, hints, tool, form)| Sketch {
            is_connection,
            method: method.into(),
            path: path.into(),
            query,
            host,
            headers,
            source,
            certificate: caller.0,
            bearer: caller.1,
            attested: caller.2,
            hints,
            tool,
            form,
            at: NOW,
        },
    )
}

impl Sketch {
    /// The workload, which proves nothing.
    pub(super) fn plain(path: &str) -> Self {
        Self {
            is_connection: false,
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: "",
            host: "api.example.com",
            headers: Vec::new(),
            source: Some("10.0.0.1"),
            certificate: None,
            bearer: Some(Bearer::plain()),
            attested: Attested::No,
            hints: Vec::new(),
            tool: None,
            form: None,
            at: NOW,
        }
    }

    /// Whom the evidence is about.
    fn subject(&self) -> &'static str {
        self.certificate.or(self.bearer.as_ref().map(|bearer| bearer.subject)).unwrap_or(WEB)
    }

    pub(super) fn call(&self) -> Call {
        self.call_with(self.bearer.as_ref().map(|bearer| bearer.token(self.at)).as_deref())
    }

    /// With this bearer, which was issued before.
    pub(super) fn call_with(&self, token: Option<&str>) -> Call {
        let mut headers = self.headers.clone();
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
        if let (Some(bearer), Some(token)) = (&self.bearer, token) {
            add("authorization", format!("{} {token}", if bearer.bound { "DPoP" } else { "Bearer" }));
        }
        if let Some(age) = self.attested.age() {
            let attestation = Jwt::attestation(self.subject(), ACTORS.workload.public()).issued(self.at - age, 3_600);
            add("oauth-client-attestation", attestation.sign(&ACTORS.attester).unwrap());
        }
        if self.attested != Attested::No || self.bearer.as_ref().is_some_and(|bearer| bearer.bound) {
            add("dpop", self.proof(token));
        }
        if let Some(form) = self.form {
            add("content-type", "application/x-www-form-urlencoded".to_owned());
            add("content-length", form.len().to_string());
        }
        Call {
            headers,
            is_connection: self.is_connection,
            peer: Peer { certificate: self.certificate.map(certificate), principal: None },
            method: self.method.clone(),
            target: format!("{}{}", self.path, self.query),
            host: self.host,
            source: self.source,
            hints: Hints::read(self.hints.iter().copied()),
            metadata: self.tool.map(mcp).into_iter().collect(),
            body: self.form,
        }
    }

    fn proof(&self, token: Option<&str>) -> String {
        let principal = Principal::parse(self.subject()).unwrap();
        let origin = Origin::parse(ORIGIN).unwrap();
        let challenge = ACTORS.challenges.issue(UnixTime::from_secs(self.at), [3; 12], &origin, &principal).unwrap();
        let url = format!("{ORIGIN}{}", self.path);
        let proof = Jwt::proof(ACTORS.workload.public(), &self.method, &url).unwrap().claim("iat", self.at);
        let proof = token.into_iter().fold(proof, Jwt::with_token);
        proof.claim("nonce", challenge).sign(&ACTORS.workload).unwrap()
    }
}

impl Bearer {
    /// The workload's, for everything.
    pub(super) fn plain() -> Self {
        let scopes = super::SCOPES.to_vec();
        Self { subject: WEB, scopes, environment: None, lifetime: 600, bound: false, expired: false }
    }

    pub(super) fn token(&self, now: u64) -> String {
        let issued = if self.expired { now - 2 * self.lifetime } else { now };
        let jwt = Jwt::bearer(self.subject).issued(issued, self.lifetime).claim("scope", self.scopes.join(" "));
        let jwt = jwt.claim("iss", "https://idp.example.com").claim("aud", ORIGIN).claim("azp", WEB);
        let jwt = self.environment.into_iter().fold(jwt, |jwt, environment| jwt.claim("env", environment));
        let thumbprint = ACTORS.workload.public().thumbprint();
        let jwt = if self.bound { jwt.claim("cnf", json!({ "jkt": thumbprint })) } else { jwt };
        jwt.sign(&ACTORS.idp).unwrap()
    }
}

impl Attested {
    fn age(self) -> Option<u64> {
        match self {
            Self::No => None,
            Self::Fresh => Some(0),
            Self::Aging => Some(100),
            Self::Stale => Some(1_000),
        }
    }
}

impl Call {
    pub(super) fn shows(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| other == name)
    }

    pub(super) fn without(&self, name: &str) -> Self {
        let mut call = self.clone();
        call.headers.retain(|(other, _)| other != name);
        call
    }

    pub(super) fn facts(&self) -> Result<RequestFacts, Malformed> {
        let (source, host) = (self.source.map(|text| text.parse().unwrap()), Host::parse(self.host)?);
        if self.is_connection {
            let (peer, metadata, hints) = (self.peer.clone(), self.metadata.clone(), self.hints.clone());
            return Ok(RequestFacts::of_connection(source, peer, metadata, hints, host));
        }
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        let headers = Headers::apart(headers.collect(), HashMap::new());
        let method = Method::parse(&self.method)?;
        let path = RequestPath::parse(&self.target, &self.method).map_err(Malformed::Path)?;
        Ok(RequestFacts {
            layer: Layer::Http,
            readings: Readings::of(&method, &path, &headers)?,
            method,
            path,
            host,
            body: Body::of_bytes(self.body.unwrap_or_default().into(), &headers),
            headers,
            source,
            peer: self.peer.clone(),
            metadata: self.metadata.clone(),
            hints: self.hints.clone(),
            asked: None,
        })
    }
}

fn mcp((method, tool): (&str, Option<&str>)) -> (Box<str>, crate::attestation::json::Object) {
    let parameters = tool.map_or(json!({}), |tool| json!({ "name": tool }));
    let seen = json!({ "jsonrpc": "2.0", "method": method, "params": parameters, "is_mcp_request": true });
    let Value::Object(seen) = seen else { unreachable!() };
    (crate::request::McpCall::NAMESPACE.into(), seen)
}

fn certificate(id: &str) -> Box<str> {
    static MADE: LazyLock<Vec<(&str, String)>> =
        LazyLock::new(|| [WEB, BATCH].map(|id| (id, crate::case::tests::world::certificate(id))).into());
    MADE.iter().find(|(name, _)| *name == id).unwrap().1.as_str().into()
}
