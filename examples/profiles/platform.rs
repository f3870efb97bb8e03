//! Where the attestation comes from: one function for each platform. These ask as the real ones are asked, and in the
//! example it is `../platforms` that answers.

use super::way::Way;
use reqwest::{Client, RequestBuilder, Url};
use serde_json::{Value, json};
use std::fs;
use std::io;

/// Who vouches for this workload.
#[derive(Debug)]
pub struct Platform {
    pub http: Client,
    /// Its URL; of a projected token, the file.
    pub at: String,
    /// What it knows this workload by, where it asks for that.
    pub credential: Option<String>,
}

/// What the attestation has to be good for.
#[derive(Debug)]
pub struct Asked<'a> {
    pub challenge: &'a str,
    /// Whom to name in it: the policy's `audiences`.
    pub audience: &'a str,
    /// Our public key.
    pub jwk: Value,
    /// The digest of our client certificate.
    pub certificate: Option<String>,
    pub task: Option<&'a str>,
    pub scope: Option<&'a str>,
}

#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    #[error("the platform: {0}")]
    Http(#[from] reqwest::Error),
    #[error("the platform's URL `{0}` is none")]
    Url(String),
    #[error("the platform answered without `{0}`")]
    Missing(&'static str),
    #[error("`{file}`: {source}")]
    File { file: String, source: io::Error },
    #[error("this way takes a client certificate")]
    NoCertificate,
}

impl Platform {
    pub async fn attestation(&self, way: Way, asked: &Asked<'_>) -> Result<String, PlatformError> {
        match way {
            Way::ClientAttestation | Way::ClientAttestationPop | Way::Wimse => self.attester(asked).await,
            Way::Github => self.github(asked).await,
            Way::Kubernetes => self.kubernetes(asked).await,
            Way::Google => self.google(asked).await,
            Way::Spiffe => self.spiffe(asked).await,
            Way::Projected => self.projected(),
            Way::Certificate => self.edge(asked).await,
            Way::Ear => self.verifier(asked).await,
        }
    }

    /// It vouches for our key, and may be kept as long as it is fresh: the challenge stands in our proof.
    async fn attester(&self, asked: &Asked<'_>) -> Result<String, PlatformError> {
        let body = json!({ "jwk": asked.jwk, "task": asked.task, "scope": asked.scope });
        self.json(self.post(&body)?, "/attestation").await
    }

    /// `at` is the job's `ACTIONS_ID_TOKEN_REQUEST_URL`, the credential its `ACTIONS_ID_TOKEN_REQUEST_TOKEN`; a job has
    /// both with `permissions: { id-token: write }`.
    async fn github(&self, asked: &Asked<'_>) -> Result<String, PlatformError> {
        self.json(self.get(&[("audience", &asked.with_challenge())])?, "/value").await
    }

    /// A `TokenRequest`. `at` is `https://kubernetes.default.svc/api/v1/namespaces/NAMESPACE/serviceaccounts/NAME/token`, the
    /// credential is the pod's own token; its service account needs the verb `create` on `serviceaccounts/token`.
    async fn kubernetes(&self, asked: &Asked<'_>) -> Result<String, PlatformError> {
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": { "audiences": [asked.with_challenge()], "expirationSeconds": 600 },
        });
        self.json(self.post(&request)?, "/status/token").await
    }

    /// `at` is `http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity`.
    async fn google(&self, asked: &Asked<'_>) -> Result<String, PlatformError> {
        let request = self.get(&[("audience", &asked.with_challenge()), ("format", "full")])?;
        self.text(request.header("Metadata-Flavor", "Google")).await
    }

    /// In production the agent is asked over its socket: `fetch_jwt_svid` of the crate `spiffe`, with this audience.
    async fn spiffe(&self, asked: &Asked<'_>) -> Result<String, PlatformError> {
        self.text(self.get(&[("audience", &asked.with_challenge())])?).await
    }

    /// The cluster keeps the file fresh, so it is read each time.
    fn projected(&self) -> Result<String, PlatformError> {
        let read = fs::read_to_string(&self.at).map(|token| token.trim().to_owned());
        read.map_err(|source| PlatformError::File { file: self.at.clone(), source })
    }

    /// It vouches for whoever holds our certificate.
    async fn edge(&self, asked: &Asked<'_>) -> Result<String, PlatformError> {
        let certificate = asked.certificate.as_ref().ok_or(PlatformError::NoCertificate)?;
        let body =
            json!({ "x5t#S256": certificate, "nonce": asked.challenge, "task": asked.task, "scope": asked.scope });
        self.json(self.post(&body)?, "/attestation").await
    }

    /// A real verifier is sent evidence too: a quote of the hardware over our key and the challenge.
    async fn verifier(&self, asked: &Asked<'_>) -> Result<String, PlatformError> {
        let body = json!({ "jwk": asked.jwk, "nonce": asked.challenge });
        self.json(self.post(&body)?, "/attestation").await
    }

    fn get(&self, query: &[(&str, &str)]) -> Result<RequestBuilder, PlatformError> {
        let mut url = Url::parse(&self.at).map_err(|_| PlatformError::Url(self.at.clone()))?;
        // It writes `#` as `%23`: as it stands, it would end the query.
        url.query_pairs_mut().extend_pairs(query);
        Ok(self.authorized(self.http.get(url)))
    }

    fn post(&self, body: &Value) -> Result<RequestBuilder, PlatformError> {
        let url = Url::parse(&self.at).map_err(|_| PlatformError::Url(self.at.clone()))?;
        Ok(self.authorized(self.http.post(url)).json(body))
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credential {
            Some(credential) => request.bearer_auth(credential),
            None => request,
        }
    }

    async fn text(&self, request: RequestBuilder) -> Result<String, PlatformError> {
        Ok(request.send().await?.error_for_status()?.text().await?)
    }

    async fn json(&self, request: RequestBuilder, pointer: &'static str) -> Result<String, PlatformError> {
        let answer: Value = request.send().await?.error_for_status()?.json().await?;
        let token = answer.pointer(pointer).and_then(Value::as_str);
        token.map(str::to_owned).ok_or(PlatformError::Missing(pointer))
    }
}

impl Asked<'_> {
    /// Where a workload can choose nothing but the audience of what is signed for it, the challenge stands there.
    fn with_challenge(&self) -> String {
        format!("{}#{}", self.audience, self.challenge)
    }
}
