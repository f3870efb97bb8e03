//! What a real Envoy sent, and what it could send.

use super::*;
use crate::policy::{ScopeSet, Sensitivity};
use envoy_types::pb::envoy::config::core::v3::{Address as EnvoyAddress, SocketAddress};
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{Request, TlsSession};
use prost::Message;
use rstest::rstest;
use std::fs;

fn recorded(name: &str) -> RequestFacts {
    let bytes = fs::read(format!("tests/data/checkrequests/{name}.bin")).unwrap();
    facts(CheckRequest::decode(&*bytes).unwrap()).unwrap()
}

fn peer_at(address: &str) -> attribute_context::Peer {
    let socket = SocketAddress { address: address.into(), ..SocketAddress::default() };
    let address = EnvoyAddress { address: Some(Address::SocketAddress(socket)) };
    attribute_context::Peer { address: Some(address), ..attribute_context::Peer::default() }
}

/// The facts of a connection to a name or address.
fn connected(sni: Option<&str>, destination: Option<&str>) -> RequestFacts {
    let attributes = AttributeContext {
        source: Some(attribute_context::Peer { principal: "spiffe://a/b".into(), ..peer_at("192.0.2.7") }),
        destination: destination.map(peer_at),
        context_extensions: [("stepgate.sensitivity".to_owned(), "critical".to_owned())].into(),
        tls_session: sni.map(|sni| TlsSession { sni: sni.into() }),
        ..AttributeContext::default()
    };
    facts(CheckRequest { attributes: Some(attributes) }).unwrap()
}

fn posted(http: HttpRequest) -> RequestFacts {
    let http = HttpRequest { method: "POST".into(), host: "a".into(), path: "/".into(), ..http };
    let request = Some(Request { http: Some(http), ..Request::default() });
    facts(CheckRequest { attributes: Some(AttributeContext { request, ..AttributeContext::default() }) }).unwrap()
}

#[test]
fn every_recording_is_the_facts_of_an_http_request() {
    let files = fs::read_dir("tests/data/checkrequests").unwrap().map(|entry| entry.unwrap().path());
    let names: Vec<_> = files.filter(|file| file.extension().is_some_and(|extension| extension == "bin")).collect();
    for file in &names {
        let facts = recorded(file.file_stem().unwrap().to_str().unwrap());
        assert_eq!((facts.layer, &facts.hints), (Layer::Http, &Hints::default()), "{}", file.display());
    }
    assert!(names.len() > 50);
}

#[rstest]
#[case("body_complete", Body::Whole(br#"{"amt":100}"#.as_slice().into()))]
#[case("body_raw_bytes", Body::Whole(b"a\xff\xfeb".as_slice().into()))]
#[case("body_non_utf8_string", Body::Altered)]
#[case("body_chunked", Body::Whole(b"hello".as_slice().into()))]
#[case("body_not_buffered", Body::Absent)]
#[case("websocket_upgrade_post_with_body", Body::Absent)]
#[case("http11_get_plain", Body::Absent)]
fn a_recorded_body_is_read_as_far_as_it_is_known(#[case] name: &str, #[case] body: Body) {
    assert_eq!(recorded(name).body, body);
}

#[test]
fn a_body_in_both_forms_is_neither() {
    let headers = || [("content-length".to_owned(), "1".to_owned())].into();
    let both = HttpRequest { headers: headers(), body: "a".into(), raw_body: b"a".to_vec(), ..HttpRequest::default() };
    assert_eq!(posted(both).body, Body::Altered);
}

#[test]
fn recorded_metadata_is_read_and_that_of_the_route_is_not() {
    let metadata = recorded("metadata_labels").metadata;
    let listener = serde_json::json!({ "max_age_s": 300, "tier": "prod" });
    assert_eq!(metadata.namespace("stepup.listener"), listener.as_object());
    assert_eq!(metadata.namespace("stepup.route"), None);
}

#[test]
fn hints_come_with_the_context_of_the_route() {
    let hints = [("stepgate.sensitivity", "high"), ("stepgate.scopes", "a b"), ("vhost", "all")];
    let context_extensions = hints.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let http = HttpRequest { method: "GET".into(), host: "a".into(), path: "/".into(), ..HttpRequest::default() };
    let request = Some(Request { http: Some(http), ..Request::default() });
    let attributes = AttributeContext { request, context_extensions, ..AttributeContext::default() };
    let read = facts(CheckRequest { attributes: Some(attributes) }).unwrap().hints;
    let scopes = ScopeSet::parse("a b").unwrap();
    assert_eq!(read, Hints { sensitivity: Some(Sensitivity::High), scopes, unreadable: false });
}

#[rstest]
#[case(Some("DB.internal"), Some("10.0.0.1"), "db.internal")]
#[case(Some(""), Some("10.0.0.1"), "10.0.0.1")]
#[case(Some("no host"), Some("::1"), "[::1]")]
#[case(None, Some("10.0.0.1"), "10.0.0.1")]
#[case(None, Some("/run/db.sock"), "unknown.invalid")]
#[case(None, None, "unknown.invalid")]
fn a_connection_goes_to_a_name_or_an_address(
    #[case] sni: Option<&str>,
    #[case] destination: Option<&str>,
    #[case] host: &str,
) {
    let facts = connected(sni, destination);
    assert_eq!((facts.layer, facts.method.as_str(), facts.path.canonical()), (Layer::Network, "CONNECT", ""));
    assert_eq!(facts.host.as_str(), host);
}

#[test]
fn a_connection_has_its_peer_and_hints_and_no_headers() {
    let facts = connected(None, None);
    assert_eq!(facts.source, "192.0.2.7".parse().ok());
    assert_eq!(facts.peer.principal.as_deref(), Some("spiffe://a/b"));
    assert_eq!(facts.hints.sensitivity, Some(Sensitivity::Critical));
    assert_eq!((facts.headers.names().count(), facts.body), (0, Body::Absent));
}

#[test]
fn nothing_at_all_is_a_connection_of_nobody() {
    let facts = facts(CheckRequest::default()).unwrap();
    assert_eq!((facts.layer, facts.host, facts.source), (Layer::Network, Host::unknown(), None));
    assert_eq!((facts.peer.certificate, facts.peer.principal), (None, None));
}
