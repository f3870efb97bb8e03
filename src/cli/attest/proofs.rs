//! `attest proof`, `attest pop` and `attest wpt`: what a workload signs for one call.

use super::tokens::{claim, optional, seconds_ago, with_all};
use super::{Failure, read_jwk};
use crate::mint::{Jwt, SigningKey};
use crate::policy::Origin;
use crate::time::Ttl;
use clap::Args;
use serde_json::Value;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Proof {
    /// `htm`: the method of the call.
    #[arg(long)]
    method: String,
    /// `htu`: the policy's `resource` and the path of the call.
    #[arg(long)]
    url: String,
    #[command(flatten)]
    signed: Signed,
}

impl Proof {
    pub(super) fn mint(self) -> Result<String, Failure> {
        let key = self.signed.key()?;
        let jwt = Jwt::proof(key.public(), &self.method, &self.url)?.claim("iat", self.signed.issued());
        self.signed.sign(jwt, &key, "nonce")
    }
}

#[derive(Debug, Args)]
pub(super) struct Pop {
    /// `htm`: the method of the call.
    #[arg(long)]
    method: String,
    /// `htu`: the policy's `resource` and the path of the call.
    #[arg(long)]
    url: String,
    /// `aud`: the policy's `resource`; without it, the beginning of the URL.
    #[arg(long)]
    audience: Option<String>,
    #[command(flatten)]
    signed: Signed,
}

impl Pop {
    pub(super) fn mint(self) -> Result<String, Failure> {
        let key = self.signed.key()?;
        let audience = match self.audience {
            Some(audience) => audience,
            None => Origin::split_from(&self.url)?.0.to_string(),
        };
        let jwt = Jwt::pop(&audience, &self.method, &self.url)?.claim("iat", self.signed.issued());
        self.signed.sign(jwt, &key, "challenge")
    }
}

#[derive(Debug, Args)]
pub(super) struct Wpt {
    /// The workload identity token that is sent along (`wth`).
    #[arg(long)]
    wit: String,
    /// `aud`: the policy's `resource` and the path of the call.
    #[arg(long)]
    url: String,
    /// How long it is valid, from the time that it was made.
    #[arg(long, default_value = "60s", value_name = "DURATION")]
    ttl: Ttl,
    #[command(flatten)]
    signed: Signed,
}

impl Wpt {
    pub(super) fn mint(self) -> Result<String, Failure> {
        let key = self.signed.key()?;
        let jwt = Jwt::wpt(&self.wit, &self.url)?.issued(self.signed.issued(), self.ttl.as_secs());
        self.signed.sign(jwt, &key, "challenge")
    }
}

/// What every proof has.
#[derive(Debug, Args)]
struct Signed {
    /// The workload's private key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The bearer token that is sent along (`ath`).
    #[arg(long)]
    token: Option<String>,
    /// The challenge to answer.
    #[arg(long)]
    challenge: Option<String>,
    /// How long ago it was made, such as `2m`.
    #[arg(long, default_value = "0s", value_name = "DURATION")]
    age: Ttl,
    /// One more claim; the value is JSON, or else a string. May be given more than once.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    claims: Vec<(String, Value)>,
}

impl Signed {
    fn key(&self) -> Result<SigningKey, Failure> {
        read_jwk(&self.key, SigningKey::from_jwk)
    }

    fn issued(&self) -> u64 {
        seconds_ago(self.age)
    }

    fn sign(self, mut jwt: Jwt, key: &SigningKey, challenge_claim: &str) -> Result<String, Failure> {
        if let Some(token) = &self.token {
            jwt = jwt.with_token(token);
        }
        Ok(with_all(optional(jwt, challenge_claim, self.challenge), self.claims).sign(key)?)
    }
}
