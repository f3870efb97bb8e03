//! A small OAuth token endpoint behind stepgate (RFC 6749 §4.4, `client_credentials`).
//!
//! Who asks, and that it proved itself where the scope wants proof, is settled before a request comes here: Envoy and
//! stepgate are the only way to it, and `x-stepgate-principal` is stepgate's word. What is left is the endpoint's own
//! business: whether this client may have that scope at all.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use stepgate::clock::{Clock, SystemClock};
use stepgate::mint::{Jwt, MintError, SigningKey, random_id};

/// Short: whoever still needs the scope asks again, and proves itself again.
const TTL_SECONDS: u64 = 300;
const CALLER: &str = "x-stepgate-principal";

#[derive(Debug)]
pub struct TokenEndpoint {
    issuer: String,
    audience: String,
    key: SigningKey,
    /// The scopes that each client may have.
    clients: HashMap<String, Vec<String>>,
}

/// What is asked for. Other parameters are passed over (RFC 6749 §3.2); one that stands twice is an error.
#[derive(Debug, Deserialize)]
struct Request {
    grant_type: String,
    #[serde(default)]
    scope: String,
}

#[derive(Debug, Serialize)]
struct Issued {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
}

/// The errors of RFC 6749 §5.2, and that of a key that can't sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    InvalidClient,
    InvalidRequest,
    InvalidScope,
    UnsupportedGrantType,
    ServerError,
}

impl TokenEndpoint {
    /// `clients` are names with the scopes that each may have, as a list with blanks between them.
    pub fn new(
        issuer: &str,
        audience: &str,
        key: SigningKey,
        clients: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let clients = clients.into_iter().map(|(name, scopes)| (name, words(&scopes)));
        Self { issuer: issuer.to_owned(), audience: audience.to_owned(), key, clients: clients.collect() }
    }

    pub fn router(self) -> Router {
        Router::new().route("/oauth2/token", post(issue)).with_state(Arc::new(self))
    }

    /// A token for this client with the scopes that it asks for, all of them or none.
    fn grant(&self, client: &str, request: &Request) -> Result<Issued, Refusal> {
        let allowed = self.clients.get(client).ok_or(Refusal::InvalidClient)?;
        if request.grant_type != "client_credentials" {
            return Err(Refusal::UnsupportedGrantType);
        }
        let asked = words(&request.scope);
        if asked.is_empty() || !asked.iter().all(|scope| allowed.contains(scope)) {
            return Err(Refusal::InvalidScope);
        }
        let scope = asked.join(" ");
        let access_token = self.mint(client, &scope).map_err(|_| Refusal::ServerError)?;
        Ok(Issued { access_token, token_type: "Bearer", expires_in: TTL_SECONDS, scope })
    }

    /// RFC 9068.
    fn mint(&self, client: &str, scope: &str) -> Result<String, MintError> {
        let jwt = Jwt::bearer(client).claim("iss", self.issuer.as_str()).claim("aud", self.audience.as_str());
        let jwt = jwt.claim("client_id", client).claim("scope", scope).claim("jti", random_id()?);
        jwt.issued(SystemClock.now().as_secs(), TTL_SECONDS).sign(&self.key)
    }
}

async fn issue(
    State(endpoint): State<Arc<TokenEndpoint>>,
    headers: HeaderMap,
    form: Result<Form<Request>, FormRejection>,
) -> Result<impl IntoResponse, Refusal> {
    let client = headers.get(CALLER).and_then(|name| name.to_str().ok()).ok_or(Refusal::InvalidClient)?;
    let Form(request) = form.map_err(|_| Refusal::InvalidRequest)?;
    let issued = endpoint.grant(client, &request)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(issued)))
}

impl Refusal {
    const fn code(self) -> &'static str {
        match self {
            Self::InvalidClient => "invalid_client",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::ServerError => "server_error",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.code() }));
        (self.status(), [(header::CACHE_CONTROL, "no-store")], body).into_response()
    }
}

fn words(scopes: &str) -> Vec<String> {
    scopes.split_ascii_whitespace().map(str::to_owned).collect()
}
