//! A JWK set at a URL: over TLS, within limits of size and time, and from that very host.

use super::error::{KeyError, whole};
use super::follow::Fetch;
use crate::attestation::{KeySet, Thumbprint};
use crate::policy::KeyUrl;
use reqwest::header::{ACCEPT, ETAG, HeaderValue, IF_NONE_MATCH};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, Client, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// Fetches what is there, and passes over what it has seen.
pub(super) struct UrlFetch {
    url: KeyUrl,
    ca: Option<Arc<[u8]>>,
    client: Option<Client>,
    seen: Option<Seen>,
}

/// What tells whether an answer is the last one again.
struct Seen {
    tag: Option<HeaderValue>,
    digest: Thumbprint,
}

/// Sixty-four keys of 8192 bits take less than 200 kB.
const MAX_BYTES: usize = 1024 * 1024;
/// Longer than any server gives out; it is kept and sent back.
const MAX_TAG_BYTES: usize = 1_024;
/// For everything, from the connection to the last byte.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// A provider that moved its keys within its host needs one.
const MAX_REDIRECTS: usize = 3;
const MEDIA_TYPES: &str = "application/jwk-set+json, application/json";

impl UrlFetch {
    pub(super) const fn new(url: KeyUrl, ca: Option<Arc<[u8]>>) -> Self {
        Self { url, ca, client: None, seen: None }
    }

    /// It is made when it is needed: where the system's certificates can't be read, the next look may find them.
    async fn client(&mut self) -> Result<Client, KeyError> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let (loopback, ca) = (self.url.is_loopback(), self.ca.clone());
        let built = tokio::task::spawn_blocking(move || client(loopback, ca.as_deref()));
        let client = built.await.map_err(|error| KeyError::Unreachable(error.to_string()))?;
        let client = client.map_err(|error| KeyError::Unreachable(whole(&error)))?;
        Ok(self.client.insert(client).clone())
    }

    async fn ask(&mut self) -> Result<Response, KeyError> {
        let request = self.client().await?.get(self.url.as_str()).header(ACCEPT, MEDIA_TYPES);
        let request = match self.seen.as_ref().and_then(|seen| seen.tag.as_ref()) {
            Some(tag) => request.header(IF_NONE_MATCH, tag),
            None => request,
        };
        request.send().await.map_err(failure)
    }
}

impl Fetch for UrlFetch {
    async fn fetch(&mut self, known: bool) -> Result<Option<KeySet>, KeyError> {
        if !known {
            self.seen = None;
        }
        let response = self.ask().await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if self.seen.is_some() => return Ok(None),
            status => return Err(KeyError::Status(status.as_u16())),
        }
        let tag = response.headers().get(ETAG).filter(|tag| tag.len() <= MAX_TAG_BYTES).cloned();
        let body = read(response).await?;
        let digest = Thumbprint::of(&body);
        let known = self.seen.as_ref().is_some_and(|seen| seen.digest == digest);
        let keys = if known { None } else { Some(KeySet::parse(&body)?) };
        self.seen = Some(Seen { tag, digest });
        Ok(keys)
    }
}

fn client(loopback: bool, ca: Option<&[u8]>) -> reqwest::Result<Client> {
    let mut builder = Client::builder()
        .user_agent(concat!("stepgate/", env!("CARGO_PKG_VERSION")))
        .timeout(PATIENCE)
        .connect_timeout(CONNECT_PATIENCE)
        .redirect(Policy::custom(|attempt| if stays(&attempt) { attempt.follow() } else { attempt.error(Elsewhere) }))
        // A connection that is needed every few minutes is not worth keeping, and a new one finds a server that moved.
        .pool_max_idle_per_host(0);
    if loopback {
        builder = builder.no_proxy();
    } else {
        builder = builder.https_only(true);
    }
    if let Some(pem) = ca {
        builder = builder.tls_certs_only(Certificate::from_pem_bundle(pem)?);
    }
    builder.build()
}

#[derive(Debug, thiserror::Error)]
#[error("it redirects to another host, or too often")]
struct Elsewhere;

/// Who may answer for the keys is the host that the policy names, and it alone.
fn stays(attempt: &Attempt<'_>) -> bool {
    let (next, before) = (attempt.url(), attempt.previous());
    let same = before.first().is_some_and(|first| {
        first.scheme() == next.scheme()
            && first.host_str() == next.host_str()
            && first.port_or_known_default() == next.port_or_known_default()
    });
    same && before.len() <= MAX_REDIRECTS
}

async fn read(mut response: Response) -> Result<Vec<u8>, KeyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(KeyError::TooLarge(MAX_BYTES));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failure(error: reqwest::Error) -> KeyError {
    if error.is_timeout() {
        return KeyError::Slow(if error.is_connect() { CONNECT_PATIENCE } else { PATIENCE });
    }
    // Whatever stands in the URL is not for the log.
    KeyError::Unreachable(whole(&error.without_url()))
}
