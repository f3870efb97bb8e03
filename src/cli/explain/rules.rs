//! Every rule: it matches, or a condition of it does not hold.

use super::Explained;
use super::page::{Page, list};
use crate::context::Anomaly;
use crate::policy::{
    Considered, Effect, Glob, Joined, Kind, LevelId, Mode, Privilege, Requirement, Rule, Sensitivity, Unmet,
};
use crate::request::{Method, RequestFacts};

impl Explained<'_> {
    pub(super) fn say_rules(&self, facts: &RequestFacts, page: &mut Page) {
        let Some(class) = &self.decision.findings.classification else { return };
        let subject = self.decision.findings.subject(self.policy);
        let touched = self.policy.touch(facts);
        let considered: Vec<_> = touched
            .iter()
            .map(|taken| {
                let class = self.policy.classify_as(taken, facts, &subject);
                (self.route_name(taken), self.policy.considered(&class, taken.method, facts, &subject))
            })
            .collect();
        let rows: Vec<_> =
            self.policy.rules.iter().map(|rule| [rule.name.to_string(), self.verdict(rule, &considered)]).collect();
        if !rows.is_empty() {
            page.table("rules", &rows);
        }
        page.fact("required", self.requirement(&class.requirement));
        if class.shadow_requirement != class.requirement {
            page.fact("watched", self.requirement(&class.shadow_requirement));
        }
    }

    /// Where a request can be read in several ways, a rule matches if it does in one.
    fn verdict(&self, rule: &Rule, considered: &[(&str, Considered<'_>)]) -> String {
        let results = || considered.iter().map(|(route, considered)| (*route, considered, rule.check(considered)));
        if let Some((route, _, _)) = results().find(|(_, _, result)| result.is_ok()) {
            let where_ = if considered.len() > 1 { format!(" on {route}") } else { String::new() };
            let watched = if rule.mode == Mode::Shadow { ", only watched" } else { "" };
            return format!("matches{where_}: {}{watched}", self.effect(&rule.effect));
        }
        let unmet = results().find_map(|(_, considered, result)| Some((considered, result.err()?)));
        unmet.map(|(considered, unmet)| format!("no: {}", self.unmet(rule, considered, unmet))).unwrap_or_default()
    }

    fn effect(&self, effect: &Effect) -> String {
        match effect {
            Effect::Require(level) | Effect::RequireIf(_, level) => format!("requires {}", self.level_name(*level)),
            Effect::Deny(reason) => format!("refuses, {reason}"),
        }
    }

    fn unmet(&self, rule: &Rule, considered: &Considered<'_>, unmet: Unmet<'_>) -> String {
        let when = &rule.when;
        match unmet {
            Unmet::Owner => "the route is not its team's".to_owned(),
            Unmet::Anomaly => {
                let least = joined(&rule.effect).and_then(Joined::anomaly).map_or(0, Anomaly::points);
                format!("anomaly {} is below {least}", considered.unusual.anomaly.points())
            }
            Unmet::Signals => format!("none of {} fired", self.signal_names(&rule.effect)),
            Unmet::Sensitivity => {
                let least = when.sensitivity.map_or("", Sensitivity::as_str);
                format!("sensitivity {} is below {least}", considered.sensitivity.as_str())
            }
            Unmet::Privilege => {
                let wanted = when.privilege.map_or("", Privilege::as_str);
                format!("privilege {} is not {wanted}", considered.privilege.as_str())
            }
            Unmet::Issues if when.issues == Some(true) => "the route issues no privilege".to_owned(),
            Unmet::Issues => "the route issues privilege".to_owned(),
            Unmet::Kind => {
                let own = considered.kind.map_or("unknown", Kind::as_str);
                format!("kind {own} is none of {}", list(when.kinds.iter().map(|kind| kind.as_str())))
            }
            Unmet::Method => {
                let wanted = list(when.methods.iter().map(Method::as_str));
                format!("method {} is none of {wanted}", considered.method.as_str())
            }
            Unmet::Route => format!("the route is none of {}", list(when.routes.iter().map(Glob::as_str))),
            Unmet::Header(condition) => format!("header {} is none of {}", condition.name, list(&condition.values)),
            Unmet::Claim(condition) => format!("claim {} is none of {}", condition.name, list(&condition.values)),
        }
    }

    fn signal_names(&self, effect: &Effect) -> String {
        let signals = joined(effect).and_then(Joined::signals).unwrap_or_default();
        list(signals.iter().filter_map(|id| self.policy.context.signals.get(id)).map(|signal| &signal.name))
    }

    fn requirement(&self, requirement: &Requirement) -> String {
        match requirement {
            Requirement::Nothing => "nothing".to_owned(),
            Requirement::Refusal(reason) => format!("refusal: {reason}"),
            Requirement::Assurance(level) => self.level(*level),
        }
    }

    fn level(&self, id: LevelId) -> String {
        let Some(level) = self.policy.level(id) else { return String::new() };
        let accepted = level.accept.iter().filter_map(|id| self.policy.attestation(*id)).map(|accepted| &accepted.name);
        let asked = [
            (level.challenge_required, ", with a challenge"),
            (level.single_use, ", once"),
            (level.scoped, ", for its scopes"),
            (level.task_required, ", for a task"),
        ];
        let asked: String = asked.iter().filter(|(asked, _)| *asked).map(|(_, what)| *what).collect();
        format!("{}: {}, at most {} old{asked}", level.name, list(accepted), level.max_age)
    }

    pub(super) fn level_name(&self, id: LevelId) -> &str {
        self.policy.level(id).map_or("", |level| level.name.as_str())
    }
}

const fn joined(effect: &Effect) -> Option<Joined> {
    match effect {
        Effect::RequireIf(joined, _) => Some(*joined),
        Effect::Require(_) | Effect::Deny(_) => None,
    }
}
