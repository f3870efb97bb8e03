//! The part about context: what is unusual asks for proof where it meets something sensitive, and alone does nothing.

use super::support::answer::Answer;
use super::support::{Result, now};
use super::teller::{Teller, expect, expect_refusal, expect_status, note, show};
use super::world::{ELSEWHERE, World};
use serde_json::Value;

const READ: &str = "/v1/payments/7";
const REPORT: &str = "/v1/reports/2026-10";
/// The hours of the example, and what makes a caller one that left.
const HOURS: &str = r#"from: "07:00", to: "20:00", zone: Europe/Berlin"#;
const ACTIVE: &str = "status: active";
const OFFBOARDED: &str = "status: offboarded";
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

pub(crate) async fn tell(teller: &mut Teller, world: &World) -> Result<()> {
    teller
        .step("A sensitive report passes where the workload normally calls from; from elsewhere it is asked for proof");
    elsewhere_and_sensitive(world).await?;
    teller.step("A routine read from elsewhere passes; a rule that is only watched would have asked");
    elsewhere_and_routine(world).await?;
    teller.step("Outside its hours, as at 03:00, the workload still calls: noted, and alone that changes nothing");
    at_night(world).await?;
    teller.step("The workload is offboarded while all runs, and refused: there is nothing it could prove");
    offboarded(world).await
}

async fn elsewhere_and_sensitive(world: &World) -> Result<()> {
    let usual = world.with_token("GET", REPORT).await?;
    expect_status(&usual, 200)?;
    show(&format!("GET {REPORT}  (token)"), &usual, "");
    let asked = world.with_token_elsewhere("GET", REPORT).await?;
    expect_refusal(&asked, "use_attestation_challenge")?;
    show(&format!("GET {REPORT}  (token, from {ELSEWHERE})"), &asked, &asked.code());
    expect_fired(world, &asked, "new_network").await.map(drop)
}

async fn elsewhere_and_routine(world: &World) -> Result<()> {
    let answer = world.with_token_elsewhere("GET", READ).await?;
    expect_status(&answer, 200)?;
    show(&format!("GET {READ}  (token, from {ELSEWHERE})"), &answer, "");
    let line = expect_fired(world, &answer, "new_network").await?;
    let shadow = line.get("shadow_decision").and_then(Value::as_str);
    expect("what would have been decided", shadow, Some("step_up"))?;
    note("shadow_decision: step_up");
    Ok(())
}

/// The policy is changed, not the clock: the hours begin later than now.
async fn at_night(world: &World) -> Result<()> {
    let (from, to) = (clock(now() + 2 * HOUR), clock(now() + 3 * HOUR));
    let hours = format!(r#"from: "{from}", to: "{to}", zone: UTC"#);
    world.mesh.edit_policy(HOURS, &hours).await?;
    note(&format!("policy.yaml: hours {{ {hours} }}"));
    for path in [REPORT, READ] {
        let answer = world.with_token("GET", path).await?;
        expect_status(&answer, 200)?;
        show(&format!("GET {path}  (token)"), &answer, "");
        expect_fired(world, &answer, "outside_hours").await?;
    }
    Ok(())
}

async fn offboarded(world: &World) -> Result<()> {
    world.mesh.edit_policy(ACTIVE, OFFBOARDED).await?;
    note(&format!("policy.yaml: {OFFBOARDED}"));
    let answer = world.with_token("GET", READ).await?;
    expect_status(&answer, 403)?;
    expect("the problem's code", answer.code().as_str(), "offboarded")?;
    expect("the challenge", answer.challenge(), None)?;
    show(&format!("GET {READ}  (token)"), &answer, &answer.code());
    Ok(())
}

/// That this signal fired on a call, by the decision log.
async fn expect_fired(world: &World, answer: &Answer, signal: &str) -> Result<Value> {
    let line = world.mesh.logged(answer).await?;
    let signals = line.get("signals").and_then(Value::as_array).cloned().unwrap_or_default();
    let names: Vec<_> = signals.iter().filter_map(Value::as_str).collect();
    expect(&format!("that `{signal}` fired"), names.contains(&signal), true)?;
    let anomaly = line.get("anomaly").and_then(Value::as_u64).unwrap_or_default();
    note(&format!("the decision log: anomaly {anomaly} of {}", names.join(" and ")));
    Ok(line)
}

/// Hours and minutes in UTC.
fn clock(time: u64) -> String {
    format!("{:02}:{:02}", time % DAY / HOUR, time % HOUR / MINUTE)
}
