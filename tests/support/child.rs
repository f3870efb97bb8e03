//! A process of our own: its output is kept, and it ends with the value that started it.

use super::Result;
use super::wait::{PATIENCE, until};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// How much of a failed process's output is shown.
const TAIL: usize = 15;

#[derive(Debug)]
pub struct Child {
    name: String,
    process: tokio::process::Child,
    stdout: Lines,
    stderr: Lines,
}

#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Child {
    pub fn spawn(name: &str, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command
            .spawn()
            .map_err(|why| format!("can't start {name} ({}): {why}", command.as_std().get_program().display()))?;
        let stdout = Lines::of(process.stdout.take());
        let stderr = Lines::of(process.stderr.take());
        Ok(Self { name: name.to_owned(), process, stdout, stderr })
    }

    /// Waits for the process to have brought about what `attempt` looks for; fails at once when it ends.
    pub async fn until<T>(&mut self, what: &str, mut attempt: impl AsyncFnMut(&Self) -> Option<T>) -> Result<T> {
        let found = until(what, async || match attempt(self).await {
            Some(found) => Some(Ok(found)),
            None => self.process.try_wait().transpose().map(Err),
        });
        match found.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(ended)) => Err(format!("{} ended ({}){}", self.name, describe(ended), self.tail()).into()),
            Err(why) => Err(format!("{}: {why}{}", self.name, self.tail()).into()),
        }
    }

    pub fn stdout(&self) -> Vec<String> {
        self.stdout.all()
    }

    pub fn stderr(&self) -> Vec<String> {
        self.stderr.all()
    }

    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Sends SIGTERM, and waits for the end that it asks for.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal("TERM").await?;
        self.exit().await
    }

    /// Sends a signal by its name, without `SIG`.
    pub async fn signal(&self, signal: &str) -> Result<()> {
        let pid = self.process.id().ok_or_else(|| format!("{} has ended already", self.name))?;
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status().await?;
        if sent.success() { Ok(()) } else { Err(format!("can't send SIG{signal} to {}", self.name).into()) }
    }

    pub async fn exit(&mut self) -> Result<ExitStatus> {
        let ended = timeout(PATIENCE, self.process.wait()).await;
        Ok(ended.map_err(|_| format!("{} did not end{}", self.name, self.tail()))??)
    }

    /// Ends it as a crash would.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }

    fn tail(&self) -> String {
        let lines = self.stderr.all();
        let last: Vec<_> =
            lines.iter().skip(lines.len().saturating_sub(TAIL)).map(|line| format!("\n  | {line}")).collect();
        last.concat()
    }
}

impl Lines {
    /// Reads in the background, so that the process never waits for its output to be read.
    fn of(output: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let lines = Self::default();
        if let Some(output) = output {
            let read = lines.clone();
            tokio::spawn(async move {
                let mut reader = BufReader::new(output).lines();
                while let Ok(Some(line)) = reader.next_line().await {
                    read.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                }
            });
        }
        lines
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn describe(ended: std::io::Result<ExitStatus>) -> String {
    ended.map_or_else(|why| why.to_string(), |status| status.to_string())
}
