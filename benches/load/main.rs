//! What a decision costs: stepgate against two servers that decide nothing, under the same load.
//!
//! ```text
//! cargo bench --bench load                              all servers, over TCP
//! cargo bench --bench load -- --unix                    over Unix sockets
//! cargo bench --bench load -- --rounds 9 --seconds 5    longer, for a quieter median
//! cargo bench --bench load -- --proofs                  only calls with a fresh proof each
//! ```
//!
//! First routine calls, then calls with a fresh proof each (`proofs`).
//!
//! The servers take turns in rounds, each round in another order, and the ratios are medians of the rounds' own ratios, because a
//! shared machine is faster in one minute than in the next. Nothing is pinned: the load generator (h2load, one
//! thread) competes with the server for the machine, as Envoy would. To give each a core, run it all under `taskset`.

mod bare;
mod core;
mod folder;
mod generator;
mod h2load;
mod message;
mod pool;
mod probe;
mod proofs;
mod server;
mod table;
mod valkey;
#[expect(dead_code, reason = "the needs of the decision in process")]
mod workload;

use clap::Parser;
use folder::Folder;
use h2load::{Load, Measured};
use probe::Probe;
use proofs::{Places, Proofs};
use server::{Kind, Server};
use std::error::Error;
use std::time::Duration;
use valkey::Valkey;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Connections, and calls in flight on each: one busy Envoy worker, and four.
const LOADS: [Load; 2] = [Load { connections: 1, streams: 10 }, Load { connections: 4, streams: 32 }];

#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
struct Arguments {
    /// How often each server is measured under each load.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Over Unix sockets instead of TCP.
    #[arg(long)]
    unix: bool,
    /// Only the no-ops.
    #[arg(long)]
    floors: bool,
    /// Only calls with a fresh proof each.
    #[arg(long, conflicts_with = "floors")]
    proofs: bool,
    /// Leaves also the calls with proofs to all cores.
    #[arg(long)]
    unpinned: bool,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let folder = Folder::create()?;
    let valkey = if arguments.compares_states() { Some(Valkey::start(&folder)?) } else { None };
    let folder = if let Some(valkey) = &valkey { folder.share(valkey.url()) } else { folder };
    let probe = Probe::new(folder.message().clone())?;
    if !arguments.proofs {
        measure_routine(&arguments, &folder, &probe)?;
    }
    if !arguments.floors {
        measure_proofs(&arguments, &folder, &probe)?;
    }
    Ok(())
}

fn measure_routine(arguments: &Arguments, folder: &Folder, probe: &Probe) -> Result<()> {
    h2load::require()?;
    server::build_noop()?;
    let kinds = if arguments.floors { &Kind::ALL[..2] } else { &Kind::ALL[..] };
    let servers: Vec<Server> =
        kinds.iter().map(|kind| Server::start(*kind, folder, arguments.unix)).collect::<Result<_>>()?;
    for server in &servers {
        server.measure(LOADS[1], Duration::from_secs(1), folder)?; // warms it up
        probe.require_allowed(server)?;
    }
    let rounds = measure(arguments, &servers, folder)?;
    for server in &servers {
        probe.require_allowed(server)?;
    }
    table::print(&servers, &rounds, &arguments.describe(folder.message_bytes()));
    Ok(())
}

fn measure_proofs(arguments: &Arguments, folder: &Folder, probe: &Probe) -> Result<()> {
    let places = Places::choose(!arguments.unpinned)?;
    let mut proofs = Proofs::start(folder, probe, places, arguments.unix)?;
    let rounds = proofs.measure(arguments.rounds, Duration::from_secs(arguments.seconds))?;
    let where_they_run =
        if places.are_apart() { "the server on one core, the generator on another" } else { "unpinned" };
    let how = format!("{}; {where_they_run}", arguments.describe(proofs.message_bytes()?));
    table::print_proofs(&rounds, places.workers, &how);
    Ok(())
}

impl Arguments {
    /// Whether routine calls are measured with a shared state too.
    const fn compares_states(&self) -> bool {
        !self.proofs && !self.floors
    }

    fn describe(&self, message_bytes: usize) -> String {
        let way = if self.unix { "Unix sockets" } else { "TCP" };
        let Self { rounds, seconds, .. } = self;
        format!("{rounds} rounds of {seconds} s, medians; a message of {message_bytes} bytes; over {way}")
    }
}

/// For each load, the rounds; for each round, what each server came to, in the order of `servers`.
type Rounds = Vec<(Load, Vec<Vec<Measured>>)>;

fn measure(arguments: &Arguments, servers: &[Server], folder: &Folder) -> Result<Rounds> {
    let duration = Duration::from_secs(arguments.seconds);
    let mut rounds: Rounds = LOADS.map(|load| (load, Vec::new())).into();
    for round in 0..arguments.rounds {
        eprintln!("round {} of {}", round + 1, arguments.rounds);
        for (load, measured) in &mut rounds {
            let mut turns: Vec<_> = servers.iter().enumerate().collect();
            turns.rotate_left(round % servers.len());
            let mut row = turns
                .into_iter()
                .map(|(at, server)| Ok((at, server.measure(*load, duration, folder)?)))
                .collect::<Result<Vec<_>>>()?;
            row.sort_by_key(|(at, _)| *at);
            measured.push(row.into_iter().map(|(_, measured)| measured).collect());
        }
    }
    Ok(rounds)
}
