//! Signals: the first to stop drains, a second one ends at once; a hangup asks for a reload.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask to stop.
#[derive(Debug)]
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

pub(super) fn hangups() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}
