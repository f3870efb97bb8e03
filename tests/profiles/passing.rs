//! Who proves itself passes, by every way that the policy takes.

use crate::support::Result;
use crate::world::{CLOSE, DEPLOY, Language, Outcome, PAYOUT, REFUND, World, with};
use rstest::rstest;
use serde_json::Value;

/// What the service is told of a call that passed.
fn told(outcome: Outcome) -> Result<Vec<String>> {
    let Outcome::Answer(200, body) = outcome else { return Err(format!("{outcome:?}").into()) };
    let told = body["stepgate"].as_array().ok_or_else(|| format!("{body}"))?;
    Ok(told.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn is_told(told: &[String], header: &str) -> bool {
    told.iter().any(|own| own == header)
}

#[rstest]
#[tokio::test]
async fn each_way_answers_the_challenge(#[values(Language::Rust, Language::Python)] language: Language) -> Result<()> {
    let world = World::start().await?;
    let ways = [
        ("client-attestation", PAYOUT, ""),
        ("client-attestation-pop", PAYOUT, ""),
        ("wimse", PAYOUT, ""),
        ("github", DEPLOY, "?api-version=2.0"),
        ("kubernetes", PAYOUT, ""),
        ("google", PAYOUT, ""),
        ("spiffe", PAYOUT, ""),
        ("ear", PAYOUT, ""),
    ];
    for (way, path, found) in ways {
        let told = told(language.call(&world.arguments(way, path, found)).await?);
        let told = told.map_err(|why| format!("{way}: {why}"))?;
        assert!(is_told(&told, "x-stepgate-decision: verified"), "{way}: {told:?}");
        assert!(is_told(&told, "x-stepgate-assurance: bound"), "{way}: {told:?}");
    }
    Ok(())
}

#[rstest]
#[tokio::test]
async fn a_client_certificate_does_where_the_statement_is_bound_to_it_or_to_nothing(
    #[values(Language::Rust, Language::Python)] language: Language,
) -> Result<()> {
    let world = World::start().await?;
    let bound = world.certified(world.arguments("certificate", PAYOUT, ""));
    let told_of_bound = told(language.call(&bound).await?)?;
    assert!(is_told(&told_of_bound, "x-stepgate-assurance: bound"), "{told_of_bound:?}");

    // As the cluster projects it: made for nobody's challenge, and shown as often as it is fresh.
    let projected = world.certified(world.projected(REFUND).await?);
    for _ in 0..2 {
        let told = told(language.call(&projected).await?)?;
        assert!(is_told(&told, "x-stepgate-assurance: fresh"), "{told:?}");
    }
    Ok(())
}

#[rstest]
#[tokio::test]
async fn the_attestation_names_scopes_and_task_where_the_level_wants_them(
    #[values(Language::Rust, Language::Python)] language: Language,
) -> Result<()> {
    let world = World::start().await?;
    for way in ["client-attestation", "wimse"] {
        let named = ["--task", "close-2026-11", "--scope", "ledger:close"];
        let told = told(language.call(&with(world.arguments(way, CLOSE, ""), &named)).await?)?;
        assert!(is_told(&told, "x-stepgate-assurance: for-one-task"), "{way}: {told:?}");
        assert!(is_told(&told, "x-stepgate-task: close-2026-11"), "{way}: {told:?}");
    }
    Ok(())
}
