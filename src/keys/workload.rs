//! The JWT bundles of the SPIFFE Workload API: an agent's Unix socket, over which it tells of every change by itself.

mod bundles;

use super::error::KeyError;
use super::keeper::Keeper;
use bundles::Bundles;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

/// The messages of the one call that is made, as workload.proto defines them.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct JwtBundlesRequest {}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct JwtBundlesResponse {
    /// JWK sets by the SPIFFE ID of the trust domain.
    #[prost(map = "string, bytes", tag = "1")]
    bundles: HashMap<String, Vec<u8>>,
}

const FETCH_JWT_BUNDLES: &str = "/SpiffeWorkloadAPI/FetchJWTBundles";
/// Without it an agent refuses (Workload Endpoint §3): whoever can make this process fetch a URL can't make it send this.
const SECURITY_HEADER: &str = "workload.spiffe.io";
/// Sixty-four trust domains with a dozen keys each.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// To connect, and to hear of the first bundles.
const PATIENCE: Duration = Duration::from_secs(10);
/// While the stream is open, the bundles are what they were.
const CONFIRMED_EVERY: Duration = Duration::from_secs(30);
/// An agent that hangs keeps its socket open and tells nothing; agents in Go take it amiss to be asked more often than
/// every five minutes.
const ASKED_EVERY: Duration = Duration::from_mins(6);
/// An agent that is restarted is back in seconds.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Follows until dropped.
pub(super) async fn follow(socket: PathBuf, mut keeper: Keeper) {
    let mut bundles = Bundles::default();
    loop {
        let lost = match open(&socket).await {
            Ok(stream) => listen(stream, &mut bundles, &mut keeper).await,
            Err(why) => why,
        };
        keeper.fail(&lost);
        keeper.wait_until(Instant::now() + keeper.rest(LONGEST_REST)).await;
    }
}

async fn open(socket: &Path) -> Result<Streaming<JwtBundlesResponse>, KeyError> {
    let opened = timeout(PATIENCE, async {
        let channel = connect(socket).await.map_err(|error| KeyError::Unreachable(super::error::whole(&error)))?;
        ask(channel).await.map_err(|status| refusal(&status))
    });
    opened.await.unwrap_or(Err(KeyError::Slow(PATIENCE)))
}

async fn connect(socket: &Path) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(format!("unix:{}", socket.display()))?;
    let endpoint = endpoint.http2_keep_alive_interval(ASKED_EVERY).keep_alive_timeout(PATIENCE);
    endpoint.connect().await
}

async fn ask(channel: Channel) -> Result<Streaming<JwtBundlesResponse>, Status> {
    let mut client = Grpc::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut request = Request::new(JwtBundlesRequest {});
    request.metadata_mut().insert(SECURITY_HEADER, MetadataValue::from_static("true"));
    let codec = ProstCodec::<JwtBundlesRequest, JwtBundlesResponse>::default();
    let path = PathAndQuery::from_static(FETCH_JWT_BUNDLES);
    client.server_streaming(request, path, codec).await.map(tonic::Response::into_inner)
}

/// Takes what the agent tells, until it tells no more; then why.
async fn listen(mut stream: Streaming<JwtBundlesResponse>, bundles: &mut Bundles, keeper: &mut Keeper) -> KeyError {
    let mut good = false;
    let mut ticks = interval(CONFIRMED_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            told = stream.message() => match told {
                Ok(Some(response)) => {
                    let keys = bundles.take(response.bundles);
                    good = keys.is_ok();
                    keeper.begin();
                    keeper.conclude(keys);
                }
                Ok(None) => return KeyError::Ended,
                Err(status) => return refusal(&status),
            },
            _ = ticks.tick() => if good { keeper.confirm() } else { keeper.check_age() },
        }
    }
}

/// The code is what an agent's answers differ by; its message may hold anything.
fn refusal(status: &Status) -> KeyError {
    KeyError::Agent(format!("{:?}", status.code()))
}
