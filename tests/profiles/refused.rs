//! What proves nothing is refused, and says what to do.

use crate::support::Result;
use crate::world::{CLOSE, DEPLOY, Language, Outcome, PAYOUT, REFUND, World, with};
use rstest::rstest;

const REJECTED: &str = "invalid_client_attestation";

async fn is_refused(world: &World, outcome: Outcome, status: u16, code: &str, reason: &str) -> Result<()> {
    let Outcome::Answer(own, body) = &outcome else { return Err(format!("{outcome:?}").into()) };
    assert_eq!((*own, body["code"].as_str()), (status, Some(code)), "{body}");
    assert_eq!(world.reason(body).await?, reason, "{body}");
    Ok(())
}

#[rstest]
#[tokio::test]
async fn what_the_platform_says_must_do_for_this_call(
    #[values(Language::Rust, Language::Python)] language: Language,
) -> Result<()> {
    let world = World::start().await?;
    let cases = [
        // A branch that may not deploy, another repository, another account, another part of the cluster.
        ("github", DEPLOY, "?ref=refs/heads/fix", 401, REJECTED, "attestation_claim_mismatch"),
        ("github", DEPLOY, "?repository=acme/other", 401, REJECTED, "attestation_claim_mismatch"),
        ("github", DEPLOY, "?sub=repo:acme/shop:pull_request", 401, REJECTED, "attestation_subject_mismatch"),
        ("google", PAYOUT, "?sub=1", 401, REJECTED, "attestation_subject_mismatch"),
        // What a verifier found.
        ("ear", PAYOUT, "?status=warning", 401, REJECTED, "attestation_tier_too_low"),
        ("ear", PAYOUT, "?status=none", 401, REJECTED, "attestation_tier_too_low"),
        ("ear", PAYOUT, "?status=contraindicated", 403, "contraindicated", "attestation_contraindicated"),
        // No task, and scopes that are not those of the call.
        ("client-attestation", CLOSE, "", 401, REJECTED, "attestation_scope_mismatch"),
    ];
    for (way, path, found, status, code, reason) in cases {
        let outcome = language.call(&world.arguments(way, path, found)).await?;
        is_refused(&world, outcome, status, code, reason).await.map_err(|why| format!("{way}{found}: {why}"))?;
    }
    Ok(())
}

#[rstest]
#[tokio::test]
async fn a_statement_for_another_audience_is_not_for_us(
    #[values(Language::Rust, Language::Python)] language: Language,
) -> Result<()> {
    let world = World::start().await?;
    for (way, path) in [("github", DEPLOY), ("kubernetes", PAYOUT), ("google", PAYOUT), ("spiffe", PAYOUT)] {
        let arguments = with(world.arguments(way, path, ""), &["--audience", "somebody-else"]);
        let outcome = language.call(&arguments).await?;
        is_refused(&world, outcome, 401, REJECTED, "attestation_audience_mismatch").await?;
    }
    Ok(())
}

/// As a thief would show it who found it in its file: made for no challenge, and beside no certificate.
#[rstest]
#[tokio::test]
async fn a_statement_that_was_made_for_no_challenge_proves_nothing(
    #[values(Language::Rust, Language::Python)] language: Language,
) -> Result<()> {
    let world = World::start().await?;
    let outcome = language.call(&world.projected(PAYOUT).await?).await?;
    is_refused(&world, outcome, 401, "use_attestation_challenge", "proof_challenge_missing").await
}

/// The challenge says so: the client does not even try.
#[rstest]
#[tokio::test]
async fn a_way_that_would_not_do_is_not_gone(
    #[values(Language::Rust, Language::Python)] language: Language,
) -> Result<()> {
    let world = World::start().await?;
    // Without challenge and single use, a statement without proof is for callers with a certificate.
    for (way, path) in [("kubernetes", REFUND), ("ear", CLOSE)] {
        match language.call(&world.arguments(way, path, "")).await? {
            Outcome::Failure(why) => assert!(why.contains("takes no attestation in this way"), "{why}"),
            answer @ Outcome::Answer(..) => return Err(format!("{way}: {answer:?}").into()),
        }
    }
    Ok(())
}
