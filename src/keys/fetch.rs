//! A JWK set at a URL: over TLS, within limits of size and time, and from that very host.

use super::error::{KeyError, whole};
use super::follow::{Fetch, Fetched};
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
    async fn fetch(&mut self, known: bool) -> Fetched {
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::HeaderMap;
    use axum::response::{IntoResponse, Redirect};
    use axum::routing::get;
    use rstest::rstest;
    use std::net::SocketAddr;
    use tokio::net::TcpListener;

    const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn set() -> String {
        format!(r#"{{"keys":[{KEY}]}}"#)
    }

    async fn serve(routes: Router) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    fn fetch(address: SocketAddr, path: &str) -> UrlFetch {
        UrlFetch::new(KeyUrl::parse(&format!("http://{address}{path}")).unwrap(), None)
    }

    #[tokio::test]
    async fn what_was_seen_is_not_read_again() {
        let tagged = async |headers: HeaderMap| {
            if headers.get(IF_NONE_MATCH).is_some_and(|tag| tag == "\"1\"") {
                return StatusCode::NOT_MODIFIED.into_response();
            }
            ([(ETAG, "\"1\"")], set()).into_response()
        };
        let routes = Router::new().route("/tagged", get(tagged)).route("/plain", get(async || set()));
        let address = serve(routes).await;
        for path in ["/tagged", "/plain"] {
            let mut fetch = fetch(address, path);
            assert!(fetch.fetch(false).await.unwrap().is_some(), "{path}");
            assert!(fetch.fetch(true).await.unwrap().is_none(), "{path}");
            // Who has lost what it saw must not be told that it is unchanged.
            assert!(fetch.fetch(false).await.unwrap().is_some(), "{path}");
        }
    }

    #[tokio::test]
    async fn unchanged_means_nothing_to_who_never_saw_it() {
        let address = serve(Router::new().route("/", get(async || StatusCode::NOT_MODIFIED))).await;
        assert!(matches!(fetch(address, "/").fetch(true).await, Err(KeyError::Status(304))));
    }

    /// A set that is refused is not what is asked for from then on.
    #[tokio::test]
    async fn a_refused_set_does_not_become_the_one_that_was_seen() {
        let answer = async |headers: HeaderMap| {
            let again = headers.contains_key(IF_NONE_MATCH);
            ([(ETAG, "\"1\"")], if again { "[]" } else { "{}" })
        };
        let address = serve(Router::new().route("/", get(answer))).await;
        let mut fetch = fetch(address, "/");
        for _ in 0..2 {
            assert!(matches!(fetch.fetch(true).await, Err(KeyError::Content(_))));
            assert!(fetch.seen.is_none());
        }
    }

    #[rstest]
    #[case("not json".to_owned())]
    #[case(String::new())]
    #[case(r#"{"keys":[]}"#.to_owned())]
    #[case(format!(r#"{{"keys":[{}]}}"#, KEY.replace("\"x\"", "\"d\":\"AA\",\"x\"")))]
    #[case(r#"{"keys":[{"kty":"RSA","n":"sXchDaQebHnPiGvy","e":"AQAB"}]}"#.to_owned())]
    #[case(r#"{"keys":[{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}]}"#.to_owned())]
    #[case("{".repeat(MAX_BYTES + 1))]
    #[tokio::test]
    async fn what_is_no_good_set_is_refused(#[case] body: String) {
        let address = serve(Router::new().route("/", get(async || body))).await;
        assert!(fetch(address, "/").fetch(false).await.unwrap_err().is_refusal());
    }

    #[rstest]
    #[case(StatusCode::NO_CONTENT)]
    #[case(StatusCode::NOT_FOUND)]
    #[case(StatusCode::INTERNAL_SERVER_ERROR)]
    #[case(StatusCode::NON_AUTHORITATIVE_INFORMATION)]
    #[tokio::test]
    async fn any_other_status_is_no_answer(#[case] status: StatusCode) {
        let address = serve(Router::new().route("/", get(async move || (status, set())))).await;
        assert!(
            matches!(fetch(address, "/").fetch(false).await, Err(KeyError::Status(code)) if code == status.as_u16())
        );
    }

    #[tokio::test]
    async fn a_redirect_is_followed_within_its_host_only() {
        let other = serve(Router::new().route("/jwks", get(async || set()))).await;
        let elsewhere = format!("http://{other}/jwks");
        let tls = format!("https://{other}/jwks");
        let by_name = format!("http://localhost:{}/jwks", other.port());
        let to = |target: String| get(async move || Redirect::temporary(&target));
        let routes = Router::new()
            .route("/here", to("/jwks".to_owned()))
            .route("/there", to(elsewhere))
            .route("/tls", to(tls))
            .route("/named", to(by_name))
            .route("/round", to("/round".to_owned()))
            .route("/jwks", get(async || set()));
        let address = serve(routes).await;
        assert!(fetch(address, "/here").fetch(false).await.unwrap().is_some());
        for path in ["/there", "/tls", "/named", "/round"] {
            let error = fetch(address, path).fetch(false).await.unwrap_err();
            assert!(error.to_string().contains("redirects"), "{path}: {error}");
        }
    }

    #[tokio::test]
    async fn an_error_tells_nothing_of_what_stands_in_the_url() {
        let mut fetch = UrlFetch::new(KeyUrl::parse("http://127.0.0.1:1/jwks?key=secret").unwrap(), None);
        let error = fetch.fetch(false).await.unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
