//! A process that is killed in the middle of its work, again and again.

use super::*;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Where the process that is to be killed finds its file.
const VARIABLE: &str = "STEPGATE_TEST_JOURNAL";
const ROUNDS: u64 = 6;

/// Does nothing by itself: it is what [`whatever_was_acknowledged_survives_a_kill`] starts and kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn works_until_it_is_killed() {
    let Some(path) = std::env::var_os(VARIABLE) else { return };
    let clock = At::new(NOW);
    let (journal, kept) = Journal::open(Path::new(&path), clock.clone(), KEEP).unwrap();
    let first = kept.revocations.len() as u64;
    for number in first.. {
        // What dies at once, so that the file is written anew all the time.
        clock.set(after(number * 100));
        let ended = clock.now();
        let filler = (0..2_000).map(|each| spending((number << 32) + each, ended));
        let filler = filler.map(|spending| journal.spend(spending));
        futures_of(filler).await;
        journal.spend(spending(number, NOW.plus(KEEP))).await.unwrap();
        journal.revoke(&[revocation(number)]).await.unwrap();
        writeln!(std::io::stdout(), "acknowledged {number}").unwrap();
    }
}

/// All at once, as calls come.
async fn futures_of(work: impl Iterator<Item = impl Future<Output = Result<(), NotWritten>>>) {
    let mut all: Vec<_> = work.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[test]
fn whatever_was_acknowledged_survives_a_kill() {
    let place = Place::new();
    let mut acknowledged = 0;
    for round in 1..=ROUNDS {
        acknowledged = run_and_kill(&place, Duration::from_millis(250 * round)).max(acknowledged);
        let kept = place.kept();
        let known = kept.revocations.len() as u64;
        assert!(known >= acknowledged, "{known} of {acknowledged}");
        assert!((0..known).all(|number| kept.revocations[usize::try_from(number).unwrap()] == revocation(number)));
        let mut spent: Vec<_> = kept.spent.iter().map(|spending| spending.key).collect();
        spent.sort_unstable();
        let is_kept = |number| spent.binary_search(&spending(number, NOW).key).is_ok();
        assert!((0..acknowledged).all(is_kept), "a used proof could pass again");
    }
    assert!(acknowledged > 0);
}

/// How many it acknowledged.
fn run_and_kill(place: &Place, patience: Duration) -> u64 {
    let name = "store::journal::tests::killed::works_until_it_is_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(VARIABLE, place.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(patience);
    child.kill().unwrap();
    child.wait().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok()).max().map_or(0, |last| last + 1)
}
