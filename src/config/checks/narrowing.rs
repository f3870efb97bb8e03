//! A route that takes requests from another by headers must not be laxer: the caller chooses the headers. What narrows it to
//! an MCP call may well be: Envoy reads that call, and so does the server.

use super::selectors::{any_or_each, folded};
use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::draft::Draft;
use crate::config::routes::RouteDraft;
use crate::policy::table::precedence;
use crate::policy::{HeaderCondition, HostPattern, Mode, PathTemplate, Route, Rule};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Routes of one host and path.
type Group<'r> = BTreeMap<Shape<'r>, Vec<&'r RouteDraft>>;

/// What a route looks at, whatever must stand there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape<'r> {
    headers: Vec<&'r str>,
    conditions: usize,
}

pub(in crate::config) fn check(draft: &Draft, problems: &mut Diagnostics) {
    let rules: Vec<_> = draft.rules.iter().filter(|rule| rule.mode == Mode::Enforce).collect();
    let mut reported = HashSet::new();
    for group in groups(&draft.routes, draft.paths.ignore_case).values() {
        for (narrow, wide) in pairs(group) {
            let pair = (&narrow.route.name, &wide.route.name);
            if let Some(how) = laxer(&narrow.route, &wide.route, &rules).filter(|_| reported.insert(pair)) {
                report(narrow, wide, &how, problems);
            }
        }
    }
}

/// So that routes are compared with their neighbours only, however many there are.
fn groups(
    routes: &[RouteDraft],
    ignore_case: bool,
) -> HashMap<(Option<&HostPattern>, Cow<'_, PathTemplate>), Group<'_>> {
    let mut groups: HashMap<_, Group<'_>> = HashMap::new();
    for draft in routes {
        let selector = &draft.route.selector;
        let path = folded(&selector.path, ignore_case);
        for host in any_or_each(&selector.hosts) {
            groups.entry((host, path.clone())).or_default().entry(Shape::of(draft)).or_default().push(draft);
        }
    }
    groups.retain(|_, group| group.len() > 1);
    groups
}

/// Routes, each with one whose requests it takes where the caller adds headers.
fn pairs<'r>(group: &Group<'r>) -> Vec<(&'r RouteDraft, &'r RouteDraft)> {
    let mut pairs = Vec::new();
    for (shape, narrow) in group.iter().filter(|(shape, _)| !shape.headers.is_empty()) {
        let wider = group.iter().filter(|(other, _)| other.is_wider_than(shape));
        let wider: Vec<_> = wider.flat_map(|(_, wide)| wide.iter().copied()).collect();
        for narrow in narrow.iter().copied() {
            let stepped = wider.iter().any(|wide| is_step(&wide.route, &narrow.route));
            let compared = wider.iter().filter(|wide| !stepped || wide.route.selector.mcp.is_some());
            let taken_from = compared.filter(|wide| precedence(&narrow.route) < precedence(&wide.route));
            pairs.extend(taken_from.map(|wide| (narrow, *wide)));
        }
    }
    pairs
}

impl<'r> Shape<'r> {
    fn of(draft: &'r RouteDraft) -> Self {
        let selector = &draft.route.selector;
        Self {
            headers: selector.headers.iter().map(|condition| &*condition.name).collect(),
            conditions: selector.conditions(),
        }
    }

    /// Whether the other looks at headers that it does not, and has no fewer conditions. With as many, either may come first.
    fn is_wider_than(&self, narrow: &Self) -> bool {
        self.conditions <= narrow.conditions && narrow.headers.iter().any(|name| !self.headers.contains(name))
    }
}

/// Whether a call of a narrow route is on this one without the headers, so that it is the MCP call that takes it from others.
fn is_step(wide: &Route, narrow: &Route) -> bool {
    wide.selector.mcp.is_some() && wide.selector.covers(&narrow.selector)
}

/// How a caller gains by sending the headers; `None` where no request takes both routes.
fn laxer(narrow: &Route, wide: &Route, rules: &[&Rule]) -> Option<String> {
    if !share_a_request(narrow, wide) {
        return None;
    }
    let how = if narrow.sensitivity < wide.sensitivity {
        "it is less sensitive"
    } else if !wide.elevated.is_subset_of(&narrow.elevated) {
        "it does not exercise every elevated scope of the other"
    } else if wide.enforce_scopes && !wide.scopes.is_subset_of(&narrow.scopes) {
        "it does not ask for every scope of the other"
    } else if narrow.anonymous && !wide.anonymous {
        "it lets callers without a principal in"
    } else if !narrow.enforce_scopes && wide.enforce_scopes {
        "it does not enforce scopes"
    } else if wide.issues.is_some() && narrow.issues != wide.issues {
        "it does not look for the scopes that are asked for where the other does"
    } else {
        return only_of_the_other(narrow, wide, rules)
            .map(|rule| format!("the rule `{}` names only the other", rule.name));
    };
    Some(how.into())
}

/// A rule that does not hold for the narrow route. Where a team's route takes a request from the core's, that one is judged
/// too.
fn only_of_the_other<'r>(narrow: &Route, wide: &Route, rules: &[&'r Rule]) -> Option<&'r Rule> {
    let judged_too = narrow.owner.is_some() && wide.owner.is_none();
    rules.iter().copied().find(|rule| !judged_too && rule.names(wide) && !rule.names(narrow))
}

fn share_a_request(narrow: &Route, wide: &Route) -> bool {
    let (narrow, wide) = (&narrow.selector, &wide.selector);
    let same_calls = match (&narrow.mcp, &wide.mcp) {
        (Some(narrow), Some(wide)) => narrow.meets(wide),
        _ => true,
    };
    let same_methods = narrow.methods.is_empty()
        || wide.methods.is_empty()
        || narrow.methods.iter().any(|method| wide.methods.contains(method));
    same_methods && same_calls && can_both_hold(&narrow.headers, &wide.headers)
}

fn can_both_hold(narrow: &[HeaderCondition], wide: &[HeaderCondition]) -> bool {
    let share_a_value =
        |a: &HeaderCondition, b: &HeaderCondition| a.values.iter().any(|value| b.values.contains(value));
    wide.iter().all(|wide| narrow.iter().all(|narrow| narrow.name != wide.name || share_a_value(narrow, wide)))
}

fn report(narrow: &RouteDraft, wide: &RouteDraft, how: &str, problems: &mut Diagnostics) {
    let message =
        format!("the route `{}` narrows `{}` only by headers and is laxer: {how}", narrow.route.name, wide.route.name);
    let help = "callers choose their headers, and would choose these: make it at least as strict, or narrow it by host or path";
    problems
        .report(Code::LaxerNarrowing, narrow.sensitivity_place, message, help)
        .with(wide.sensitivity_place, "the route that it narrows");
}
