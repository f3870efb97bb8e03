//! That what was measured is what was meant: the call is allowed, and stepgate remembers its bearer.

use crate::Result;
use crate::server::{Kind, Server};
use crate::workload::Workload;
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
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
        let response = self.ask(server, self.message.clone())?;
        let code = response.status.as_ref().map(|status| status.code);
        if code != Some(0) || !matches!(response.http_response, Some(HttpResponse::OkResponse(_))) {
            return Err(format!("{} doesn't allow the call: {response:?}", server.kind.name()).into());
        }
        if misses != self::misses(server)? {
            return Err("stepgate verified the bearer anew instead of remembering it".into());
        }
        Ok(())
    }

    /// A challenge for the workload.
    pub(crate) fn challenge(&self, server: &Server, workload: &Workload) -> Result<String> {
        let response = self.ask(server, workload.asks())?;
        let Some(HttpResponse::DeniedResponse(answer)) = &response.http_response else {
            return Err(format!("no challenge: {response:?}").into());
        };
        let headers = answer.headers.iter().filter_map(|option| option.header.as_ref());
        let challenge = headers.filter(|header| header.key == "dpop-nonce").map(|header| header.value.clone()).next();
        challenge.ok_or_else(|| format!("no challenge: {response:?}").into())
    }

    fn ask(&self, server: &Server, message: CheckRequest) -> Result<CheckResponse> {
        self.runtime.block_on(async {
            let channel = endpoint(&server.address)?.connect().await?;
            Ok(AuthorizationClient::new(channel).check(message).await?.into_inner())
        })
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
