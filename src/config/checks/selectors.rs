//! Two routes that take the same requests: which one counts would hang on their names.

use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::routes::RouteDraft;
use crate::policy::{HeaderCondition, HostPattern, McpCondition, PathTemplate};
use crate::request::Method;
use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// One host, path, method and set of other conditions. `None`: any.
type Selection<'r> = (
    Option<&'r HostPattern>,
    Cow<'r, PathTemplate>,
    Option<&'r Method>,
    &'r [HeaderCondition],
    Option<&'r McpCondition>,
);

pub(in crate::config) fn check(routes: &[RouteDraft], ignore_case: bool, problems: &mut Diagnostics) {
    let mut taken: HashMap<Selection<'_>, &RouteDraft> = HashMap::new();
    for route in routes {
        let mut reported = HashSet::new();
        for selection in selections(route, ignore_case) {
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
fn selections(draft: &RouteDraft, ignore_case: bool) -> impl Iterator<Item = Selection<'_>> {
    let selector = &draft.route.selector;
    let (headers, mcp) = (&*selector.headers, selector.mcp.as_ref());
    let path = folded(&selector.path, ignore_case);
    let hosts_and_methods =
        any_or_each(&selector.hosts).flat_map(|host| any_or_each(&selector.methods).map(move |method| (host, method)));
    hosts_and_methods.map(move |(host, method)| (host, path.clone(), method, headers, mcp))
}

/// `None` where a list names nothing and so means any.
pub(super) fn any_or_each<T>(named: &[T]) -> impl Iterator<Item = Option<&T>> + Clone {
    named.is_empty().then_some(None).into_iter().chain(named.iter().map(Some))
}

/// A path as it is compared.
pub(super) fn folded(path: &PathTemplate, ignore_case: bool) -> Cow<'_, PathTemplate> {
    if ignore_case { Cow::Owned(path.in_lower_case()) } else { Cow::Borrowed(path) }
}

fn same_selector(route: &RouteDraft, other: &RouteDraft, problems: &mut Diagnostics) {
    let message = format!("the routes `{}` and `{}` take the same requests", other.route.name, route.route.name);
    let help = "give them different hosts, methods, paths, headers or MCP calls, or make them one";
    problems.report(Code::SameSelector, route.place, message, help).with(other.place, "the other route");
}
