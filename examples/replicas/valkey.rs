//! A real Valkey on a free port, without anything on the disk; it ends with the value that started it.

use super::support::child::Child;
use super::support::{Result, repository};
use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use tokio::net::TcpStream;
use tokio::process::Command;

#[derive(Debug)]
pub(crate) struct Valkey {
    pub(crate) address: SocketAddr,
    _child: Child,
}

/// A port that was free may be taken before the server is there.
const TRIES: usize = 5;

impl Valkey {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(dir: &Path) -> Result<Self> {
        let mut failure = "no try was made".into();
        for _ in 0..TRIES {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
            match Self::start_at(free, dir).await {
                Ok(valkey) => return Ok(valkey),
                Err(why) => failure = why,
            }
        }
        Err(failure)
    }

    async fn start_at(address: SocketAddr, dir: &Path) -> Result<Self> {
        let mut command = Command::new(binary()?);
        command.args(["--bind", "127.0.0.1", "--port"]).arg(address.port().to_string());
        command.args(["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--dir"]).arg(dir);
        let mut child = Child::spawn("valkey", command)?;
        child.until("its port", async |_| TcpStream::connect(address).await.ok()).await?;
        Ok(Self { address, _child: child })
    }

    /// As `--state` takes it.
    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }
}

fn binary() -> Result<PathBuf> {
    let path = env::var_os("VALKEY").map_or_else(|| repository(".tools/valkey"), PathBuf::from);
    if path.exists() {
        return Ok(path);
    }
    Err(format!("no Valkey at {}; run `make tools`, or set VALKEY to its binary", path.display()).into())
}
