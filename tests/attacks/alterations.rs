//! One character of a call that passes is another one: then it doesn't, wherever that character stands.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::{REFUND, Stage};
use rstest::rstest;

#[derive(Debug, Clone, Copy)]
enum Altered {
    Bearer,
    Attestation,
    Proof,
}

/// Every token with one character exchanged for its neighbour in the alphabet, one after the other.
fn alterations(token: &str) -> impl Iterator<Item = String> + '_ {
    let exchanged = |character: char| match character {
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from(character as u8 + 1),
        '.' => '_',
        _ => 'a',
    };
    token.char_indices().map(move |(at, character)| {
        let (before, after) = (&token[..at], &token[at + character.len_utf8()..]);
        format!("{before}{}{after}", exchanged(character))
    })
}

#[rstest]
#[tokio::test]
async fn no_altered_token_passes(
    #[values(Altered::Bearer, Altered::Attestation, Altered::Proof)] altered: Altered,
) -> Result<()> {
    let stage = Stage::set().await?;
    let (workload, key) = (&stage.workload, &stage.workload.key);
    let attestation = workload.attestation(&stage.gate.issuers)?;
    let proof = || -> Result<String> { Ok(workload.proof("POST", REFUND)?.sign(key)?) };
    let call = |bearer: &str, attestation: &str, proof: &str| {
        let call = Ask::new("POST", REFUND).header("authorization", format!("Bearer {bearer}"));
        call.header("oauth-client-attestation", attestation).header("dpop", proof)
    };
    let token = match altered {
        Altered::Bearer => workload.token.clone(),
        Altered::Attestation => attestation.clone(),
        Altered::Proof => proof()?,
    };
    for other in alterations(&token) {
        let call = match altered {
            Altered::Bearer => call(&other, &attestation, &proof()?),
            Altered::Attestation => call(&workload.token, &other, &proof()?),
            Altered::Proof => call(&workload.token, &attestation, &other),
        };
        let refusal = stage.gate.check(&call).await?.refusal().map_err(|passed| format!("{other}: {passed}"))?;
        assert_eq!(refusal.status, 401, "{other}");
    }
    stage.passes(&call(&workload.token, &attestation, &proof()?)).await
}
