//! The `CheckRequest`s that a real Envoy 1.40 sent: each is read, or refused for a reason, and none by accident.
#![expect(clippy::unwrap_used, reason = "a test without its data has failed")]

mod support;

use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use prost::Message;
use std::fs;
use stepgate::context::NetworkSet;
use stepgate::context::client_address::client_address;
use stepgate::ext_authz::facts;
use stepgate::identity::xfcc::last_spiffe_id;
use stepgate::request::{Body, Hints, Occurrence, RequestFacts};
use support::Result;
use support::gate::Gate;
use support::verdict::Verdict;

/// What each recording is read as: method, host, the path in every reading and the peer's names; or why it is refused.
const READINGS: [(&str, &str); 51] = [
    ("allowed_headers_filter", "GET api.example.com /x"),
    ("body_chunked", "POST a.example /x"),
    ("body_complete", "POST api.example.com /pay"),
    ("body_non_utf8_string", "POST api.example.com /pay"),
    ("body_not_buffered", "POST api.example.com /pay"),
    ("body_raw_bytes", "POST api.example.com /pay"),
    ("connect_http11", "CONNECT internal "),
    ("context_default_route", "GET api.example.com /other"),
    ("dup_attestation_map", "GET api.example.com /admin/x"),
    ("grpc_unary_call", "POST 127.0.0.1 /acme.payments.v1.Payments/Transfer"),
    ("host_port_dot_hardened", "GET api.example.com /x"),
    ("host_port_dot_raw", "GET api.example.com /x"),
    ("http11_get_hardened", "GET api.example.com /admin/x"),
    ("http11_get_plain", "GET api.example.com /admin/x"),
    ("http11_two_cookies", "GET api.example.com /x"),
    ("http2_cookie_crumbs", "GET api.example.com /x"),
    ("http2_get_hardened", "GET api.example.com /admin/x"),
    ("http2_scheme_https_cleartext", "GET api.example.com /x"),
    ("metadata_labels", "GET api.example.com /admin/x"),
    ("method_query", "QUERY api.example.com /x"),
    ("mtls_agent", "GET api.example.com /admin/x certificate, spiffe://prod.example/ns/agents/sa/billing-bot"),
    ("mtls_dnsonly", "GET api.example.com /admin/x certificate, bot.prod.example"),
    ("mtls_http2_agent", "GET api.example.com /admin/x certificate, spiffe://prod.example/ns/agents/sa/billing-bot"),
    ("mtls_nosan", "GET api.example.com /admin/x certificate, CN=spiffe://prod.example/x,O=Probe\\, Inc"),
    (
        "mtls_xfcc_append_forward",
        "GET api.example.com /admin/x certificate, spiffe://prod.example/ns/agents/sa/billing-bot",
    ),
    (
        "mtls_xfcc_forward_only",
        "GET api.example.com /admin/x certificate, spiffe://prod.example/ns/agents/sa/billing-bot",
    ),
    ("path_absolute_form", "GET evil.example.com /admin/x"),
    ("path_backslash_hardened", "GET api.example.com /admin/x"),
    ("path_dotdot_hardened", "GET api.example.com /admin/x"),
    ("path_dotdot_raw", "GET api.example.com /public2/../admin/x or /admin/x"),
    ("path_dotdot_semicolon_hardened", "GET api.example.com /admin/x"),
    ("path_double_slash_hardened", "GET api.example.com /admin/x"),
    ("path_double_slash_raw", "GET api.example.com //admin/x or /admin/x"),
    ("path_pct23", "GET api.example.com /admin/x%23f"),
    ("path_pct2f_unescape", "GET api.example.com /admin/x"),
    ("path_pct3f", "GET api.example.com /admin/x%3Fq=1"),
    ("path_pct_encoded_unreserved_hardened", "GET api.example.com /admin/x"),
    ("path_pct_encoded_unreserved_raw", "GET api.example.com /admin/x"),
    ("path_query_dotdot", "GET api.example.com /ok"),
    ("path_semicolon_hardened", "GET api.example.com /admin;v=1/x;y or /admin/x"),
    ("path_trailing_dot", "GET api.example.com /admin/x."),
    ("path_upper", "GET api.example.com /ADMIN/x"),
    ("plain_xfcc_always_forward", "GET api.example.com /x"),
    ("raw_header_map", "GET api.example.com /admin/x"),
    ("spoofed_trust_headers_hardened", "GET api.example.com /x"),
    ("tls_no_client_cert", "GET api.example.com /x"),
    ("tls_sni_host_mismatch", "GET other.tenant /x certificate, spiffe://prod.example/ns/agents/sa/billing-bot"),
    ("uds_authorizer", "GET api.example.com /x"),
    ("underscore_header_allowed", "GET api.example.com /x"),
    ("websocket_upgrade", "GET api.example.com /admin/ws"),
    ("websocket_upgrade_post_with_body", "POST api.example.com /pay"),
];

fn reading(bytes: &[u8]) -> String {
    let check = CheckRequest::decode(bytes).unwrap();
    match facts(check) {
        Err(refused) => format!("refused {}", refused.why.as_str()),
        Ok(facts) => {
            let peer = match (&facts.peer.certificate, &facts.peer.principal) {
                (Some(_), Some(principal)) => format!(" certificate, {principal}"),
                (Some(_), None) => " certificate".to_owned(),
                (None, Some(principal)) => format!(" {principal}"),
                (None, None) => String::new(),
            };
            let readings = facts.readings.all(&facts.method, facts.path.canonical()).map(|(_, path)| path);
            let paths = readings.collect::<Vec<_>>().join(" or ");
            format!("{} {} {paths}{peer}", facts.method.as_str(), facts.host)
        }
    }
}

/// What each shows beside that: where it comes from, if a proxy on loopback is believed (it wrote its own address, as Envoy
/// does for a peer that is as near); whom `x-forwarded-client-cert` names; its body; what other filters say.
const CIRCUMSTANCES: [(&str, &str); 51] = [
    ("allowed_headers_filter", "127.0.0.1"),
    ("body_chunked", "127.0.0.1, body Whole(5 bytes)"),
    ("body_complete", "127.0.0.1, body Whole(11 bytes)"),
    ("body_non_utf8_string", "127.0.0.1, body Altered"),
    ("body_not_buffered", "192.0.2.2"),
    ("body_raw_bytes", "127.0.0.1, body Whole(4 bytes)"),
    ("connect_http11", "192.0.2.2"),
    ("context_default_route", "192.0.2.2"),
    ("dup_attestation_map", "192.0.2.2"),
    ("grpc_unary_call", "192.0.2.2"),
    ("host_port_dot_hardened", "192.0.2.2"),
    ("host_port_dot_raw", "127.0.0.1"),
    ("http11_get_hardened", "192.0.2.2"),
    ("http11_get_plain", "127.0.0.1"),
    ("http11_two_cookies", "192.0.2.2"),
    ("http2_cookie_crumbs", "192.0.2.2"),
    ("http2_get_hardened", "192.0.2.2"),
    ("http2_scheme_https_cleartext", "192.0.2.2"),
    ("metadata_labels", r#"192.0.2.2, metadata {"stepup.listener"}"#),
    ("method_query", "192.0.2.2"),
    ("mtls_agent", "192.0.2.2, xfcc of spiffe://prod.example/ns/agents/sa/billing-bot"),
    ("mtls_dnsonly", "192.0.2.2, xfcc of nobody"),
    ("mtls_http2_agent", "192.0.2.2, xfcc of spiffe://prod.example/ns/agents/sa/billing-bot"),
    ("mtls_nosan", "192.0.2.2, xfcc of nobody"),
    ("mtls_xfcc_append_forward", "192.0.2.2, xfcc of spiffe://prod.example/ns/agents/sa/billing-bot"),
    ("mtls_xfcc_forward_only", "192.0.2.2, xfcc of spiffe://prod.example/ns/agents/sa/admin-bot"),
    ("path_absolute_form", "192.0.2.2"),
    ("path_backslash_hardened", "192.0.2.2"),
    ("path_dotdot_hardened", "192.0.2.2"),
    ("path_dotdot_raw", "127.0.0.1"),
    ("path_dotdot_semicolon_hardened", "192.0.2.2"),
    ("path_double_slash_hardened", "192.0.2.2"),
    ("path_double_slash_raw", "127.0.0.1"),
    ("path_pct23", "192.0.2.2"),
    ("path_pct2f_unescape", "192.0.2.2"),
    ("path_pct3f", "192.0.2.2"),
    ("path_pct_encoded_unreserved_hardened", "192.0.2.2"),
    ("path_pct_encoded_unreserved_raw", "127.0.0.1"),
    ("path_query_dotdot", "192.0.2.2"),
    ("path_semicolon_hardened", "192.0.2.2"),
    ("path_trailing_dot", "192.0.2.2"),
    ("path_upper", "192.0.2.2"),
    ("plain_xfcc_always_forward", "192.0.2.2, xfcc of spiffe://prod.example/ns/agents/sa/admin-bot"),
    ("raw_header_map", "127.0.0.1"),
    ("spoofed_trust_headers_hardened", "192.0.2.2"),
    ("tls_no_client_cert", "192.0.2.2"),
    ("tls_sni_host_mismatch", "192.0.2.2, xfcc of spiffe://prod.example/ns/agents/sa/billing-bot"),
    ("uds_authorizer", "192.0.2.2"),
    ("underscore_header_allowed", "127.0.0.1"),
    ("websocket_upgrade", "192.0.2.2"),
    ("websocket_upgrade_post_with_body", "192.0.2.2"),
];

/// `context_extensions` of all of them are none of ours.
fn circumstances(facts: &RequestFacts) -> String {
    assert_eq!(facts.hints, Hints::default());
    let proxies: NetworkSet = [NetworkSet::network("127.0.0.0/8").unwrap()].into_iter().collect();
    let client = client_address(facts.source, &facts.headers, &proxies).unwrap();
    let certificate = match facts.headers.occurrence("x-forwarded-client-cert") {
        Occurrence::Absent => String::new(),
        Occurrence::Once(value) => {
            last_spiffe_id(value).map_or(", xfcc of nobody".into(), |id| format!(", xfcc of {}", id.as_str()))
        }
        other => format!(", xfcc {other:?}"),
    };
    let body = match &facts.body {
        Body::Absent => String::new(),
        other => format!(", body {other:?}"),
    };
    let metadata = format!("{:?}", facts.metadata);
    let metadata = if metadata == "{}" { String::new() } else { format!(", metadata {metadata}") };
    format!("{client}{certificate}{body}{metadata}")
}

fn recording(name: &str) -> Vec<u8> {
    fs::read(format!("tests/data/checkrequests/{name}.bin")).unwrap()
}

#[test]
fn each_recording_is_read_as_it_was_sent() {
    for (name, expected) in READINGS {
        assert_eq!(reading(&recording(name)), expected, "{name}");
    }
}

#[test]
fn each_recording_shows_where_it_comes_from_and_what_it_brings() {
    for (name, expected) in CIRCUMSTANCES {
        let facts = facts(CheckRequest::decode(&*recording(name)).unwrap()).unwrap();
        assert_eq!(circumstances(&facts), expected, "{name}");
    }
}

#[test]
fn every_recording_is_in_the_table() {
    let files = fs::read_dir("tests/data/checkrequests").unwrap().map(|entry| entry.unwrap().path());
    let recordings = files.filter(|file| file.extension().is_some_and(|extension| extension == "bin"));
    let mut names: Vec<_> = recordings.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, READINGS.map(|(name, _)| name));
    assert_eq!(names, CIRCUMSTANCES.map(|(name, _)| name));
}

/// What the gate says, in one line.
fn said(verdict: &Verdict) -> String {
    let reason = verdict.metadata("reason");
    match verdict.refusal() {
        Ok(refusal) => refusal.to_string(),
        Err(_) => format!("{} {reason}", if verdict.is_allowed() { "allowed" } else { "neither allowed nor denied" }),
    }
}

#[tokio::test]
async fn the_binary_answers_each_recording_and_none_with_a_grpc_error() -> Result<()> {
    let gate = Gate::start("answers").await?;
    let mut table = Vec::new();
    for (name, _) in READINGS {
        let check = CheckRequest::decode(&*recording(name))?;
        let verdict = gate.authz.send(check).await.map_err(|error| format!("{name}: {error}"))?;
        table.push(format!("{name:<40} {}", said(&verdict)));
    }
    insta::assert_snapshot!(table.join("\n"));
    Ok(())
}
