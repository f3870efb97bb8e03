//! A real Valkey for each test, and replicas that share it.

use super::super::stream::KEY;
use super::super::{Away, Settings, StateMeter, StateOp, StateOutcome, StateUrl, Valkey};
use crate::challenge::ChallengeKeys;
use crate::clock::{Clock, SystemClock};
use crate::revocation::{Revocation, RevocationId, Source, Target};
use crate::store::Revoked;
use crate::time::{Ttl, UnixTime};
use arc_swap::ArcSwap;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge};
use redis::Value;
use redis::aio::MultiplexedConnection;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

pub(super) const KEEP: Ttl = Ttl::from_secs(30 * 86_400);
/// Long on a machine that does much else; no test waits for it when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

/// One server process; it ends with this.
pub(super) struct Server {
    child: Child,
    port: u16,
    arguments: Vec<String>,
    /// It writes nothing there.
    _folder: tempfile::TempDir,
}

impl Server {
    pub(super) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(super) fn start_with(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixed =
            ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder.path().to_str().unwrap()];
        let copies = ["--repl-diskless-sync-delay", "0"];
        let arguments: Vec<_> = fixed.iter().chain(&copies).chain(more).map(ToString::to_string).collect();
        // A port that was free may be taken before the server is there.
        let started = (0..10).find_map(|_| {
            let port = free_port();
            spawn(port, &arguments).map(|child| (child, port))
        });
        let (child, port) = started.expect("no Valkey came up");
        Self { child, port, arguments, _folder: folder }
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(super) fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Empty, at the same place.
    pub(super) fn start_again(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        self.child = loop {
            match spawn(self.port, &self.arguments) {
                Some(child) => break child,
                None => assert!(Instant::now() < deadline, "it does not come up again"),
            }
        };
    }

    pub(super) fn pause(&self) {
        self.signal("STOP");
    }

    pub(super) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", self.child.id())).status();
        assert!(sent.unwrap().success());
    }

    /// How many revocations are in the stream.
    pub(super) async fn length(&self) -> usize {
        let Value::Int(length) = self.say(&["XLEN", KEY]).await else { unreachable!() };
        usize::try_from(length).unwrap()
    }

    pub(super) async fn holds_soon(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.length().await != count {
            assert!(Instant::now() < deadline, "the stream has {} of {count}", self.length().await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The last entry: its id and its fields.
    pub(super) async fn last(&self) -> (String, BTreeMap<String, String>) {
        let entries = self.say(&["XREVRANGE", KEY, "+", "-", "COUNT", "1"]).await;
        read_entries(entries).remove(0)
    }

    /// As a copy of the store has it that heard no more than these.
    pub(super) async fn keep_first(&self, count: usize) {
        let mut entries = read_entries(self.say(&["XRANGE", KEY, "-", "+"]).await);
        entries.truncate(count);
        self.write_anew(&entries).await;
    }

    pub(super) async fn put_instead_of_last(&self, fields: &BTreeMap<String, String>) {
        let mut entries = read_entries(self.say(&["XRANGE", KEY, "-", "+"]).await);
        entries.last_mut().unwrap().1 = fields.clone();
        self.write_anew(&entries).await;
    }

    async fn write_anew(&self, entries: &[(String, BTreeMap<String, String>)]) {
        let mut commands = redis::pipe();
        commands.atomic().cmd("DEL").arg(KEY);
        for (id, fields) in entries {
            commands.cmd("XADD").arg(KEY).arg(id);
            for field in ["base", "at", "previous", "key", "tag", "record"] {
                commands.arg(field).arg(&fields[field]);
            }
        }
        let mut calls = self.calls().await;
        let _: Vec<Value> = commands.query_async(&mut calls).await.unwrap();
    }

    /// Becomes a copy of the other, which takes nothing that is written.
    pub(super) async fn follow(&self, other: &Self) {
        self.say(&["REPLICAOF", "127.0.0.1", &other.port.to_string()]).await;
        let deadline = Instant::now() + PATIENCE;
        while !format!("{:?}", self.say(&["INFO", "replication"]).await).contains("master_link_status:up") {
            assert!(Instant::now() < deadline, "it does not become a copy");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(super) async fn stand_alone(&self) {
        self.say(&["REPLICAOF", "NO", "ONE"]).await;
    }

    /// What an operator, or an attacker, types.
    pub(super) async fn say(&self, words: &[&str]) -> Value {
        let mut calls = self.calls().await;
        let mut command = redis::cmd(words[0]);
        words[1..].iter().for_each(|word| _ = command.arg(word));
        command.query_async(&mut calls).await.unwrap()
    }

    async fn calls(&self) -> MultiplexedConnection {
        let settings = redis::AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        let client = redis::Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection_with_config(&settings).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, arguments: &[String]) -> Option<Child> {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--port").arg(port.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("Valkey can't be started");
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        if std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() && child.try_wait().unwrap().is_none() {
            return Some(child);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn binary() -> PathBuf {
    let binary = std::env::var_os("VALKEY").map(PathBuf::from);
    let binary = binary.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/valkey").into());
    assert!(binary.exists(), "no Valkey at {}: run `make tools`, or set VALKEY to its binary", binary.display());
    binary
}

fn read_entries(value: Value) -> Vec<(String, BTreeMap<String, String>)> {
    let Value::Array(entries) = value else { unreachable!() };
    let read = |entry: &Value| {
        let Value::Array(entry) = entry else { unreachable!() };
        let Value::Array(fields) = &entry[1] else { unreachable!() };
        (text(&entry[0]), fields.chunks(2).map(|pair| (text(&pair[0]), text(&pair[1]))).collect())
    };
    entries.iter().map(read).collect()
}

pub(super) fn text(value: &Value) -> String {
    let Value::BulkString(bytes) = value else { unreachable!("{value:?}") };
    String::from_utf8(bytes.clone()).unwrap()
}

/// A clock that is wrong.
pub(super) struct Shifted {
    by: Ttl,
    is_late: bool,
}

impl Shifted {
    pub(super) fn back(by: Ttl) -> Arc<dyn Clock> {
        Arc::new(Self { by, is_late: true })
    }

    pub(super) fn ahead(by: Ttl) -> Arc<dyn Clock> {
        Arc::new(Self { by, is_late: false })
    }
}

impl Clock for Shifted {
    fn now(&self) -> UnixTime {
        if self.is_late { now().minus(self.by) } else { now().plus(self.by) }
    }
}

/// One replica, following until this is dropped.
pub(super) struct Replica {
    pub valkey: Valkey,
    pub revoked: Arc<Revoked>,
    pub keys: Arc<ArcSwap<ChallengeKeys>>,
    pub meter: StateMeter,
    following: JoinHandle<()>,
}

impl Replica {
    pub(super) fn start(url: &str) -> Self {
        Self::with_keys(url, &"ab".repeat(32))
    }

    pub(super) fn with_keys(url: &str, keys: &str) -> Self {
        Self::with(url, keys, Arc::new(SystemClock))
    }

    pub(super) fn with(url: &str, keys: &str, clock: Arc<dyn Clock>) -> Self {
        let keys = Arc::new(ArcSwap::from_pointee(ChallengeKeys::parse(keys).unwrap()));
        let (revoked, meter) = (Arc::new(Revoked::unread(KEEP)), meter());
        let settings = Settings { url: StateUrl::parse(url).unwrap(), keys: Arc::clone(&keys), keep: KEEP, clock };
        let valkey = Valkey::new(settings, Arc::clone(&revoked), meter.clone()).unwrap();
        let following = tokio::spawn(valkey.clone().follow());
        Self { valkey, revoked, keys, meter, following }
    }

    pub(super) async fn up(self) -> Self {
        self.wait_until("it is up", |own| own.valkey.is_up()).await;
        self
    }

    /// Puts a revocation in force here, and shares it.
    pub(super) async fn revoke(&self, id: &str) -> Result<(), Away> {
        let new = self.revoked.add([revocation(id)]);
        self.valkey.share(&new).await
    }

    /// The same, however busy the machine is.
    pub(super) async fn shares(&self, id: &str) {
        let new = self.revoked.add([revocation(id)]);
        surely(async || self.valkey.share(&new).await).await;
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.revoked.knows(&RevocationId::parse(id).unwrap())
    }

    pub(super) async fn knows_soon(&self, id: &str) {
        self.wait_until(id, |own| own.knows(id)).await;
    }

    pub(super) async fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < deadline, "not in time: {what}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(super) fn counted(&self, op: StateOp, outcome: StateOutcome) -> u64 {
        let op = StateOp::ALL.iter().position(|own| *own == op).unwrap();
        let outcome = StateOutcome::ALL.iter().position(|own| *own == outcome).unwrap();
        self.meter.operations[op][outcome].get()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn meter() -> StateMeter {
    let counter = || IntCounter::new("c", "c").unwrap();
    let lag = Histogram::with_opts(HistogramOpts::new("h", "h")).unwrap();
    let operations = std::array::from_fn(|_| std::array::from_fn(|_| counter()));
    StateMeter { operations, up: IntGauge::new("g", "g").unwrap(), lag }
}

/// Asks until it is answered: what may be late for a caller is not late for a test.
pub(super) async fn surely<T>(mut ask: impl AsyncFnMut() -> Result<T, Away>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "it stays away");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(super) fn keys(text: &str) -> Arc<ChallengeKeys> {
    Arc::new(ChallengeKeys::parse(text).unwrap())
}

pub(super) fn now() -> UnixTime {
    SystemClock.now()
}

pub(super) fn revocation(id: &str) -> Revocation {
    let target = Target::Task { task: id.into(), of: None };
    let id = RevocationId::parse(id).unwrap();
    Revocation { id, target, not_before: now(), source: Source::Operator, reason: None }
}
