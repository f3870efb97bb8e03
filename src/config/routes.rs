//! `routes`, and what holds for a request that none of them names.

use super::code::Code;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::document::Owned;
use super::issues;
use super::matches::{self, SelectorDraft};
use super::section::{Member, Section};
use super::source::Place;
use super::tree::{Entry, Node};
use crate::policy::{ElevatedScopes, Name, Route, Scope, ScopeSet, Sensitivity, UNMATCHED, UNREAD, Unmatched};

/// A route, with the places that checks point at.
#[derive(Debug)]
pub(super) struct RouteDraft {
    pub route: Route,
    pub place: Place,
    pub sensitivity_place: Place,
    pub hosts_place: Place,
    pub path_place: Place,
    /// Where it says who may call it, if it does.
    pub anonymous_place: Option<Place>,
}

/// What metrics and logs call the requests that no route names, and those that could not be read.
const RESERVED: [&str; 2] = [UNMATCHED, UNREAD];

pub(super) fn read(owned: &Owned<'_>, elevated: &ElevatedScopes, problems: &mut Diagnostics) -> Option<RouteDraft> {
    let section = Section::open("the route", owned.node, problems)?;
    let [name, matches, sensitivity, scopes, anonymous, enforce_scopes, issues] =
        section.members(["name", "match", "sensitivity", "scopes", "anonymous", "enforce_scopes", "issues"], problems);
    let sensitivity_place = sensitivity.node().map(|node| node.place);
    let name = name.required(problems, read_name);
    let selector = matches.required(problems, matches::read);
    let sensitivity = sensitivity.required(problems, read_sensitivity);
    let scopes = scopes.or(ScopeSet::default(), problems, read_scopes);
    let is_anonymous = read_anonymous(anonymous, sensitivity, issues, problems);
    let enforce_scopes = enforce_scopes.or(true, problems, Node::boolean);
    let issues = issues.optional(problems, issues::read);
    let (scopes, SelectorDraft { selector, hosts_place, path_place }) = (scopes?, selector?);
    let route = Route {
        name: name?,
        owner: owned.owner.clone(),
        selector,
        sensitivity: sensitivity?,
        elevated: scopes.filtered(|scope| elevated.contains(scope)),
        scopes,
        anonymous: is_anonymous?,
        enforce_scopes: enforce_scopes?,
        issues: issues?,
    };
    let (place, sensitivity_place, anonymous_place) = (section.title().place, sensitivity_place?, anonymous.place());
    Some(RouteDraft { route, place, sensitivity_place, hosts_place, path_place, anonymous_place })
}

fn read_anonymous(
    anonymous: Member<'_>,
    sensitivity: Option<Sensitivity>,
    issues: Member<'_>,
    problems: &mut Diagnostics,
) -> Option<bool> {
    let is_anonymous = anonymous.or(false, problems, Node::boolean)?;
    let place = anonymous.place().filter(|_| is_anonymous);
    if let (Some(place), Some(Sensitivity::High | Sensitivity::Critical)) = (place, sensitivity) {
        let help = "take `anonymous` away, or call the route `low` or `moderate` if anybody may do what it does";
        nobody(place, "a route of high or critical sensitivity", help, problems);
    }
    if let (Some(place), Some(_)) = (place, issues.entry()) {
        let help = "take `anonymous` away: who is nobody can't be given anything that could be taken back";
        nobody(place, "a route that issues privilege", help, problems);
    }
    Some(is_anonymous)
}

/// Reported of a route that may not be anonymous.
pub(super) fn nobody<'p>(place: Place, route: &str, help: &str, problems: &'p mut Diagnostics) -> &'p mut Diagnostic {
    let message = format!("{route} lets nobody in without a principal");
    problems.report(Code::AnonymousSensitive, place, message, help)
}

pub(super) fn read_unmatched(entry: &Entry, problems: &mut Diagnostics) -> Option<Unmatched> {
    let section = Section::open("`unmatched`", &entry.node, problems)?;
    let [sensitivity, deny] = section.members(["sensitivity", "deny"], problems);
    match (sensitivity.node(), deny.node()) {
        (Some(node), None) => read_sensitivity(node, problems).map(Unmatched::Sensitivity),
        (None, Some(node)) if node.boolean(problems)? => Some(Unmatched::Deny),
        _ => {
            let help = "write `sensitivity: high` (or another), or `deny: true`";
            problems.report(Code::InvalidValue, section.title().place, "`unmatched` takes exactly one answer", help);
            None
        }
    }
}

pub(super) fn read_sensitivity(node: &Node, problems: &mut Diagnostics) -> Option<Sensitivity> {
    node.choice(&Sensitivity::ALL.map(|level| (level.as_str(), level)), problems)
}

fn read_name(node: &Node, problems: &mut Diagnostics) -> Option<Name> {
    let name = node.parse(Name::parse, problems)?;
    if RESERVED.contains(&name.as_str()) {
        let help = "take another name: logs and metrics use this one for requests that take no route";
        problems.report(Code::ReservedName, node.place, format!("no route can be called `{name}`"), help);
        return None;
    }
    Some(name)
}

fn read_scopes(node: &Node, problems: &mut Diagnostics) -> Option<ScopeSet> {
    let items = node.list(problems)?;
    let scopes = Node::each(items, problems, |item, problems| item.parse(Scope::parse, problems))?;
    let set = ScopeSet::bounded(scopes);
    if set.is_err() {
        let help = format!("name at most {}", ScopeSet::MAX_SCOPES);
        problems.report(Code::InvalidValue, node.place, "too many scopes for one route", help);
    }
    set.ok()
}
