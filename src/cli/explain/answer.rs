//! What was shown as evidence, what is decided, and the answer that says it.

use super::Explained;
use super::page::Page;
use crate::case::origin;
use crate::decision::{Attested, Decision, Outcome};
use crate::ext_authz::{Removals, Rendering, render};
use crate::policy::Requirement;
use envoy_types::pb::envoy::config::core::v3::HeaderValueOption;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use prost::Message;

/// Stand for what every answer has of its own.
const DECISION_ID: &str = "<decision id>";
const CHALLENGE: &str = "<challenge>";

impl Explained<'_> {
    pub(super) fn say_answer(&self, page: &mut Page) {
        let Decision { outcome, shadow, findings } = self.decision;
        let asked = findings.classification.as_ref().map(|class| (&class.requirement).max(&class.shadow_requirement));
        if let (Some(Requirement::Assurance(_)), Some(_)) = (asked, &findings.caller) {
            page.fact("evidence", findings.attestation.as_ref().map_or_else(|| "none".to_owned(), |it| self.shown(it)));
        }
        page.gap();
        page.fact("decision", format!("{}: {}", outcome.as_str(), self.decision.reason().as_str()));
        if let Some(shadow) = shadow {
            page.fact("shadow", shadow_text(shadow));
        }
        self.say_response(page);
    }

    fn shown(&self, attested: &Attested) -> String {
        let name = self.policy.attestation(attested.by).map_or("", |attestation| attestation.name.as_str());
        let proof = match (attested.proven, attested.challenged) {
            (false, _) => "without a good proof",
            (true, false) => "proven, without a challenge",
            (true, true) => "proven, with a challenge",
        };
        let task = attested.appraised.task.as_deref().map(|task| format!(", task {}", task.escape_debug()));
        format!("{name}, {} old, {proof}{}", attested.appraised.age, task.unwrap_or_default())
    }

    fn say_response(&self, page: &mut Page) {
        let resource = self.facts.and_then(|facts| origin(self.policy, facts));
        let answer = render(&Rendering {
            policy: self.policy,
            decision: self.decision,
            decision_id: DECISION_ID,
            sent: self.facts.map(|facts| &facts.headers),
            removals: &Removals::of(self.policy),
            resource: resource.as_deref(),
            challenge: Some(CHALLENGE).filter(|_| self.decision.hands_out_challenge() && resource.is_some()),
        });
        // On the wire the two are the same.
        match CheckResponse::decode(&*answer.encode_to_vec()).map(|response| response.http_response) {
            Ok(Some(HttpResponse::OkResponse(ok))) => {
                page.fact("answer", "passes");
                page.table("to the upstream", &headers(&ok.headers));
                page.table("taken off", &ok.headers_to_remove.into_iter().map(|name| [name]).collect::<Vec<_>>());
                if !ok.response_headers_to_add.is_empty() {
                    page.table("to the caller", &headers(&ok.response_headers_to_add));
                }
            }
            Ok(Some(HttpResponse::DeniedResponse(denied))) => {
                page.fact("answer", denied.status.map(|status| status.code).unwrap_or_default());
                page.table("to the caller", &headers(&denied.headers));
            }
            Ok(_) | Err(_) => {}
        }
    }
}

fn shadow_text(shadow: &Outcome) -> String {
    match shadow {
        Outcome::StepUp(step_up) => format!("step_up: {}", step_up.reason.as_str()),
        Outcome::Deny(reason) => format!("deny: {}", reason.as_str()),
        Outcome::Allow(_) | Outcome::Challenge | Outcome::TaskEnded => shadow.as_str().to_owned(),
    }
}

fn headers(options: &[HeaderValueOption]) -> Vec<[String; 2]> {
    let headers = options.iter().filter_map(|option| option.header.as_ref());
    headers.map(|header| [header.key.clone(), header.value.clone()]).collect()
}
