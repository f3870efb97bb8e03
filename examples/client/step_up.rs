//! A client that answers step-ups by itself. Copy this file into a workload that calls an API behind stepgate.
//!
//! - A routine call carries the bearer token and nothing else.
//! - Where the API wants more it answers 401 and says so in `application/problem+json`, with a challenge. Then the
//!   client has its attester vouch for the key that this process made at its start, signs a proof for exactly this
//!   call with the challenge in it, and sends the call again.
//! - The answer to a call with a proof brings the next challenge along. So a chain of calls is asked once: those
//!   that follow bring the same attestation, and each a proof of its own, without being asked.
//!
//! The key never leaves the process. Whoever steals the token, the attestation or a proof has nothing that passes.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::jwk::{CommonParameters, Jwk};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

const ATTESTATION: HeaderName = HeaderName::from_static("oauth-client-attestation");
const PROOF: HeaderName = HeaderName::from_static("dpop");
const NEXT_CHALLENGE: HeaderName = HeaderName::from_static("oauth-client-attestation-challenge");
/// One for the challenge, one for an attestation that was too old; a third would be a loop.
const ANSWERS: usize = 2;

/// Whom the client calls, and with what.
#[derive(Debug, Clone)]
pub struct Config {
    /// The API's own name, for which proofs are made. It stands here and is never taken from an answer: else
    /// whoever answers could have proofs made for another API.
    pub resource: Url,
    /// Where the calls are sent; in production that is `resource`.
    pub connect: Url,
    /// The access token.
    pub token: String,
    /// Where the attester takes requests, and what this workload is registered with there.
    pub attester: Url,
    pub credential: String,
    /// What the calls are for. The attester writes it into the attestation, and the API tells the service behind it.
    pub task: Option<String>,
}

#[derive(Debug)]
pub struct StepUpClient {
    http: Client,
    config: Config,
    key: InstanceKey,
    /// What the attester said of our key; kept until the API finds it too old.
    attestation: Option<String>,
    /// The challenge that the next proof answers. There is one from the first step-up on.
    challenge: Option<String>,
}

/// What is sent along with a call.
#[derive(Debug, Clone)]
pub enum Body {
    Json(Value),
    /// A form as it is written, `name=value&…`.
    Form(String),
}

/// The problem that came with a 401 (RFC 9457); `code` is what a program goes by.
#[derive(Debug, Clone, Deserialize)]
pub struct Problem {
    pub code: String,
    pub detail: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("can't sign: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
    #[error("the crypto library failed")]
    Crypto(#[from] aws_lc_rs::error::Unspecified),
    #[error("not fit for a header: {0}")]
    Header(#[from] reqwest::header::InvalidHeaderValue),
    #[error("not a URL path: {0}")]
    Path(String),
    #[error("refused, and no proof would change that: {}", .0.code)]
    Refused(Problem),
}

impl StepUpClient {
    pub fn new(http: Client, config: Config) -> Result<Self, Error> {
        Ok(Self { http, config, key: InstanceKey::generate()?, attestation: None, challenge: None })
    }

    /// Sends a call; a step-up is answered on the way. What comes back is the API's answer to it.
    pub async fn call(&mut self, method: Method, path: &str) -> Result<Response, Error> {
        self.call_with(method, path, None).await
    }

    /// The same with a body, which is sent again with the call.
    pub async fn call_with(&mut self, method: Method, path: &str, body: Option<&Body>) -> Result<Response, Error> {
        for _ in 0..ANSWERS {
            let answer = self.send(&method, path, body).await?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            self.prepare_answer(answer.json().await?).await?;
        }
        self.send(&method, path, body).await
    }

    /// The headers of one call: the token, and once the API has asked for it the attestation with a fresh proof.
    pub fn headers(&self, method: &Method, path: &str) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {}", self.config.token))?);
        headers.insert(HOST, HeaderValue::try_from(self.config.resource.authority())?);
        if let (Some(attestation), Some(challenge)) = (&self.attestation, &self.challenge) {
            let url = at(&self.config.resource, path)?;
            headers.insert(ATTESTATION, HeaderValue::try_from(attestation)?);
            headers.insert(PROOF, self.key.proof(method, url, &self.config.token, challenge)?);
        }
        Ok(headers)
    }

    async fn send(&mut self, method: &Method, path: &str, body: Option<&Body>) -> Result<Response, Error> {
        let url = at(&self.config.connect, path)?;
        let request = self.http.request(method.clone(), url).headers(self.headers(method, path)?);
        let request = match body {
            None => request,
            Some(Body::Json(value)) => request.json(value),
            Some(Body::Form(form)) => {
                request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone())
            }
        };
        let answer = request.send().await?;
        if let Some(challenge) = answer.headers().get(NEXT_CHALLENGE) {
            self.challenge = challenge.to_str().ok().map(str::to_owned);
        }
        Ok(answer)
    }

    /// Has all that the problem asks for at hand for the next try; the challenge was kept already.
    async fn prepare_answer(&mut self, problem: Problem) -> Result<(), Error> {
        match problem.code.as_str() {
            "use_attestation_challenge" | "use_dpop_nonce" => {}
            "use_fresh_attestation" => self.attestation = None,
            _ => return Err(Error::Refused(problem)),
        }
        if self.attestation.is_none() {
            self.attestation = Some(self.ask_attester().await?);
        }
        Ok(())
    }

    async fn ask_attester(&self) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Vouched {
            attestation: String,
        }
        let request = self.http.post(self.config.attester.clone()).bearer_auth(&self.config.credential);
        let asked = json!({ "jwk": self.key.public, "task": self.config.task });
        let answer = request.json(&asked).send().await?.error_for_status()?;
        Ok(answer.json::<Vouched>().await?.attestation)
    }
}

/// The key of this process: made at its start, gone with it.
#[derive(Debug)]
struct InstanceKey {
    private: EncodingKey,
    public: Jwk,
}

impl InstanceKey {
    fn generate() -> Result<Self, Error> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
        let private = EncodingKey::from_ec_der(pkcs8.as_ref());
        let mut public = Jwk::from_encoding_key(&private, Algorithm::ES256)?;
        public.common = CommonParameters::default();
        Ok(Self { private, public })
    }

    /// A DPoP proof (RFC 9449): good for this method, URL, token and challenge, once.
    fn proof(&self, method: &Method, mut url: Url, token: &str, challenge: &str) -> Result<HeaderValue, Error> {
        url.set_query(None);
        let mut jti = [0; 16];
        rand::fill(&mut jti)?;
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.public.clone());
        let claims = json!({
            "jti": BASE64URL.encode(jti),
            "htm": method.as_str(),
            "htu": url.as_str(),
            "iat": get_current_timestamp(),
            "ath": BASE64URL.encode(digest(&SHA256, token.as_bytes())),
            "nonce": challenge,
        });
        Ok(HeaderValue::try_from(jsonwebtoken::encode(&header, &claims, &self.private)?)?)
    }
}

fn at(origin: &Url, path: &str) -> Result<Url, Error> {
    origin.join(path).map_err(|why| Error::Path(why.to_string()))
}
