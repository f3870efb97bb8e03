//! The part about tokens: proof is asked for before privilege is issued.

use super::support::Result;
use super::support::answer::Answer;
use super::teller::{Teller, expect, expect_refusal, expect_status, note, show};
use super::world::{TOKENS, World};
use serde_json::Value;

const ROUTINE: &str = "grant_type=client_credentials&scope=payments:read";
const ELEVATED: &str = "grant_type=client_credentials&scope=admin:users";
const AMBIGUOUS: &str = "grant_type=client_credentials&scope=payments:read&scope=admin:users";

pub(crate) async fn tell(teller: &mut Teller, world: &mut World) -> Result<()> {
    teller.step("A token for payments:read is issued for the workload's everyday credential");
    routine(world).await?;
    teller.step("One for admin:users is asked for proof before it is issued; the workload's client answers");
    elevated(world).await?;
    teller.step("A request that names two scopes in two fields could be read either way: asked for proof");
    ambiguous(world).await
}

async fn routine(world: &World) -> Result<()> {
    let answer = world.ask_for_token(ROUTINE).await?;
    expect_issued(&answer, "payments:read")?;
    show(&format!("POST {TOKENS}  (scope=payments:read)"), &answer, "an access token for payments:read");
    Ok(())
}

async fn elevated(world: &mut World) -> Result<()> {
    let before = world.mesh.upstream.received().len();
    let stolen = world.ask_for_token(ELEVATED).await?;
    expect_refusal(&stolen, "use_attestation_challenge")?;
    expect("what got through", world.mesh.upstream.received().len() - before, 0)?;
    show(&format!("POST {TOKENS}  (scope=admin:users, a thief)"), &stolen, &stolen.code());
    let answer = world.token_by_client(ELEVATED).await?;
    expect_issued(&answer, "admin:users")?;
    show(&format!("POST {TOKENS}  (401, attester, again)"), &answer, "an access token for admin:users");
    let received = world.mesh.upstream.last()?;
    expect("the assurance", received.header("x-stepgate-assurance"), Some("bound"))
}

async fn ambiguous(world: &World) -> Result<()> {
    let answer = world.ask_for_token(AMBIGUOUS).await?;
    expect_refusal(&answer, "use_attestation_challenge")?;
    show(&format!("POST {TOKENS}  (two fields)"), &answer, &answer.code());
    let line = world.mesh.logged(&answer).await?;
    let reason = line.pointer("/privilege_reasons/0").and_then(Value::as_str);
    expect("why privilege counts as elevated", reason, Some("unreadable"))?;
    note("the decision log: privilege elevated, because unreadable");
    Ok(())
}

fn expect_issued(answer: &Answer, scope: &str) -> Result<()> {
    expect_status(answer, 200)?;
    let issued = answer.json()?;
    expect("the token's scope", issued.get("scope").and_then(Value::as_str), Some(scope))
}
