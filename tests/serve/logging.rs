//! The decision log: one JSON object a decision with every field, and nothing in it that would let anybody in.

use crate::support::Result;
use crate::support::authz::Ask;
use crate::support::gate::Gate;
use crate::support::wait::until;
use crate::support::workload::Workload;
use crate::{NAME, READ, REFUND, SCOPES};
use serde_json::{Value, json};

const FIELDS: [&str; 31] = [
    "time",
    "decision_id",
    "trace_id",
    "span_id",
    "decision",
    "reason",
    "mode",
    "shadow_decision",
    "route",
    "owner",
    "sensitivity",
    "privilege",
    "privilege_reasons",
    "scopes",
    "elevated_scopes",
    "signals",
    "anomaly",
    "rules",
    "controls",
    "assurance",
    "principal",
    "kind",
    "credential",
    "attestation",
    "method",
    "host",
    "path",
    "source",
    "policy_hash",
    "duration_us",
    "inputs",
];

async fn stage(arguments: &[&str]) -> Result<(Gate, Workload)> {
    let gate = Gate::start_with("answers", arguments).await?;
    let workload = Workload::new(&gate.issuers, NAME, SCOPES)?;
    Ok((gate, workload))
}

/// Waits for so many lines.
async fn lines(gate: &Gate, count: usize) -> Result<Vec<Value>> {
    until("the log", async || Some(gate.stepgate.decisions()).filter(|lines| lines.len() >= count)).await
}

#[tokio::test]
async fn every_line_has_every_field_in_order() -> Result<()> {
    let (gate, workload) = stage(&[]).await?;
    for call in [workload.call("GET", READ), workload.call("POST", REFUND), Ask::new("GET", "/%zz")] {
        gate.check(&call).await?;
    }
    lines(&gate, 3).await?;
    for line in gate.stepgate.child().stdout() {
        let object: serde_json::Map<String, Value> = serde_json::from_str(&line)?;
        assert_eq!(object.len(), FIELDS.len(), "{line}");
        let places: Vec<_> = FIELDS.iter().map(|field| line.find(&format!("\"{field}\":"))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{line}");
    }
    Ok(())
}

#[tokio::test]
async fn a_line_tells_what_was_decided_and_why() -> Result<()> {
    let (gate, workload) = stage(&[]).await?;
    let verdict = gate.check(&crate::replicas::answer(&gate, &workload).await?).await?;
    let lines = lines(&gate, 2).await?;
    let (asked, proven) = (&lines[0], &lines[1]);
    assert_eq!(asked["decision"], "step_up");
    assert_eq!(asked["reason"], "attestation_missing");
    assert_eq!(asked["attestation"], Value::Null);
    assert_eq!(proven["decision_id"], verdict.metadata("decision_id"));
    let told = json!({
        "decision": "allow", "reason": "attested", "mode": "enforce", "route": "refund", "sensitivity": "high",
        "privilege": "elevated", "privilege_reasons": ["catalogue"], "elevated_scopes": ["payments:refund"],
        "rules": ["elevated-on-sensitive"], "assurance": "bound", "principal": NAME, "method": "POST",
        "host": "api.example.com", "path": REFUND, "source": "127.0.0.1",
    });
    for (field, value) in told.as_object().unwrap() {
        assert_eq!(&proven[field], value, "{field}");
    }
    let attestation = &proven["attestation"];
    assert_eq!((&attestation["name"], &attestation["issuer"]), (&json!("workload"), &json!("attester")));
    assert_eq!(asked["credential"], proven["credential"]);
    Ok(())
}

/// On both streams: the log of decisions, and what the program says of itself at its most talkative.
#[tokio::test]
async fn nothing_secret_is_ever_written() -> Result<()> {
    let (mut gate, workload) = stage(&["--log-level", "trace"]).await?;
    let secrets = "access_token=Pa55word&x=Qu3ry";
    let proven = crate::replicas::answer(&gate, &workload).await?;
    let headers = proven.to_check_request().attributes.unwrap().request.unwrap().http.unwrap().headers;
    let mut calls = vec![proven];
    for path in [READ, REFUND, "/closed/door", "/unknown", "/%zz", "//x"] {
        let call = workload.call_with("POST", &format!("{path}?{secrets}"), "eyJ.Att3st.c2ln", "eyJ.Pr00f.c2ln");
        calls.extend([call.clone(), call.header("cookie", "session=C00kie")]);
    }
    calls.push(Ask::new("GET", READ).header("authorization", "Bearer eyJ.Bear3r.c2ln"));
    calls.push(Ask::new("GET", READ).header("authorization", "Basic B4sic"));
    for call in &calls {
        gate.check(call).await?;
    }
    assert!(gate.stepgate.terminate().await?.success());
    lines(&gate, calls.len() + 1).await?;

    let tokens = ["authorization", "oauth-client-attestation", "dpop"].map(|name| headers[name].as_str());
    let parts = tokens.iter().flat_map(|token| token.split(['.', ' '])).filter(|part| part.len() > 20);
    let words = ["Pa55word", "Qu3ry", "Att3st", "Pr00f", "Bear3r", "C00kie", "B4sic"];
    let child = gate.stepgate.child();
    let written = [child.stdout(), child.stderr()].concat().join("\n");
    for secret in parts.chain(words) {
        assert!(!written.contains(secret), "`{secret}` was written");
    }
    assert!(!written.contains(crate::support::gate::CHALLENGE_KEY));
    Ok(())
}

#[tokio::test]
async fn a_call_that_carries_a_trace_is_logged_with_it() -> Result<()> {
    let (gate, workload) = stage(&[]).await?;
    let mut request = tonic::Request::new(workload.call("GET", READ).to_check_request());
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", parent.parse()?);
    gate.authz.send(request).await?;
    let line = lines(&gate, 1).await?.remove(0);
    assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(line["span_id"], "b7ad6b7169203331");
    Ok(())
}

#[tokio::test]
async fn allows_can_be_left_out_and_nothing_else() -> Result<()> {
    let (mut gate, workload) = stage(&["--decision-log-allows", "0.0"]).await?;
    for call in [workload.call("GET", READ), workload.call("POST", REFUND), Ask::new("GET", READ)] {
        gate.check(&call).await?;
    }
    assert!(gate.stepgate.terminate().await?.success());
    let decisions: Vec<_> = lines(&gate, 2).await?.into_iter().map(|line| line["decision"].clone()).collect();
    assert_eq!(decisions, ["step_up", "deny"]);
    Ok(())
}

/// Rotation: the file is moved away, and a hangup makes a new one.
#[tokio::test]
async fn a_log_file_can_be_rotated() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (file, moved) = (dir.path().join("decisions.jsonl"), dir.path().join("decisions.jsonl.1"));
    let (gate, workload) = stage(&["--decision-log", &format!("file:{}", file.display())]).await?;
    let logged = |file: &std::path::Path| std::fs::read_to_string(file).ok().filter(|text| !text.is_empty());
    gate.check(&workload.call("GET", READ)).await?;
    until("the first line", async || logged(&file)).await?;
    std::fs::rename(&file, &moved)?;
    gate.stepgate.child().signal("HUP").await?;
    until("the new file", async || file.exists().then_some(())).await?;
    gate.check(&workload.call("GET", READ)).await?;
    until("the second line", async || logged(&file)).await?;
    assert_eq!(logged(&moved).unwrap_or_default().lines().count(), 1);
    Ok(())
}
