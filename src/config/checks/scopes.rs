//! Elevated scopes that lead nowhere: somebody believes them guarded, and they are not.
//!
//! A pattern may stand for scopes that are yet to come, and where a route issues privilege, any scope may be asked for; else
//! a whole scope that no route exercises is a slip of the pen.

use super::floors::Over;
use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::draft::Draft;
use crate::config::scopes::Pattern;
use crate::policy::{ElevatedScopes, Route, Rule, Scope, Sensitivity};
use std::collections::BTreeMap;

/// Which scopes calls exercise, and whether a rule may ask for proof then.
struct Exercised<'d> {
    by_routes: BTreeMap<&'d Scope, bool>,
    /// On routes that issue privilege, if there are any.
    asked_for: Option<bool>,
}

pub(in crate::config) fn check(draft: &Draft, over: &Over<'_>, problems: &mut Diagnostics) {
    let exercised = Exercised::of(draft, over);
    for pattern in &draft.scopes.patterns {
        let Ok(set) = ElevatedScopes::new([&*pattern.text]) else {
            continue;
        };
        match exercised.is_ruled(&set) {
            None if !pattern.text.contains('*') => {
                report(pattern, "no route exercises it", "name the scope on the routes that use it", problems);
            }
            None if draft.rules.iter().any(|rule| rule.may_reach(Sensitivity::Critical)) => {}
            Some(true) => {}
            None | Some(false) => {
                let help = "add a rule for this privilege at this sensitivity, or raise the sensitivity of the routes";
                report(pattern, "no rule reaches it", help, problems);
            }
        }
    }
}

impl<'d> Exercised<'d> {
    fn of(draft: &'d Draft, over: &Over<'_>) -> Self {
        let mut exercised = Self { by_routes: BTreeMap::new(), asked_for: None };
        for route in draft.routes.iter().map(|draft| &draft.route) {
            let ruled = is_ruled(route, over.highest(route), &draft.rules);
            for scope in route.elevated.iter() {
                *exercised.by_routes.entry(scope).or_default() |= ruled;
            }
            if route.issues_privilege() {
                *exercised.asked_for.get_or_insert_default() |= ruled;
            }
        }
        exercised
    }

    /// Nothing where no call exercises any of them.
    fn is_ruled(&self, scopes: &ElevatedScopes) -> Option<bool> {
        let named = self.by_routes.iter().filter(|(scope, _)| scopes.contains(scope)).map(|(_, ruled)| *ruled);
        named.chain(self.asked_for).reduce(|one, other| one || other)
    }
}

fn is_ruled(route: &Route, sensitivity: Sensitivity, rules: &[Rule]) -> bool {
    rules.iter().any(|rule| rule.may_reach(sensitivity) && rule.may_concern(route))
}

fn report(pattern: &Pattern, why: &str, help: &str, problems: &mut Diagnostics) {
    let message = format!("the elevated scope `{}` never asks for proof: {why}", pattern.text);
    problems.report(Code::UnreachedScope, pattern.place, message, help);
}
