//! Stand-ins for the platforms that sign what workloads show: each is asked as the real one is, and signs what that would.
//!
//! They vouch for one workload, that of `../profiles/policy.yaml`, and take its word for everything: what a real platform
//! finds out by itself stands in the query here (`/github?ref=refs/heads/fix`), so that tests can have it find something
//! else. Nothing for production.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::{fs, io};
use stepgate::clock::{Clock, SystemClock};
use stepgate::mint::{Algorithm, Jwt, MintError, PublicJwk, SigningKey, jwks};

/// As the policy calls them, each with what it signs with and its `iss`.
const SIGNERS: [(&str, Algorithm, &str); 8] = [
    ("attester", Algorithm::Es256, "https://attest.example.com"),
    ("wimse", Algorithm::Es256, "https://wimse.example.org"),
    ("github", Algorithm::Rs256, "https://token.actions.githubusercontent.com"),
    ("cluster", Algorithm::Rs256, "https://kubernetes.default.svc.cluster.local"),
    ("google", Algorithm::Rs256, "https://accounts.google.com"),
    ("spire", Algorithm::Es256, "https://spire.example.org"),
    ("edge", Algorithm::Es256, "https://edge.example.com"),
    ("verifier", Algorithm::Es256, "https://verifier.example.com"),
];
/// How each calls the workload.
const SPIFFE_ID: &str = "spiffe://example.org/ns/billing/sa/web";
const GOOGLE_ACCOUNT: &str = "104857600000000000001";
/// Whom the signer of a statement expects to see it, where nobody asks for anyone else.
const AUDIENCE: &str = "stepgate";
const TTL_SECONDS: u64 = 300;

#[derive(Debug)]
pub struct Platforms {
    signers: BTreeMap<&'static str, SigningKey>,
    /// What the platforms know the workload by.
    credential: String,
}

/// What a workload asks for that has a key or a certificate of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    jwk: Option<Value>,
    #[serde(rename = "x5t#S256")]
    certificate: Option<String>,
    nonce: Option<String>,
    task: Option<String>,
    scope: Option<String>,
}

type Parameters = Query<BTreeMap<String, String>>;
type Answer<T> = Result<T, (StatusCode, &'static str)>;

impl Platforms {
    /// With new keys.
    pub fn new(credential: &str) -> Result<Self, MintError> {
        let signer = |(name, algorithm, _)| Ok((name, SigningKey::generate(algorithm)?));
        let signers = SIGNERS.into_iter().map(signer).collect::<Result<_, MintError>>()?;
        Ok(Self { signers, credential: credential.to_owned() })
    }

    /// With this attester's key, which the policy knows already.
    #[must_use]
    pub fn with_attester(mut self, key: SigningKey) -> Self {
        self.signers.insert("attester", key);
        self
    }

    /// Writes the key sets that the policy names.
    pub fn write_jwks(&self, dir: &std::path::Path) -> io::Result<()> {
        let write = |(name, key)| fs::write(dir.join(format!("{name}.jwks.json")), jwks([key]).to_string());
        self.signers.iter().try_for_each(write)
    }

    pub fn router(self) -> Router {
        Router::new()
            .route("/attester", post(client_attestation))
            .route("/wimse", post(workload_identity_token))
            .route("/github", get(github))
            .route("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", post(token_request))
            .route("/google", get(google))
            .route("/spire", get(spire))
            .route("/edge", post(edge))
            .route("/verifier", post(verifier))
            .with_state(Arc::new(self))
    }

    fn sign(&self, name: &str, jwt: Jwt) -> Answer<String> {
        let now = SystemClock.now().as_secs();
        let issuer = SIGNERS.into_iter().find(|(own, ..)| *own == name).map(|(.., issuer)| issuer);
        let failed = (StatusCode::INTERNAL_SERVER_ERROR, "can't sign");
        let (issuer, key) = issuer.zip(self.signers.get(name)).ok_or(failed)?;
        jwt.claim("iss", issuer).issued(now, TTL_SECONDS).sign(key).map_err(|_| failed)
    }

    fn known(&self, headers: &HeaderMap) -> Answer<()> {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if shown == Some(&self.credential) { Ok(()) } else { Err((StatusCode::UNAUTHORIZED, "no such workload")) }
    }
}

/// An attestation of the key that a process made for itself (draft-ietf-oauth-attestation-based-client-auth).
async fn client_attestation(
    State(platforms): State<Arc<Platforms>>,
    headers: HeaderMap,
    Json(asked): Json<Asked>,
) -> Answer<Json<Value>> {
    platforms.known(&headers)?;
    let jwt = Jwt::attestation("billing-web", &asked.key()?);
    Ok(attestation(&platforms.sign("attester", asked.intent(jwt))?))
}

/// draft-ietf-wimse-workload-creds §3.1: the key says by which algorithm it proves.
async fn workload_identity_token(
    State(platforms): State<Arc<Platforms>>,
    headers: HeaderMap,
    Json(asked): Json<Asked>,
) -> Answer<Json<Value>> {
    platforms.known(&headers)?;
    Ok(attestation(&platforms.sign("wimse", asked.intent(Jwt::wit(SPIFFE_ID, &asked.key()?)))?))
}

/// What a job gets at `ACTIONS_ID_TOKEN_REQUEST_URL`.
async fn github(
    State(platforms): State<Arc<Platforms>>,
    headers: HeaderMap,
    Query(found): Parameters,
) -> Answer<Json<Value>> {
    platforms.known(&headers)?;
    let claims = [
        ("aud", "https://github.com/acme"),
        ("sub", "repo:acme/shop:environment:production"),
        ("repository", "acme/shop"),
        ("ref", "refs/heads/main"),
        ("environment", "production"),
    ];
    let jwt = claims.into_iter().fold(Jwt::new("JWT"), |jwt, (name, value)| jwt.claim(name, value));
    Ok(Json(json!({ "value": platforms.sign("github", with_found(jwt, found))? })))
}

/// A `TokenRequest` of the Kubernetes API.
async fn token_request(
    State(platforms): State<Arc<Platforms>>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Answer<Json<Value>> {
    platforms.known(&headers)?;
    let audiences = asked.pointer("/spec/audiences").cloned().unwrap_or_else(|| json!([]));
    let jwt = Jwt::new("JWT")
        .claim("sub", format!("system:serviceaccount:{namespace}:{name}"))
        .claim("aud", audiences)
        .claim("kubernetes.io", json!({ "namespace": namespace, "serviceaccount": { "name": name } }));
    let token = platforms.sign("cluster", jwt)?;
    Ok(Json(json!({ "kind": "TokenRequest", "status": { "token": token } })))
}

/// What a machine gets of its metadata server, with `format=full`.
async fn google(
    State(platforms): State<Arc<Platforms>>,
    headers: HeaderMap,
    Query(found): Parameters,
) -> Answer<String> {
    if headers.get("metadata-flavor").is_none_or(|flavor| flavor != "Google") {
        return Err((StatusCode::FORBIDDEN, "say `Metadata-Flavor: Google`"));
    }
    let engine = json!({ "compute_engine": { "project_id": "acme-billing", "zone": "europe-west3-a" } });
    let jwt = Jwt::new("JWT").claim("sub", GOOGLE_ACCOUNT).claim("google", engine);
    platforms.sign("google", with_found(jwt, found))
}

/// A JWT-SVID, as an agent gives it to whom it knows by its process.
async fn spire(State(platforms): State<Arc<Platforms>>, Query(found): Parameters) -> Answer<String> {
    platforms.sign("spire", with_found(Jwt::new("JWT").claim("sub", SPIFFE_ID), found))
}

/// Whoever vouches for the holder of a certificate (RFC 8705 §3.1).
async fn edge(
    State(platforms): State<Arc<Platforms>>,
    headers: HeaderMap,
    Json(asked): Json<Asked>,
) -> Answer<Json<Value>> {
    platforms.known(&headers)?;
    let certificate = asked.certificate.as_deref().ok_or((StatusCode::BAD_REQUEST, "no certificate"))?;
    let jwt = Jwt::new("JWT").claim("sub", SPIFFE_ID).claim("aud", AUDIENCE);
    let jwt = jwt.claim("cnf", json!({ "x5t#S256": certificate }));
    Ok(attestation(&platforms.sign("edge", asked.intent(asked.challenge("nonce", jwt)))?))
}

/// A verifier that was shown evidence, and a key that was made where the evidence comes from.
async fn verifier(
    State(platforms): State<Arc<Platforms>>,
    headers: HeaderMap,
    Query(found): Parameters,
    Json(asked): Json<Asked>,
) -> Answer<Json<Value>> {
    platforms.known(&headers)?;
    let status = found.get("status").map_or("affirming", String::as_str);
    let appraisal = |status: &str| json!({ "ear.status": status, "ear.appraisal-policy-id": "policy:billing" });
    let jwt = Jwt::results(true)
        .claim("submods", json!({ "platform": appraisal("affirming"), "workload": appraisal(status) }))
        .claim("sub", SPIFFE_ID)
        .claim("aud", AUDIENCE)
        .claim("cnf", json!({ "jwk": asked.key()? }));
    Ok(attestation(&platforms.sign("verifier", asked.challenge("eat_nonce", jwt))?))
}

fn attestation(token: &str) -> Json<Value> {
    Json(json!({ "attestation": token, "expires_in": TTL_SECONDS }))
}

/// What the query says, in the place of what is true of the workload.
fn with_found(jwt: Jwt, found: BTreeMap<String, String>) -> Jwt {
    let claims =
        found.into_iter().map(|(name, value)| (if name == "audience" { "aud".to_owned() } else { name }, value));
    claims.fold(jwt, |jwt, (name, value)| jwt.claim(&name, value))
}

impl Asked {
    /// The workload's key, public; who sends a private one has given it away.
    fn key(&self) -> Answer<PublicJwk> {
        let refused = |why| (StatusCode::BAD_REQUEST, why);
        let jwk = self.jwk.as_ref().filter(|jwk| jwk.get("d").is_none()).ok_or(refused("no public key"))?;
        PublicJwk::parse(jwk).map_err(|_| refused("not a public JWK"))
    }

    fn challenge(&self, claim: &str, jwt: Jwt) -> Jwt {
        self.nonce.iter().fold(jwt, |jwt, nonce| jwt.claim(claim, nonce.as_str()))
    }

    /// What the workload says it is about to do. A real platform would ask whoever runs it whether that is so.
    fn intent(&self, jwt: Jwt) -> Jwt {
        let jwt = self.task.iter().fold(jwt, |jwt, task| jwt.claim("txn", task.as_str()));
        self.scope.iter().fold(jwt, |jwt, scope| jwt.claim("scope", scope.as_str()))
    }
}
