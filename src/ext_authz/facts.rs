//! `CheckRequest` to facts.

mod metadata;

use self::metadata::metadata;
use crate::request::{
    Body, Headers, Hints, Host, Layer, Malformed, Metadata, Method, Peer, Readings, RequestFacts, RequestPath,
};
use envoy_types::pb::envoy::config::core::v3::{HeaderMap, address::Address};
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{self, HttpRequest};
use std::net::IpAddr;

/// A request that can't be judged, with what of it can be shown to an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub why: Malformed,
    pub method: String,
    pub host: String,
    /// Without the query.
    pub path: String,
    pub source: Option<IpAddr>,
}

/// Longer than this, what is shown of a refused request is cut.
const MAX_SHOWN_CHARS: usize = 256;

/// Takes a `CheckRequest` apart. What is malformed is refused here, and by nothing after it.
pub fn facts(check: CheckRequest) -> Result<RequestFacts, Refused> {
    let attributes = check.attributes.unwrap_or_default();
    let source = attributes.source.unwrap_or_default();
    let around = Around {
        source: address(&source),
        peer: peer(source),
        metadata: metadata(attributes.metadata_context),
        hints: Hints::read(attributes.context_extensions.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
    };
    let Some(mut http) = attributes.request.and_then(|request| request.http) else {
        let sni = attributes.tls_session.map(|session| session.sni);
        return Ok(connection(around, sni.as_deref(), attributes.destination.as_ref().and_then(address)));
    };
    let source = around.source;
    read(&mut http, around).map_err(|why| refused(why, &http, source))
}

/// What is known of a request beside the request.
struct Around {
    source: Option<IpAddr>,
    peer: Peer,
    metadata: Metadata,
    hints: Hints,
}

/// Envoy's network filter asks about a connection, of which only the client's word and the address say where it goes.
fn connection(around: Around, sni: Option<&str>, destination: Option<IpAddr>) -> RequestFacts {
    let named = sni.and_then(|name| Host::parse(name).ok());
    let host = named.unwrap_or_else(|| destination.map_or_else(Host::unknown, Host::of_address));
    RequestFacts::of_connection(around.source, around.peer, around.metadata, around.hints, host)
}

fn read(http: &mut HttpRequest, around: Around) -> Result<RequestFacts, Malformed> {
    let headers = headers(http.header_map.take(), std::mem::take(&mut http.headers));
    let method = Method::parse(&http.method)?;
    let host = Host::parse(&http.host)?;
    let path = RequestPath::parse(&http.path, method.as_str()).map_err(Malformed::Path)?;
    let readings = Readings::of(&method, &path, &headers)?;
    let body = body(std::mem::take(&mut http.raw_body), std::mem::take(&mut http.body), &headers);
    let Around { source, peer, metadata, hints } = around;
    Ok(RequestFacts {
        layer: Layer::Http,
        method,
        path,
        readings,
        host,
        headers,
        body,
        asked: None,
        source,
        peer,
        metadata,
        hints,
    })
}

/// Envoy fills `body`, or with `pack_as_bytes` the bytes as they were sent; never both.
fn body(bytes: Vec<u8>, text: String, headers: &Headers) -> Body {
    match (bytes.is_empty(), text.is_empty()) {
        (_, true) => Body::of_bytes(bytes, headers),
        (true, false) => Body::of_text(text, headers),
        (false, false) => Body::Altered,
    }
}

/// Envoy fills `headers`, or with `encode_raw_headers` the map that keeps duplicates and raw bytes.
fn headers(map: Option<HeaderMap>, joined: std::collections::HashMap<String, String>) -> Headers {
    let Some(map) = map else { return Headers::joined(joined) };
    let apart = map.headers.into_iter().map(|header| {
        let value = if header.raw_value.is_empty() { Ok(header.value) } else { String::from_utf8(header.raw_value) };
        (header.key, value.ok())
    });
    Headers::apart(apart.collect(), joined)
}

fn peer(source: attribute_context::Peer) -> Peer {
    let filled = |text: String| (!text.is_empty()).then(|| text.into_boxed_str());
    Peer { certificate: filled(source.certificate), principal: filled(source.principal) }
}

fn address(source: &attribute_context::Peer) -> Option<IpAddr> {
    match source.address.as_ref()?.address.as_ref()? {
        Address::SocketAddress(socket) => socket.address.parse().ok(),
        _ => None,
    }
}

fn refused(why: Malformed, http: &HttpRequest, source: Option<IpAddr>) -> Refused {
    let shown = |text: &str| text.chars().take(MAX_SHOWN_CHARS).collect();
    // No query, no fragment, no user information: they may hold secrets.
    let path = http.path.split(['?', '#']).next().unwrap_or_default();
    let host = http.host.rsplit('@').next().unwrap_or_default();
    Refused { why, method: shown(&http.method), host: shown(host), path: shown(path), source }
}

#[cfg(test)]
mod tests;
