//! `tests`: what a policy's own tests give and expect. They are run by `stepgate test`.

mod expect;

pub use expect::{Expectation, Expected, Field};

use super::diagnostics::Diagnostics;
use super::names::Names;
use super::request;
use super::section::Section;
use super::source::Place;
use super::tree::{Node, Value};
use crate::inputs::Inputs;
use crate::time::UnixTime;
use jiff::Timestamp;

/// One test of a policy.
#[derive(Clone, Debug)]
pub struct PolicyTest {
    pub name: Box<str>,
    /// Where its name stands.
    pub place: Place,
    pub at: UnixTime,
    pub request: Inputs,
    pub expect: Vec<Expectation>,
}

/// What tests refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'k, 't> {
    pub levels: &'k Names<'t>,
    pub attestations: &'k Names<'t>,
    pub signals: &'k Names<'t>,
    pub routes: &'k Names<'t>,
    pub rules: &'k Names<'t>,
    /// The reasons of rules that refuse.
    pub refusals: &'k [&'t str],
}

/// When a test takes place that does not say: 2026-01-05T12:00:00Z, a Monday at noon.
const NOON: UnixTime = UnixTime::from_secs(1_767_614_400);

pub(super) fn read(node: &Node, known: Known<'_, '_>, problems: &mut Diagnostics) -> Option<PolicyTest> {
    let section = Section::open("the test", node, problems)?;
    let place = section.title().place;
    let [name, at, request, expect] = section.members(["name", "at", "request", "expect"], problems);
    let name = name.required(problems, |node, problems| node.text(problems).map(Into::into));
    let at = at.or(NOON, problems, read_moment);
    let inputs = request.required(problems, request::read);
    if let Some(request) = request.node() {
        check_names(request, known, problems);
    }
    let expect = expect.required(problems, |node, problems| expect::read(node, known, problems));
    Some(PolicyTest { name: name?, place, at: at?, request: inputs?, expect: expect? })
}

fn read_moment(node: &Node, problems: &mut Diagnostics) -> Option<UnixTime> {
    node.parse(
        |text| moment(text).ok_or("write a date and time with its offset, such as 2026-11-23T10:00:00Z"),
        problems,
    )
}

/// A moment as people and the decision log write it (RFC 3339).
pub fn moment(text: &str) -> Option<UnixTime> {
    let moment: Timestamp = text.parse().ok()?;
    u64::try_from(moment.as_second()).ok().map(UnixTime::from_secs)
}

/// A name that the policy does not have would say nothing.
fn check_names(request: &Node, known: Known<'_, '_>, problems: &mut Diagnostics) {
    let by = request.member("attestation").and_then(|entry| entry.node.member("by"));
    if let Some(by) = by.filter(|by| matches!(by.node.value, Value::Text(_))) {
        known.attestations.resolve(&by.node, problems);
    }
    if let Some(Value::List(fired)) = request.member("fired").map(|entry| &entry.node.value) {
        for name in fired.iter().filter(|name| matches!(name.value, Value::Text(_))) {
            known.signals.resolve(name, problems);
        }
    }
}
