//! The measured servers, each a process of its own.

use crate::Result;
use crate::core::Core;
use crate::folder::Folder;
use crate::h2load::{self, Load, Measured};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a second the kernel counts processor time; the same on every Linux that runs Rust.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// tonic's server, as everyone writes it.
    Ordinary,
    /// stepgate's own chassis, deciding nothing.
    Chassis,
    Stepgate,
    /// The same, with a state that replicas share.
    Shared,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Ordinary, Self::Chassis, Self::Stepgate, Self::Shared];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary no-op",
            Self::Chassis => "chassis no-op",
            Self::Stepgate => "stepgate",
            Self::Shared => "stepgate, shared state",
        }
    }

    fn command(self, folder: &Folder, admin: &str) -> Result<Command> {
        Ok(match self {
            Self::Ordinary => Command::new(noop()?),
            Self::Chassis => {
                let mut command = Command::new(noop()?);
                command.arg("--chassis");
                command
            }
            Self::Stepgate | Self::Shared => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_stepgate"));
                command.arg("serve").arg("--policy").arg(folder.policy());
                command.args(["--admin", admin, "--decision-log", "off"]);
                if self == Self::Shared {
                    command.arg("--challenge-key-file").arg(folder.challenge_keys());
                    command.args(["--state", folder.state().ok_or("no state to share")?]);
                }
                command
            }
        })
    }
}

/// Builds the no-ops, which cargo doesn't do for a benchmark.
pub(crate) fn build_noop() -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--profile=bench", "--example=noop"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if built.success() { Ok(()) } else { Err("the no-ops could not be built".into()) }
}

/// Beside the binary, where cargo puts examples.
fn noop() -> Result<PathBuf> {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_stepgate"));
    Ok(binary.parent().ok_or("the binary is in no folder")?.join("examples/noop"))
}

/// A server that runs until dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    /// As in `--listen`.
    pub(crate) address: String,
    /// Where stepgate serves its metrics.
    pub(crate) admin: String,
    process: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which was noticed elsewhere.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Starts it and waits until it listens.
    pub(crate) fn start(kind: Kind, folder: &Folder, unix: bool) -> Result<Self> {
        Self::start_on(None, kind, folder, unix)
    }

    /// The same, on one core alone.
    pub(crate) fn start_on(core: Option<Core>, kind: Kind, folder: &Folder, unix: bool) -> Result<Self> {
        let address = if unix {
            format!("unix:{}", folder.path().join(format!("{kind:?}.sock")).display())
        } else {
            free_address()?
        };
        let admin = free_address()?;
        let mut command = kind.command(folder, &admin)?;
        if let Some(core) = core {
            command = core.confined(&command);
        }
        let process = command.args(["--listen", &address]).spawn()?;
        let mut server = Self { kind, address, admin, process };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let started = Instant::now();
        while !self.listens() {
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("{} ended: {status}", self.kind.name()).into());
            }
            if started.elapsed() > Duration::from_secs(10) {
                return Err(format!("{} doesn't listen", self.kind.name()).into());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn listens(&self) -> bool {
        match self.address.strip_prefix("unix:") {
            Some(path) => UnixStream::connect(path).is_ok(),
            None => TcpStream::connect(&self.address).is_ok(),
        }
    }

    /// Puts it under load for a while.
    pub(crate) fn measure(&self, load: Load, duration: Duration, folder: &Folder) -> Result<Measured> {
        let before = self.cpu_seconds()?;
        let outcome = h2load::run(&self.address, load, duration, &folder.body(), folder.path())?;
        let spent = self.cpu_seconds()? - before;
        Ok(Measured {
            per_second: outcome.per_second,
            median_us: outcome.median_us.into(),
            p99_us: outcome.p99_us.into(),
            cpu_us: spent * 1e6 / f64::from(outcome.requests),
            failed: outcome.failed,
        })
    }

    /// User and system time so far.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(&format!("/proc/{}/stat", self.process.id()))
    }
}

/// User and system time of a process or thread: the 14th and 15th field of its `stat`, counted behind the name in brackets.
pub(crate) fn cpu_seconds(stat: &str) -> Result<f64> {
    let stat = fs::read_to_string(stat)?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).map(|field| Ok(field.parse::<f64>()?)).sum::<Result<f64>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

/// Free now; somebody else could take it before the server does, and then the server says so.
fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
