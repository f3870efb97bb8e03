//! Two routes that take the same requests: which one counts would hang on their names.

use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::routes::RouteDraft;
use crate::policy::{HeaderCondition, HostPattern, PathTemplate};
use crate::request::Method;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// One host, path, method and set of header conditions. `None`: any.
type Selection<'r> = (Option<&'r HostPattern>, &'r PathTemplate, Option<&'r Method>, &'r [HeaderCondition]);

pub(in crate::config) fn check(routes: &[RouteDraft], problems: &mut Diagnostics) {
    let mut taken: HashMap<Selection<'_>, &RouteDraft> = HashMap::new();
    for route in routes {
        let mut reported = HashSet::new();
        for selection in selections(route) {
            match taken.entry(selection) {
                Entry::Occupied(other) if reported.insert(&other.get().route.name) => {
                    same_selector(route, other.get(), problems);
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(free) => {
                    free.insert(route);
                }
            }
        }
    }
}

/// Everything that a route takes. As many as it names hosts times methods.
fn selections(draft: &RouteDraft) -> impl Iterator<Item = Selection<'_>> {
    let selector = &draft.route.selector;
    let methods = any_or_each(&selector.methods);
    any_or_each(&selector.hosts)
        .flat_map(move |host| methods.clone().map(move |method| (host, &selector.path, method, &*selector.headers)))
}

/// `None` where a list names nothing and so means any.
pub(super) fn any_or_each<T>(named: &[T]) -> impl Iterator<Item = Option<&T>> + Clone {
    named.is_empty().then_some(None).into_iter().chain(named.iter().map(Some))
}

fn same_selector(route: &RouteDraft, other: &RouteDraft, problems: &mut Diagnostics) {
    let message = format!("the routes `{}` and `{}` take the same requests", other.route.name, route.route.name);
    let help = "give them different hosts, methods, paths or headers, or make them one";
    problems.report(Code::SameSelector, route.place, message, help).with(other.place, "the other route");
}
