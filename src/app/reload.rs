//! Follows the policy's files, and those of secrets, by their content: every two seconds, and at once on a hangup.
//!
//! Change notifications miss the symlink swap by which a `ConfigMap` changes, so contents are compared. A good policy is
//! swapped in whole; a bad one is refused and said once, and the last good one stays.

use super::AppServer;
use super::secret_file::SecretFile;
use crate::admin::{AdminTokens, LastError};
use crate::challenge::ChallengeKeys;
use crate::clock::Clock;
use crate::config::{self, Diagnostics, Fingerprint, Loaded};
use crate::revocation::{of_identities, of_keys};
use crate::server::Snapshot;
use crate::telemetry::{Metrics, Reload};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio::time::{MissedTickBehavior, interval};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(2);

/// How long a new policy waits for keys that are new in it. What needs them is refused once it is in force without them.
const KEY_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Reloader {
    followed: Followed,
    server: Arc<AppServer>,
    metrics: Arc<Metrics>,
    seen: Seen,
    /// What was said of the last refused policy, so that it is said once.
    refused: Option<String>,
    /// What others are told of it.
    last_error: LastError,
}

/// The files that are followed.
#[derive(Debug)]
pub(super) struct Followed {
    pub policy: Vec<PathBuf>,
    pub challenge_keys: Option<SecretFile<ChallengeKeys>>,
    pub admin_tokens: Option<SecretFile<AdminTokens>>,
}

/// What the policy was made from, when it was last looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    files: Vec<PathBuf>,
    fingerprint: Option<Fingerprint>,
}

impl Reloader {
    /// `last_error` is where others find what is wrong with a policy that was refused.
    pub(super) fn new(
        followed: Followed,
        server: Arc<AppServer>,
        metrics: Arc<Metrics>,
        last_error: LastError,
    ) -> Self {
        Self { followed, server, metrics, seen: Seen::default(), refused: None, last_error }
    }

    /// Follows until dropped.
    pub(super) async fn follow(mut self, mut hangups: Signal) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = hangups.recv() => self.server.log.reopen(),
            }
            self.followed.look_at_secrets();
            self.look().await;
        }
    }

    async fn look(&mut self) {
        let (paths, files) = (self.followed.policy.clone(), self.seen.files.clone());
        let look = tokio::task::spawn_blocking(move || {
            let fingerprint = Some(Fingerprint::of(&paths, &files));
            (paths, Seen { files, fingerprint })
        });
        let Ok((paths, seen)) = look.await else { return };
        if seen == self.seen {
            return;
        }
        match tokio::task::spawn_blocking(move || config::load(&paths)).await {
            Ok(Ok(loaded)) => {
                self.settle(seen, loaded.files.clone());
                self.accept(loaded).await;
            }
            Ok(Err(problems)) => {
                self.settle(seen, problems.files());
                self.reject(&problems);
            }
            Err(panicked) => tracing::error!(%panicked, "the policy could not be read"),
        }
    }

    /// What was seen before loading counts as seen, so that a change while loading is found by the next look. Where the
    /// policy names other files than before, nothing counts as seen yet.
    fn settle(&mut self, before: Seen, files: Vec<PathBuf>) {
        self.seen = if before.files == files { before } else { Seen { files, fingerprint: None } };
    }

    async fn accept(&mut self, loaded: Loaded) {
        self.refused = None;
        if loaded.policy.hash != self.server.snapshot.load().policy.hash {
            super::warn(&loaded.warnings);
            let hash = loaded.policy.hash.clone();
            if let Err(error) = self.swap(loaded).await {
                tracing::error!(%error, "the policy's metrics could not be made, the last good one stays");
                self.last_error.store(Some(Arc::new(format!("the policy's metrics could not be made: {error}"))));
                return;
            }
            self.metrics.count_reload(Reload::Accepted);
            tracing::info!(policy_hash = %hash, "policy reloaded");
        }
        self.last_error.store(None);
    }

    /// The old policy stays in force while the keys that are new in this one arrive.
    async fn swap(&self, loaded: Loaded) -> prometheus::Result<()> {
        let server = &self.server;
        let prepared = server.keys.prepare(loaded.issuer_keys(), KEY_PATIENCE).await?;
        server.keys.adopt(prepared, |keyring| {
            let new = Snapshot::new(Loaded { keyring, ..loaded }, &self.metrics, &server.clock)?;
            let old = server.snapshot.load_full();
            server.store.settle(&new.policy);
            let (known, now) = (server.store.known_principals(), server.clock.now());
            let fallen = of_identities(&old.policy.identities, &new.policy.identities, &known, now);
            let removed = of_keys(old.issuer_keys(), new.issuer_keys(), now);
            server.snapshot.store(Arc::new(new));
            super::keys::revoke(server.store.ledger(), [fallen, removed].concat());
            Ok(())
        })
    }

    fn reject(&mut self, problems: &Diagnostics) {
        // Without the lines that are wrong: one may hold a key that should not be there.
        let said = problems.to_lines();
        if self.refused.as_ref() != Some(&said) {
            self.metrics.count_reload(Reload::Rejected);
            tracing::error!("policy refused, the last good one stays\n{said}");
            self.last_error.store(Some(Arc::new(said.clone())));
            self.refused = Some(said);
        }
    }
}

impl Followed {
    fn look_at_secrets(&mut self) {
        if let Some(file) = &mut self.challenge_keys {
            file.look();
        }
        if let Some(file) = &mut self.admin_tokens {
            file.look();
        }
    }
}
