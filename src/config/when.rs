//! `when` of a rule: all that stands must hold. What is unusual counts only together with what is touched or with how much
//! privilege.

use super::code::Code;
use super::context::read_anomaly;
use super::diagnostics::Diagnostics;
use super::document::Owned;
use super::matches::{read_headers, read_methods, sorted};
use super::routes::read_sensitivity;
use super::rules::Known;
use super::section::{Member, Section};
use super::source::Place;
use super::suggest::suggestion;
use super::tree::{Entry, Node};
use crate::context::{Anomaly, SignalId, SignalSet};
use crate::policy::{ClaimCondition, Glob, Joined, Kind, Name, Privilege, Sensitivity, UNMATCHED, When};
use crate::request::JsonPointer;

/// The conditions of a rule.
#[derive(Debug)]
pub(super) struct Conditions {
    pub when: When,
    pub unusual: Option<Joined>,
}

pub(super) fn read(
    node: &Node,
    owner: Option<&Name>,
    known: Known<'_, '_>,
    problems: &mut Diagnostics,
) -> Option<Conditions> {
    let section = Section::open("`when`", node, problems)?;
    let members = section.members(
        ["anomaly", "signals", "sensitivity", "privilege", "issues", "kinds", "routes", "methods", "headers", "claims"],
        problems,
    );
    if members.iter().all(|member| member.entry().is_none()) {
        let help = "say when it holds, such as `sensitivity: low` for every call: a condition that was lost must not go unnoticed";
        problems.report(Code::NoCondition, section.title().place, "the rule has no condition", help);
        return None;
    }
    let [anomaly, signals, conditions @ ..] = members;
    let unusual_place = anomaly.place().or(signals.place());
    let anomaly = anomaly.optional(problems, read_anomaly);
    let signals = signals.optional(problems, |node, problems| read_signals(node, known, problems));
    let when = read_conditions(&conditions, owner, known, problems)?;
    let Some(place) = unusual_place else {
        return Some(Conditions { when, unusual: None });
    };
    // Also where one of the two can't be read: whether they stand alone does not hang on it.
    let joined = join(&when, anomaly.flatten(), signals.flatten(), place, problems);
    anomaly.and(signals).and(joined).map(|joined| Conditions { when, unusual: Some(joined) })
}

fn read_conditions(
    members: &[Member<'_>; 8],
    owner: Option<&Name>,
    known: Known<'_, '_>,
    problems: &mut Diagnostics,
) -> Option<When> {
    let [sensitivity, privilege, issues, kinds, routes, methods, headers, claims] = *members;
    let sensitivity = sensitivity.optional(problems, read_sensitivity);
    let privilege =
        privilege.optional(problems, |node, problems| node.choice(&words(Privilege::ALL, Privilege::as_str), problems));
    let issues = issues.optional(problems, Node::boolean);
    let kinds = kinds.or(Vec::new(), problems, read_kinds);
    let routes = routes.or(Vec::new(), problems, |node, problems| {
        sorted(node, problems, |node, problems| read_glob(node, owner, known, problems))
    });
    let methods = methods.or(Vec::new(), problems, read_methods);
    let headers = headers.or(Vec::new(), problems, read_headers);
    let claims = claims.or(Vec::new(), problems, read_claims);
    Some(When {
        sensitivity: sensitivity?,
        privilege: privilege?,
        issues: issues?,
        kinds: kinds?,
        routes: routes?,
        methods: methods?,
        headers: headers?,
        claims: claims?,
    })
}

fn words<T: Copy, const N: usize>(all: [T; N], word: impl Fn(T) -> &'static str) -> [(&'static str, T); N] {
    all.map(|value| (word(value), value))
}

fn read_kinds(node: &Node, problems: &mut Diagnostics) -> Option<Vec<Kind>> {
    sorted(node, problems, |node, problems| node.choice(&words(Kind::ALL, Kind::as_str), problems))
}

fn read_signals(node: &Node, known: Known<'_, '_>, problems: &mut Diagnostics) -> Option<SignalSet> {
    let named = known.signals.resolve_each(node, problems)?;
    named.into_iter().map(|(index, _)| SignalId::at(index)).collect()
}

/// Warns of one that no route has. A team's rule speaks of its own routes only.
fn read_glob(node: &Node, owner: Option<&Name>, known: Known<'_, '_>, problems: &mut Diagnostics) -> Option<Glob> {
    let glob = node.parse(Glob::parse, problems)?;
    let own = known.routes.iter().filter(|route| owner.is_none() || route.owner.as_ref() == owner);
    let names = own.filter_map(Owned::name).map(|(name, _)| name);
    let unmatched = owner.is_none() && glob.matches(UNMATCHED);
    if known.complete && !unmatched && !names.clone().any(|name| glob.matches(name)) {
        let whose = if owner.is_none() { "no route" } else { "no route of this team" };
        let message = format!("{whose} is called `{}`", glob.as_str());
        problems.report(Code::NoSuchRoute, node.place, message, suggestion(glob.as_str(), &names.collect::<Vec<_>>()));
    }
    Some(glob)
}

/// A claim's values are compared as they stand; numbers and booleans as they are written.
pub(super) fn read_claims(node: &Node, problems: &mut Diagnostics) -> Option<Vec<ClaimCondition>> {
    let read: Vec<_> = node.entries(problems)?.iter().map(|entry| read_claim(entry, problems)).collect();
    let mut claims: Vec<_> = read.into_iter().collect::<Option<_>>()?;
    claims.sort_unstable();
    Some(claims)
}

fn read_claim(entry: &Entry, problems: &mut Diagnostics) -> Option<ClaimCondition> {
    let values = sorted(&entry.node, problems, |node, problems| {
        let claim = |text: &str| if is_text(text) { Ok(text.into()) } else { Err(NO_TEXT) };
        node.parse(claim, problems)
    });
    Some(ClaimCondition { name: read_claim_name(entry, problems)?, values: values? })
}

/// The name of a claim, or the pointer to one (RFC 6901), which begins with `/`.
pub(super) fn read_claim_name(entry: &Entry, problems: &mut Diagnostics) -> Option<Box<str>> {
    let help = if !is_text(&entry.key) {
        NO_TEXT.to_owned()
    } else if entry.key.starts_with('/')
        && let Err(error) = JsonPointer::parse(&entry.key)
    {
        error.to_string()
    } else {
        return Some(entry.key.clone());
    };
    problems.report(Code::InvalidValue, entry.key_place, format!("`{}` is no name of a claim", entry.key), help);
    None
}

const NO_TEXT: &str = "write a text that is not empty and has no control characters";

fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

/// Warns where the conditions hold for every request: what is unusual then decides alone after all.
fn join(
    when: &When,
    anomaly: Option<Anomaly>,
    signals: Option<SignalSet>,
    place: Place,
    problems: &mut Diagnostics,
) -> Option<Joined> {
    let joined = when.join(anomaly, signals);
    if let Err(alone) = joined {
        let help = "add what is touched or with how much privilege: `sensitivity`, `privilege`, `issues` or `routes`";
        problems.report(Code::AnomalyAlone, place, alone.to_string(), help);
    } else if is_for_all(when) {
        let message = "the rule holds for every request, so that what is unusual decides alone";
        let help = "ask for a `sensitivity` of at least `moderate`, or add `privilege`, `issues` or `routes`";
        problems.report(Code::AnomalyDecides, place, message, help);
    }
    joined.ok()
}

/// Whether all that it says of what is touched, and with how much privilege, holds for every request.
fn is_for_all(when: &When) -> bool {
    let every_route = when.routes.is_empty() || when.routes.iter().any(|glob| glob.as_str() == "*");
    when.sensitivity.is_none_or(|least| least == Sensitivity::Low)
        && when.privilege.is_none()
        && when.issues.is_none()
        && every_route
}
