//! Elevated scopes that lead nowhere: somebody believes them guarded, and they are not.
//!
//! A pattern may stand for scopes that are yet to come; a whole scope that no route exercises is a slip of the pen.

use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::routes::RouteDraft;
use crate::config::scopes::Pattern;
use crate::policy::{ElevatedScopes, Rule, Scope, Sensitivity};
use std::collections::BTreeMap;

pub(in crate::config) fn check(
    patterns: &[Pattern],
    routes: &[RouteDraft],
    rules: &[Rule],
    problems: &mut Diagnostics,
) {
    let exercised = exercised(routes);
    for pattern in patterns {
        let Ok(set) = ElevatedScopes::new([&*pattern.text]) else {
            continue;
        };
        let most_sensitive = exercised.iter().filter(|(scope, _)| set.contains(scope)).map(|(_, most)| *most).max();
        if most_sensitive.is_none() && !pattern.text.contains('*') {
            report(pattern, "no route exercises it", "name the scope on the routes that use it", problems);
        } else if !is_ruled(most_sensitive.unwrap_or(Sensitivity::Critical), rules) {
            let help = "add a rule for this privilege at this sensitivity, or raise the sensitivity of the routes";
            report(pattern, "no rule reaches it", help, problems);
        }
    }
}

/// The elevated scopes that routes exercise, and the most sensitive route for each: rules ask for "at least".
fn exercised(routes: &[RouteDraft]) -> BTreeMap<&Scope, Sensitivity> {
    let mut exercised = BTreeMap::new();
    for draft in routes {
        for scope in draft.route.elevated.iter() {
            let most = exercised.entry(scope).or_insert(draft.route.sensitivity);
            *most = draft.route.sensitivity.max(*most);
        }
    }
    exercised
}

fn is_ruled(sensitivity: Sensitivity, rules: &[Rule]) -> bool {
    rules.iter().any(|rule| rule.may_reach(sensitivity))
}

fn report(pattern: &Pattern, why: &str, help: &str, problems: &mut Diagnostics) {
    let message = format!("the elevated scope `{}` never asks for proof: {why}", pattern.text);
    problems.report(Code::UnreachedScope, pattern.place, message, help);
}
