//! h2load, the load generator of nghttp2: one run, and what it says of it.

use crate::Result;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How many connections, and how many calls are in flight on each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) connections: u32,
    pub(crate) streams: u32,
}

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) median_us: f64,
    pub(crate) p99_us: f64,
    /// Processor time of the server for one request.
    pub(crate) cpu_us: f64,
    pub(crate) failed: u32,
}

/// What h2load itself can tell.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) requests: u32,
    pub(crate) failed: u32,
    pub(crate) per_second: f64,
    pub(crate) median_us: u32,
    pub(crate) p99_us: u32,
}

pub(crate) fn require() -> Result<()> {
    let found = Command::new("h2load").arg("--version").stdout(Stdio::null()).status();
    found.map(drop).map_err(|_| "h2load is missing; install it with: apt-get install nghttp2-client".into())
}

/// Sends `body` for `duration`; `address` as in `--listen`. Times go by way of a file in `folder`.
pub(crate) fn run(address: &str, load: Load, duration: Duration, body: &Path, folder: &Path) -> Result<Outcome> {
    let times = folder.join("times");
    let _ = fs::remove_file(&times); // h2load appends
    let mut command = Command::new("h2load");
    command
        .args(["--threads=1", "--header=content-type: application/grpc", "--header=te: trailers"])
        .arg("--header=grpc-timeout: 5S")
        .arg(format!("--clients={}", load.connections))
        .arg(format!("--max-concurrent-streams={}", load.streams))
        .arg(format!("--duration={}", duration.as_secs()))
        .arg(joined("--data=", body))
        .arg(joined("--log-file=", &times));
    let authority = if address.starts_with("unix:") {
        command.arg(format!("--base-uri={address}"));
        "localhost"
    } else {
        address
    };
    let output = command.arg(format!("http://{authority}/envoy.service.auth.v3.Authorization/Check")).output()?;
    read(&String::from_utf8(output.stdout)?, &fs::read_to_string(&times)?)
}

fn joined(option: &str, path: &Path) -> std::ffi::OsString {
    [OsStr::new(option), path.as_os_str()].into_iter().collect()
}

/// Reads h2load's summary and its file of times, whose lines are start, status and microseconds.
fn read(summary: &str, times: &str) -> Result<Outcome> {
    let requests = number_before(summary, " done,")?;
    // A status counts when its headers come, a request when its stream ends: the last ones may have only the former.
    let not_ok = requests.saturating_sub(number_before(summary, " 2xx,")?);
    let broken = number_before(summary, " failed,")? + number_before(summary, " errored,")?;
    let mut times = times
        .lines()
        .map(|line| Ok(line.rsplit('\t').next().unwrap_or_default().parse()?))
        .collect::<Result<Vec<u32>>>()?;
    times.sort_unstable();
    Ok(Outcome {
        requests: requests.try_into()?,
        failed: not_ok.max(broken).try_into()?,
        per_second: decimal_before(summary, " req/s,")?,
        median_us: percentile(&times, 50)?,
        p99_us: percentile(&times, 99)?,
    })
}

fn percentile(sorted: &[u32], percent: usize) -> Result<u32> {
    sorted.get(sorted.len() * percent / 100).copied().ok_or_else(|| "h2load answered no request".into())
}

fn number_before(summary: &str, what: &str) -> Result<u64> {
    Ok(word_before(summary, what)?.parse()?)
}

fn decimal_before(summary: &str, what: &str) -> Result<f64> {
    Ok(word_before(summary, what)?.parse()?)
}

fn word_before<'a>(summary: &'a str, what: &str) -> Result<&'a str> {
    let before = summary.split_once(what).and_then(|(before, _)| before.rsplit(' ').next());
    before.ok_or_else(|| format!("h2load didn't say `{}`:\n{summary}", what.trim()).into())
}
