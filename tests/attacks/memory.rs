//! What is remembered must not outlive what made it true: the level it was good for, its expiry, the policy, its key.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::issuers::{RESOURCE, attestation, bearer};
use crate::support::verdict::Refusal;
use crate::support::wait::until;
use crate::support::{gate::challenge_at, now};
use crate::{NAME, READ, REFUND, SCOPES, Stage, WIPE};
use rstest::rstest;
use std::fs;
use stepgate::mint::{Algorithm, SigningKey, jwks};

impl Stage {
    async fn looked_up(&self, cache: &str, outcome: &str) -> Result<u64> {
        let labels = [("cache", cache), ("outcome", outcome)];
        self.gate.stepgate.count("stepgate_cache_lookups_total", &labels).await
    }

    /// A call that passes twice, the second time on what is remembered.
    async fn is_remembered(&self, cache: &str, call: impl Fn() -> Result<Ask>) -> Result<()> {
        for _ in 0..2 {
            self.passes(&call()?).await?;
        }
        assert_eq!((self.looked_up(cache, "miss").await?, self.looked_up(cache, "hit").await?), (1, 1));
        Ok(())
    }

    /// Asks until it is refused, which must come soon.
    async fn comes_to_refuse(&self, call: impl Fn() -> Result<Ask>, expected: &Refusal) -> Result<()> {
        let refused = until("a refusal", async || match self.gate.check(&call().ok()?).await {
            Ok(verdict) => verdict.refusal().ok(),
            Err(_) => None,
        });
        assert_eq!(refused.await?, *expected);
        Ok(())
    }

    fn read(&self) -> Ask {
        self.workload.call("GET", READ)
    }
}

#[tokio::test]
async fn an_attestation_remembered_at_a_lax_level_does_not_do_at_a_strict_one() -> Result<()> {
    let stage = Stage::set().await?;
    let (key, issuers) = (&stage.workload.key, &stage.gate.issuers);
    let two_minutes_old = issuers.attestation_at(now() - 120, NAME, key.public())?;
    let call = |method: &str, path: &str| -> Result<Ask> {
        let proof = stage.workload.proof(method, path)?.claim("nonce", challenge_at(now(), RESOURCE, NAME)?);
        Ok(stage.workload.call_with(method, path, &two_minutes_old, &proof.sign(key)?))
    };
    stage.is_remembered("attestation", || call("POST", REFUND)).await?;
    let expected = Refusal::new(401, "use_fresh_attestation", "attestation_too_old");
    stage.refuses(&call("DELETE", WIPE)?, &expected).await?;
    assert_eq!(stage.looked_up("attestation", "hit").await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_remembered_bearer_does_not_outlive_its_expiry() -> Result<()> {
    let mut stage = Stage::set().await?;
    // The policy forgives two seconds.
    stage.workload.token = stage.gate.issuers.bearer_for(1, NAME, SCOPES)?;
    stage.is_remembered("bearer", || Ok(stage.read())).await?;
    let expected = Refusal::new(401, "invalid_token", "credential_expired");
    stage.comes_to_refuse(|| Ok(stage.read()), &expected).await
}

#[tokio::test]
async fn a_remembered_attestation_does_not_outlive_its_expiry() -> Result<()> {
    let stage = Stage::set().await?;
    let workload = &stage.workload;
    let short = attestation(NAME, workload.key.public()).issued(now(), 1).sign(&stage.gate.issuers.attester)?;
    let call = || -> Result<Ask> {
        let proof = workload.proof("POST", REFUND)?.sign(&workload.key)?;
        Ok(workload.call_with("POST", REFUND, &short, &proof))
    };
    stage.is_remembered("attestation", call).await?;
    let expected = Refusal::new(401, "use_fresh_attestation", "attestation_expired");
    stage.comes_to_refuse(call, &expected).await
}

#[rstest]
#[case::the_issuer_signs_otherwise(
    "audiences: [https://api.example.com], algorithms: [ES256]",
    "audiences: [https://api.example.com], algorithms: [EdDSA]",
    "algorithm_not_allowed"
)]
#[case::the_issuer_is_another("issuer: https://idp.example.com", "issuer: https://new.example.com", "unknown_issuer")]
#[case::the_audience_is_another("audiences: [https://api.example.com]", "audiences: [new]", "audience_mismatch")]
#[case::the_keys_are_another_issuers("keys: { file: idp.jwks.json }", "keys: { file: other.jwks.json }", "unknown_key")]
#[case::another_claim_is_the_subject(
    "bearer: { issuers: [idp] }",
    "bearer: { issuers: [idp], subject: client }",
    "subject_mismatch"
)]
#[tokio::test]
async fn a_remembered_bearer_does_not_outlive_the_policy_that_took_it(
    #[case] from: &str,
    #[case] to: &str,
    #[case] fault: &str,
) -> Result<()> {
    let mut stage = Stage::set().await?;
    stage.workload.token = bearer(NAME, SCOPES).claim("client", "x y").sign(&stage.gate.issuers.idp)?;
    let edwards = SigningKey::generate(Algorithm::EdDsa)?;
    let other = SigningKey::generate(Algorithm::Es256)?;
    fs::write(stage.gate.dir().join("other.jwks.json"), jwks([&other]).to_string())?;
    fs::write(stage.gate.dir().join("idp.jwks.json"), jwks([&stage.gate.issuers.idp, &edwards]).to_string())?;
    stage.is_remembered("bearer", || Ok(stage.read())).await?;

    let policy = stage.gate.policy()?;
    assert!(policy.contains(from));
    stage.gate.replace_policy(&policy.replace(from, to))?;
    let expected = Refusal::new(401, "invalid_token", &format!("credential_{fault}"));
    stage.comes_to_refuse(|| Ok(stage.read()), &expected).await
}

#[tokio::test]
async fn a_remembered_bearer_does_not_outlive_its_key() -> Result<()> {
    let stage = Stage::set().await?;
    stage.is_remembered("bearer", || Ok(stage.read())).await?;
    let successor = SigningKey::generate(Algorithm::Es256)?;
    fs::write(stage.gate.dir().join("idp.jwks.json"), jwks([&successor]).to_string())?;
    let expected = Refusal::new(401, "invalid_token", "credential_unknown_key");
    stage.comes_to_refuse(|| Ok(stage.read()), &expected).await
}

/// Also where another key takes over the name of the one that left.
#[tokio::test]
async fn a_remembered_attestation_does_not_outlive_its_key() -> Result<()> {
    let stage = Stage::set().await?;
    let attestation = stage.workload.attestation(&stage.gate.issuers)?;
    let call = || -> Result<Ask> {
        let proof = stage.workload.proof("POST", REFUND)?.sign(&stage.workload.key)?;
        Ok(stage.workload.call_with("POST", REFUND, &attestation, &proof))
    };
    stage.is_remembered("attestation", call).await?;
    let successor = SigningKey::generate(Algorithm::Es256)?.with_kid(stage.gate.issuers.attester.kid());
    fs::write(stage.gate.dir().join("attester.jwks.json"), jwks([&successor]).to_string())?;
    let expected = Refusal::new(401, "invalid_client_attestation", "attestation_bad_signature");
    stage.comes_to_refuse(call, &expected).await
}

/// One that is refused must not be taken for the good one that has the same claims.
#[tokio::test]
async fn a_good_token_makes_no_bad_one_pass() -> Result<()> {
    let stage = Stage::set().await?;
    stage.is_remembered("bearer", || Ok(stage.read())).await?;
    let good = crate::forge::Parts::of(&stage.workload.token)?;
    let forged = good.signed_by(&SigningKey::generate(Algorithm::Es256)?)?;
    let call = Ask::new("GET", READ).header("authorization", format!("Bearer {forged}"));
    stage.refuses(&call, &Refusal::new(401, "invalid_token", "credential_bad_signature")).await?;
    stage.passes(&stage.read()).await
}

/// What was spent stays spent, whatever else changes.
#[tokio::test]
async fn a_reload_does_not_give_a_proof_its_life_back() -> Result<()> {
    let stage = Stage::set().await?;
    let call = stage.refund()?;
    stage.passes(&call).await?;
    stage.gate.replace_policy(&stage.gate.policy()?.replace("name: wipe,", "name: wipe-out,"))?;
    let accepted = [("outcome", "accepted")];
    let reloads = async || stage.gate.stepgate.count("stepgate_policy_reloads_total", &accepted).await.ok();
    until("the reload", async || reloads().await.filter(|count| *count == 1)).await?;
    stage.refuses(&call, &Refusal::new(401, "invalid_dpop_proof", "proof_replayed")).await
}

#[tokio::test]
async fn a_token_that_is_remembered_as_a_bearer_is_no_attestation_for_it() -> Result<()> {
    let stage = Stage::set().await?;
    stage.is_remembered("bearer", || Ok(stage.read())).await?;
    let proof = stage.workload.proof("POST", REFUND)?.sign(&stage.workload.key)?;
    let call = stage.workload.call_with("POST", REFUND, &stage.workload.token, &proof);
    stage.refuses(&call, &Refusal::new(401, "invalid_client_attestation", "attestation_wrong_type")).await
}
