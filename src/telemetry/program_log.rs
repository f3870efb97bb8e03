//! The program's own log, on stderr: what happens to the process, not what it decides.

use std::io::{self, IsTerminal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// `--log-format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object an event: `timestamp`, `level`, `target`, and `fields` with the `message` in it.
    Json,
    #[default]
    Text,
}

/// Sends the events of this level and above to stderr, from now until the process ends.
pub fn start(format: LogFormat, level: LevelFilter) -> Result<(), TryInitError> {
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(level);
    match format {
        LogFormat::Json => log.json().with_current_span(false).with_span_list(false).finish().try_init(),
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).finish().try_init(),
    }
}
