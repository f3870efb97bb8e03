//! A client whose calls belong to a task. Copy this file into a workload that calls an API behind stepgate, where a level
//! says `carry: first_call`.
//!
//! - Its access token is bound to the key of this process (`cnf.jkt`, RFC 9449), so that every call brings a proof by it.
//! - The first call that is asked for more brings an attestation of key and task too, and leaves a grant behind. The others
//!   of the task bring the token and its proof.
//! - When the work is done the client says so. From then on, nothing that was issued for the task opens anything.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::jwk::{CommonParameters, Jwk};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use reqwest::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

const ATTESTATION: HeaderName = HeaderName::from_static("oauth-client-attestation");
const PROOF: HeaderName = HeaderName::from_static("dpop");
const NEXT_CHALLENGE: HeaderName = HeaderName::from_static("oauth-client-attestation-challenge");
const TASK_END: &str = "/.well-known/stepgate/tasks/end";
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
    /// Where the attester takes requests, and what this workload is registered with there.
    pub attester: Url,
    pub credential: String,
}

#[derive(Debug)]
pub struct TaskClient {
    http: Client,
    config: Config,
    private: EncodingKey,
    public: Jwk,
    token: String,
    task: String,
    /// What the attester said of our key and this task.
    attestation: Option<String>,
    /// The challenge that the next attested call answers.
    challenge: Option<String>,
}

/// The problem that came with a 401 (RFC 9457); `code` is what a program goes by.
#[derive(Debug, Clone, Deserialize)]
pub struct Problem {
    pub code: String,
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

impl TaskClient {
    /// The key never leaves this process.
    pub fn new(http: Client, config: Config) -> Result<Self, Error> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
        let private = EncodingKey::from_ec_der(pkcs8.as_ref());
        let mut public = Jwk::from_encoding_key(&private, Algorithm::ES256)?;
        public.common = CommonParameters::default();
        let (token, task) = (String::new(), String::new());
        Ok(Self { http, config, private, public, token, task, attestation: None, challenge: None })
    }

    /// What the token and the attestation are bound to.
    pub const fn public_key(&self) -> &Jwk {
        &self.public
    }

    /// Takes an access token that was issued for our key.
    pub fn take_token(&mut self, token: String) {
        self.token = token;
    }

    /// Begins another task.
    pub fn begin(&mut self, task: &str) {
        task.clone_into(&mut self.task);
        self.attestation = None;
    }

    /// Sends a call of the task, without an attestation as long as nobody asks for one.
    pub async fn call(&mut self, method: Method, path: &str) -> Result<Response, Error> {
        let answer = self.send(&method, path, false).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            self.prepare_answer(answer.json().await?).await?;
            return self.call_attested(&method, path).await;
        }
        Ok(answer)
    }

    /// Says that the task has ended: 204.
    pub async fn end(&mut self) -> Result<Response, Error> {
        self.attestation().await?;
        let answer = self.call_attested(&Method::POST, TASK_END).await?;
        self.attestation = None;
        Ok(answer)
    }

    /// The headers of one call.
    pub fn headers(&self, method: &Method, path: &str, attested: bool) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::try_from(format!("DPoP {}", self.token))?);
        headers.insert(HOST, HeaderValue::try_from(self.config.resource.authority())?);
        // A challenge lives two minutes; one that is too old would spoil a proof that needs none.
        let challenge = self.challenge.as_deref().filter(|_| attested);
        headers.insert(PROOF, self.proof(method, at(&self.config.resource, path)?, challenge)?);
        if let Some(attestation) = self.attestation.as_ref().filter(|_| attested) {
            headers.insert(ATTESTATION, HeaderValue::try_from(attestation)?);
        }
        Ok(headers)
    }

    async fn call_attested(&mut self, method: &Method, path: &str) -> Result<Response, Error> {
        for _ in 0..ANSWERS {
            let answer = self.send(method, path, true).await?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            self.prepare_answer(answer.json().await?).await?;
        }
        self.send(method, path, true).await
    }

    async fn send(&mut self, method: &Method, path: &str, attested: bool) -> Result<Response, Error> {
        let url = at(&self.config.connect, path)?;
        let request = self.http.request(method.clone(), url).headers(self.headers(method, path, attested)?);
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
        self.attestation().await
    }

    /// Has the attester vouch for our key and task, unless it did.
    async fn attestation(&mut self) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Vouched {
            attestation: String,
        }
        if self.attestation.is_some() {
            return Ok(());
        }
        let request = self.http.post(self.config.attester.clone()).bearer_auth(&self.config.credential);
        let asked = json!({ "jwk": self.public, "task": self.task });
        let answer = request.json(&asked).send().await?.error_for_status()?;
        self.attestation = Some(answer.json::<Vouched>().await?.attestation);
        Ok(())
    }

    /// A DPoP proof (RFC 9449): good for this method, URL and token, once.
    fn proof(&self, method: &Method, mut url: Url, challenge: Option<&str>) -> Result<HeaderValue, Error> {
        url.set_query(None);
        let mut jti = [0; 16];
        rand::fill(&mut jti)?;
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.public.clone());
        let mut claims = json!({
            "jti": BASE64URL.encode(jti),
            "htm": method.as_str(),
            "htu": url.as_str(),
            "iat": get_current_timestamp(),
            "ath": BASE64URL.encode(digest(&SHA256, self.token.as_bytes())),
        });
        if let (Some(challenge), Value::Object(claims)) = (challenge, &mut claims) {
            claims.insert("nonce".to_owned(), challenge.into());
        }
        Ok(HeaderValue::try_from(jsonwebtoken::encode(&header, &claims, &self.private)?)?)
    }
}

fn at(origin: &Url, path: &str) -> Result<Url, Error> {
    origin.join(path).map_err(|why| Error::Path(why.to_string()))
}
