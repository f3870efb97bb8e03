//! The tokens of operators: from a file alone, and with it the control API.

use super::secret_file::{SecretFile, Secrets};
use super::{Failure, Options};
use crate::admin::{AdminTokens, AdminTokensError};

impl Secrets for AdminTokens {
    const NAME: &'static str = "admin tokens";
    type Error = AdminTokensError;

    fn parse(text: &str) -> Result<Self, AdminTokensError> {
        Self::parse(text).inspect(|tokens| {
            if tokens.is_empty() {
                tracing::warn!("there are no admin tokens: the control API lets nobody in");
            }
        })
    }
}

/// Nothing where the control API is off.
pub(super) fn open(options: &Options) -> Result<Option<SecretFile<AdminTokens>>, Failure> {
    let Some(path) = &options.admin_token_file else { return Ok(None) };
    if !options.admin.ip().is_loopback() {
        tracing::warn!(
            admin = %options.admin,
            "admin tokens come in the clear; listen on a loopback address, or let only a proxy with TLS reach this one"
        );
    }
    SecretFile::open(path).map(Some)
}
