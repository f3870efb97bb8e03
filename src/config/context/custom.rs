//! `custom`: signals of a policy's own, each out of one header.

use super::{built_in, read_header, read_points, read_values};
use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::section::{Member, Section};
use crate::config::tree::Node;
use crate::context::{HeaderTest, Look, Signal, Test};
use crate::policy::{Glob, Name};

/// In the order of their names. `ours`: the section with the signals that stepgate knows.
pub(super) fn read(node: &Node, ours: Option<&Node>, problems: &mut Diagnostics) -> Option<Vec<Signal>> {
    let items = node.list(problems)?;
    let mut signals = Node::each(items, problems, |item, problems| read_one(item, ours, problems))?;
    signals.sort_by(|one, other| one.name.cmp(&other.name));
    Some(signals)
}

fn read_one(node: &Node, ours: Option<&Node>, problems: &mut Diagnostics) -> Option<Signal> {
    let section = Section::open("the signal", node, problems)?;
    let [name, points, header, present, absent, values, matches] =
        section.members(["name", "points", "header", "present", "absent", "values", "matches"], problems);
    let name = name.required(problems, |node, problems| read_name(node, ours, problems));
    let points = read_points(points, problems);
    let header = header.required(problems, read_header);
    let looks_for = read_look(&section, [present, absent, values, matches], problems)?;
    Some(Signal { name: name?, points: points?, test: Test::Header(HeaderTest { name: header?, looks_for }) })
}

/// One that stands in `signals` too is reported as defined twice; but the others are not free either.
fn read_name(node: &Node, ours: Option<&Node>, problems: &mut Diagnostics) -> Option<Name> {
    let name = node.parse(Name::parse, problems)?;
    let stands = ours.is_some_and(|signals| signals.member(name.as_str()).is_some());
    if !stands && built_in::keys().contains(&name.as_str()) {
        let help = "take another name, or put it into `signals` if that is what you mean";
        problems.report(Code::ReservedName, node.place, format!("stepgate has a signal `{name}` of its own"), help);
        return None;
    }
    Some(name)
}

fn read_look(
    section: &Section<'_>,
    [present, absent, values, matches]: [Member<'_>; 4],
    problems: &mut Diagnostics,
) -> Option<Look> {
    match (present.node(), absent.node(), values.node(), matches.node()) {
        (Some(node), None, None, None) => only_true(node, problems).map(|()| Look::Present),
        (None, Some(node), None, None) => only_true(node, problems).map(|()| Look::Absent),
        (None, None, Some(node), None) => read_values(node, problems).map(Look::Values),
        (None, None, None, Some(node)) => node.parse(Glob::parse, problems).map(Look::Matches),
        _ => {
            let message = format!("{} takes exactly one thing to look for", section.title());
            let help = "write one of `present: true`, `absent: true`, `values: [one, other]` and `matches: \"curl/*\"`";
            problems.report(Code::InvalidValue, section.title().place, message, help);
            None
        }
    }
}

/// `present: false` could mean either of two things.
fn only_true(node: &Node, problems: &mut Diagnostics) -> Option<()> {
    if !node.boolean(problems)? {
        node.invalid("false", "write `true`, under `present` or under `absent`", problems);
        return None;
    }
    Some(())
}
