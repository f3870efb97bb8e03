//! `stepgate serve`: its flags, each also in the environment.

use super::exit;
use crate::app::{self, Listen, Options, StateAt};
use crate::telemetry::{AllowShare, Destination, LogFormat};
use crate::time::Ttl;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Decide for Envoy which calls may pass, and which must prove themselves first.
#[derive(Debug, Args)]
pub struct Serve {
    /// Policy files, and folders with them.
    #[arg(long, env = "STEPGATE_POLICY", value_name = "PATH", num_args = 1.., required = true, value_delimiter = ',')]
    policy: Vec<PathBuf>,
    /// Where Envoy connects: an address, or unix: and a path.
    #[arg(long, env = "STEPGATE_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:9191")]
    listen: Listen,
    /// Where health and metrics are served, and the control API.
    #[arg(long, env = "STEPGATE_ADMIN", value_name = "ADDR", default_value = "127.0.0.1:9192")]
    admin: SocketAddr,
    /// Who may use the control API: a name, a role (read or admin) and a token a line. Without it, nobody.
    #[arg(long, env = "STEPGATE_ADMIN_TOKEN_FILE", value_name = "FILE")]
    admin_token_file: Option<PathBuf>,
    /// Where security events are received by a listener of their own; on the admin listener they are with the control API.
    #[arg(long, env = "STEPGATE_EVENTS", value_name = "ADDR")]
    events: Option<SocketAddr>,
    /// Keys that replicas share to make and check challenges: 64 hex digits a line, the first signs.
    #[arg(long, env = "STEPGATE_CHALLENGE_KEY_FILE", value_name = "FILE")]
    challenge_key_file: Option<PathBuf>,
    /// How the program's own log is written, to stderr.
    #[arg(long, env = "STEPGATE_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
    /// What of the program's own log is written.
    #[arg(long, env = "STEPGATE_LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    log_level: tracing::level_filters::LevelFilter,
    /// Where decisions are logged: stdout, `file:PATH` or off.
    #[arg(long, env = "STEPGATE_DECISION_LOG", value_name = "WHERE", default_value = "stdout")]
    decision_log: Destination,
    /// Which share of the allowed calls is logged; all others always are.
    #[arg(long, env = "STEPGATE_DECISION_LOG_ALLOWS", value_name = "SHARE", default_value = "1.0")]
    decision_log_allows: AllowShare,
    /// How much memory verified tokens may take, such as 64MiB.
    #[arg(long, env = "STEPGATE_CACHE_BYTES", value_name = "BYTES", default_value = "64MiB", value_parser = bytes)]
    cache_bytes: u64,
    /// How many checks may be in flight; those beyond are answered 503 at once.
    #[arg(long, env = "STEPGATE_MAX_IN_FLIGHT", value_name = "N", default_value_t = 4_096)]
    max_in_flight: usize,
    /// Where revocations, used proofs and what was learned outlive this process: file:PATH; or are shared by replicas, with
    /// grants: redis://HOST:PORT or rediss://HOST:PORT of a Valkey or Redis. Without it, nowhere.
    #[arg(long, env = "STEPGATE_STATE", value_name = "URL", hide_env_values = true)]
    state: Option<StateAt>,
    /// How long revocations are kept; what was issued before that is refused.
    #[arg(long, env = "STEPGATE_REVOCATIONS_KEEP", value_name = "TIME", default_value = "30d")]
    revocations_keep: Ttl,
    /// How long requests in flight may take after SIGTERM.
    #[arg(long, env = "STEPGATE_DRAIN", value_name = "TIME", default_value = "10s")]
    drain: Ttl,
}

impl Serve {
    pub fn run(self) -> ExitCode {
        let options = Options {
            policy: self.policy,
            listen: self.listen,
            admin: self.admin,
            admin_token_file: self.admin_token_file,
            events: self.events,
            challenge_key_file: self.challenge_key_file,
            log_format: self.log_format,
            log_level: self.log_level,
            decision_log: self.decision_log,
            decision_log_allows: self.decision_log_allows,
            cache_bytes: self.cache_bytes,
            max_in_flight: self.max_in_flight,
            state: self.state,
            revocations_keep: self.revocations_keep,
            drain: Duration::from_secs(self.drain.as_secs()),
        };
        match app::run(options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => exit::failure(&error),
        }
    }
}

/// A number of bytes with KiB, MiB, GiB or nothing after it.
fn bytes(text: &str) -> Result<u64, String> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
    let found = units.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, *size)));
    let amount = found.and_then(|(digits, size)| digits.parse::<u64>().ok()?.checked_mul(size));
    amount.ok_or_else(|| "write a number of bytes, or one with KiB, MiB or GiB, such as 64MiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_binary_units() {
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("512"), Ok(512));
        for text in ["", "MiB", "64MB", "-1", "1.5GiB", "99999999999GiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
