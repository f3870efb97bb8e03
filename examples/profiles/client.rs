//! A client that answers one challenge: it calls, reads what the 401 asks for, has its platform vouch for it, proves what
//! there is to prove, and calls again.
//!
//! A workload that makes many calls keeps its attestation and the challenge that comes with each answer, so that it is
//! asked once a chain: `../client/step_up.rs` does that.

use super::platform::{Asked, Platform, PlatformError};
use super::proof::{Call, InstanceKey, ProofError, sha256};
use super::way::{Proof, Way};
use clap::Parser;
use reqwest::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Identity, Method, StatusCode, Url};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};
use x509_parser::pem::Pem;

/// The codes of a 401 that evidence would change.
const ANSWERABLE: [&str; 3] = ["use_attestation_challenge", "use_fresh_attestation", "use_dpop_nonce"];
const PATIENCE: Duration = Duration::from_secs(10);

/// Calls an API behind stepgate, and answers its challenge by one of the ways.
#[derive(Debug, Parser)]
pub struct Arguments {
    #[arg(value_enum)]
    pub way: Way,
    pub method: Method,
    /// The path, without a query.
    pub path: String,
    /// The API's own name, for which proofs are made.
    #[arg(long, default_value = "https://api.example.com")]
    pub resource: Url,
    /// Where calls are sent, such as `http://127.0.0.1:10000` [default: the resource].
    #[arg(long)]
    pub connect: Option<Url>,
    /// A file with the access token.
    #[arg(long)]
    pub token_file: PathBuf,
    /// The platform's URL; of a projected token, its file.
    #[arg(long)]
    pub platform: String,
    /// A file with what the platform knows this workload by.
    #[arg(long)]
    pub credential_file: Option<PathBuf>,
    /// Whom the attestation has to name: one of the policy's `audiences`.
    #[arg(long, default_value = "stepgate")]
    pub audience: String,
    /// What the call is for, such as the number of a run.
    #[arg(long)]
    pub task: Option<String>,
    /// The scopes that the attestation is to cover, with spaces between them.
    #[arg(long)]
    pub scope: Option<String>,
    /// A PEM file with the client certificate and its key.
    #[arg(long)]
    pub certificate: Option<PathBuf>,
    /// PEM files with the certificates that the API's, and the platform's, may hang on [default: the system's].
    #[arg(long)]
    pub ca: Option<PathBuf>,
    #[arg(long)]
    pub platform_ca: Option<PathBuf>,
}

#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    arguments: Arguments,
    token: String,
    platform: Platform,
    key: InstanceKey,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: String,
}

/// The problem that comes with a 401 (RFC 9457); `code` is what a program goes by.
#[derive(Debug, Deserialize)]
struct Problem {
    code: String,
    challenge: Option<String>,
    #[serde(default)]
    accept: Vec<Accepted>,
}

/// One attestation and proof that would do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Accepted {
    pub profile: String,
    pub headers: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the API: {0}")]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error("`{}`: {source}", .file.display())]
    File { file: PathBuf, source: io::Error },
    #[error("`{}` holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    #[error("not fit for a header: {0}")]
    Header(#[from] reqwest::header::InvalidHeaderValue),
    #[error("`{0}` is no address of an API")]
    Address(Url),
    #[error("the API takes no attestation in this way; it takes {0:?}")]
    NotAccepted(Vec<Accepted>),
}

impl Client {
    pub fn new(arguments: Arguments) -> Result<Self, Error> {
        let token = text(&arguments.token_file)?;
        let credential = arguments.credential_file.as_deref().map(text).transpose()?;
        let http = trusting(arguments.platform_ca.as_deref())?.build()?;
        let platform = Platform { http, at: arguments.platform.clone(), credential };
        let mut http = trusting(arguments.ca.as_deref())?;
        if let Some(file) = &arguments.certificate {
            http = http.identity(Identity::from_pem(&bytes(file)?)?);
        }
        if let (Some(connect), Some(host)) = (&arguments.connect, arguments.resource.host_str()) {
            let addresses = connect.socket_addrs(|| None).map_err(|_| Error::Address(connect.clone()))?;
            http = http.resolve_to_addrs(host, &addresses);
        }
        Ok(Self { http: http.build()?, arguments, token, platform, key: InstanceKey::generate()? })
    }

    /// Makes the call; a challenge is answered on the way.
    pub async fn call(&self) -> Result<Answer, Error> {
        let answer = self.send(HeaderMap::new()).await?;
        match answer.challenge() {
            Some((challenge, accepted)) => self.send(self.evidence(&challenge, accepted).await?).await,
            None => Ok(answer),
        }
    }

    /// The headers that answer a challenge: the attestation, and the proof that it is ours.
    async fn evidence(&self, challenge: &str, accepted: Vec<Accepted>) -> Result<HeaderMap, Error> {
        let Self { arguments, platform, key, .. } = self;
        let way = arguments.way;
        if !accepted.iter().any(|accepted| accepted.is(way)) {
            return Err(Error::NotAccepted(accepted));
        }
        let asked = Asked {
            challenge,
            audience: &arguments.audience,
            jwk: serde_json::json!(key.public),
            certificate: arguments.certificate.as_deref().map(thumbprint).transpose()?,
            task: arguments.task.as_deref(),
            scope: arguments.scope.as_deref(),
        };
        let attestation = platform.attestation(way, &asked).await?;
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(way.header()), HeaderValue::try_from(&attestation)?);
        if let Some(proof) = way.proof() {
            let resource = arguments.resource.as_str().trim_end_matches('/');
            let (method, url) = (arguments.method.as_str(), &format!("{resource}{}", arguments.path));
            let call = Call { method, resource, url, token: &self.token, attestation: &attestation, challenge };
            headers.insert(HeaderName::from_static(proof.header()), HeaderValue::try_from(key.prove(proof, &call)?)?);
        }
        Ok(headers)
    }

    async fn send(&self, evidence: HeaderMap) -> Result<Answer, Error> {
        let Arguments { method, path, resource, connect, .. } = &self.arguments;
        let mut url = resource.clone();
        if let Some(connect) = connect {
            // The name stays the API's own, also in TLS; only the address is another.
            let moved = url.set_scheme(connect.scheme()).and_then(|()| url.set_port(connect.port_or_known_default()));
            moved.map_err(|()| Error::Address(connect.clone()))?;
        }
        url.set_path(path);
        let request = self.http.request(method.clone(), url).headers(evidence);
        let request =
            request.header(AUTHORIZATION, format!("Bearer {}", self.token)).header(HOST, resource.authority());
        let answer = request.send().await?;
        Ok(Answer { status: answer.status(), body: answer.text().await? })
    }
}

impl Answer {
    /// What a 401 asks for, if there is anything to answer it with.
    fn challenge(&self) -> Option<(String, Vec<Accepted>)> {
        if self.status != StatusCode::UNAUTHORIZED {
            return None;
        }
        let problem: Problem = serde_json::from_str(&self.body).ok()?;
        let answerable = ANSWERABLE.contains(&problem.code.as_str());
        problem.challenge.filter(|_| answerable).map(|challenge| (challenge, problem.accept))
    }
}

impl Accepted {
    fn is(&self, way: Way) -> bool {
        let ours = std::iter::once(way.header()).chain(way.proof().map(Proof::header));
        self.profile == way.profile() && self.headers.iter().map(|name| name.to_ascii_lowercase()).eq(ours)
    }
}

/// Neither a redirect nor a proxy of the environment may take a call, and the proof made for it, elsewhere.
fn trusting(ca: Option<&Path>) -> Result<reqwest::ClientBuilder, Error> {
    let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().timeout(PATIENCE);
    match ca {
        Some(file) => Ok(http.tls_certs_only(Certificate::from_pem_bundle(&bytes(file)?)?)),
        None => Ok(http),
    }
}

/// The digest of the first certificate in a PEM file (RFC 8705 §3.1).
fn thumbprint(file: &Path) -> Result<String, Error> {
    let pem = bytes(file)?;
    let certificate = Pem::iter_from_buffer(&pem).flatten().find(|pem| pem.label == "CERTIFICATE");
    certificate.map(|pem| sha256(pem.contents)).ok_or_else(|| Error::NoCertificate(file.to_owned()))
}

fn text(file: &Path) -> Result<String, Error> {
    Ok(String::from_utf8_lossy(&bytes(file)?).trim().to_owned())
}

fn bytes(file: &Path) -> Result<Vec<u8>, Error> {
    fs::read(file).map_err(|source| Error::File { file: file.to_owned(), source })
}
