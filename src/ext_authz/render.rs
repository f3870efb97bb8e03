//! A decision to the `CheckResponse` that says it.

use super::answer::{HeaderList, Passage, allowed, denied};
use super::headers::{self, ASSURANCE, CHALLENGE, DECISION, DECISION_ID, DPOP_NONCE, PRINCIPAL, ROUTE, TASK};
use super::metadata::metadata;
use super::problem::Problem;
use crate::attestation::DpopProof;
use crate::challenge::CHALLENGE_LIFETIME;
use crate::decision::{Decision, Outcome, Permit, StepUp};
use crate::identity::Scheme;
use crate::policy::{Assurance, AttestationId, Origin, Policy, Route, ScopeSet, UNMATCHED};
use crate::reason::{Reason, Unavailable};
use crate::request::Headers;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use serde::Serialize;

/// When to try again after an answer that could not be a decision. Short: what is missing comes back within seconds.
const RETRY_AFTER_SECONDS: &str = "1";

/// A decision, and what is needed to say it.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    pub policy: &'a Policy,
    pub decision: &'a Decision,
    pub decision_id: &'a str,
    /// The client's headers; nothing where the request could not be read.
    pub sent: Option<&'a Headers>,
    pub resource: Option<&'a Origin>,
    /// A new challenge, where the answer is to carry one.
    pub challenge: Option<&'a str>,
}

/// RFC 9457, with the members of SPEC's step-up answer; absent where they say nothing.
#[derive(Serialize)]
struct ProblemBody<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    decision_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    step_up: Option<StepUpBody<'a>>,
}

#[derive(Serialize)]
struct StepUpBody<'a> {
    assurance: &'a str,
    max_age: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<&'a str>,
    challenge_expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    accept: Vec<Accepted<'a>>,
}

/// One attestation and proof that would do.
#[derive(Serialize)]
struct Accepted<'a> {
    profile: &'a str,
    headers: &'a [&'a str],
    alg: Vec<&'a str>,
}

#[derive(Serialize)]
struct ChallengeBody<'a> {
    attestation_challenge: &'a str,
    challenge_expires_in: u64,
}

/// Says the decision to Envoy.
pub fn render(rendering: &Rendering<'_>) -> CheckResponse {
    match &rendering.decision.outcome {
        Outcome::Allow(permit) => rendering.allow(permit),
        Outcome::StepUp(step_up) => rendering.step_up(step_up),
        Outcome::Deny(reason) => rendering.deny(reason),
        Outcome::Challenge => rendering.challenge(),
    }
}

impl<'a> Rendering<'a> {
    pub fn route_name(&self) -> &'a str {
        match &self.decision.findings.classification {
            None => "",
            Some(_) => self.route().map_or(UNMATCHED, |route| route.name.as_str()),
        }
    }

    pub fn rule_names(&self) -> impl Iterator<Item = &'a str> {
        let rules = self.decision.findings.classification.iter().flat_map(|class| &class.rules);
        rules.filter_map(|id| self.policy.rule(*id)).map(|rule| rule.name.as_str())
    }

    /// The level that was asked for or proven.
    pub fn assurance_name(&self) -> &'a str {
        self.decision.outcome.level().and_then(|id| self.policy.level(id)).map_or("", |level| level.name.as_str())
    }

    fn route(&self) -> Option<&'a Route> {
        let class = self.decision.findings.classification.as_ref()?;
        self.policy.routes.get(class.route?)
    }

    fn route_scopes(&self) -> String {
        self.route().map(|route| &route.scopes).map(ScopeSet::to_string).unwrap_or_default()
    }

    fn allow(&self, permit: &Permit) -> CheckResponse {
        let findings = &self.decision.findings;
        let mut set: HeaderList = vec![
            (DECISION, if permit.level().is_some() { "verified" } else { "allowed" }.to_owned()),
            (DECISION_ID, self.decision_id.to_owned()),
            (ROUTE, self.route_name().to_owned()),
        ];
        if let Some(principal) = findings.caller.as_ref().and_then(|caller| caller.principal.as_ref()) {
            set.push((PRINCIPAL, principal.to_string()));
        }
        if permit.level().is_some() {
            set.push((ASSURANCE, self.assurance_name().to_owned()));
            let task = findings.attestation.as_ref().and_then(|(_, appraised)| appraised.task.as_deref());
            set.extend(task.filter(|task| is_header_text(task)).map(|task| (TASK, task.to_owned())));
        }
        let names: Vec<_> = set.iter().map(|(name, _)| *name).collect();
        let remove = self.sent.map(|sent| headers::to_remove(self.policy, sent, &names)).unwrap_or_default();
        allowed(permit, Passage { set, remove, respond: self.challenge_headers() }, metadata(self))
    }

    fn step_up(&self, step_up: &StepUp) -> CheckResponse {
        let problem = Problem::of(&step_up.reason);
        let Some(level) = self.policy.level(step_up.level) else {
            return self.deny(&Reason::Unavailable(Unavailable::Policy));
        };
        let scope = self.route_scopes();
        let mut parameters =
            vec![("acr_values", level.name.to_string()), ("max_age", level.max_age.as_secs().to_string())];
        parameters.extend((!scope.is_empty()).then(|| ("scope", scope.clone())));
        let mut headers = self.problem_headers();
        headers.push(("www-authenticate", self.challenge_scheme(Some(&problem), parameters)));
        headers.extend(self.challenge_headers());
        let body = self.body(&problem, Some(self.step_up_body(level, scope)));
        denied(problem.status, headers, body, metadata(self))
    }

    fn step_up_body(&self, level: &'a Assurance, scope: String) -> StepUpBody<'a> {
        StepUpBody {
            assurance: level.name.as_str(),
            max_age: level.max_age.as_secs(),
            scope,
            challenge: self.challenge,
            challenge_expires_in: CHALLENGE_LIFETIME.as_secs(),
            resource: self.resource.map(Origin::as_str),
            accept: level.accept.iter().filter_map(|id| self.accepted(*id)).collect(),
        }
    }

    fn accepted(&self, id: AttestationId) -> Option<Accepted<'a>> {
        let attestation = self.policy.attestation(id)?;
        let issuers = attestation.issuers.iter().filter_map(|id| self.policy.issuer(*id));
        let mut alg: Vec<_> = issuers.flat_map(|issuer| &issuer.algorithms).map(|a| a.as_str()).collect();
        alg.sort_unstable();
        alg.dedup();
        Some(Accepted { profile: attestation.profile.as_str(), headers: attestation.profile.headers(), alg })
    }

    fn deny(&self, reason: &Reason) -> CheckResponse {
        let problem = Problem::of_denial(reason);
        let mut headers = self.problem_headers();
        match problem.status {
            401 => {
                // RFC 6750 §3.1: no error code for a caller who showed nothing.
                let shown = (*reason != Reason::CredentialMissing).then_some(&problem);
                headers.push(("www-authenticate", self.challenge_scheme(shown, Vec::new())));
                headers.extend(self.challenge_headers());
            }
            403 if *reason == Reason::InsufficientScope => {
                let scope = vec![("scope", self.route_scopes())];
                headers.push(("www-authenticate", self.challenge_scheme(Some(&problem), scope)));
            }
            503 => headers.push(("retry-after", RETRY_AFTER_SECONDS.to_owned())),
            _ => {}
        }
        denied(problem.status, headers, self.body(&problem, None), metadata(self))
    }

    fn challenge(&self) -> CheckResponse {
        let Some(challenge) = self.challenge else {
            return self.deny(&Reason::Unavailable(Unavailable::Policy));
        };
        let body =
            ChallengeBody { attestation_challenge: challenge, challenge_expires_in: CHALLENGE_LIFETIME.as_secs() };
        let mut headers: HeaderList =
            vec![("cache-control", "no-store".to_owned()), ("content-type", "application/json".to_owned())];
        headers.extend(self.challenge_headers());
        denied(200, headers, json(&body), metadata(self))
    }

    fn problem_headers(&self) -> HeaderList {
        vec![("cache-control", "no-store".to_owned()), ("content-type", "application/problem+json".to_owned())]
    }

    fn challenge_headers(&self) -> HeaderList {
        let challenge = self.challenge.into_iter();
        challenge.flat_map(|text| [(CHALLENGE, text.to_owned()), (DPOP_NONCE, text.to_owned())]).collect()
    }

    /// `WWW-Authenticate` in the scheme that the caller used (RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3).
    fn challenge_scheme(&self, problem: Option<&Problem>, more: Vec<(&str, String)>) -> String {
        let scheme = self.decision.findings.scheme;
        let mut parameters: Vec<(&str, String)> = Vec::new();
        if let Some(problem) = problem {
            parameters.push(("error", problem.code.clone().into_owned()));
            parameters.push(("error_description", problem.title.to_owned()));
        }
        parameters.extend(more);
        let name = match scheme {
            Scheme::Bearer => "Bearer",
            Scheme::Dpop => {
                let algorithms: Vec<_> = DpopProof::ALGORITHMS.iter().map(|algorithm| algorithm.as_str()).collect();
                parameters.push(("algs", algorithms.join(" ")));
                "DPoP"
            }
        };
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        format!("{name} {}", parameters.join(", ")).trim_end().to_owned()
    }

    fn body(&self, problem: &Problem, step_up: Option<StepUpBody<'_>>) -> String {
        let route = self.route_name();
        json(&ProblemBody {
            r#type: format!("urn:stepgate:problem:{}", problem.code),
            title: problem.title,
            status: problem.status,
            code: &problem.code,
            detail: problem.detail,
            decision_id: self.decision_id,
            route: (!route.is_empty()).then_some(route),
            step_up,
        })
    }
}

/// No line break gets into a header, whatever an attester wrote.
fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// These bodies hold texts and numbers alone, so that writing them can't fail.
fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}
