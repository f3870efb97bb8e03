//! `attest token`, `attest attestation` and `attest wit`: what others say of who calls.

use super::{Failure, read_jwk};
use crate::clock::{Clock, SystemClock};
use crate::mint::{Jwt, PublicJwk, SigningKey};
use crate::time::Ttl;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Token {
    /// The issuer's private key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// `iss`
    #[arg(long)]
    issuer: String,
    /// `sub`
    #[arg(long)]
    subject: String,
    /// `aud`; may be given more than once.
    #[arg(long, required = true)]
    audience: Vec<String>,
    /// `scope`: names with spaces between them.
    #[arg(long)]
    scope: Option<String>,
    /// The key that the token is bound to (`cnf.jkt`), so that it passes with its proof only.
    #[arg(long, value_name = "FILE")]
    holder: Option<PathBuf>,
    #[command(flatten)]
    claims: Claims,
}

impl Token {
    pub(super) fn mint(self) -> Result<String, Failure> {
        let key = read_jwk(&self.key, SigningKey::from_jwk)?;
        let mut jwt = Jwt::bearer(&self.subject).claim("iss", self.issuer).claim("aud", self.audience);
        if let Some(holder) = self.holder {
            jwt = jwt.claim("cnf", json!({ "jkt": read_jwk(&holder, PublicJwk::parse)?.thumbprint() }));
        }
        Ok(self.claims.on(optional(jwt, "scope", self.scope)).sign(&key)?)
    }
}

#[derive(Debug, Args)]
pub(super) struct Attestation {
    /// The attester's private key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// `sub`: the workload that is vouched for.
    #[arg(long)]
    subject: String,
    /// The workload's own key, public or private (`cnf.jwk`).
    #[arg(long, value_name = "FILE")]
    holder: PathBuf,
    /// `iss`
    #[arg(long)]
    issuer: Option<String>,
    /// `aud`; may be given more than once.
    #[arg(long)]
    audience: Vec<String>,
    /// `scope`: what it covers, names with spaces between them.
    #[arg(long)]
    scope: Option<String>,
    /// `txn`: the task that it is made for.
    #[arg(long)]
    task: Option<String>,
    #[command(flatten)]
    claims: Claims,
}

impl Attestation {
    pub(super) fn mint(self) -> Result<String, Failure> {
        self.mint_as(Jwt::attestation)
    }

    fn mint_as(self, form: fn(&str, &PublicJwk) -> Jwt) -> Result<String, Failure> {
        let key = read_jwk(&self.key, SigningKey::from_jwk)?;
        let holder = read_jwk(&self.holder, PublicJwk::parse)?;
        let mut jwt = form(&self.subject, &holder);
        if !self.audience.is_empty() {
            jwt = jwt.claim("aud", self.audience);
        }
        let optionals = [("iss", self.issuer), ("scope", self.scope), ("txn", self.task)];
        jwt = optionals.into_iter().fold(jwt, |jwt, (name, value)| optional(jwt, name, value));
        Ok(self.claims.on(jwt).sign(&key)?)
    }
}

/// Takes what an attestation does: both vouch for a workload, only their form differs.
#[derive(Debug, Args)]
pub(super) struct Wit {
    #[command(flatten)]
    vouched: Attestation,
}

impl Wit {
    pub(super) fn mint(self) -> Result<String, Failure> {
        self.vouched.mint_as(Jwt::wit)
    }
}

/// What every token has.
#[derive(Debug, Args)]
pub(super) struct Claims {
    /// How long it is valid, from the time that it was issued.
    #[arg(long, default_value = "5m", value_name = "DURATION")]
    ttl: Ttl,
    /// How long ago it was issued, to mint stale and expired ones.
    #[arg(long, default_value = "0s", value_name = "DURATION")]
    age: Ttl,
    /// One more claim; the value is JSON, or else a string. May be given more than once.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    more: Vec<(String, Value)>,
}

impl Claims {
    pub(super) fn on(self, jwt: Jwt) -> Jwt {
        with_all(jwt.issued(seconds_ago(self.age), self.ttl.as_secs()), self.more)
    }
}

pub(super) fn optional(jwt: Jwt, name: &str, value: Option<String>) -> Jwt {
    match value {
        Some(value) => jwt.claim(name, value),
        None => jwt,
    }
}

pub(super) fn with_all(jwt: Jwt, claims: Vec<(String, Value)>) -> Jwt {
    claims.into_iter().fold(jwt, |jwt, (name, value)| jwt.claim(&name, value))
}

pub(super) fn seconds_ago(age: Ttl) -> u64 {
    SystemClock.now().minus(age).as_secs()
}

pub(super) fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected `name=value`")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}
