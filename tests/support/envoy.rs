//! The real Envoy, run from a bootstrap of this repository with nothing but its addresses exchanged.

use super::child::Child;
use super::stepgate::Listen;
use super::{Result, http, repository};
use reqwest::Client;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{env, fs};
use tempfile::TempDir;
use tokio::process::Command;

/// Where the shipped bootstraps look for certificates.
const CERTIFICATES: &str = "/etc/envoy/certs";

#[derive(Debug)]
pub struct Envoy {
    /// Where it takes requests.
    pub address: SocketAddr,
    pub admin: SocketAddr,
    child: Child,
    _dir: TempDir,
}

impl Envoy {
    /// Ends it and waits until it is gone.
    pub async fn stop(&mut self) -> Result<()> {
        self.child.kill().await
    }
}

/// A configuration of Envoy before it runs.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    document: Value,
    certificates: PathBuf,
}

impl Bootstrap {
    /// Reads a bootstrap of the repository; certificates are looked for in `certificates`.
    pub fn read(path: &str, certificates: &Path) -> Result<Self> {
        let yaml = fs::read_to_string(repository(path))?;
        let yaml = yaml.replace(CERTIFICATES, &certificates.display().to_string());
        let bootstrap = Self { document: serde_saphyr::from_str(&yaml)?, certificates: certificates.to_owned() };
        let any_port = json!({ "address": "127.0.0.1", "port_value": 0 });
        bootstrap
            .with("/admin/address/socket_address", any_port.clone())?
            .with("/static_resources/listeners/0/address/socket_address", any_port)
    }

    /// Exchanges what stands at a JSON pointer.
    pub fn with(mut self, pointer: &str, value: Value) -> Result<Self> {
        let place = self.document.pointer_mut(pointer).ok_or_else(|| format!("the bootstrap has no `{pointer}`"))?;
        *place = value;
        Ok(self)
    }

    /// Adds what was not there: a member to an object, or an item to a list, before the one that had the place (RFC 6902 §4.1).
    pub fn add(mut self, pointer: &str, value: Value) -> Result<Self> {
        let (parent, last) = pointer.rsplit_once('/').ok_or_else(|| format!("`{pointer}` is no place"))?;
        let place = match self.document.pointer_mut(parent) {
            Some(Value::Object(members)) => {
                members.insert(last.to_owned(), value);
                Some(())
            }
            Some(Value::Array(items)) => {
                last.parse().ok().filter(|index| *index <= items.len()).map(|index| items.insert(index, value))
            }
            _ => None,
        };
        place.map(|()| self).ok_or_else(|| format!("the bootstrap has no place for `{pointer}`").into())
    }

    /// A file in the folder of the certificates.
    pub fn beside(&self, file: &str) -> PathBuf {
        self.certificates.join(file)
    }

    pub fn with_stepgate(self, listen: &Listen) -> Result<Self> {
        let address = match listen {
            Listen::Tcp(address) => socket(*address),
            Listen::Unix(path) => json!({ "pipe": { "path": path } }),
        };
        self.with_cluster("stepgate", address)
    }

    pub fn with_upstream(self, address: SocketAddr) -> Result<Self> {
        self.with_cluster("app", socket(address))
    }

    fn with_cluster(self, name: &str, address: Value) -> Result<Self> {
        let clusters = self.document.pointer("/static_resources/clusters").and_then(Value::as_array);
        let index = clusters.and_then(|all| all.iter().position(|cluster| cluster.get("name") == Some(&json!(name))));
        let index = index.ok_or_else(|| format!("the bootstrap has no cluster `{name}`"))?;
        let endpoint = "load_assignment/endpoints/0/lb_endpoints/0/endpoint/address";
        self.with(&format!("/static_resources/clusters/{index}/{endpoint}"), address)
    }

    /// Envoy's own judgement of the file; what it found wrong is the error.
    pub async fn validate(&self) -> Result<()> {
        let dir = tempfile::tempdir()?;
        let mut command = Command::new(binary()?);
        command.args(["--mode", "validate", "--log-level", "warn", "--config-path"]).arg(self.write(dir.path())?);
        let output = command.output().await?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
    }

    /// Starts Envoy and waits until it takes requests.
    pub async fn start(&self) -> Result<Envoy> {
        let dir = tempfile::tempdir()?;
        let admin_file = dir.path().join("admin");
        let mut command = Command::new(binary()?);
        command.args(["--disable-hot-restart", "--concurrency", "1", "--log-level", "warn", "--config-path"]);
        command.arg(self.write(dir.path())?).arg("--admin-address-path").arg(&admin_file);
        let mut child = Child::spawn("envoy", command)?;
        let admin = child
            .until("its admin address", async |_| fs::read_to_string(&admin_file).ok()?.trim().parse().ok())
            .await?;
        let http = http().build()?;
        let address = child.until("its listener", async |_| listener(&http, admin).await.ok()).await?;
        Ok(Envoy { address, admin, child, _dir: dir })
    }

    fn write(&self, dir: &Path) -> Result<PathBuf> {
        let file = dir.join("bootstrap.json");
        fs::write(&file, self.document.to_string())?;
        Ok(file)
    }
}

/// The first listener's address, once all is warmed up.
async fn listener(http: &Client, admin: SocketAddr) -> Result<SocketAddr> {
    http.get(format!("http://{admin}/ready")).send().await?.error_for_status()?;
    let listeners = http.get(format!("http://{admin}/listeners?format=json")).send().await?;
    let listeners: Value = listeners.json().await?;
    let at = |field: &str| listeners.pointer(&format!("/listener_statuses/0/local_address/socket_address/{field}"));
    let ip = at("address").and_then(Value::as_str).ok_or("no listener")?;
    let port = at("port_value").and_then(Value::as_u64).ok_or("no listener")?;
    Ok(SocketAddr::new(ip.parse()?, u16::try_from(port)?))
}

fn socket(address: SocketAddr) -> Value {
    json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
}

fn binary() -> Result<PathBuf> {
    let path = env::var_os("ENVOY").map_or_else(|| repository(".tools/envoy"), PathBuf::from);
    if path.exists() {
        return Ok(path);
    }
    Err(format!("no Envoy at {}; run `make tools`, or set ENVOY to its binary", path.display()).into())
}
