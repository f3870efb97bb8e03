//! The call that is measured: what Envoy sends for a request, about 3 kB of it, routine or with evidence.
//!
//! As with the shipped Envoy configuration, headers come apart (`encode_raw_headers`).

use crate::Result;
use bytes::{BufMut, Bytes};
use envoy_types::pb::envoy::config::core::v3::address::Address as Variant;
use envoy_types::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use envoy_types::pb::envoy::config::core::v3::{Address, HeaderMap, HeaderValue, SocketAddress};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use prost::Message;
use serde_json::json;
use std::fs;
use std::path::Path;
use stepgate::attestation::ProofKind;
use stepgate::mint::{Algorithm, Jwt, SigningKey, jwks, random_id};

pub(crate) const SUBJECT: &str = "spiffe://example.org/ns/billing/sa/web";
pub(crate) const HOST: &str = "api.example.com";

/// The route in the middle of the policy's table.
pub(crate) const SERVICE: usize = 117;

/// A bearer and an attestation are padded to the sizes that were seen in the field.
const BEARER: usize = 900;
const ATTESTATION: usize = 700;

/// Who vouches for the caller.
#[derive(Debug)]
pub(crate) struct Issuers {
    idp: SigningKey,
    pub(crate) attester: SigningKey,
}

impl Issuers {
    pub(crate) fn generate() -> Result<Self> {
        let key = || SigningKey::generate(Algorithm::Es256);
        Ok(Self { idp: key()?, attester: key()? })
    }

    /// Publishes their keys where the policies look for them.
    pub(crate) fn publish(&self, folder: &Path) -> Result<()> {
        fs::write(folder.join("idp.jwks.json"), jwks([&self.idp]).to_string())?;
        fs::write(folder.join("attester.jwks.json"), jwks([&self.attester]).to_string())?;
        Ok(())
    }

    pub(crate) fn bearer(&self, now: u64) -> Result<String> {
        let bearer = Jwt::bearer(SUBJECT)
            .issued(now, 3600)
            .claim("iss", "https://idp.example.com")
            .claim("aud", format!("https://{HOST}"))
            .claim("scope", format!("service-{SERVICE}:read service-{SERVICE}:write"));
        padded(&bearer, BEARER, &self.idp)
    }

    /// One that nobody has seen yet, for the holder of a key.
    pub(crate) fn attestation(&self, kind: ProofKind, instance: &SigningKey, now: u64) -> Result<String> {
        let (typ, key) = match kind {
            ProofKind::Dpop | ProofKind::Pop => ("oauth-client-attestation+jwt", instance.public().to_json()),
            // With `alg`, which a workload identity token must name.
            ProofKind::Wpt => ("wit+jwt", instance.published_jwk()),
        };
        let attestation = Jwt::new(typ)
            .issued(now, 300)
            .claim("sub", SUBJECT)
            .claim("iss", "https://attest.example.com")
            .claim("jti", random_id()?)
            .claim("cnf", json!({ "jwk": key }));
        padded(&attestation, ATTESTATION, &self.attester)
    }

    /// The routine call, with an attestation that it doesn't need.
    pub(crate) fn routine(&self, now: u64) -> Result<CheckRequest> {
        let instance = SigningKey::generate(Algorithm::Es256)?;
        let attestation = self.attestation(ProofKind::Dpop, &instance, now)?;
        Ok(request("GET", &item(), &self.bearer(now)?, &[("oauth-client-attestation", &attestation)]))
    }
}

/// The token, with a claim that brings it to about this length.
fn padded(jwt: &Jwt, length: usize, key: &SigningKey) -> Result<String> {
    let bare = jwt.sign(key)?.len();
    let missing = length.saturating_sub(bare) * 3 / 4; // base64
    Ok(jwt.clone().claim("pad", "x".repeat(missing)).sign(key)?)
}

/// A call by the holder of a bearer, with what it shows besides.
pub(crate) fn request(method: &str, path: &str, bearer: &str, shown: &[(&str, &str)]) -> CheckRequest {
    let authorization = format!("Bearer {bearer}");
    let headers = [
        (":authority", HOST),
        (":path", path),
        (":method", method),
        (":scheme", "https"),
        ("authorization", &authorization),
        ("user-agent", "billing-web/4.17.2 (linux; x86_64) reqwest/0.13"),
        ("accept", "application/json, application/problem+json;q=0.9"),
        ("accept-encoding", "gzip, br, zstd"),
        ("accept-language", "en-GB,en;q=0.8"),
        ("content-type", "application/json"),
        ("cache-control", "no-cache"),
        ("if-none-match", "W/\"5d8c72a5edda8d6a-1c4\""),
        ("idempotency-key", "0b6d8f0e-4f2c-4f0a-9a53-6e1f1c3f2a11"),
        ("origin", "https://billing.example.com"),
        ("referer", "https://billing.example.com/overview/2026/11"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("tracestate", "vendor=00f067aa0ba902b7,other=t61rcWkgMzE"),
        ("baggage", "tenant=acme,plan=enterprise,region=eu-central-1"),
        ("x-client-version", "4.17.2"),
        ("x-correlation-id", "f4f5a1c2-6f7d-4d0e-8a35-0c6f5c2f9b1e"),
        ("x-envoy-expected-rq-timeout-ms", "15000"),
        ("x-forwarded-for", "10.20.1.4"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "2c1f6b1e-8f5d-4a8e-9d9e-5a7a1a0e3b6d"),
        ("x-tenant", "acme"),
    ];
    let raw = headers.iter().chain(shown).map(|(key, value)| HeaderValue {
        key: (*key).to_owned(),
        raw_value: value.as_bytes().to_vec(),
        ..HeaderValue::default()
    });
    let http = HttpRequest {
        id: "8734650921734650921".to_owned(),
        method: method.to_owned(),
        header_map: Some(HeaderMap { headers: raw.collect() }),
        path: path.to_owned(),
        host: HOST.to_owned(),
        scheme: "https".to_owned(),
        protocol: "HTTP/2".to_owned(),
        ..HttpRequest::default()
    };
    let attributes = AttributeContext {
        source: Some(peer([10, 20, 1, 4], 40312)),
        destination: Some(peer([10, 20, 1, 5], 8443)),
        request: Some(Request { http: Some(http), ..Request::default() }),
        ..AttributeContext::default()
    };
    CheckRequest { attributes: Some(attributes) }
}

/// The path that is called: `GET` is routine, `PUT` needs evidence.
pub(crate) fn item() -> String {
    format!("/v1/service-{SERVICE}/items/7")
}

fn peer(address: [u8; 4], port: u32) -> Peer {
    let socket = SocketAddress {
        address: std::net::Ipv4Addr::from(address).to_string(),
        port_specifier: Some(PortSpecifier::PortValue(port)),
        ..SocketAddress::default()
    };
    Peer { address: Some(Address { address: Some(Variant::SocketAddress(socket)) }), ..Peer::default() }
}

/// The message behind its gRPC prefix, as it goes into a request's body.
pub(crate) fn framed(request: &CheckRequest) -> Result<Bytes> {
    let message = request.encode_to_vec();
    let mut framed = Vec::with_capacity(5 + message.len());
    framed.put_u8(0);
    framed.put_u32(message.len().try_into()?);
    framed.put_slice(&message);
    Ok(framed.into())
}
