//! Challenges between replicas: whoever shares the key file takes the other's, and nobody else.

use crate::support::Result;
use crate::support::authz::{Ask, Authz};
use crate::support::gate::{CHALLENGE_KEY, Gate};
use crate::support::stepgate::{Listen, Stepgate};
use crate::support::verdict::Refusal;
use crate::support::workload::Workload;
use crate::{NAME, REFUND, SCOPES};
use std::fs;

/// The call that answers the challenge of this gate.
pub(crate) async fn answer(gate: &Gate, workload: &Workload) -> Result<Ask> {
    let asked = gate.check(&workload.call("POST", REFUND)).await?;
    let challenge = asked.challenge().ok_or("no challenge")?;
    let proof = workload.proof("POST", REFUND)?.claim("nonce", challenge).sign(&workload.key)?;
    Ok(workload.call_with("POST", REFUND, &workload.attestation(&gate.issuers)?, &proof))
}

/// Another replica under the policy of a gate, with this for a challenge key file.
async fn replica(gate: &Gate, keys: Option<&str>) -> Result<(Stepgate, Authz)> {
    let policy = gate.dir().join("policy.yaml");
    let file = gate.dir().join("replica.keys").display().to_string();
    let arguments = match keys {
        Some(keys) => {
            fs::write(&file, keys)?;
            vec!["--challenge-key-file", &file]
        }
        None => Vec::new(),
    };
    let stepgate = Stepgate::start(&policy, &Listen::any(), &arguments).await?;
    let authz = Authz::connect(&stepgate.listen).await?;
    Ok((stepgate, authz))
}

async fn stage() -> Result<(Gate, Workload)> {
    let gate = Gate::start("answers").await?;
    let workload = Workload::new(&gate.issuers, NAME, SCOPES)?;
    Ok((gate, workload))
}

#[tokio::test]
async fn replicas_with_one_key_file_take_each_others_challenges() -> Result<()> {
    let (gate, workload) = stage().await?;
    let (_replica, authz) = replica(&gate, Some(CHALLENGE_KEY)).await?;
    authz.check(&answer(&gate, &workload).await?).await?.allowed().map(drop)
}

#[tokio::test]
async fn a_replica_whose_file_still_holds_the_old_key_takes_old_challenges() -> Result<()> {
    let (gate, workload) = stage().await?;
    let rotated = format!("# rotated\n{}\n{CHALLENGE_KEY}\n", "0123456789abcdef".repeat(4));
    let (_replica, authz) = replica(&gate, Some(&rotated)).await?;
    authz.check(&answer(&gate, &workload).await?).await?.allowed().map(drop)
}

#[tokio::test]
async fn without_a_key_file_every_process_has_a_key_of_its_own() -> Result<()> {
    let (gate, workload) = stage().await?;
    let (_replica, authz) = replica(&gate, None).await?;
    let verdict = authz.check(&answer(&gate, &workload).await?).await?;
    assert_eq!(verdict.refusal()?, Refusal::new(401, "use_dpop_nonce", "proof_challenge_foreign"), "{verdict:?}");
    Ok(())
}
