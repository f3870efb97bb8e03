//! `routes`, and what holds for a request that none of them names.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::section::{Section, not_yet_built};
use super::source::Place;
use super::tree::{Entry, Node};
use crate::policy::{
    ElevatedScopes, HeaderCondition, HostPattern, Name, PathTemplate, Route, Scope, ScopeSet, Selector, Sensitivity,
    UNMATCHED, UNREAD, Unmatched,
};
use crate::request::Method;

/// A route, with the places that checks point at.
#[derive(Debug)]
pub(super) struct RouteDraft {
    pub route: Route,
    pub place: Place,
    pub sensitivity_place: Place,
}

/// What metrics and logs call the requests that no route names, and those that could not be read.
const RESERVED: [&str; 2] = [UNMATCHED, UNREAD];

pub(super) fn read(node: &Node, elevated: &ElevatedScopes, problems: &mut Diagnostics) -> Option<RouteDraft> {
    let section = Section::open("the route", node, problems)?;
    let [name, matches, sensitivity, scopes, anonymous, enforce_scopes, issues] =
        section.members(["name", "match", "sensitivity", "scopes", "anonymous", "enforce_scopes", "issues"], problems);
    not_yet_built(&[issues], problems);
    let sensitivity_place = sensitivity.node().map(|node| node.place);
    let name = name.required(problems, read_name);
    let selector = matches.required(problems, read_selector);
    let sensitivity = sensitivity.required(problems, read_sensitivity);
    let scopes = scopes.or(ScopeSet::default(), problems, read_scopes);
    let is_anonymous = anonymous.or(false, problems, Node::boolean);
    let enforce_scopes = enforce_scopes.or(true, problems, Node::boolean);
    check_anonymous(is_anonymous, sensitivity, anonymous.place(), problems);
    let scopes = scopes?;
    let route = Route {
        name: name?,
        selector: selector?,
        sensitivity: sensitivity?,
        elevated: scopes.filtered(|scope| elevated.contains(scope)),
        scopes,
        anonymous: is_anonymous?,
        enforce_scopes: enforce_scopes?,
        owner: None,
        issues: None,
    };
    Some(RouteDraft { route, place: section.title().place, sensitivity_place: sensitivity_place? })
}

fn check_anonymous(
    is_anonymous: Option<bool>,
    sensitivity: Option<Sensitivity>,
    place: Option<Place>,
    problems: &mut Diagnostics,
) {
    if let (Some(true), Some(Sensitivity::High | Sensitivity::Critical), Some(place)) =
        (is_anonymous, sensitivity, place)
    {
        let message = "a route of high or critical sensitivity lets nobody in without a principal";
        let help = "take `anonymous` away, or call the route `low` or `moderate` if anybody may do what it does";
        problems.report(Code::AnonymousSensitive, place, message, help);
    }
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

fn read_selector(node: &Node, problems: &mut Diagnostics) -> Option<Selector> {
    let section = Section::open("`match`", node, problems)?;
    let [hosts, methods, path, headers, mcp] =
        section.members(["hosts", "methods", "path", "headers", "mcp"], problems);
    not_yet_built(&[mcp], problems);
    let hosts = hosts.or(Vec::new(), problems, |node, problems| {
        sorted(node, problems, |node, problems| node.parse(HostPattern::parse, problems))
    });
    let methods = methods.or(Vec::new(), problems, |node, problems| sorted(node, problems, read_method));
    let path = path.required(problems, |node, problems| node.parse(PathTemplate::parse, problems));
    let headers = headers.or(Vec::new(), problems, read_headers);
    Some(Selector { hosts: hosts?, methods: methods?, path: path?, headers: headers?, mcp: None })
}

/// A list of at least one in one order, each item once.
pub(super) fn sorted<T: Ord>(
    node: &Node,
    problems: &mut Diagnostics,
    read: impl FnMut(&Node, &mut Diagnostics) -> Option<T>,
) -> Option<Vec<T>> {
    let items = node.filled_list(problems)?;
    let mut read = Node::each(items, problems, read)?;
    read.sort_unstable();
    read.dedup();
    Some(read)
}

/// Methods are compared as written (RFC 9110 §9.1), and those in use have no lower case.
fn read_method(node: &Node, problems: &mut Diagnostics) -> Option<Method> {
    let text = node.text(problems)?;
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        let help = format!("methods are compared as written: write `{}`", text.to_ascii_uppercase());
        node.invalid(text, help, problems);
        return None;
    }
    node.parse(Method::parse, problems)
}

fn read_headers(node: &Node, problems: &mut Diagnostics) -> Option<Vec<HeaderCondition>> {
    let read: Vec<_> = node.entries(problems)?.iter().map(|entry| read_header(entry, problems)).collect();
    let mut conditions = read.into_iter().collect::<Option<Vec<HeaderCondition>>>()?;
    conditions.sort_unstable();
    if conditions.is_sorted_by(|a, b| a.name < b.name) {
        return Some(conditions);
    }
    let help = "names of headers have no case: put all values that will do into one list";
    problems.report(Code::DuplicateKey, node.place, "one header is named twice", help);
    None
}

fn read_header(entry: &Entry, problems: &mut Diagnostics) -> Option<HeaderCondition> {
    let name = header_name(&entry.key, entry.key_place, problems);
    let values = sorted(&entry.node, problems, header_value);
    Some(HeaderCondition { name: name?, values: values? })
}

/// A field name (RFC 9110 §5.1), in lower case.
pub(super) fn header_name(text: &str, place: Place, problems: &mut Diagnostics) -> Option<Box<str>> {
    let name = http::HeaderName::from_bytes(text.as_bytes());
    if name.is_err() {
        let help = "write the name of an HTTP header, such as `x-api-version`";
        problems.report(Code::InvalidValue, place, format!("`{text}` is no name of a header"), help);
    }
    name.ok().map(|name| name.as_str().into())
}

pub(super) fn header_value(node: &Node, problems: &mut Diagnostics) -> Option<Box<str>> {
    let visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    node.parse(
        |text| {
            let good = !text.is_empty() && text.trim() == text && text.bytes().all(visible);
            if good { Ok(text.into()) } else { Err("write a text of visible ASCII without space around it") }
        },
        problems,
    )
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
