//! The messages as serde reads them. Whatever has no field here is refused: a misspelt name must not go unnoticed.

use super::metadata::Metadata;
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use envoy_types::pb::envoy::config::core::v3::{self as core, address, socket_address};
use envoy_types::pb::envoy::service::auth::v3::{self as auth, attribute_context};
use envoy_types::pb::google::protobuf::Timestamp;
use jiff::Timestamp as Time;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckRequest {
    attributes: Option<Attributes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attributes {
    source: Option<Peer>,
    destination: Option<Peer>,
    request: Option<Request>,
    #[serde(alias = "contextExtensions")]
    context_extensions: Option<HashMap<String, String>>,
    #[serde(alias = "metadataContext")]
    metadata_context: Option<Metadata>,
    #[serde(alias = "routeMetadataContext")]
    route_metadata_context: Option<Metadata>,
    #[serde(alias = "tlsSession")]
    tls_session: Option<TlsSession>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Peer {
    address: Option<Address>,
    service: Option<String>,
    labels: Option<HashMap<String, String>>,
    principal: Option<String>,
    certificate: Option<String>,
}

#[derive(Deserialize)]
enum Address {
    #[serde(rename = "socket_address", alias = "socketAddress")]
    Socket(SocketAddress),
    #[serde(rename = "pipe")]
    Pipe(Pipe),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SocketAddress {
    address: Option<String>,
    #[serde(alias = "portValue")]
    port_value: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pipe {
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    time: Option<Moment>,
    http: Option<Http>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Http {
    id: Option<String>,
    method: Option<String>,
    headers: Option<HashMap<String, String>>,
    #[serde(alias = "headerMap")]
    header_map: Option<HeaderMap>,
    path: Option<String>,
    host: Option<String>,
    scheme: Option<String>,
    query: Option<String>,
    fragment: Option<String>,
    size: Option<Size>,
    protocol: Option<String>,
    body: Option<String>,
    #[serde(alias = "rawBody")]
    raw_body: Option<Bytes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderMap {
    headers: Option<Vec<HeaderValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderValue {
    key: Option<String>,
    value: Option<String>,
    #[serde(alias = "rawValue")]
    raw_value: Option<Bytes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsSession {
    sni: Option<String>,
}

/// A number as JSON writes it, or as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Number(i64),
    Text(String),
}

#[derive(Default)]
struct Bytes(Vec<u8>);

/// RFC 3339.
struct Moment(Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let time: Time = String::deserialize(deserializer)?.parse().map_err(D::Error::custom)?;
        Ok(Self(Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }))
    }
}

/// In either alphabet, with padding or without.
impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const LENIENT: GeneralPurposeConfig =
            general_purpose::PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent);
        const ENGINE: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
        let text = String::deserialize(deserializer)?.replace('-', "+").replace('_', "/");
        ENGINE.decode(text).map(Self).map_err(D::Error::custom)
    }
}

impl From<CheckRequest> for auth::CheckRequest {
    fn from(CheckRequest { attributes }: CheckRequest) -> Self {
        Self { attributes: attributes.map(Into::into) }
    }
}

impl From<Attributes> for auth::AttributeContext {
    fn from(raw: Attributes) -> Self {
        Self {
            source: raw.source.map(Into::into),
            destination: raw.destination.map(Into::into),
            request: raw.request.map(Into::into),
            context_extensions: raw.context_extensions.unwrap_or_default(),
            metadata_context: raw.metadata_context.map(Into::into),
            route_metadata_context: raw.route_metadata_context.map(Into::into),
            tls_session: raw.tls_session.map(|raw| attribute_context::TlsSession { sni: raw.sni.unwrap_or_default() }),
        }
    }
}

impl From<Peer> for attribute_context::Peer {
    fn from(raw: Peer) -> Self {
        Self {
            address: raw.address.map(|address| core::Address { address: Some(address.into()) }),
            service: raw.service.unwrap_or_default(),
            labels: raw.labels.unwrap_or_default(),
            principal: raw.principal.unwrap_or_default(),
            certificate: raw.certificate.unwrap_or_default(),
        }
    }
}

impl From<Address> for address::Address {
    fn from(raw: Address) -> Self {
        match raw {
            Address::Socket(raw) => Self::SocketAddress(core::SocketAddress {
                address: raw.address.unwrap_or_default(),
                port_specifier: raw.port_value.map(socket_address::PortSpecifier::PortValue),
                ..core::SocketAddress::default()
            }),
            Address::Pipe(raw) => {
                Self::Pipe(core::Pipe { path: raw.path.unwrap_or_default(), ..core::Pipe::default() })
            }
        }
    }
}

impl From<Request> for attribute_context::Request {
    fn from(Request { time, http }: Request) -> Self {
        Self { time: time.map(|Moment(time)| time), http: http.map(Into::into) }
    }
}

impl From<Http> for attribute_context::HttpRequest {
    fn from(raw: Http) -> Self {
        Self {
            id: raw.id.unwrap_or_default(),
            method: raw.method.unwrap_or_default(),
            headers: raw.headers.unwrap_or_default(),
            header_map: raw.header_map.map(Into::into),
            path: raw.path.unwrap_or_default(),
            host: raw.host.unwrap_or_default(),
            scheme: raw.scheme.unwrap_or_default(),
            query: raw.query.unwrap_or_default(),
            fragment: raw.fragment.unwrap_or_default(),
            size: raw.size.map(Into::into).unwrap_or_default(),
            protocol: raw.protocol.unwrap_or_default(),
            body: raw.body.unwrap_or_default(),
            raw_body: raw.raw_body.unwrap_or_default().0,
        }
    }
}

impl From<HeaderMap> for core::HeaderMap {
    fn from(raw: HeaderMap) -> Self {
        let header = |raw: HeaderValue| core::HeaderValue {
            key: raw.key.unwrap_or_default(),
            value: raw.value.unwrap_or_default(),
            raw_value: raw.raw_value.unwrap_or_default().0,
        };
        Self { headers: raw.headers.unwrap_or_default().into_iter().map(header).collect() }
    }
}

/// Nothing looks at it: what is no number is none.
impl From<Size> for i64 {
    fn from(raw: Size) -> Self {
        match raw {
            Size::Number(number) => number,
            Size::Text(text) => text.parse().unwrap_or_default(),
        }
    }
}
