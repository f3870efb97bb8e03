//! The end: the first signal drains, a second one doesn't wait.

use crate::READ;
use crate::support::Result;
use crate::support::authz::{Ask, Authz};
use crate::support::gate::Gate;
use crate::support::held::Held;
use crate::support::wait::until;
use rstest::rstest;
use std::time::{Duration, Instant};

/// A gate with one call in flight.
async fn busy(arguments: &[&str]) -> Result<(Gate, Held)> {
    let gate = Gate::start_with("answers", arguments).await?;
    let held = Held::open(&gate.stepgate.listen).await?;
    let in_flight = async || gate.stepgate.metric("stepgate_in_flight", &[]).await.ok();
    until("the call", async || in_flight().await.filter(|count| *count > 0.0)).await?;
    Ok((gate, held))
}

/// Waits until it says that it drains.
async fn draining(gate: &Gate) -> Result<()> {
    let url = format!("http://{}/readyz", gate.stepgate.admin);
    let http = crate::support::http().build()?;
    let asked = async || {
        let answer = http.get(&url).send().await.ok()?;
        let status = answer.status().as_u16();
        (status == 503).then_some(answer.text().await.ok()?)
    };
    let said = until("the drain", asked).await?;
    assert_eq!(said, "draining\n");
    Ok(())
}

#[rstest]
#[case("TERM")]
#[case("INT")]
#[tokio::test]
async fn the_first_signal_finishes_what_is_in_flight(#[case] signal: &str) -> Result<()> {
    let (mut gate, held) = busy(&[]).await?;
    gate.stepgate.child().signal(signal).await?;
    draining(&gate).await?;
    // No new connection is taken, and the call that was there is answered.
    let refused = until("the listener's end", async || Authz::connect(&gate.stepgate.listen).await.err());
    refused.await?;
    let answer = held.finish(&Ask::new("GET", READ)).await?;
    assert_eq!(answer.refusal()?.reason, "credential_missing");
    assert_eq!(gate.stepgate.exit().await?.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() -> Result<()> {
    let (mut gate, _held) = busy(&[]).await?;
    gate.stepgate.child().signal("TERM").await?;
    draining(&gate).await?;
    let sent = Instant::now();
    gate.stepgate.child().signal("TERM").await?;
    assert_eq!(gate.stepgate.exit().await?.code(), Some(1));
    assert!(sent.elapsed() < Duration::from_secs(5), "{:?}", sent.elapsed());
    Ok(())
}

#[tokio::test]
async fn the_drain_has_a_limit() -> Result<()> {
    let (mut gate, _held) = busy(&["--drain", "1s"]).await?;
    let sent = Instant::now();
    assert_eq!(gate.stepgate.terminate().await?.code(), Some(0));
    let took = sent.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(6)).contains(&took), "{took:?}");
    assert!(gate.stepgate.child().stderr().iter().any(|line| line.contains("drain limit")));
    Ok(())
}

#[tokio::test]
async fn an_idle_connection_holds_nothing_up() -> Result<()> {
    let mut gate = Gate::start("answers").await?;
    gate.check(&Ask::new("GET", "/x")).await?.allowed()?;
    let sent = Instant::now();
    assert_eq!(gate.stepgate.terminate().await?.code(), Some(0));
    assert!(sent.elapsed() < Duration::from_secs(5), "{:?}", sent.elapsed());
    Ok(())
}

#[tokio::test]
async fn the_last_decisions_are_logged() -> Result<()> {
    let mut gate = Gate::start("answers").await?;
    for _ in 0..100 {
        gate.check(&Ask::new("GET", "/x")).await?;
    }
    assert!(gate.stepgate.terminate().await?.success());
    until("all lines", async || (gate.stepgate.decisions().len() == 100).then_some(())).await
}
