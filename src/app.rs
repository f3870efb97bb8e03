//! Wiring: build, bind, be ready, follow changes, drain.

mod admin_tokens;
mod challenge_keys;
mod failure;
mod keys;
mod listen;
mod reload;
mod secret_file;
mod signals;
mod state;

pub use failure::Failure;
pub use listen::Listen;
pub use secret_file::Unusable;
pub use state::{StateAt, StateAtError};

use crate::admin::events::Receiver;
use crate::admin::{self, Admin, Control, LastError, Readiness, Standing};
use crate::challenge::ChallengeKeys;
use crate::chassis::{Chassis, Drained, Health, InFlight, Limits, Listener};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Diagnostics, Loaded};
use crate::server::{DecisionIds, Server, Snapshot};
use crate::store::{CacheMeter, Gate, Meters, Store};
use crate::telemetry::{
    AllowShare, Cache, DecisionLog, Destination, LatestDecisions, LogFormat, LogWriter, Metrics, program_log,
};
use crate::time::Ttl;
use arc_swap::ArcSwap;
use reload::{Followed, Reloader};
use signals::StopSignals;
use state::Opened;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::level_filters::LevelFilter;

/// What `serve` was told.
#[derive(Clone, Debug)]
pub struct Options {
    pub policy: Vec<PathBuf>,
    pub listen: Listen,
    pub admin: SocketAddr,
    pub admin_token_file: Option<PathBuf>,
    /// Where security events are received, beside the admin listener.
    pub events: Option<SocketAddr>,
    pub challenge_key_file: Option<PathBuf>,
    pub log_format: LogFormat,
    pub log_level: LevelFilter,
    pub decision_log: Destination,
    pub decision_log_allows: AllowShare,
    pub cache_bytes: u64,
    pub max_in_flight: usize,
    /// Nothing: this process alone.
    pub state: Option<StateAt>,
    pub revocations_keep: Ttl,
    pub drain: Duration,
}

type AppServer = Server<SystemClock>;

/// Serves until told to stop. The calling thread carries the control runtime; workers have threads of their own.
pub fn run(options: Options) -> Result<(), Failure> {
    program_log::start(options.log_format, options.log_level).map_err(|error| Failure::Log(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    let ended = runtime.block_on(serve(options));
    // A second signal must not wait for what a blocking thread still does.
    runtime.shutdown_background();
    ended
}

async fn serve(options: Options) -> Result<(), Failure> {
    let metrics = Arc::new(Metrics::new()?);
    let loaded = config::load(&options.policy).map_err(Failure::Policy)?;
    let listener = options.listen.bind().await?;
    let admin_listener = bind_admin(options.admin).await?;
    let events_listener = bind_events(options.events).await?;
    let challenge_keys = challenge_keys::open(options.challenge_key_file.as_deref())?;
    let challenges = challenge_keys::in_force(challenge_keys.as_ref())?;
    let admin_tokens = admin_tokens::open(&options)?;
    let latest = admin_tokens.as_ref().map(|_| Arc::<LatestDecisions>::default());
    let state = state::open(&options, &challenges, &metrics)?;
    let (server, log_writer) = build(&options, loaded, challenges, state, latest.clone(), &metrics).await?;
    let hangups = signals::hangups().map_err(Failure::Signals)?;
    let stop = StopSignals::listen().map_err(Failure::Signals)?;

    let health = Health::not_serving().await;
    let limits = Limits { max_in_flight: options.max_in_flight, ..Limits::default() };
    let chassis = Chassis::new(Arc::clone(&server), health.clone(), limits);
    read_at_scrape(&metrics, &server, chassis.in_flight());
    let readiness = Readiness::new();
    let serving = readiness.latch("serving");
    keys::hold_until_reached(&readiness, &server.keys);
    state::follow(&server, &readiness);
    let admin_address = admin_listener.local_addr().unwrap_or(options.admin);
    let ended = CancellationToken::new();
    let last_error = LastError::default();
    let events = Arc::new(Receiver::new(Arc::clone(&server.snapshot), Arc::clone(server.store.ledger())));
    let control = admin_tokens.as_ref().zip(latest).map(|(file, decisions)| Control {
        tokens: file.in_force(),
        snapshot: Arc::clone(&server.snapshot),
        last_error: Arc::clone(&last_error),
        decisions,
        ledger: Arc::clone(server.store.ledger()),
        clock: Arc::new(SystemClock),
        events: Arc::clone(&events),
    });
    let admin = Admin { readiness: readiness.clone(), metrics: Arc::clone(&metrics), control };
    let admin = tokio::spawn(admin::serve(admin_listener, admin, ended.clone().cancelled_owned()));
    receive(events_listener, events, &ended);
    let followed = Followed { policy: options.policy.clone(), challenge_keys, admin_tokens };
    let reloads = tokio::spawn(Reloader::new(followed, Arc::clone(&server), metrics, last_error).follow(hangups));

    tracing::info!(listen = %options.listen.bound(&listener), admin = %admin_address, "listening");
    serving.set();
    tokio::spawn(serve_when_ready(readiness.clone(), health));
    let outcome = serve_until_stopped(chassis, listener, stop, &readiness, options.drain).await;
    reloads.abort();
    state::leave(&server).await;
    ended.cancel();
    // However the admin listener ended, there is nothing left to do about it.
    let _ = admin.await;
    if !log_writer.finish(LOG_PATIENCE) {
        tracing::warn!("the last decisions could not be logged in time");
    }
    outcome
}

/// Says so over gRPC too, once everything is there that is waited for.
async fn serve_when_ready(readiness: Readiness, health: Health) {
    let mut standing = readiness.subscribe();
    // It ends with the process; until then the sender lives.
    if standing.wait_for(Standing::is_ready).await.is_ok() {
        health.set_serving(true).await;
    }
}

/// How long the last lines of the decision log may take.
const LOG_PATIENCE: Duration = Duration::from_secs(2);

/// The first signal drains, a second one ends at once.
async fn serve_until_stopped(
    chassis: Chassis<AppServer>,
    listener: Listener,
    mut stop: StopSignals,
    readiness: &Readiness,
    drain: Duration,
) -> Result<(), Failure> {
    let draining = CancellationToken::new();
    let mut serving = pin!(chassis.serve(listener, draining.clone().cancelled_owned(), drain));
    tokio::select! {
        ended = &mut serving => return ended.map(drop).map_err(Failure::Runtime),
        () = stop.next() => {}
    }
    tracing::info!("stopping: no new calls, those in flight are finished");
    readiness.drain();
    draining.cancel();
    let drained = tokio::select! {
        drained = serving => drained.map_err(Failure::Runtime)?,
        () = stop.next() => return Err(Failure::Aborted),
    };
    if let Drained::Cut(calls) = drained {
        tracing::warn!(calls, "the drain limit passed with calls unanswered");
    }
    Ok(())
}

async fn bind_events(address: Option<SocketAddr>) -> Result<Option<TcpListener>, Failure> {
    let Some(address) = address else { return Ok(None) };
    TcpListener::bind(address).await.map(Some).map_err(|source| Failure::Events { address, source })
}

/// Where events have a listener of their own.
fn receive(listener: Option<TcpListener>, receiver: Arc<Receiver>, ended: &CancellationToken) {
    let Some(listener) = listener else { return };
    if let Ok(events) = listener.local_addr() {
        tracing::info!(%events, "receiving security events");
    }
    tokio::spawn(admin::events::serve(listener, receiver, ended.clone().cancelled_owned()));
}

async fn bind_admin(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|source| Failure::Admin { address, source })
}

async fn build(
    options: &Options,
    loaded: Loaded,
    challenges: Arc<ArcSwap<ChallengeKeys>>,
    state: Opened,
    latest: Option<Arc<LatestDecisions>>,
    metrics: &Arc<Metrics>,
) -> Result<(Arc<AppServer>, LogWriter), Failure> {
    warn(&loaded.warnings);
    let gate = Gate::new(Limits::default().workers.get(), Gate::DEFAULT_MAX_WAITING);
    let (destination, allows) = (&options.decision_log, options.decision_log_allows);
    let (log, log_writer) = DecisionLog::open(destination, allows, latest, metrics.decision_log_dropped())
        .map_err(|source| Failure::DecisionLog { destination: destination.clone(), source })?;
    let issuers = loaded.issuer_keys();
    let Opened { ledger, learned, records } = state;
    let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::new(loaded, metrics, &SystemClock)?));
    let store = Store::new(SystemClock, options.cache_bytes, gate, meters(metrics)?, Arc::clone(&ledger), learned)?;
    store.recall(&records, &snapshot.load().policy);
    let server = Server {
        keys: keys::follow(issuers, &snapshot, &ledger, metrics).await?,
        snapshot,
        store,
        challenges,
        clock: SystemClock,
        ids: DecisionIds::random()?,
        log,
    };
    Ok((Arc::new(server), log_writer))
}

/// The meters of the caches.
pub(crate) fn meters(metrics: &Metrics) -> prometheus::Result<Meters> {
    let meter = |cache| metrics.lookups(cache).map(|lookups| CacheMeter { hits: lookups.hits, misses: lookups.misses });
    Ok(Meters {
        bearers: meter(Cache::Bearer)?,
        attestations: meter(Cache::Attestation)?,
        certificates: meter(Cache::Certificate)?,
    })
}

fn read_at_scrape(metrics: &Metrics, server: &Arc<AppServer>, in_flight: InFlight) {
    let server = Arc::downgrade(server);
    metrics.at_scrape(move |readings| {
        readings.in_flight(in_flight.count());
        let Some(server) = server.upgrade() else { return };
        readings.grants(server.store.ledger().active_grants(server.clock.now()));
        for size in server.store.cache_sizes() {
            if let Some(cache) = Cache::parse(size.cache) {
                readings.cache(cache, size.entries, size.bytes);
            }
        }
    });
}

fn warn(warnings: &Diagnostics) {
    for warning in warnings.iter() {
        tracing::warn!(code = %warning.code, help = warning.help, "{}", warning.message);
    }
}
