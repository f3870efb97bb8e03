//! The tables, in Markdown, so that they can be kept as they are.

use crate::Rounds;
use crate::h2load::Measured;
use crate::proofs;
use crate::server::{Kind, Server};

/// One number of a measurement.
type Figure = fn(&Measured) -> f64;

/// Prints medians of all figures, and the medians of the rounds' ratios to the no-ops.
pub(crate) fn print(servers: &[Server], rounds: &Rounds, how: &str) {
    println!("\n{how}\n");
    println!(
        "| load | server | requests/s | p50 µs | p99 µs | CPU µs | requests/s to ordinary | … to chassis | p99 to chassis | CPU to chassis | failed |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (load, measured) in rounds {
        for (at, server) in servers.iter().enumerate() {
            let figure = |figure: Figure| median(measured.iter().filter_map(|round| round.get(at)).map(figure));
            let to = |floor: Kind, figure: Figure| ratio(servers, measured, at, floor, figure);
            println!(
                "| {} × {} | {} | {:.0} | {:.0} | {:.0} | {:.1} | {} | {} | {} | {} | {} |",
                load.connections,
                load.streams,
                server.kind.name(),
                figure(|m| m.per_second),
                figure(|m| m.median_us),
                figure(|m| m.p99_us),
                figure(|m| m.cpu_us),
                to(Kind::Ordinary, |m| m.per_second),
                to(Kind::Chassis, |m| m.per_second),
                to(Kind::Chassis, |m| m.p99_us),
                to(Kind::Chassis, |m| m.cpu_us),
                measured.iter().filter_map(|round| round.get(at)).map(|m| m.failed).sum::<u32>(),
            );
        }
    }
    print_states(servers, rounds);
}

/// What a shared state adds to calls that have no need of it.
fn print_states(servers: &[Server], rounds: &Rounds) {
    let Some(shared) = servers.iter().position(|server| server.kind == Kind::Shared) else { return };
    println!();
    for (load, measured) in rounds {
        let to = |figure: Figure| ratio(servers, measured, shared, Kind::Stepgate, figure);
        println!(
            "{} × {}: a shared state makes {} of the requests/s, {} of the p99 and {} of the CPU.",
            load.connections,
            load.streams,
            to(|m| m.per_second),
            to(|m| m.p99_us),
            to(|m| m.cpu_us),
        );
    }
}

/// Prints what proofs cost: medians of all figures, and of the rounds' own ratios to the bare checks.
pub(crate) fn print_proofs(all: &[proofs::Rounds], workers: usize, how: &str) {
    println!("\n{how}\n");
    println!(
        "| load | proofs | requests/s | p50 µs | p99 µs | CPU µs | bare checks/s of a core | requests/s to the checks of {workers} | CPU to a check | generator's CPU µs | failed |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for proofs::Rounds { load, fresh, replayed } in all {
        for (name, rounds) in [("fresh", fresh), ("shown again", replayed)] {
            let figure = |figure: fn(&proofs::Measured) -> f64| median(rounds.iter().map(figure));
            println!(
                "| {} × {} | {name} | {:.0} | {:.0} | {:.0} | {:.1} | {:.0} | {:.2} | {:.2} | {:.1} | {} |",
                load.connections,
                load.streams,
                figure(|m| m.per_second),
                figure(|m| m.median_us),
                figure(|m| m.p99_us),
                figure(|m| m.cpu_us),
                figure(|m| m.bare_per_second),
                figure(|m| m.per_second / m.bare_per_second) / f64::from(u32::try_from(workers).unwrap_or(u32::MAX)),
                figure(|m| m.cpu_us * m.bare_per_second / 1e6),
                figure(|m| m.generator_us),
                rounds.iter().map(|m| m.failed).sum::<usize>(),
            );
        }
    }
}

/// How a server does next to a floor of the same round. The load is equal within a round, not between them.
fn ratio(servers: &[Server], rounds: &[Vec<Measured>], at: usize, floor: Kind, figure: Figure) -> String {
    let Some(floor) = servers.iter().position(|server| server.kind == floor).filter(|floor| *floor != at) else {
        return String::new();
    };
    let ratios = rounds.iter().filter_map(|round| Some(figure(round.get(at)?) / figure(round.get(floor)?)));
    format!("{:.2}", median(ratios))
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
