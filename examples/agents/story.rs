//! The story, step by step.

use super::agent::{message, text};
use super::support::Result;
use super::support::answer::Answer;
use super::teller::{Teller, expect, expect_refusal, expect_status, note, show};
use super::world::{AGENT, SCOPES, SERVICE, TASK, World};
use serde_json::json;

pub(crate) async fn tell(teller: &mut Teller, world: &mut World) -> Result<()> {
    teller.step("An agent opens a session: with a token and nothing else");
    session(world).await?;
    teller.step("Three calls of its task read and write, and none is asked for proof");
    routine(world).await?;
    teller.step("The fourth deletes. The agent is asked once, and its client answers; the server is told the task");
    destroying(world).await?;
    teller.step("So does the fifth, on the same attestation, and nobody asks");
    chain(world).await?;
    teller.step("Someone with the agent's token may read, and deletes nothing");
    stolen_token(world).await?;
    teller.step("A deletion that hides in something else is no easier");
    hidden(world).await?;
    teller.step("A service is asked too, but for less: of two rules that match, the stricter counts");
    service(world).await
}

async fn session(world: &mut World) -> Result<()> {
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": AGENT } });
    for (method, params) in [("initialize", &params), ("tools/list", &json!({}))] {
        let answer = world.agent.call(method, params).await?;
        expect_status(&answer, 200)?;
        show(method, &answer, &route(world)?);
    }
    Ok(())
}

async fn routine(world: &mut World) -> Result<()> {
    let note = json!({ "text": "8811 and 8813 are duplicates" });
    for (tool, arguments) in [("read_ledger", &json!({})), ("list_payments", &json!({})), ("write_note", &note)] {
        let answer = world.agent.tool(tool, arguments).await?;
        expect_status(&answer, 200)?;
        show(tool, &answer, &route(world)?);
    }
    expect("the number of challenges", world.challenges().await?, 0)
}

async fn destroying(world: &mut World) -> Result<()> {
    let answer = world.agent.tool("delete_payment", &json!({ "id": 8811 })).await?;
    expect_status(&answer, 200)?;
    expect("the number of challenges", world.challenges().await?, 1)?;
    let received = world.mesh.upstream.last()?;
    expect("the level", received.header("x-stepgate-assurance"), Some("bound"))?;
    expect("the task", received.header("x-stepgate-task"), Some(TASK))?;
    show("delete_payment 8811  (401, attester, again)", &answer, &route(world)?);
    note(&format!("x-stepgate-task: {TASK}"));
    Ok(())
}

async fn chain(world: &mut World) -> Result<()> {
    let answer = world.agent.tool("delete_payment", &json!({ "id": 8813 })).await?;
    expect_status(&answer, 200)?;
    show("delete_payment 8813", &answer, &route(world)?);
    let journal = text(&world.agent.tool("read_ledger", &json!({})).await?)?;
    for id in [8811, 8813] {
        let entry = format!("{id} deleted by {AGENT} for {TASK}");
        expect("that the server's journal knows who and what for", journal.contains(&entry), true)?;
        note(&format!("the server's journal: {entry}"));
    }
    expect("the number of challenges", world.challenges().await?, 1)?;
    expect("the number of attestations", world.attestations().await?, 1)
}

async fn stolen_token(world: &World) -> Result<()> {
    let read = world.tool_with(&world.token, "list_payments", &json!({})).await?;
    expect_status(&read, 200)?;
    show("list_payments  (token)", &read, "");
    let deletion = world.tool_with(&world.token, "delete_payment", &json!({ "id": 8810 })).await?;
    expect_refusal(&deletion, "use_attestation_challenge")?;
    show("delete_payment 8810  (token)", &deletion, &deletion.code());
    Ok(())
}

/// What Envoy sees it refuses itself; what it doesn't see, stepgate does, and judges it as the hardest tool.
async fn hidden(world: &World) -> Result<()> {
    let before = world.mesh.upstream.received().len();
    let deletion = message(1, "tools/call", &json!({ "name": "delete_payment", "arguments": { "id": 8810 } }));
    let batch = Answer::to(world.post(&world.token).json(&json!([deletion]))).await?;
    expect_status(&batch, 400)?;
    show("a batch with delete_payment in it  (token)", &batch, "by Envoy");
    let both = json!({ "name": "list_payments", "Name": "delete_payment", "arguments": { "id": 8810 } });
    let both = Answer::to(world.post(&world.token).json(&message(1, "tools/call", &both))).await?;
    expect_refusal(&both, "use_attestation_challenge")?;
    show("list_payments beside a second `Name`  (token)", &both, &both.code());
    expect("what got through", world.mesh.upstream.received().len() - before, 0)
}

async fn service(world: &World) -> Result<()> {
    for (name, level) in [(SERVICE, "fresh"), (AGENT, "bound")] {
        let token = world.mesh.issuers.bearer(name, SCOPES)?;
        let asked = world.tool_with(&token, "delete_payment", &json!({ "id": 8810 })).await?;
        expect_refusal(&asked, "use_attestation_challenge")?;
        let problem = asked.json()?;
        expect("the level", problem.get("assurance").and_then(|level| level.as_str()), Some(level))?;
        show(&format!("delete_payment 8810  (token of {name})"), &asked, level);
    }
    Ok(())
}

/// The route that the last call took.
fn route(world: &World) -> Result<String> {
    let received = world.mesh.upstream.last()?;
    let told = |name| received.header(name).unwrap_or_default().to_owned();
    Ok(format!("{} by the route {}", told("x-stepgate-decision"), told("x-stepgate-route")))
}
