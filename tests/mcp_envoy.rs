//! MCP through the real Envoy and its `mcp` filter: which calls are routine, which are asked for proof, and that a call
//! which hides from the filter is never easier than the hardest tool.
#![allow(clippy::indexing_slicing, reason = "tests")]

mod support;

use reqwest::{Method, RequestBuilder};
use rstest::rstest;
use serde_json::{Value, json};
use std::time::Duration;
use stepgate::mint::{Algorithm, SigningKey};
use support::Result;
use support::answer::Answer;
use support::envoy::Bootstrap;
use support::issuers::{attestation, proof};
use support::mesh::{Caller, HOST, Mesh, Setting, Transport};
use support::upstream::agreeable;
use support::wait::PATIENCE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const MCP: &str = "/mcp";
/// The agent of the policy.
const AGENT: &str = "close-books";
const SCOPES: &str = "ledger:read ledger:write payments:delete tools:other";
const FILTERS: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
/// More than the filter reads, and than `ext_authz` buffers.
const TOO_MUCH: usize = 70_000;
/// `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_payment"}}`, as gzip packs it.
#[rustfmt::skip]
const GZIPPED: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x0d, 0xc9, 0x4b, 0x0a, 0xc0, 0x20, 0x0c, 0x05,
    0xc0, 0xbb, 0xbc, 0xb5, 0xf4, 0xb7, 0xf4, 0x32, 0x25, 0x68, 0xa0, 0x2d, 0x89, 0x11, 0xcd, 0xa6, 0x48, 0xef,
    0x5e, 0x77, 0x03, 0x33, 0xf0, 0x74, 0x2b, 0xad, 0x26, 0x44, 0x1c, 0xcb, 0x86, 0x80, 0x3b, 0x23, 0xee, 0x01,
    0xca, 0x7e, 0xd9, 0x24, 0xdc, 0x4c, 0xfa, 0x9a, 0x48, 0x64, 0x66, 0xa5, 0x46, 0xda, 0x11, 0x07, 0x0a, 0x29,
    0xcf, 0xcd, 0x2c, 0xec, 0x7c, 0x56, 0x7a, 0x95, 0x8b, 0xe3, 0xfb, 0x7e, 0x54, 0x61, 0xdf, 0x7e, 0x51, 0x00,
    0x00, 0x00,
];

/// Enough for each chunk to reach Envoy by itself.
const BETWEEN_CHUNKS: Duration = Duration::from_millis(100);

/// How Envoy is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    /// As the example has it.
    Strict,
    /// What is not seen to be exactly one call is passed on, and the body comes along.
    Passing,
    /// The same without the body: all there is to go by is the filter's word.
    PassingBlind,
    /// The filter does nothing.
    Bypassed,
    /// It reads calls, and `ext_authz` was not told to pass on what it says.
    Untold,
}

struct Stage {
    mesh: Mesh,
    caller: Caller,
    key: SigningKey,
    token: String,
}

impl Filter {
    fn adapt(self, bootstrap: Bootstrap) -> Result<Bootstrap> {
        let setting = |name: &str| format!("{FILTERS}/0/typed_config/{name}");
        match self {
            Self::Strict => Ok(bootstrap),
            Self::Passing => bootstrap.with(&setting("traffic_mode"), json!("PASS_THROUGH")),
            Self::PassingBlind => {
                let passing = Self::Passing.adapt(bootstrap)?;
                passing.with(&format!("{FILTERS}/1/typed_config/with_request_body"), Value::Null)
            }
            Self::Bypassed => bootstrap.with(&setting("traffic_mode"), json!("NOOP")),
            Self::Untold => {
                let passing = Self::Passing.adapt(bootstrap)?;
                passing.with(&format!("{FILTERS}/1/typed_config/metadata_context_namespaces"), json!([]))
            }
        }
    }
}

impl Stage {
    async fn set(filter: Filter) -> Result<Self> {
        Self::set_with(filter, SCOPES).await
    }

    async fn set_with(filter: Filter, scopes: &str) -> Result<Self> {
        let (policy, bootstrap) = ("examples/agents/policy.yaml", "examples/mcp/envoy.yaml");
        let setting = Setting { policy, bootstrap, service: agreeable() };
        let mesh = Mesh::start(setting, Transport::Unix, |bootstrap| filter.adapt(bootstrap)).await?;
        let token = mesh.issuers.bearer(AGENT, scopes)?;
        Ok(Self { caller: mesh.caller()?, key: SigningKey::generate(Algorithm::Es256)?, mesh, token })
    }

    fn request(&self, method: Method) -> RequestBuilder {
        let request = self.caller.request(method, MCP).bearer_auth(&self.token);
        request.header("accept", "application/json, text/event-stream")
    }

    /// A message as MCP clients send it.
    fn post(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.request(Method::POST).header("content-type", "application/json").body(body)
    }

    /// The call passes without proof, by this route.
    async fn passes(&self, call: RequestBuilder, route: &str) -> Result<()> {
        let answer = Answer::to(call).await?;
        assert_eq!(answer.status, 200, "{answer:?}");
        let received = self.mesh.upstream.last()?;
        assert_eq!(received.header("x-stepgate-decision"), Some("allowed"));
        assert_eq!(received.header("x-stepgate-route"), Some(route));
        Ok(())
    }

    /// The call is asked for what agents are asked for that destroy; gives the challenge.
    async fn is_challenged(&self, call: RequestBuilder) -> Result<String> {
        let before = self.mesh.upstream.received().len();
        let answer = Answer::to(call).await?;
        assert_eq!((answer.status, answer.code().as_str()), (401, "use_attestation_challenge"), "{answer:?}");
        let problem = answer.json()?;
        assert_eq!((&problem["assurance"], &problem["route"]), (&json!("bound"), &json!("tools-delete")), "{problem}");
        assert_eq!(self.mesh.upstream.received().len(), before);
        Ok(answer.challenge().ok_or("no challenge")?.to_owned())
    }

    /// Envoy answers the call with 400 itself, and asks nobody.
    async fn is_refused_by_envoy(&self, call: RequestBuilder) -> Result<()> {
        let (asked, before) = (self.decisions().await?, self.mesh.upstream.received().len());
        let answer = Answer::to(call).await?;
        assert_eq!((answer.status, answer.code().as_str()), (400, ""), "{answer:?}");
        assert_eq!((self.decisions().await?, self.mesh.upstream.received().len()), (asked, before));
        Ok(())
    }

    /// The start of the answer to a message whose chunks arrive one after the other.
    async fn in_chunks(&self, chunks: &[String]) -> Result<String> {
        let mut stream = TcpStream::connect(self.mesh.envoy.address).await?;
        let head = format!(
            "POST {MCP} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
            accept: application/json, text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
            self.token
        );
        stream.write_all(head.as_bytes()).await?;
        for chunk in chunks {
            stream.write_all(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes()).await?;
            sleep(BETWEEN_CHUNKS).await;
        }
        stream.write_all(b"0\r\n\r\n").await?;
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await??;
        Ok(answer.lines().next().unwrap_or_default().to_owned())
    }

    async fn decisions(&self) -> Result<u64> {
        self.mesh.stepgate.count("stepgate_decisions_total", &[]).await
    }

    /// The call with an attestation for that task, and a proof that answers the challenge.
    fn proven(&self, call: RequestBuilder, challenge: &str, task: &str) -> Result<RequestBuilder> {
        let attestation = attestation(AGENT, self.key.public()).claim("txn", task).sign(&self.mesh.issuers.attester)?;
        let proof = proof(&self.key, "POST", MCP, Some(&self.token), Some(challenge))?;
        Ok(call.header("OAuth-Client-Attestation", attestation).header("DPoP", proof))
    }
}

fn message(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

fn tool(name: &str) -> String {
    message("tools/call", &json!({ "name": name, "arguments": { "id": 8811 } }))
}

/// A deletion, of whatever length.
fn long_deletion(length: usize) -> String {
    message("tools/call", &json!({ "name": "delete_payment", "arguments": { "why": "x".repeat(length) } }))
}

/// A routine call on its face; whatever it is to the server, it is not one that the filter or stepgate can tell.
fn in_disguise(stage: &Stage) -> Vec<(&'static str, RequestBuilder)> {
    let read = || stage.post(tool("read_ledger"));
    let raw =
        |params: &str| stage.post(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#));
    vec![
        ("Name beside name", raw(r#"{"name":"read_ledger","Name":"delete_payment"}"#)),
        ("Params beside params", stage.post(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_ledger"},"Params":{"name":"delete_payment"}}"#,
        )),
        ("a response that is a call", stage.post(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","result":{},"params":{"name":"delete_payment"}}"#,
        )),
        ("mcp-name of another tool", read().header("mcp-name", "delete_payment")),
        ("mcp-method of another method", read().header("mcp-method", "tools/list")),
        ("content-encoding", read().header("content-encoding", "gzip")),
        ("a charset", in_charset(stage, "utf-7")),
        ("a name that ends in a NUL", raw(r#"{"name":"read_ledger\u0000"}"#)),
        ("a name with a blank", raw(r#"{"name":"read_ledger "}"#)),
        ("a name that is no text", raw(r#"{"name":{"a":"read_ledger"}}"#)),
        ("no name", raw("{}")),
    ]
}

/// The filter reads UTF-8 whatever it says.
fn in_charset(stage: &Stage, charset: &str) -> RequestBuilder {
    let request = stage.request(Method::POST).header("content-type", format!("application/json; charset={charset}"));
    request.body(tool("read_ledger"))
}

/// What the filter sees to be no single call.
fn out_of_form(stage: &Stage) -> Vec<(&'static str, RequestBuilder)> {
    let batch =
        |tools: &[&str]| stage.post(format!("[{}]", tools.iter().map(|name| tool(name)).collect::<Vec<_>>().join(",")));
    vec![
        ("a batch of one", batch(&["delete_payment"])),
        ("a batch of two", batch(&["read_ledger", "delete_payment"])),
        ("gzip", stage.post(GZIPPED).header("content-encoding", "gzip")),
        ("two names", stage.post(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_payment","name":"read_ledger"}}"#,
        )),
        ("two params", stage.post(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_payment"},"params":{"name":"read_ledger"}}"#,
        )),
        ("an escaped second name", stage.post(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"n\u0061me":"delete_payment","name":"read_ledger"}}"#,
        )),
        ("a second call behind it", stage.post(tool("read_ledger") + &tool("delete_payment"))),
        ("no JSON-RPC", stage.post(r#"{"id":1,"method":"tools/call","params":{"name":"delete_payment"}}"#)),
        ("another content type", stage.request(Method::POST).header("content-type", "text/plain").body(tool("delete_payment"))),
        ("cut", stage.post(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_ledger""#)),
    ]
}

#[tokio::test]
async fn what_reads_is_routine_and_what_opens_a_session_too() -> Result<()> {
    let stage = Stage::set(Filter::Strict).await?;
    for (name, route) in [("read_ledger", "tools-read"), ("list_payments", "tools-read"), ("write_note", "tools-write")]
    {
        stage.passes(stage.post(tool(name)), route).await?;
    }
    for method in ["initialize", "tools/list", "prompts/list", "ping"] {
        stage.passes(stage.post(message(method, &json!({}))), "mcp-session").await?;
    }
    stage.passes(in_charset(&stage, "utf-8"), "tools-read").await?;
    let notification = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    stage.passes(stage.post(notification), "mcp-session").await?;
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}"#;
    stage.passes(stage.post(response), "mcp-session").await
}

/// The routes of tools take POST: a stream calls nothing.
#[tokio::test]
async fn a_stream_and_the_end_of_a_session_are_not_asked_for_proof() -> Result<()> {
    let stage = Stage::set(Filter::Strict).await?;
    let stream = stage.caller.get(MCP).bearer_auth(&stage.token).header("accept", "text/event-stream");
    stage.passes(stream, "mcp-session").await?;
    stage.passes(stage.request(Method::DELETE).header("mcp-session-id", "1"), "mcp-session").await
}

#[tokio::test]
async fn a_deletion_is_challenged_and_passes_with_an_attestation_and_a_proof() -> Result<()> {
    let stage = Stage::set(Filter::Strict).await?;
    let deletion = || stage.post(tool("delete_payment"));
    let challenge = stage.is_challenged(deletion()).await?;
    let proven = stage.proven(deletion(), &challenge, "run-1")?;
    let replay = proven.try_clone().ok_or("the call has a stream")?;

    let answer = Answer::to(proven).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    let received = stage.mesh.upstream.last()?;
    let told = |name| received.header(name).unwrap_or_default();
    assert_eq!(told("x-stepgate-decision"), "verified");
    assert_eq!(told("x-stepgate-route"), "tools-delete");
    assert_eq!(told("x-stepgate-assurance"), "bound");
    assert_eq!(told("x-stepgate-task"), "run-1");

    let replayed = Answer::to(replay).await?;
    assert_eq!((replayed.status, replayed.code().as_str()), (401, "invalid_dpop_proof"), "{replayed:?}");
    Ok(())
}

/// A tool that nobody thought of is asked for as much as everybody is.
#[tokio::test]
async fn an_unknown_tool_is_no_routine() -> Result<()> {
    let stage = Stage::set(Filter::Strict).await?;
    for name in ["drop_table", "READ_ledger", "xread_ledger", "readledger"] {
        let answer = Answer::to(stage.post(tool(name))).await?;
        let problem = answer.json()?;
        assert_eq!((answer.status, &problem["route"]), (401, &json!("tools-other")), "{name}: {problem}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_single_call_is_refused_by_the_envoy_of_the_example() -> Result<()> {
    let stage = Stage::set(Filter::Strict).await?;
    for (what, call) in out_of_form(&stage) {
        stage.is_refused_by_envoy(call).await.map_err(|why| format!("{what}: {why}"))?;
    }
    stage.is_refused_by_envoy(stage.post(long_deletion(TOO_MUCH))).await
}

#[tokio::test]
async fn what_only_the_body_and_the_headers_show_is_judged_as_the_hardest_tool() -> Result<()> {
    let stage = Stage::set(Filter::Strict).await?;
    for (what, call) in in_disguise(&stage) {
        stage.is_challenged(call).await.map_err(|why| format!("{what}: {why}"))?;
    }
    Ok(())
}

/// The filter looks at what it needs to see a call, and says nothing of what follows.
#[tokio::test]
async fn a_call_behind_the_call_is_seen_though_it_comes_later() -> Result<()> {
    let stage = Stage::set(Filter::Strict).await?;
    let read = tool("read_ledger");
    let (start, rest) = read.split_at(20);
    let whole = stage.in_chunks(&[start.to_owned(), rest.to_owned()]).await?;
    assert_eq!(whole, "HTTP/1.1 200 OK");
    let before = stage.mesh.upstream.received().len();
    let trailed = stage.in_chunks(&[read, tool("delete_payment")]).await?;
    assert_eq!(trailed, "HTTP/1.1 401 Unauthorized");
    assert_eq!(stage.mesh.upstream.received().len(), before);
    Ok(())
}

/// A stream calls nothing, unless the server takes it for the POST that a header speaks of.
#[tokio::test]
async fn a_stream_that_may_be_a_call_is_challenged() -> Result<()> {
    let stage = Stage::set(Filter::Strict).await?;
    for name in ["x-http-method", "x-method-override"] {
        let stream = stage.caller.get(MCP).bearer_auth(&stage.token).header("accept", "text/event-stream");
        stage.is_challenged(stream.header(name, "POST").body(tool("delete_payment"))).await?;
    }
    Ok(())
}

/// Whatever Envoy lets through, and whoever of the two reads it.
#[rstest]
#[tokio::test]
async fn what_is_no_single_call_is_judged_as_the_hardest_tool_where_envoy_lets_it_through(
    #[values(Filter::Passing, Filter::PassingBlind, Filter::Bypassed, Filter::Untold)] filter: Filter,
) -> Result<()> {
    let stage = Stage::set(filter).await?;
    for (what, call) in out_of_form(&stage) {
        stage.is_challenged(call).await.map_err(|why| format!("{what}: {why}"))?;
    }
    let long = stage.post(long_deletion(TOO_MUCH));
    if filter == Filter::Bypassed {
        // `ext_authz` would have to buffer all of it.
        let answer = Answer::to(long).await?;
        assert_eq!(answer.status, 413, "{answer:?}");
        return Ok(());
    }
    stage.is_challenged(long).await.map(drop)
}

#[rstest]
#[case(Filter::Bypassed)]
#[case(Filter::Untold)]
#[tokio::test]
async fn a_call_that_no_filter_saw_could_be_any(#[case] filter: Filter) -> Result<()> {
    let stage = Stage::set(filter).await?;
    for call in [tool("read_ledger"), tool("delete_payment"), message("initialize", &json!({}))] {
        stage.is_challenged(stage.post(call)).await?;
    }
    // It never could be a tool's.
    let stream = stage.caller.get(MCP).bearer_auth(&stage.token).header("accept", "text/event-stream");
    stage.passes(stream, "mcp-session").await
}

/// A token for the tools that read is no use for a call that may be another.
#[tokio::test]
async fn a_token_must_grant_what_an_unclear_call_may_need() -> Result<()> {
    let stage = Stage::set_with(Filter::Strict, "ledger:read").await?;
    stage.passes(stage.post(tool("read_ledger")), "tools-read").await?;
    for (what, call) in in_disguise(&stage) {
        let answer = Answer::to(call).await?;
        assert_eq!((answer.status, answer.code().as_str()), (403, "insufficient_scope"), "{what}: {answer:?}");
    }
    Ok(())
}

/// An unclear call can be proven too: it is judged, not refused.
#[tokio::test]
async fn an_unclear_call_passes_with_a_proof() -> Result<()> {
    let stage = Stage::set(Filter::Passing).await?;
    let batch = || stage.post(format!("[{},{}]", tool("read_ledger"), tool("delete_payment")));
    let challenge = stage.is_challenged(batch()).await?;
    let answer = Answer::to(stage.proven(batch(), &challenge, "run-2")?).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Ok(())
}

/// Envoy's override for this path: no filter and no route of MCP stands before it.
#[tokio::test]
async fn a_challenge_can_be_fetched_ahead() -> Result<()> {
    let stage = Stage::set(Filter::Strict).await?;
    let fetched = Answer::to(stage.caller.post("/.well-known/stepgate/challenge").bearer_auth(&stage.token)).await?;
    assert_eq!(fetched.status, 200, "{fetched:?}");
    let challenge = fetched.json()?["attestation_challenge"].as_str().ok_or("no challenge")?.to_owned();
    let answer = Answer::to(stage.proven(stage.post(tool("delete_payment")), &challenge, "run-3")?).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Ok(())
}
