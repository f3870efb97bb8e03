//! The example of tokens: proof is asked for before privilege is issued, and what could be read in two ways counts as the worse.

use crate::endpoint::TokenEndpoint;
use crate::support::Result;
use crate::support::answer::Answer;
use crate::support::issuers::RESOURCE;
use crate::support::mesh::{Mesh, Setting, Transport};
use crate::workload::Workload;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm as JwtAlgorithm, DecodingKey, Validation};
use reqwest::{Body, RequestBuilder};
use rstest::rstest;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Duration;
use stepgate::mint::{Algorithm, SigningKey};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tonic::codegen::tokio_stream::wrappers::UnboundedReceiverStream;

const TOKENS: &str = "/oauth2/token";
const ISSUER: &str = "https://tokens.example.com";
const FORM: &str = "application/x-www-form-urlencoded";
const ROUTINE: &str = "grant_type=client_credentials&scope=payments:read";
const ELEVATED: &str = "grant_type=client_credentials&scope=admin:users";
/// `max_request_bytes` of the example, and what stepgate trusts below it without a length.
const BUFFER: usize = 16384;
const TRUSTED_UNTOLD: usize = 4096;
/// Long enough for what was written to have been read on its own.
const A_MOMENT: Duration = Duration::from_millis(300);

/// The endpoint with its key, a workload, and how it asks.
struct World {
    mesh: Mesh,
    workload: Workload,
    key: SigningKey,
}

impl World {
    async fn start() -> Result<Self> {
        let key = SigningKey::generate(Algorithm::Es256)?;
        let own = SigningKey::from_jwk(&key.private_jwk()?)?;
        let clients = [("billing-web".to_owned(), "payments:read admin:users".to_owned())];
        let endpoint = TokenEndpoint::new(ISSUER, RESOURCE, own, clients);
        let setting = Setting { service: endpoint.router(), ..Setting::tokens() };
        let mesh = Mesh::start(setting, Transport::Unix, Ok).await?;
        Ok(Self { workload: Workload::with_token(&mesh, "")?, mesh, key })
    }

    fn request(&self) -> Result<RequestBuilder> {
        Ok(self.workload.call(self.mesh.caller()?.post(TOKENS)))
    }

    fn form(&self, body: impl Into<Body>) -> Result<RequestBuilder> {
        Ok(self.request()?.header("content-type", FORM).body(body))
    }

    fn prove(&self, request: RequestBuilder, challenge: &str) -> Result<RequestBuilder> {
        self.workload.prove(&self.mesh, request, "POST", TOKENS, challenge)
    }

    /// What an issued token says, as an independent verifier reads it.
    fn verified(&self, answer: &Answer) -> Result<Value> {
        let issued = answer.json()?;
        let token = issued["access_token"].as_str().ok_or_else(|| format!("no token: {answer:?}"))?;
        let jwk: Jwk = serde_json::from_value(self.key.published_jwk())?;
        let mut validation = Validation::new(JwtAlgorithm::ES256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[RESOURCE]);
        Ok(jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(&jwk)?, &validation)?.claims)
    }
}

#[tokio::test]
async fn a_routine_scope_is_issued_for_the_credential_alone() -> Result<()> {
    let world = World::start().await?;
    let answer = Answer::to(world.form(ROUTINE)?).await?;
    assert_eq!((answer.status, answer.challenge()), (200, None), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let claims = world.verified(&answer)?;
    assert_eq!((&claims["sub"], &claims["scope"]), (&json!("billing-web"), &json!("payments:read")));
    Ok(())
}

#[tokio::test]
async fn an_elevated_scope_is_issued_only_with_proof() -> Result<()> {
    let world = World::start().await?;
    let asked = Answer::to(world.form(ELEVATED)?).await?;
    assert_eq!((asked.status, asked.code().as_str()), (401, "use_attestation_challenge"), "{asked:?}");
    assert_eq!(asked.json()?["scope"], "admin:users");
    assert!(world.mesh.upstream.received().is_empty());
    let line = world.mesh.logged(&asked).await?;
    assert_eq!((&line["privilege_reasons"], &line["rules"]), (&json!(["catalogue"]), &json!(["issuing-privilege"])));

    let challenge = asked.challenge().ok_or("no challenge")?;
    let answer = Answer::to(world.prove(world.form(ELEVATED)?, challenge)?).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.verified(&answer)?["scope"], "admin:users");
    assert_eq!(world.mesh.upstream.last()?.header("x-stepgate-assurance"), Some("bound"));
    Ok(())
}

#[rstest]
#[case::two_fields(FORM, "scope=payments:read&scope=admin:users")]
#[case::two_fields_of_one_value(FORM, "scope=payments:read&scope=payments:read")]
#[case::an_array_beside_it(FORM, "scope=payments:read&scope[]=admin:users")]
#[case::another_case_beside_it(FORM, "scope=payments:read&Scope=admin:users")]
#[case::none(FORM, "grant_type=client_credentials")]
#[case::an_empty_one(FORM, "scope=")]
#[case::a_request_object_beside_it(FORM, "scope=payments:read&request=eyJhbGciOiJub25lIn0..")]
#[case::details_beside_it(FORM, "scope=payments:read&authorization_details=%5B%5D")]
#[case::a_semicolon(FORM, "scope=payments:read;scope=admin:users")]
#[case::json("application/json", r#"{"scope":"payments:read"}"#)]
#[case::multipart(
    "multipart/form-data; boundary=b",
    "--b\r\ncontent-disposition: form-data; name=\"scope\"\r\n\r\npayments:read\r\n--b--"
)]
#[case::another_charset("application/x-www-form-urlencoded; charset=utf-7", "scope=payments:read")]
#[case::text("text/plain", "scope=payments:read")]
#[case::nothing_at_all(FORM, "")]
#[tokio::test]
async fn what_can_not_be_read_plainly_is_asked_for_proof(#[case] kind: &str, #[case] body: &str) -> Result<()> {
    let world = World::start().await?;
    let request = world.request()?.header("content-type", kind).body(body.to_owned());
    expect_unreadable(&world, request).await
}

#[tokio::test]
async fn a_compressed_body_is_asked_for_proof() -> Result<()> {
    let world = World::start().await?;
    // Whether it really is compressed is the server's to find out.
    expect_unreadable(&world, world.form(ROUTINE)?.header("content-encoding", "gzip")).await
}

#[tokio::test]
async fn scopes_in_the_query_too_are_asked_for_proof() -> Result<()> {
    let world = World::start().await?;
    let request = world.mesh.caller()?.post("/oauth2/token?scope=admin:users");
    let request = world.workload.call(request).header("content-type", FORM).body(ROUTINE);
    expect_unreadable(&world, request).await
}

#[tokio::test]
async fn a_body_that_envoy_cuts_is_asked_for_proof() -> Result<()> {
    let world = World::start().await?;
    let long = format!("{ROUTINE}&padding={}&scope=admin:users", "x".repeat(BUFFER));
    expect_unreadable(&world, world.form(long)?).await
}

#[tokio::test]
async fn a_body_of_untold_length_is_read_where_it_is_short() -> Result<()> {
    let world = World::start().await?;
    let answer = Answer::to(world.form(in_pieces(vec![ROUTINE.to_owned()]))?).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.mesh.upstream.last()?.header("transfer-encoding"), Some("chunked"));
    Ok(())
}

/// Envoy sends the first as whole, though it goes on: the buffer was full just then.
#[rstest]
#[case::that_fills_the_buffer(BUFFER)]
#[case::that_could_have_filled_a_smaller_one(TRUSTED_UNTOLD)]
#[tokio::test]
async fn a_body_of_untold_length_is_asked_for_proof(#[case] first: usize) -> Result<()> {
    let world = World::start().await?;
    let start = format!("{ROUTINE}&padding=");
    let padding = "x".repeat(first - start.len());
    let pieces = vec![format!("{start}{padding}"), "&scope=admin:users".to_owned()];
    expect_unreadable(&world, world.form(in_pieces(pieces))?).await
}

/// Proof makes it the endpoint's business, which wants each field once.
#[tokio::test]
async fn what_can_not_be_read_plainly_reaches_the_endpoint_with_proof_only() -> Result<()> {
    let world = World::start().await?;
    let twice = "grant_type=client_credentials&scope=payments:read&scope=admin:users";
    let asked = Answer::to(world.form(twice)?).await?;
    let challenge = asked.challenge().ok_or("no challenge")?;
    let answer = Answer::to(world.prove(world.form(twice)?, challenge)?).await?;
    assert_eq!((answer.status, &answer.json()?["error"]), (400, &json!("invalid_request")), "{answer:?}");
    Ok(())
}

#[rstest]
#[case("/oauth2/tokens")]
#[case("/oauth2/token/more")]
#[case("/OAuth2/Token")]
#[case("/oauth2/token;x")]
#[tokio::test]
async fn nothing_but_the_token_endpoint_is_reached(#[case] path: &str) -> Result<()> {
    let world = World::start().await?;
    let request = world.workload.call(world.mesh.caller()?.post(path));
    let answer = Answer::to(request.header("content-type", FORM).body(ROUTINE)).await?;
    assert_eq!((answer.status, answer.code().as_str()), (403, "unmatched_route"), "{answer:?}");
    assert!(world.mesh.upstream.received().is_empty());
    Ok(())
}

async fn expect_unreadable(world: &World, request: RequestBuilder) -> Result<()> {
    let answer = Answer::to(request).await?;
    assert_eq!((answer.status, answer.code().as_str()), (401, "use_attestation_challenge"), "{answer:?}");
    let line = world.mesh.logged(&answer).await?;
    assert_eq!(line["privilege_reasons"], json!(["unreadable"]), "{line}");
    assert!(world.mesh.upstream.received().is_empty());
    Ok(())
}

/// A body in chunks, of which each is read before the next comes.
fn in_pieces(pieces: Vec<String>) -> Body {
    let (sender, parts) = mpsc::unbounded_channel::<Result<Frame<Bytes>, Infallible>>();
    tokio::spawn(async move {
        for piece in pieces {
            // Whoever was refused after the first piece takes no other.
            let _ = sender.send(Ok(Frame::data(piece.into())));
            sleep(A_MOMENT).await;
        }
    });
    Body::wrap(StreamBody::new(UnboundedReceiverStream::new(parts)))
}
