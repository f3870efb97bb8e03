//! A real Valkey of a test's own, on an ephemeral port. It keeps nothing on the disk, and ends with the value that started it.

use super::child::Child;
use super::wait::PATIENCE;
use super::{Result, repository};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::{env, fmt};
use tempfile::TempDir;
use tokio::process::Command;

pub struct Valkey {
    address: SocketAddr,
    child: Child,
    folder: TempDir,
}

/// A port that was free may be taken before the server is there.
const ATTEMPTS: usize = 10;

impl Valkey {
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut last = Err("no attempt was made".into());
        for _ in 0..ATTEMPTS {
            let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
            match spawn(address, &folder).await {
                Ok(child) => return Ok(Self { address, child, folder }),
                Err(why) => last = Err(why),
            }
        }
        last
    }

    /// As `--state` takes it.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Ends it as a crash would; what it held is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await
    }

    /// Starts it where it was before, with nothing in it.
    pub async fn start_again(&mut self) -> Result<()> {
        self.child = spawn(self.address, &self.folder).await?;
        Ok(())
    }

    /// It keeps its connections, and answers nothing until it is resumed.
    pub async fn pause(&self) -> Result<()> {
        self.child.signal("STOP").await
    }

    pub async fn resume(&self) -> Result<()> {
        self.child.signal("CONT").await
    }

    /// What an operator, or an attacker, types.
    pub async fn say<T: FromRedisValue>(&self, words: &[&str]) -> Result<T> {
        let (name, arguments) = words.split_first().ok_or("no command")?;
        Ok(redis::cmd(name).arg(arguments).query_async(&mut self.calls().await?).await?)
    }

    async fn calls(&self) -> Result<MultiplexedConnection> {
        let settings = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        Ok(Client::open(self.url())?.get_multiplexed_async_connection_with_config(&settings).await?)
    }
}

impl fmt::Debug for Valkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Valkey").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn spawn(address: SocketAddr, folder: &TempDir) -> Result<Child> {
    let mut command = Command::new(binary()?);
    command.args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string()]);
    command.args(["--save", "", "--appendonly", "no"]).arg("--dir").arg(folder.path());
    let mut child = Child::spawn("valkey", command)?;
    let accepts = "Ready to accept connections";
    let is_ready = async |child: &Child| child.stdout().iter().any(|line| line.contains(accepts)).then_some(());
    child.until("it to accept connections", is_ready).await?;
    Ok(child)
}

/// Any server of the family will do.
fn binary() -> Result<PathBuf> {
    let binary = env::var_os("VALKEY").map_or_else(|| repository(".tools/valkey"), PathBuf::from);
    if binary.exists() {
        return Ok(binary);
    }
    Err(format!("no Valkey at {}: run `make tools`, or set VALKEY to a valkey-server", binary.display()).into())
}
