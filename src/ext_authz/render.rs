//! A decision to the answer that says it.

use super::answer::{CheckAnswer, HeaderList, allowed, denied};
use super::body::{ChallengeBody, ProblemBody, StepUpBody};
use super::headers::{ASSURANCE, CHALLENGE, DECISION, DECISION_ID, DPOP_NONCE, PRINCIPAL, ROUTE, TASK};
use super::metadata::metadata;
use super::passage::{Passage, Removals};
use super::www_authenticate::WwwAuthenticate;
use crate::case::CHALLENGE_WINDOW;
use crate::decision::{Decision, Outcome, Permit, StepUp};
use crate::identity::{Caller, Principal};
use crate::policy::{Origin, Policy, Route, RuleId, UNMATCHED};
use crate::problem::{self, Problem};
use crate::reason::{Reason, Unavailable};
use crate::request::Headers;

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
    /// What the policy takes off requests.
    pub removals: &'a Removals,
    pub resource: Option<&'a Origin>,
    /// A new challenge, where the answer is to carry one.
    pub challenge: Option<&'a str>,
}

/// Says the decision to Envoy.
pub fn render(rendering: &Rendering<'_>) -> CheckAnswer {
    match &rendering.decision.outcome {
        Outcome::Allow(permit) => rendering.allow(permit),
        Outcome::StepUp(step_up) => rendering.step_up(step_up),
        Outcome::Deny(reason) => rendering.deny(reason),
        Outcome::Challenge => rendering.challenge(),
        Outcome::TaskEnded => rendering.task_ended(),
    }
}

impl<'a> Rendering<'a> {
    pub fn route_name(&self) -> &'a str {
        match &self.decision.findings.classification {
            None => "",
            Some(_) => self.route().map_or(UNMATCHED, |route| route.name.as_str()),
        }
    }

    pub fn rule_names(&self, rules: Option<&'a [RuleId]>) -> impl Iterator<Item = &'a str> {
        let rules = rules.unwrap_or_default().iter().filter_map(|id| self.policy.rule(*id));
        rules.map(|rule| rule.name.as_str())
    }

    pub fn signal_names(&self) -> impl Iterator<Item = &'a str> {
        let fired = self.decision.findings.unusual.signals.iter();
        fired.filter_map(|id| self.policy.context.signals.get(id)).map(|signal| signal.name.as_str())
    }

    /// The level that was asked for or proven.
    pub fn assurance_name(&self) -> &'a str {
        self.decision.outcome.level().and_then(|id| self.policy.level(id)).map_or("", |level| level.name.as_str())
    }

    fn route(&self) -> Option<&'a Route> {
        let class = self.decision.findings.classification.as_ref()?;
        self.policy.routes.get(class.route?)
    }

    fn caller(&self) -> Option<&'a Caller> {
        self.decision.findings.caller.as_ref()
    }

    fn exercised_scopes(&self) -> String {
        self.decision.findings.classification.as_ref().map(|class| class.scopes.to_string()).unwrap_or_default()
    }

    fn allow(&self, permit: &Permit) -> CheckAnswer {
        let principal = self.caller().and_then(|caller| caller.principal.as_ref());
        let level = permit.level().map(|_| self.assurance_name());
        let task = self.decision.task();
        let set = [
            (DECISION, Some(word(permit))),
            (DECISION_ID, Some(self.decision_id)),
            (ROUTE, Some(self.route_name())),
            (PRINCIPAL, principal.map(Principal::as_str)),
            (ASSURANCE, level),
            (TASK, task.filter(|task| is_header_text(task))),
        ];
        let mut passage = Passage::default();
        for (name, value) in set.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
            passage.set(name, value);
        }
        passage.remove(self.removals, self.sent, |own| set.iter().any(|(name, value)| *name == own && value.is_some()));
        for name in [CHALLENGE, DPOP_NONCE] {
            self.challenge.into_iter().for_each(|challenge| passage.respond(name, challenge));
        }
        allowed(permit, passage, metadata(self))
    }

    fn step_up(&self, step_up: &StepUp) -> CheckAnswer {
        let proof = self.decision.findings.attestation.as_ref().and_then(|attested| attested.proof);
        let problem = Problem::of_step_up(&step_up.reason, proof);
        let Some(level) = self.policy.level(step_up.level) else {
            return self.deny(&Reason::Unavailable(Unavailable::Policy));
        };
        let scope = self.exercised_scopes();
        let asked = self.www_authenticate(Some(&problem)).for_level(level).for_scope(&scope);
        let mut headers = problem_headers();
        headers.push(("www-authenticate", asked.to_string()));
        headers.extend(self.challenge_headers());
        let body = StepUpBody::new(self.policy, level, self.caller(), scope, self.challenge, self.resource);
        let body = self.body(&problem, Some(body));
        denied(problem.status, headers, body, metadata(self))
    }

    fn deny(&self, reason: &Reason) -> CheckAnswer {
        let problem = Problem::of(reason);
        let mut headers = problem_headers();
        match problem.status {
            401 => {
                // RFC 6750 §3.1: no error code for a caller who showed nothing.
                let shown = (*reason != Reason::CredentialMissing).then_some(&problem);
                headers.push(("www-authenticate", self.www_authenticate(shown).to_string()));
                headers.extend(self.challenge_headers());
            }
            403 if *reason == Reason::InsufficientScope => {
                let asked = self.www_authenticate(Some(&problem)).for_scope(&self.exercised_scopes());
                headers.push(("www-authenticate", asked.to_string()));
            }
            429 => {
                let wait = self.decision.findings.retry_after.unwrap_or(CHALLENGE_WINDOW);
                headers.push(("retry-after", wait.as_secs().to_string()));
            }
            503 => headers.push(("retry-after", RETRY_AFTER_SECONDS.to_owned())),
            _ => {}
        }
        denied(problem.status, headers, self.body(&problem, None), metadata(self))
    }

    fn challenge(&self) -> CheckAnswer {
        let Some(challenge) = self.challenge else {
            return self.deny(&Reason::Unavailable(Unavailable::Policy));
        };
        let mut headers = headers_of("application/json");
        headers.extend(self.challenge_headers());
        denied(200, headers, ChallengeBody::new(challenge).to_json(), metadata(self))
    }

    fn task_ended(&self) -> CheckAnswer {
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        headers.extend(self.challenge_headers());
        denied(204, headers, String::new(), metadata(self))
    }

    fn challenge_headers(&self) -> HeaderList {
        let challenge = self.challenge.into_iter();
        challenge.flat_map(|text| [(CHALLENGE, text.to_owned()), (DPOP_NONCE, text.to_owned())]).collect()
    }

    /// In the scheme that the caller used.
    fn www_authenticate(&self, problem: Option<&Problem>) -> WwwAuthenticate {
        WwwAuthenticate::new(self.decision.findings.scheme, problem)
    }

    fn body(&self, problem: &Problem, step_up: Option<StepUpBody<'_>>) -> String {
        ProblemBody::new(problem, self.decision_id, self.route_name(), step_up).to_json()
    }
}

/// What the service behind Envoy is told of a request that passes.
const fn word(permit: &Permit) -> &'static str {
    match permit.level() {
        _ if permit.is_shadow() => "shadow",
        _ if permit.is_granted() => "granted",
        Some(_) => "verified",
        None => "allowed",
    }
}

fn problem_headers() -> HeaderList {
    headers_of(problem::MEDIA_TYPE)
}

fn headers_of(content_type: &str) -> HeaderList {
    vec![("cache-control", "no-store".to_owned()), ("content-type", content_type.to_owned())]
}

/// No line break gets into a header, whatever an attester wrote.
fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}
