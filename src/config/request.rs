//! A request as policies' own tests, the decision log and `explain` give it: the members of [`Inputs`].

mod attestation;
mod claims;
mod grant;
mod headers;

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::section::{Member, Section};
use super::tree::{Node, Value};
use crate::context::Country;
use crate::identity::Principal;
use crate::inputs::{Bound, GivenCall, Inputs};
use crate::policy::{Name, Scope, ScopeSet, Sensitivity};
use crate::reason::Reason;
use crate::request::{Asked, Hints, Layer};
use crate::time::Ttl;
use std::net::IpAddr;

/// Signals that follow from what a request shows, so that nobody need say that they fired.
const TOLD: [(&str, &str); 2] =
    [("outside_hours", "the time of the call (`at`)"), ("long_lived_credential", "`credential_lifetime`")];

pub(super) fn read(node: &Node, problems: &mut Diagnostics) -> Option<Inputs> {
    let section = Section::open("the request", node, problems)?;
    #[rustfmt::skip]
    let [
        layer, method, host, path, headers, body, source, asks, mcp, hints, country, principal, scopes, lifetime, subject, claims, bound, fault, fired,
        attestation, grant,
    ] = section.members([
        "layer", "method", "host", "path", "headers", "body", "source", "asks", "mcp", "hints", "country", "principal", "scopes",
        "credential_lifetime", "subject", "claims", "bound", "fault", "fired", "attestation", "grant",
    ], problems);
    let layer = layer.or(Layer::Http, problems, |node, problems| {
        node.choice(&[("http", Layer::Http), ("network", Layer::Network)], problems)
    });
    let [method, host, path] = [method, host, path].map(|member| text_of(member, layer, problems));
    let headers = headers.or(Vec::new(), problems, headers::read);
    let body = body.optional(problems, text);
    let source = source.optional(problems, |node, problems| {
        node.parse(|text| text.parse::<IpAddr>().map_err(|_| "write an IP address, such as 10.20.1.4"), problems)
    });
    let asks = asks.optional(problems, read_asks);
    let mcp = mcp.or(None, problems, read_call);
    let hints = hints.or(Hints::default(), problems, read_hints);
    let country = country.optional(problems, |node, problems| node.parse(Country::parse, problems));
    let principal = principal.optional(problems, |node, problems| node.parse(Principal::parse, problems));
    let scopes = scopes.optional(problems, read_scopes);
    let lifetime = lifetime.optional(problems, read_span);
    let subject = subject.optional(problems, text);
    let claims = claims.optional(problems, claims::read);
    let bound = bound.or(Bound::default(), problems, read_bound);
    let is_ours = |reason: &Reason| {
        matches!(reason, Reason::Credential(_) | Reason::Proof(_) | Reason::Request(_) | Reason::ChallengeLoop)
    };
    let fault = fault.optional(problems, |node, problems| read_fault(node, is_ours, problems));
    let fired = fired.or(Vec::new(), problems, read_fired);
    let attestation = attestation.optional(problems, attestation::read);
    let grant = grant.optional(problems, grant::read);
    Some(Inputs {
        layer: layer?,
        method: method?,
        host: host?,
        path: path?,
        headers: headers?,
        body: body?,
        source: source?,
        asks: asks?,
        mcp: mcp?,
        hints: hints?,
        country: country?,
        principal: principal?,
        scopes: scopes?,
        credential_lifetime: lifetime?,
        subject: subject?,
        claims: claims?,
        bound: bound?,
        fault: fault?,
        fired: fired?,
        attestation: attestation?,
        grant: grant?,
    })
}

/// A request has all three; a connection may say where it goes.
fn text_of(member: Member<'_>, layer: Option<Layer>, problems: &mut Diagnostics) -> Option<Box<str>> {
    match layer {
        Some(Layer::Network) => member.or(Box::default(), problems, text),
        _ => member.required(problems, text),
    }
}

/// Any text: whether it is a good method or path is decided.
fn text(node: &Node, problems: &mut Diagnostics) -> Option<Box<str>> {
    node.text(problems).map(Into::into)
}

pub(super) fn read_span(node: &Node, problems: &mut Diagnostics) -> Option<Ttl> {
    node.parse(str::parse::<Ttl>, problems)
}

pub(super) fn read_scopes(node: &Node, problems: &mut Diagnostics) -> Option<ScopeSet> {
    let items = node.list(problems)?;
    let scopes = Node::each(items, problems, |item, problems| item.parse(Scope::parse, problems))?;
    let set = ScopeSet::bounded(scopes);
    if set.is_err() {
        let help = format!("name at most {}", ScopeSet::MAX_SCOPES);
        problems.report(Code::InvalidValue, node.place, "too many scopes for one call", help);
    }
    set.ok()
}

fn read_asks(node: &Node, problems: &mut Diagnostics) -> Option<Asked> {
    match &node.value {
        Value::Text(_) => node.choice(&[("unreadable", ())], problems).map(|()| Asked::Unreadable),
        _ => node.filled_list(problems).and_then(|_| read_scopes(node, problems)).map(Asked::Scopes),
    }
}

#[expect(clippy::option_option, reason = "whether it can be read, and whether it is one call")]
fn read_call(node: &Node, problems: &mut Diagnostics) -> Option<Option<GivenCall>> {
    if let Value::Text(_) = &node.value {
        return node.choice(&[("unclear", ())], problems).map(|()| None);
    }
    let section = Section::open("`mcp`", node, problems)?;
    let [method, tool] = section.members(["method", "tool"], problems);
    let method = method.required(problems, text);
    let tool = tool.optional(problems, text);
    Some(Some(GivenCall { method: method?, tool: tool? }))
}

fn read_hints(node: &Node, problems: &mut Diagnostics) -> Option<Hints> {
    let section = Section::open("`hints`", node, problems)?;
    let [sensitivity, scopes, unreadable] = section.members(["sensitivity", "scopes", "unreadable"], problems);
    let words = Sensitivity::ALL.map(|sensitivity| (sensitivity.as_str(), sensitivity));
    let sensitivity = sensitivity.optional(problems, |node, problems| node.choice(&words, problems));
    let scopes = scopes.or(ScopeSet::default(), problems, read_scopes);
    let unreadable = unreadable.or(false, problems, Node::boolean);
    Some(Hints { sensitivity: sensitivity?, scopes: scopes?, unreadable: unreadable? })
}

fn read_bound(node: &Node, problems: &mut Diagnostics) -> Option<Bound> {
    let key = Bound { key: true, ..Bound::default() };
    let certificate = Bound { certificate: true, ..Bound::default() };
    let words = [("key", key), ("certificate", certificate)];
    let named = Node::each(node.list(problems)?, problems, |item, problems| item.choice(&words, problems))?;
    let join =
        |all: Bound, one: Bound| Bound { key: all.key || one.key, certificate: all.certificate || one.certificate };
    Some(named.into_iter().fold(Bound::default(), join))
}

/// A reason, by its word.
pub(super) fn read_fault(
    node: &Node,
    is_taken: impl Fn(&Reason) -> bool,
    problems: &mut Diagnostics,
) -> Option<Reason> {
    let taken: Vec<_> = Reason::all_fixed().filter(is_taken).collect();
    let word = node.text(problems)?;
    let found = taken.iter().find(|reason| reason.as_str() == word).cloned();
    if found.is_none() {
        let words: Vec<_> = taken.iter().map(Reason::as_str).collect();
        node.invalid(word, super::suggest::suggestion(word, &words), problems);
    }
    found
}

fn read_fired(node: &Node, problems: &mut Diagnostics) -> Option<Vec<Name>> {
    Node::each(node.list(problems)?, problems, |item, problems| {
        let name = item.parse(Name::parse, problems)?;
        if let Some((_, by)) = TOLD.into_iter().find(|(told, _)| *told == name.as_str()) {
            item.invalid(name.as_str(), format!("say {by} instead: the signal follows from it"), problems);
            return None;
        }
        Some(name)
    })
}

#[cfg(test)]
mod tests;
