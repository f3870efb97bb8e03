//! What a decision costs: stepgate against two servers that decide nothing, under the same load.
//!
//! ```text
//! cargo bench --bench load                              all servers, over TCP
//! cargo bench --bench load -- --unix                    over Unix sockets
//! cargo bench --bench load -- --rounds 9 --seconds 5    longer, for a quieter median
//! ```
//!
//! The servers take turns in rounds, each round in another order, and the ratios are medians of the rounds' own ratios, because a
//! shared machine is faster in one minute than in the next. Nothing is pinned: the load generator (h2load, one
//! thread) competes with the server for the machine, as Envoy would. To give each a core, run it all under `taskset`.

mod folder;
mod h2load;
mod message;
mod probe;
mod server;
mod table;

use clap::Parser;
use folder::Folder;
use h2load::{Load, Measured};
use server::{Kind, Server};
use std::error::Error;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Connections, and calls in flight on each: one busy Envoy worker, and four.
const LOADS: [Load; 2] = [Load { connections: 1, streams: 10 }, Load { connections: 4, streams: 32 }];

#[derive(Debug, Parser)]
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
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    h2load::require()?;
    server::build_noop()?;
    let folder = Folder::create()?;
    let kinds = if arguments.floors { &Kind::ALL[..2] } else { &Kind::ALL[..] };
    let servers: Vec<Server> =
        kinds.iter().map(|kind| Server::start(*kind, &folder, arguments.unix)).collect::<Result<_>>()?;
    let probe = probe::Probe::new(folder.message().clone())?;
    for server in &servers {
        server.measure(LOADS[1], Duration::from_secs(1), &folder)?; // warms it up
        probe.require_allowed(server)?;
    }
    let rounds = measure(&arguments, &servers, &folder)?;
    for server in &servers {
        probe.require_allowed(server)?;
    }
    table::print(&servers, &rounds, &arguments.describe(folder.message_bytes()));
    Ok(())
}

impl Arguments {
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
