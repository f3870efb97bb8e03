//! A route that differs from another only by headers must not be laxer: the caller chooses the headers.

use super::selectors::any_or_each;
use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::routes::RouteDraft;
use crate::policy::{HeaderCondition, HostPattern, PathTemplate, Route};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Routes of one host and path, by the names of the headers that they look at.
type ByHeaders<'r> = BTreeMap<Vec<&'r str>, Vec<&'r RouteDraft>>;

pub(in crate::config) fn check(routes: &[RouteDraft], problems: &mut Diagnostics) {
    let mut reported = HashSet::new();
    for group in groups(routes).values() {
        for (names, narrow) in group {
            let wider = group.iter().filter(|(other, _)| is_wider(other, names)).flat_map(|(_, wide)| wide);
            for (narrow, wide) in wider.flat_map(|wide| narrow.iter().map(move |narrow| (narrow, wide))) {
                let pair = (&narrow.route.name, &wide.route.name);
                if let Some(how) = laxer(&narrow.route, &wide.route).filter(|_| reported.insert(pair)) {
                    report(narrow, wide, how, problems);
                }
            }
        }
    }
}

/// So that routes are compared with their neighbours only, however many there are.
fn groups(routes: &[RouteDraft]) -> HashMap<(Option<&HostPattern>, &PathTemplate), ByHeaders<'_>> {
    let mut groups: HashMap<_, ByHeaders<'_>> = HashMap::new();
    for draft in routes {
        let selector = &draft.route.selector;
        let names: Vec<_> = selector.headers.iter().map(|condition| &*condition.name).collect();
        for host in any_or_each(&selector.hosts) {
            groups.entry((host, &selector.path)).or_default().entry(names.clone()).or_default().push(draft);
        }
    }
    groups.retain(|_, group| group.len() > 1);
    groups
}

/// With as many conditions, the stricter route counts anyway.
fn is_wider(wide: &[&str], narrow: &[&str]) -> bool {
    wide.len() < narrow.len() && wide.iter().all(|name| narrow.contains(name))
}

/// How a caller gains by sending the headers; `None` where no request takes both routes.
fn laxer(narrow: &Route, wide: &Route) -> Option<&'static str> {
    if !share_a_method(narrow, wide) || !can_both_hold(&narrow.selector.headers, &wide.selector.headers) {
        return None;
    }
    if narrow.sensitivity < wide.sensitivity {
        Some("it is less sensitive")
    } else if !wide.elevated.is_subset_of(&narrow.elevated) {
        Some("it does not exercise every elevated scope of the other")
    } else if wide.enforce_scopes && !wide.scopes.is_subset_of(&narrow.scopes) {
        Some("it does not ask for every scope of the other")
    } else if narrow.anonymous && !wide.anonymous {
        Some("it lets callers without a principal in")
    } else if !narrow.enforce_scopes && wide.enforce_scopes {
        Some("it does not enforce scopes")
    } else {
        None
    }
}

fn share_a_method(a: &Route, b: &Route) -> bool {
    let (a, b) = (&a.selector.methods, &b.selector.methods);
    a.is_empty() || b.is_empty() || a.iter().any(|method| b.contains(method))
}

fn can_both_hold(narrow: &[HeaderCondition], wide: &[HeaderCondition]) -> bool {
    let shares_a_value =
        |a: &HeaderCondition, b: &HeaderCondition| a.values.iter().any(|value| b.values.contains(value));
    wide.iter().all(|wide| narrow.iter().any(|narrow| narrow.name == wide.name && shares_a_value(narrow, wide)))
}

fn report(narrow: &RouteDraft, wide: &RouteDraft, how: &str, problems: &mut Diagnostics) {
    let message =
        format!("the route `{}` narrows `{}` only by headers and is laxer: {how}", narrow.route.name, wide.route.name);
    let help = "callers choose their headers, and would choose these: make it at least as strict, or narrow it by host or path";
    problems
        .report(Code::LaxerNarrowing, narrow.sensitivity_place, message, help)
        .with(wide.sensitivity_place, "the route that it narrows");
}
