//! The real binary, `stepgate serve`, on an ephemeral port or a Unix socket.

use super::child::Child;
use super::wait::until;
use super::{Result, http};
use serde_json::Value;
use std::env;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use tokio::process::Command;

#[derive(Debug)]
pub struct Stepgate {
    pub listen: Listen,
    pub admin: SocketAddr,
    policy: PathBuf,
    arguments: Vec<String>,
    child: Child,
    http: reqwest::Client,
}

/// Where Envoy finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Listen {
    /// A TCP port that the system chooses.
    pub fn any() -> Self {
        Self::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    fn parse(text: &str) -> Result<Self> {
        match text.strip_prefix("unix:") {
            Some(path) => Ok(Self::Unix(path.into())),
            None => Ok(Self::Tcp(text.parse()?)),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Stepgate {
    /// Starts it and waits until it is ready.
    pub async fn start(policy: &Path, listen: &Listen, arguments: &[&str]) -> Result<Self> {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self::spawn(policy.to_owned(), listen, &Listen::any().to_string(), arguments).await
    }

    /// Starts it again where it was before, as an orchestrator would.
    pub async fn start_again(&mut self) -> Result<()> {
        let admin = self.admin.to_string();
        *self = Self::spawn(self.policy.clone(), &self.listen, &admin, self.arguments.clone()).await?;
        Ok(())
    }

    /// Starts it and waits until it listens, ready or not.
    pub async fn launch(policy: &Path, listen: &Listen, arguments: &[&str]) -> Result<Self> {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self::listening(policy.to_owned(), listen, &Listen::any().to_string(), arguments).await
    }

    async fn spawn(policy: PathBuf, listen: &Listen, admin: &str, arguments: Vec<String>) -> Result<Self> {
        let stepgate = Self::listening(policy, listen, admin, arguments).await?;
        stepgate.ready().await?;
        Ok(stepgate)
    }

    async fn listening(policy: PathBuf, listen: &Listen, admin: &str, arguments: Vec<String>) -> Result<Self> {
        let mut command = Command::new(binary()?);
        command.arg("serve").arg("--policy").arg(&policy).args(["--log-format", "json", "--admin", admin]);
        command.arg("--listen").arg(listen.to_string()).args(&arguments);
        let mut child = Child::spawn("stepgate", command)?;
        let started = child.until("its addresses", async |child| listening(&child.stderr())).await?;
        let address = |field: &str| {
            started.get(field).and_then(Value::as_str).ok_or_else(|| format!("no `{field}` in {started}"))
        };
        let (listen, admin) = (Listen::parse(address("listen")?)?, address("admin")?.parse()?);
        Ok(Self { listen, admin, policy, arguments, child, http: http().build()? })
    }

    pub async fn ready(&self) -> Result<()> {
        until("stepgate to be ready", async || self.get("/readyz").await.ok()).await.map(drop)
    }

    /// One of the admin listener's pages.
    pub async fn get(&self, path: &str) -> Result<String> {
        let url = format!("http://{}{path}", self.admin);
        Ok(self.http.get(url).send().await?.error_for_status()?.text().await?)
    }

    /// What it still waits for, one a line; nothing once it is ready.
    pub async fn obstacles(&self) -> Result<Option<String>> {
        let answer = self.http.get(format!("http://{}/readyz", self.admin)).send().await?;
        if answer.status().is_success() { Ok(None) } else { Ok(Some(answer.text().await?)) }
    }

    /// The sum of the series of that name which have all these labels, out of `/metrics`.
    pub async fn metric(&self, name: &str, labels: &[(&str, &str)]) -> Result<f64> {
        let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let metrics = self.get("/metrics").await?;
        let series = metrics.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, found_labels) = series.split_once('{').unwrap_or((series, ""));
            let wanted = found == name && labels.iter().all(|label| found_labels.contains(label));
            wanted.then(|| value.parse::<f64>())
        });
        Ok(series.sum::<Result<f64, _>>()?)
    }

    /// The same of a counter, which holds whole numbers.
    pub async fn count(&self, name: &str, labels: &[(&str, &str)]) -> Result<u64> {
        let value = self.metric(name, labels).await?;
        format!("{value}").parse().map_err(|_| format!("{name} is {value}, and no count").into())
    }

    /// How often it has taken a changed policy.
    pub async fn reloads(&self) -> Result<u64> {
        self.count("stepgate_policy_reloads_total", &[("outcome", "accepted")]).await
    }

    /// What the decision log says of one decision; it is written a moment after the answer.
    pub async fn decision(&self, id: &str) -> Result<Value> {
        let is_it = |line: &Value| line.get("decision_id").and_then(Value::as_str) == Some(id);
        until("the decision log", async || self.decisions().into_iter().find(is_it)).await
    }

    /// The decision log so far.
    pub fn decisions(&self) -> Vec<Value> {
        self.child.stdout().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await
    }

    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.child.terminate().await
    }

    /// Waits for an end that something else brought about.
    pub async fn exit(&mut self) -> Result<ExitStatus> {
        self.child.exit().await
    }

    pub fn child(&self) -> &Child {
        &self.child
    }
}

/// The start message in the log.
pub fn listening(log: &[String]) -> Option<Value> {
    log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|event| {
        let fields = event.get("fields")?;
        (fields.get("message")? == "listening").then(|| fields.clone())
    })
}

/// The binary that belongs to the running program: what cargo says in tests; beside the examples' folder in the demo.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) =
        env::var_os("STEPGATE").map(PathBuf::from).or(option_env!("CARGO_BIN_EXE_stepgate").map(PathBuf::from))
    {
        return Ok(path);
    }
    let built = env::current_exe()?.ancestors().nth(2).map(|target| target.join("stepgate"));
    built.filter(|path| path.exists()).ok_or_else(|| {
        "the stepgate binary is not built; run `make demo`, or `cargo build --release --bin stepgate`".into()
    })
}
