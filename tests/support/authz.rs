//! The gRPC side of the binary, asked as Envoy asks: one `CheckRequest` at a time.

use super::Result;
use super::stepgate::Listen;
use super::verdict::Verdict;
use envoy_types::pb::envoy::config::core::v3::{Address, HeaderMap, HeaderValue, SocketAddress, address};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use tonic::transport::{Channel, Endpoint};

/// A connection to the binary, as an Envoy worker has one.
#[derive(Debug, Clone)]
pub struct Authz(AuthorizationClient<Channel>);

/// A client's request as Envoy tells of it. Headers stand in `headers` unless they are kept [apart](Ask::apart).
#[derive(Debug, Clone)]
pub struct Ask {
    method: String,
    host: String,
    path: String,
    headers: Vec<(String, String)>,
    apart: bool,
    certificate: String,
    principal: String,
    source: String,
}

impl Authz {
    pub async fn connect(listen: &Listen) -> Result<Self> {
        let Listen::Tcp(address) = listen else { return Err(format!("{listen} is no TCP address").into()) };
        let channel = Endpoint::new(format!("http://{address}"))?.connect().await?;
        Ok(Self(AuthorizationClient::new(channel)))
    }

    /// What the gate tells Envoy. A gRPC error is never its answer.
    pub async fn check(&self, ask: &Ask) -> Result<Verdict> {
        self.send(ask.to_check_request()).await
    }

    pub async fn send(&self, request: impl tonic::IntoRequest<CheckRequest>) -> Result<Verdict> {
        Ok(Verdict(self.0.clone().check(request).await?.into_inner()))
    }
}

impl Ask {
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            host: "api.example.com".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            apart: false,
            certificate: String::new(),
            principal: String::new(),
            source: "127.0.0.1".to_owned(),
        }
    }

    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path without its query.
    pub fn path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    #[must_use]
    pub fn at_host(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    /// Adds a header; one more of a name that is there already makes two.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The value of the first header of this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The address that Envoy sees it come from.
    #[must_use]
    pub fn from(self, address: &str) -> Self {
        Self { source: address.to_owned(), ..self }
    }

    /// Headers in `header_map`, as with `encode_raw_headers`: duplicates stay apart.
    #[must_use]
    pub fn apart(self) -> Self {
        Self { apart: true, ..self }
    }

    /// The client's certificate, PEM.
    #[must_use]
    pub fn certificate(self, pem: &str) -> Self {
        // Envoy sends it URL-encoded.
        let encoded = pem.bytes().map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        });
        Self { certificate: encoded.collect(), ..self }
    }

    /// The name that Envoy found in the certificate.
    #[must_use]
    pub fn principal(self, name: &str) -> Self {
        Self { principal: name.to_owned(), ..self }
    }

    pub fn to_check_request(&self) -> CheckRequest {
        let mut http = HttpRequest {
            method: self.method.clone(),
            host: self.host.clone(),
            path: self.path.clone(),
            scheme: "https".to_owned(),
            protocol: "HTTP/2".to_owned(),
            ..HttpRequest::default()
        };
        if self.apart {
            http.header_map = Some(HeaderMap { headers: self.raw_headers() });
        } else {
            for (name, value) in &self.headers {
                // Envoy joins duplicates by a comma.
                let join = |known: &mut String| *known = format!("{known},{value}");
                http.headers.entry(name.clone()).and_modify(join).or_insert_with(|| value.clone());
            }
        }
        let source = Peer {
            address: Some(at(&self.source)),
            certificate: self.certificate.clone(),
            principal: self.principal.clone(),
            ..Peer::default()
        };
        let request = Request { http: Some(http), ..Request::default() };
        let attributes =
            AttributeContext { source: Some(source), request: Some(request), ..AttributeContext::default() };
        CheckRequest { attributes: Some(attributes) }
    }

    fn raw_headers(&self) -> Vec<HeaderValue> {
        let raw = |(name, value): &(String, String)| HeaderValue {
            key: name.clone(),
            raw_value: value.clone().into_bytes(),
            ..HeaderValue::default()
        };
        self.headers.iter().map(raw).collect()
    }
}

fn at(address: &str) -> Address {
    let socket = SocketAddress { address: address.to_owned(), ..SocketAddress::default() };
    Address { address: Some(address::Address::SocketAddress(socket)) }
}
