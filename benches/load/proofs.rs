//! What a fresh proof for every call costs, next to the bare signature checks that the same core could make instead.
//!
//! In each round the proofs are signed first, and the server is measured then. It has a core of its own, and the generator
//! another: so the checks that one core makes in a second are all that the server could reach.

use crate::bare::{self, Signed};
use crate::core::Core;
use crate::folder::Folder;
use crate::generator::{self, Answered};
use crate::h2load::Load;
use crate::pool::Pool;
use crate::probe::Probe;
use crate::server::{Kind, Server, cpu_seconds};
use crate::workload::Workload;
use crate::{LOADS, Result};
use prost::Message;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use stepgate::attestation::ProofKind;
use stepgate::clock::{Clock, SystemClock};
use stepgate::mint::Algorithm;
use tokio::runtime;

/// What a round signs for each second that it should last: about what a core of 2025 serves in it.
const PROOFS_A_SECOND: usize = 15_000;
/// As many as are checked in a second, of which the system counts hundredths.
const BARE_CHECKS: usize = 20_000;

/// Where the server runs and where the generator does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    server: Option<Core>,
    generator: Option<Core>,
    /// How many cores the server can use.
    pub(crate) workers: usize,
}

impl Places {
    /// A core for each, where there are two and nothing else is asked for.
    pub(crate) fn choose(pinned: bool) -> Result<Self> {
        let cores = thread::available_parallelism()?.get();
        Ok(if pinned && cores > 1 {
            Self { server: Some(Core(0)), generator: Some(Core(1)), workers: 1 }
        } else {
            Self { server: None, generator: None, workers: cores }
        })
    }

    pub(crate) const fn are_apart(self) -> bool {
        self.server.is_some()
    }
}

/// One pass over a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) median_us: f64,
    pub(crate) p99_us: f64,
    /// Processor time of the server, and of the generator, for one call.
    pub(crate) cpu_us: f64,
    pub(crate) generator_us: f64,
    /// Calls without the answer that they should get.
    pub(crate) failed: usize,
    /// The bare checks of one core in a second, in the same round.
    pub(crate) bare_per_second: f64,
}

/// Under one load, all rounds; in each, every proof for the first time, and once more.
pub(crate) struct Rounds {
    pub(crate) load: Load,
    pub(crate) fresh: Vec<Measured>,
    pub(crate) replayed: Vec<Measured>,
}

/// Everything that rounds are made with.
#[derive(Debug)]
pub(crate) struct Proofs<'f> {
    folder: &'f Folder,
    places: Places,
    server: Server,
    workload: Workload,
    probe: &'f Probe,
}

impl<'f> Proofs<'f> {
    pub(crate) fn start(folder: &'f Folder, probe: &'f Probe, places: Places, unix: bool) -> Result<Self> {
        let server = Server::start_on(places.server, Kind::Stepgate, folder, unix)?;
        let workload = Workload::new(folder.issuers(), ProofKind::Dpop, Algorithm::Es256, SystemClock.now().as_secs())?;
        Ok(Self { folder, places, server, workload, probe })
    }

    pub(crate) fn measure(&mut self, rounds: usize, duration: Duration) -> Result<Vec<Rounds>> {
        self.round(LOADS[1], 2_000)?; // warms it up
        let count = PROOFS_A_SECOND * usize::try_from(duration.as_secs())?;
        let mut all = LOADS.map(|load| Rounds { load, fresh: Vec::new(), replayed: Vec::new() });
        for round in 0..rounds {
            eprintln!("proofs, round {} of {rounds}", round + 1);
            for rounds in &mut all {
                let (fresh, replayed) = self.round(rounds.load, count)?;
                rounds.fresh.push(fresh);
                rounds.replayed.push(replayed);
            }
        }
        Ok(all.into())
    }

    /// The length of a call.
    pub(crate) fn message_bytes(&self) -> Result<usize> {
        let now = SystemClock.now().as_secs();
        let challenge = self.probe.challenge(&self.server, &self.workload)?;
        Ok(self.workload.call(&self.workload.proof(now, Some(&challenge))?).encoded_len())
    }

    fn round(&mut self, load: Load, count: usize) -> Result<(Measured, Measured)> {
        let challenge = self.probe.challenge(&self.server, &self.workload)?;
        let now = SystemClock.now().as_secs();
        self.workload.attest(self.folder.issuers(), now)?;
        let pool = Arc::new(Pool::sign(&self.workload, count, now, &challenge)?);
        let bare = self.bare_per_second(&pool)?;
        let fresh = self.pass(load, &pool, bare, |answered| answered.allowed)?;
        pool.rewind();
        let replayed = self.pass(load, &pool, bare, |answered| answered.refused)?;
        Ok((fresh, replayed))
    }

    /// Sends every proof once; `good` are the answers that there should be.
    fn pass(&self, load: Load, pool: &Arc<Pool>, bare: f64, good: fn(&Answered) -> usize) -> Result<Measured> {
        let before = self.server.cpu_seconds()?;
        let (answered, generator) = on(self.places.generator, || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(generator::run(&self.server.address, load, pool))
        })?;
        let server = self.server.cpu_seconds()? - before;
        let calls = pool.proofs().len();
        Ok(Measured {
            per_second: per_second(calls, answered.elapsed),
            median_us: percentile(&answered.times, 50)?,
            p99_us: percentile(&answered.times, 99)?,
            cpu_us: each(server, calls),
            generator_us: each(generator, calls),
            failed: calls - good(&answered),
            bare_per_second: bare,
        })
    }

    /// By processor time, so that whoever else is on the core doesn't count.
    fn bare_per_second(&self, pool: &Pool) -> Result<f64> {
        let key = bare::parsed(self.workload.key())?;
        let signed = pool.proofs().iter().take(BARE_CHECKS).map(|proof| Signed::read(proof));
        let signed = signed.collect::<Result<Vec<_>>>()?;
        let (_, seconds) = on(self.places.server, || bare::time(signed.iter().map(|signed| (&key, signed))))?;
        Ok(1e6 / each(seconds, signed.len()))
    }
}

/// Does it on a thread of its own, on this core, and says how much processor time that took.
fn on<T: Send>(core: Option<Core>, work: impl FnOnce() -> Result<T> + Send) -> Result<(T, f64)> {
    const OWN: &str = "/proc/thread-self/stat";
    let taken = || {
        core.map_or(Ok(()), Core::take)?;
        let before = cpu_seconds(OWN)?;
        Ok((work()?, cpu_seconds(OWN)? - before))
    };
    thread::scope(|scope| scope.spawn(taken).join().map_err(|_| "a thread of the measurement panicked")?)
}

#[expect(clippy::cast_precision_loss, reason = "calls of a few seconds")]
fn per_second(calls: usize, elapsed: Duration) -> f64 {
    calls as f64 / elapsed.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "calls of a few seconds")]
fn each(seconds: f64, calls: usize) -> f64 {
    seconds * 1e6 / calls as f64
}

fn percentile(sorted: &[Duration], percent: usize) -> Result<f64> {
    let time = sorted.get(sorted.len() * percent / 100).ok_or("no call was answered")?;
    Ok(time.as_secs_f64() * 1e6)
}
