//! `attest ear`: what a verifier of hardware says of the machine that a workload runs on.

use super::tokens::{Claims, optional};
use super::{Failure, read_jwk};
use crate::mint::{Jwt, PublicJwk, SigningKey};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Ear {
    /// The verifier's private key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// `sub`: the workload that is vouched for.
    #[arg(long)]
    subject: Option<String>,
    /// `iss`
    #[arg(long)]
    issuer: Option<String>,
    /// `aud`; may be given more than once.
    #[arg(long)]
    audience: Vec<String>,
    /// `ear_status` of every submodule.
    #[arg(long, value_enum, default_value = "affirming")]
    tier: Tier,
    /// An attester that was appraised, with its own tier where that differs; may be given more than once.
    #[arg(long, value_name = "NAME[=TIER]", default_value = "workload")]
    submodule: Vec<String>,
    /// Writes `ear.status` and Project Veraison's profile, as its verifier does.
    #[arg(long)]
    dotted: bool,
    /// The workload's own key, public or private (`cnf.jwk`).
    #[arg(long, value_name = "FILE")]
    holder: Option<PathBuf>,
    /// Names the workload's key by its thumbprint (`cnf.jkt`).
    #[arg(long, requires = "holder")]
    thumbprint: bool,
    /// The SHA-256 thumbprint of the workload's certificate (`cnf.x5t#S256`).
    #[arg(long, value_name = "THUMBPRINT")]
    certificate: Option<String>,
    /// The challenge to answer (`eat_nonce`).
    #[arg(long)]
    challenge: Option<String>,
    #[command(flatten)]
    claims: Claims,
}

/// The words of draft-ietf-rats-ar4si §3.2.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Tier {
    None,
    Affirming,
    Warning,
    Contraindicated,
}

impl Ear {
    pub(super) fn mint(self) -> Result<String, Failure> {
        let key = read_jwk(&self.key, SigningKey::from_jwk)?;
        let mut jwt = Jwt::results(self.dotted).claim("submods", self.submodules());
        let confirmation = self.confirmation()?;
        if !confirmation.is_empty() {
            jwt = jwt.claim("cnf", confirmation);
        }
        if !self.audience.is_empty() {
            jwt = jwt.claim("aud", self.audience);
        }
        let optionals = [("sub", self.subject), ("iss", self.issuer), ("eat_nonce", self.challenge)];
        jwt = optionals.into_iter().fold(jwt, |jwt, (name, value)| optional(jwt, name, value));
        Ok(self.claims.on(jwt).sign(&key)?)
    }

    fn submodules(&self) -> Map<String, Value> {
        let status = if self.dotted { "ear.status" } else { "ear_status" };
        let one = |submodule: &String| {
            let (name, tier) = submodule.rsplit_once('=').unwrap_or((submodule, self.tier.as_str()));
            (name.to_owned(), json!({ status: tier }))
        };
        self.submodule.iter().map(one).collect()
    }

    fn confirmation(&self) -> Result<Map<String, Value>, Failure> {
        let mut confirmation = Map::new();
        if let Some(holder) = &self.holder {
            let key = read_jwk(holder, PublicJwk::parse)?;
            let (name, value) = if self.thumbprint { ("jkt", key.thumbprint().into()) } else { ("jwk", key.to_json()) };
            confirmation.insert(name.to_owned(), value);
        }
        if let Some(certificate) = &self.certificate {
            confirmation.insert("x5t#S256".to_owned(), certificate.as_str().into());
        }
        Ok(confirmation)
    }
}

impl Tier {
    const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Affirming => "affirming",
            Self::Warning => "warning",
            Self::Contraindicated => "contraindicated",
        }
    }
}
