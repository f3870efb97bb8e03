//! A Valkey of its own for the server that shares its state.

use crate::Result;
use crate::folder::Folder;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// It runs until dropped.
#[derive(Debug)]
pub(crate) struct Valkey {
    address: String,
    process: Child,
}

const PATIENCE: Duration = Duration::from_secs(10);

impl Drop for Valkey {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Valkey {
    pub(crate) fn start(folder: &Folder) -> Result<Self> {
        let binary = std::env::var("VALKEY")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/valkey").to_owned());
        if !Path::new(&binary).exists() {
            return Err(format!("no Valkey at {binary}: run `make tools`, or set VALKEY to its binary").into());
        }
        // Free now; somebody else could take it before the server does, and then it doesn't listen.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = Command::new(binary)
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &address.port().to_string()])
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()?;
        let started = Self { address: address.to_string(), process };
        started.wait_until_it_listens()?;
        Ok(started)
    }

    fn wait_until_it_listens(&self) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect(&self.address).is_err() {
            if started.elapsed() > PATIENCE {
                return Err("Valkey doesn't listen".into());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// As in `--state`.
    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }
}
