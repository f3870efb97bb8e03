//! That what was measured is what was meant: the call is allowed, and stepgate remembers its bearer.

use crate::Result;
use crate::server::{Kind, Server};
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use std::io::{Read, Write};
use std::net::TcpStream;
use tokio::runtime::Runtime;
use tonic::transport::Endpoint;

/// One call outside the measurements.
#[derive(Debug)]
pub(crate) struct Probe {
    runtime: Runtime,
    message: CheckRequest,
}

impl Probe {
    pub(crate) fn new(message: CheckRequest) -> Result<Self> {
        Ok(Self { runtime: Runtime::new()?, message })
    }

    /// An error unless the server allows the call.
    pub(crate) fn require_allowed(&self, server: &Server) -> Result<()> {
        let misses = misses(server)?;
        let response = self.runtime.block_on(async {
            let channel = endpoint(&server.address)?.connect().await?;
            let answer = AuthorizationClient::new(channel).check(self.message.clone()).await?;
            Result::Ok(answer.into_inner())
        })?;
        let code = response.status.as_ref().map(|status| status.code);
        if code != Some(0) || !matches!(response.http_response, Some(HttpResponse::OkResponse(_))) {
            return Err(format!("{} doesn't allow the call: {response:?}", server.kind.name()).into());
        }
        if misses != self::misses(server)? {
            return Err("stepgate verified the bearer anew instead of remembering it".into());
        }
        Ok(())
    }
}

fn endpoint(address: &str) -> Result<Endpoint> {
    let uri = if address.starts_with("unix:") { address.to_owned() } else { format!("http://{address}") };
    Ok(Endpoint::new(uri)?)
}

/// The look-ups that found nothing, as stepgate's metrics count them. The no-ops have none.
fn misses(server: &Server) -> Result<Vec<String>> {
    if server.kind != Kind::Stepgate {
        return Ok(Vec::new());
    }
    let mut stream = TcpStream::connect(&server.admin)?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
    let mut metrics = String::new();
    stream.read_to_string(&mut metrics)?;
    let misses = |line: &&str| line.starts_with("stepgate_cache_lookups_total{") && line.contains("\"miss\"");
    let found: Vec<String> = metrics.lines().filter(misses).map(str::to_owned).collect();
    if found.is_empty() { Err("stepgate's metrics don't count look-ups".into()) } else { Ok(found) }
}
