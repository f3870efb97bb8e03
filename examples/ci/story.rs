//! The story, step by step.

use super::runner::{JOB, RUN, Runner};
use super::support::Result;
use super::support::answer::Answer;
use super::teller::{Teller, expect, expect_refusal, expect_status, note, note_aligned, show};
use reqwest::Method;

const DEPLOYMENT: &str = "/v1/deployments/production";

pub(crate) async fn tell(teller: &mut Teller, runner: &Runner) -> Result<()> {
    teller.step("The job tests and publishes: curl and the job's token, as ever");
    routine(runner).await?;
    teller.step("It deploys: the client is asked for proof, and brings the runner's attestation");
    deployment(runner).await?;
    teller.step("A dependency that ran in the tests has the token too, and deploys nothing with it");
    stolen_token(runner).await
}

async fn routine(runner: &Runner) -> Result<()> {
    for step in ["test", "publish"] {
        let before = runner.mesh.upstream.received().len();
        runner.step(step).await?;
        for received in runner.mesh.upstream.received().iter().skip(before) {
            let told = |name| received.header(name).unwrap_or_default();
            expect("the decision", told("x-stepgate-decision"), "allowed")?;
            let call = format!("job.sh {step}: {} {}", received.method, received.path);
            note_aligned(&call, &format!("allowed by the route {}", told("x-stepgate-route")));
        }
    }
    expect("the number of challenges", challenges(runner).await?, 0)
}

async fn deployment(runner: &Runner) -> Result<()> {
    let answer = runner.protected_step("deploy").await?;
    expect("the number of challenges", challenges(runner).await?, 1)?;
    let received = runner.mesh.upstream.last()?;
    expect("the call", (received.method.as_str(), received.path.as_str()), ("POST", DEPLOYMENT))?;
    expect("the caller", received.header("x-stepgate-principal"), Some(JOB))?;
    expect("the level", received.header("x-stepgate-assurance"), Some("bound"))?;
    expect("the task", received.header("x-stepgate-task"), Some(RUN))?;
    let status = answer.split(' ').next().unwrap_or_default();
    note_aligned(
        &format!("job.sh deploy: POST {DEPLOYMENT}"),
        &format!("{status} after a 401 and a word of the attester"),
    );
    note(&format!("x-stepgate-task: {RUN}"));
    Ok(())
}

async fn stolen_token(runner: &Runner) -> Result<()> {
    let before = runner.mesh.upstream.received().len();
    let caller = runner.mesh.caller()?;
    let token = |method, path| Answer::to(caller.request(method, path).bearer_auth(&runner.token));
    let deployment = token(Method::POST, DEPLOYMENT).await?;
    expect_refusal(&deployment, "use_attestation_challenge")?;
    expect("what got through", runner.mesh.upstream.received().len() - before, 0)?;
    show(&format!("POST {DEPLOYMENT}  (token)"), &deployment, &deployment.code());
    let read = token(Method::GET, "/v1/builds/run-4711").await?;
    expect_status(&read, 200)?;
    show("GET /v1/builds/run-4711  (token)", &read, "");
    Ok(())
}

/// How often stepgate asked for proof, as it counts itself.
async fn challenges(runner: &Runner) -> Result<u64> {
    runner.mesh.stepgate.count("stepgate_decisions_total", &[("decision", "step_up")]).await
}
