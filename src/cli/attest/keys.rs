//! `attest key` and `attest jwks`: private keys and the sets that issuers publish.

use super::{Failure, line, read_jwk};
use crate::mint::{Algorithm, SigningKey, jwks};
use clap::Args;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Key {
    /// What the key signs with.
    #[arg(long, value_enum, default_value = "ES256")]
    algorithm: Algorithm,
    /// The name under which its issuer publishes it [default: its RFC 7638 thumbprint].
    #[arg(long)]
    kid: Option<String>,
    /// A new file to write it to, readable by its owner only [default: stdout].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Key {
    pub(super) fn mint(self) -> Result<String, Failure> {
        let key = SigningKey::generate(self.algorithm)?;
        let key = match self.kid {
            Some(kid) => key.with_kid(kid),
            None => key,
        };
        let jwk = line(key.private_jwk()?);
        let Some(path) = self.out else { return Ok(jwk) };
        write_private(&path, &jwk).map_err(|source| Failure::File { path, source })?;
        Ok(String::new())
    }
}

/// Never over a file that is there: it might be the only copy of a key in use.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

#[derive(Debug, Args)]
pub(super) struct Jwks {
    /// Files of private keys, as `attest key` writes them.
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<PathBuf>,
}

impl Jwks {
    pub(super) fn mint(self) -> Result<String, Failure> {
        let keys: Vec<_> =
            self.keys.iter().map(|path| read_jwk(path, SigningKey::from_jwk)).collect::<Result<_, _>>()?;
        Ok(format!("{:#}", jwks(&keys)))
    }
}
