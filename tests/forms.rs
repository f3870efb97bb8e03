//! Every form of a request that was seen to come through Envoy as it was sent, with what the gate makes of it.
//!
//! `admin` is closed to all but proven callers (`bound`), also by a floor; what no route names is asked for less (`fresh`).
//! Forms of paths are tried a second time beside a route for all the rest: what only an unknown route would have stopped then
//! passes, and each form that a server may read as `/admin` must not. Double decoding is not among what servers may do.

mod support;

use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use rstest::rstest;
use std::fs;
use support::authz::Ask;
use support::gate::Gate;
use support::verdict::Verdict;
use support::{Result, repository};
use tonic::Request;
use tonic::metadata::MetadataValue;

/// A path as it arrives; the answer where nothing else is named, and beside a route for all the rest.
const PATHS: [(&str, &str, &str); 44] = [
    ("/pub/x", "allowed public", "allowed public"),
    ("/admin/x", "bound admin", "bound admin"),
    ("/admin", "bound admin", "bound admin"),
    ("/admin/", "bound admin", "bound admin"),
    ("/x", "fresh unmatched", "allowed site"),
    // Not normalised by Envoy: each is a reading.
    ("//admin/x", "bound admin", "bound admin"),
    ("/./admin/x", "bound admin", "bound admin"),
    ("/pub/../admin/x", "bound admin", "bound admin"),
    (r"/pub\..\admin\x", "bound admin", "bound admin"),
    (r"\admin\x", "400 malformed_path", "400 malformed_path"),
    (r"/\admin/x", "bound admin", "bound admin"),
    ("/%61dmin/x", "bound admin", "bound admin"),
    ("/%2e/admin/x", "bound admin", "bound admin"),
    ("/pub/%2E%2e/admin/x", "bound admin", "bound admin"),
    ("/pub%2f..%2fadmin/x", "bound admin", "bound admin"),
    ("/pub%5C..%5Cadmin/x", "bound admin", "bound admin"),
    ("/pub/..;/admin/x", "bound admin", "bound admin"),
    // Parameters, which no normalisation of Envoy takes off.
    ("/admin;v=1/x;y", "bound admin", "bound admin"),
    ("/;v=1/admin/x", "bound admin", "bound admin"),
    // A query is no path.
    ("/admin/x?a=/pub/x", "bound admin", "bound admin"),
    ("/pub/x?/../admin/x", "allowed public", "allowed public"),
    // Floors know no case, and routes do.
    ("/ADMIN/x", "bound unmatched", "bound site"),
    ("/%41dmin/x", "bound unmatched", "bound site"),
    // Encoded, these are letters of a segment: another name, though below the same place.
    ("/admin/x%3fq=1", "bound admin", "bound admin"),
    ("/admin%3fq=1", "fresh unmatched", "allowed site"),
    ("/admin/x%23f", "bound admin", "bound admin"),
    ("/admin%23f", "fresh unmatched", "allowed site"),
    // So are a blank and a dot at an end.
    ("/admin/x%20", "bound admin", "bound admin"),
    ("/admin%20/x", "fresh unmatched", "allowed site"),
    ("/%20admin/x", "fresh unmatched", "allowed site"),
    ("/admin/x.", "bound admin", "bound admin"),
    ("/admin./x", "fresh unmatched", "allowed site"),
    // Decoded once. Who serves with what decodes twice refuses `%25` in front of it.
    ("/%2561dmin/x", "fresh unmatched", "allowed site"),
    ("/pub/%252e%252e/admin/x", "allowed public", "allowed public"),
    ("/pub%252f..%252fadmin/x", "fresh unmatched", "allowed site"),
    // What decodes to no text, or to none at all.
    ("/%C0%AE%C0%AE/admin/x", "400 malformed_path", "400 malformed_path"),
    ("/pub/%C0%AE%C0%AE/admin/x", "400 malformed_path", "400 malformed_path"),
    ("/%C1%A1dmin/x", "400 malformed_path", "400 malformed_path"),
    ("/admin/%zz", "400 malformed_path", "400 malformed_path"),
    ("/pub/%zz", "400 malformed_path", "400 malformed_path"),
    ("/pub/%", "400 malformed_path", "400 malformed_path"),
    ("/pub/%00", "400 malformed_path", "400 malformed_path"),
    // No path of a request.
    ("/pub/x#/admin", "400 malformed_path", "400 malformed_path"),
    ("https://api.example.com/admin/x", "400 malformed_path", "400 malformed_path"),
];

struct Stage {
    gate: Gate,
    token: String,
}

impl Stage {
    async fn set() -> Result<Self> {
        Self::under(&policy()?).await
    }

    async fn under(policy: &str) -> Result<Self> {
        let gate = Gate::start_under(policy, &[]).await?;
        let token = gate.issuers.bearer("billing-web", "admin:all")?;
        Ok(Self { gate, token })
    }

    fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(method, path).header("authorization", format!("Bearer {}", self.token))
    }

    async fn answer(&self, check: impl tonic::IntoRequest<CheckRequest>) -> Result<String> {
        said(&self.gate.authz.send(check).await?)
    }
}

fn policy() -> Result<String> {
    Ok(fs::read_to_string(repository("tests/policies/forms.yaml"))?)
}

/// The level that is asked for, or what comes instead, and the route.
fn said(verdict: &Verdict) -> Result<String> {
    let route = verdict.metadata("route");
    if verdict.is_allowed() {
        return Ok(format!("allowed {route}"));
    }
    is_well_formed(verdict)?;
    let refusal = verdict.refusal()?;
    Ok(match verdict.metadata("assurance") {
        "" => format!("{} {}", refusal.status, refusal.reason),
        level => format!("{level} {route}"),
    })
}

/// Envoy passes on what it gets: an answer without a body where there must be none, and line breaks in headers.
fn is_well_formed(verdict: &Verdict) -> Result<()> {
    let denied = verdict.denied()?;
    let status = denied.status.as_ref().map_or(0, |status| status.code);
    let values = denied.headers.iter().filter_map(|option| option.header.as_ref()).map(|header| &header.value);
    let broken = values.into_iter().any(|value| value.contains(['\r', '\n']));
    if broken || !(400..600).contains(&status) { Err(format!("{verdict:?}").into()) } else { Ok(()) }
}

fn http(check: &mut CheckRequest) -> Option<&mut HttpRequest> {
    check.attributes.as_mut()?.request.as_mut()?.http.as_mut()
}

/// The call with a body as Envoy tells of it: as text, or as bytes where there is no text.
fn with_body(ask: &Ask, text: &str, bytes: &[u8]) -> Result<CheckRequest> {
    let mut check = ask.to_check_request();
    let http = http(&mut check).ok_or("no HTTP")?;
    (http.body, http.raw_body) = (text.to_owned(), bytes.to_owned());
    Ok(check)
}

#[tokio::test]
async fn each_form_of_a_path_has_its_answer() -> Result<()> {
    let anything = "routes:\n  - { name: site, match: { methods: [GET], path: \"/{*rest}\" }, sensitivity: low }\n";
    let (strict, lax) = (Stage::set().await?, Stage::under(&policy()?.replace("routes:\n", anything)).await?);
    for (path, expected, beside_site) in PATHS {
        for (stage, expected) in [(&strict, expected), (&lax, beside_site)] {
            assert_eq!(stage.answer(stage.ask("GET", path).to_check_request()).await?, expected, "{path}");
        }
    }
    Ok(())
}

/// A header that Envoy lets through from the client, on a call that is allowed without it.
#[rstest]
#[case("x-original-url", "/admin/x", "bound admin")]
#[case("x-original-url", "/pub/y", "allowed public")]
#[case("x-rewrite-url", "/admin/x", "bound admin")]
#[case("x-rewrite-url", "//admin/x", "bound admin")]
#[case("x-http-method-override", "DELETE", "fresh unmatched")]
#[case("x-http-method", "DELETE", "fresh unmatched")]
#[case("x-method-override", "DELETE", "fresh unmatched")]
#[case("x-forwarded-host", "admin.example.com", "allowed public")]
#[case("x-forwarded-prefix", "/admin", "allowed public")]
#[case("forwarded", "for=10.0.0.1;host=admin.example.com;proto=https", "allowed public")]
#[case("x-real-ip", "10.0.0.1", "allowed public")]
#[case("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "allowed public")]
#[case("x-envoy-auth-failure-mode-allowed", "true", "allowed public")]
#[case("content-type", "application/grpc", "allowed public")]
#[case("cookie", "a=1,b=2", "allowed public")]
#[tokio::test]
async fn a_header_of_the_client_has_its_answer(
    #[case] name: &str,
    #[case] value: &str,
    #[case] expected: &str,
) -> Result<()> {
    let stage = Stage::set().await?;
    let ask = stage.ask("GET", "/pub/x").header(name, value);
    assert_eq!(stage.answer(ask.to_check_request()).await?, expected);
    assert_eq!(stage.answer(ask.apart().to_check_request()).await?, expected);
    Ok(())
}

/// Also those that Envoy or a first pass through it would have written.
#[rstest]
#[case("x-envoy-auth-failure-mode-allowed", "true")]
#[case("x-stepgate-decision", "verified")]
#[case("x-stepgate-assurance", "bound")]
#[case("x-forwarded-host", "public.example.com")]
#[case("x-original-url", "/pub/x")]
#[case("x-rewrite-url", "/pub/x")]
#[case("x-http-method-override", "OPTIONS")]
#[case("x-envoy-original-path", "/pub/x")]
#[case("upgrade", "websocket")]
#[case("content-type", "application/grpc")]
#[tokio::test]
async fn no_header_opens_what_is_closed(#[case] name: &str, #[case] value: &str) -> Result<()> {
    let stage = Stage::set().await?;
    let ask = stage.ask("GET", "/admin/x").header(name, value);
    assert_eq!(stage.answer(ask.to_check_request()).await?, "bound admin");
    Ok(())
}

/// The caller's network is one of its own, and the peer is none.
#[rstest]
#[case("x-forwarded-for", "10.0.0.1")]
#[case("x-forwarded-for", "10.0.0.1, 192.0.2.2")]
#[case("x-real-ip", "10.0.0.1")]
#[case("forwarded", "for=10.0.0.1")]
#[case("x-envoy-external-address", "10.0.0.1")]
#[case("true-client-ip", "10.0.0.1")]
#[tokio::test]
async fn no_header_moves_the_caller_to_another_network(#[case] name: &str, #[case] value: &str) -> Result<()> {
    let stage = Stage::set().await?;
    let ask = stage.ask("GET", "/watched").header(name, value);
    assert_eq!(stage.answer(ask.to_check_request()).await?, "fresh watched");
    Ok(())
}

/// The Check call's own headers are Envoy's, and speak of Envoy.
#[tokio::test]
async fn the_headers_of_the_check_call_are_not_the_clients() -> Result<()> {
    let stage = Stage::set().await?;
    let mut request = Request::new(stage.ask("GET", "/watched").to_check_request());
    for (name, value) in [("x-forwarded-for", "10.0.0.1"), ("authorization", "Bearer x"), ("x-original-url", "/pub/x")]
    {
        request.metadata_mut().insert(name, MetadataValue::from_static(value));
    }
    assert_eq!(stage.answer(request).await?, "fresh watched");
    Ok(())
}

#[rstest]
#[case("GET", "bound admin")]
#[case("get", "bound admin")]
#[case("QUERY", "bound admin")]
#[case("OPTIONS", "bound admin")]
#[tokio::test]
async fn a_route_without_methods_takes_all(#[case] method: &str, #[case] expected: &str) -> Result<()> {
    let stage = Stage::set().await?;
    assert_eq!(stage.answer(stage.ask(method, "/admin/x").to_check_request()).await?, expected);
    Ok(())
}

/// A body, and what Envoy says of it. `pub` may be asked for by anybody, `admin:all` is elevated.
#[rstest]
#[case::text(r#"{"scope":"pub"}"#, b"", &[("content-length", "15"), ("x-envoy-auth-partial-body", "false")], "allowed issue-token")]
#[case::text_that_asks_for_much(r#"{"scope":"admin:all"}"#, b"", &[("content-length", "21")], "fresh issue-token")]
#[case::bytes("", br#"{"scope":"pub"}"#, &[("content-length", "15")], "allowed issue-token")]
#[case::bytes_that_ask_for_much("", br#"{"scope":"admin:all"}"#, &[("content-length", "21")], "fresh issue-token")]
#[case::chunked("", br#"{"scope":"pub"}"#, &[("x-envoy-auth-partial-body", "false")], "allowed issue-token")]
#[case::text_of_bytes_that_are_none(r#"{"scope":"pub","x":"!"}"#, b"", &[("content-length", "23")], "fresh issue-token")]
#[case::both_forms(r#"{"scope":"pub"}"#, br#"{"scope":"pub"}"#, &[("content-length", "15")], "fresh issue-token")]
#[case::no_utf8("", b"{\"scope\":\"pub\",\"x\":\"\xff\"}", &[("content-length", "23")], "fresh issue-token")]
#[case::cut("", br#"{"scope":"pub"}"#, &[("content-length", "15"), ("x-envoy-auth-partial-body", "true")], "fresh issue-token")]
#[case::shorter_than_declared("", br#"{"scope":"pub"}"#, &[("content-length", "16")], "fresh issue-token")]
#[case::not_buffered("", b"", &[("content-length", "15")], "fresh issue-token")]
#[case::none("", b"", &[], "fresh issue-token")]
#[case::websocket("", b"", &[("content-length", "15"), ("upgrade", "websocket"), ("connection", "Upgrade")], "fresh issue-token")]
#[case::compressed("", br#"{"scope":"pub"}"#, &[("content-length", "15"), ("content-encoding", "gzip")], "fresh issue-token")]
#[tokio::test]
async fn a_body_has_its_answer(
    #[case] text: &str,
    #[case] bytes: &[u8],
    #[case] headers: &[(&str, &str)],
    #[case] expected: &str,
) -> Result<()> {
    let stage = Stage::set().await?;
    let ask = stage.ask("POST", "/oauth2/token").header("content-type", "application/json");
    let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, *value));
    assert_eq!(stage.answer(with_body(&ask, text, bytes)?).await?, expected);
    Ok(())
}

/// What Envoy's configuration says of the route can raise, and never lower.
#[rstest]
#[case("/pub/x", "policy", "default", "allowed public")]
#[case("/pub/x", "stepgate.sensitivity", "critical", "bound public")]
#[case("/pub/x", "stepgate.sensitivity", "low", "allowed public")]
#[case("/pub/x", "stepgate.sensitivity", "sever", "bound public")]
#[case("/pub/x", "stepgate.scopes", "admin:all", "allowed public")]
#[case("/admin/x", "stepgate.sensitivity", "low", "bound admin")]
#[tokio::test]
async fn a_hint_of_envoy_has_its_answer(
    #[case] path: &str,
    #[case] name: &str,
    #[case] value: &str,
    #[case] expected: &str,
) -> Result<()> {
    let stage = Stage::set().await?;
    let mut check = stage.ask("GET", path).to_check_request();
    let attributes = check.attributes.as_mut().ok_or("no attributes")?;
    attributes.context_extensions.insert(name.to_owned(), value.to_owned());
    assert_eq!(stage.answer(check).await?, expected);
    Ok(())
}

#[rstest]
#[case("api.example.com", "bound admin")]
#[case("API.EXAMPLE.COM", "bound admin")]
#[case("api.example.com.", "bound admin")]
#[case("api.example.com.:443", "bound admin")]
#[case("evil.example.com", "bound admin")]
#[case("user@api.example.com", "400 malformed_host")]
#[case("api.example.com/admin", "400 malformed_host")]
#[case("", "400 malformed_host")]
#[tokio::test]
async fn a_host_has_its_answer(#[case] host: &str, #[case] expected: &str) -> Result<()> {
    let stage = Stage::set().await?;
    let ask = stage.ask("GET", "/admin/x").at_host(host);
    assert_eq!(stage.answer(ask.to_check_request()).await?, expected);
    Ok(())
}
