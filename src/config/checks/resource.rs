//! A proof names the origin that it was made for: the policy's `resource`, or else the host of the request.

use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::routes::RouteDraft;
use crate::policy::HostPattern;

/// For policies without `resource` that accept a proof.
pub(in crate::config) fn check(routes: &[RouteDraft], problems: &mut Diagnostics) {
    let mut open = routes.iter().filter(|draft| is_open(&draft.route.selector.hosts));
    let Some(first) = open.next() else { return };
    let others = match open.count() {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    let message =
        format!("there is no `resource`, and not every route names its hosts: see `{}`{others}", first.route.name);
    let help = "add `resource: https://api.example.com`, the origin that clients see: else a proof made for another service would pass here";
    problems.report(Code::NoResource, first.place, message, help);
}

fn is_open(hosts: &[HostPattern]) -> bool {
    hosts.is_empty() || hosts.iter().any(HostPattern::is_wildcard)
}
