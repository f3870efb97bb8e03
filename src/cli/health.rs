//! `stepgate health`: asks a running stepgate whether it is ready, for containers without a shell.

use super::exit;
use clap::Args;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

/// Exit with 0 when the stepgate of this host is ready, with 1 when it is not.
#[derive(Debug, Args)]
pub struct Health {
    /// Its admin address.
    #[arg(long, env = "STEPGATE_ADMIN", value_name = "ADDR", default_value = "127.0.0.1:9192")]
    admin: SocketAddr,
}

const PATIENCE: Duration = Duration::from_secs(2);
/// More than the names of all latches together.
const MAX_ANSWER_BYTES: u64 = 4_096;

impl Health {
    pub fn run(&self) -> ExitCode {
        match ask(self.admin) {
            Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => ExitCode::SUCCESS,
            Ok(answer) => {
                let waiting_for = answer.split("\r\n\r\n").nth(1).unwrap_or_default().trim();
                eprintln!("stepgate at {} is not ready: {waiting_for}", self.admin);
                ExitCode::from(exit::UNEXPECTED)
            }
            Err(error) => {
                eprintln!(
                    "no answer from stepgate at {}: {error}; is it running, with --admin {}?",
                    self.admin, self.admin
                );
                ExitCode::from(exit::UNEXPECTED)
            }
        }
    }
}

/// One request of HTTP/1.1, by hand: a client library would be most of this command.
fn ask(admin: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&admin, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
