//! `scopes`: which of them are elevated.

use super::diagnostics::Diagnostics;
use super::section::Section;
use super::source::Place;
use super::tree::{Entry, Node};
use crate::policy::ElevatedScopes;

/// The elevated scopes, each pattern also by itself and with its place.
#[derive(Debug, Default)]
pub(super) struct ScopesDraft {
    pub elevated: ElevatedScopes,
    pub patterns: Vec<Pattern>,
}

#[derive(Debug)]
pub(super) struct Pattern {
    pub text: Box<str>,
    pub place: Place,
}

pub(super) fn read(entry: &Entry, problems: &mut Diagnostics) -> Option<ScopesDraft> {
    let section = Section::open("`scopes`", &entry.node, problems)?;
    let [elevated] = section.members(["elevated"], problems);
    let mut patterns = elevated.required(problems, |node, problems| {
        let items = node.list(problems)?;
        Node::each(items, problems, pattern)
    })?;
    patterns.sort_by(|a, b| a.text.cmp(&b.text));
    let elevated = ElevatedScopes::new(patterns.iter().map(|pattern| &*pattern.text)).ok()?;
    Some(ScopesDraft { elevated, patterns })
}

fn pattern(node: &Node, problems: &mut Diagnostics) -> Option<Pattern> {
    let text = node.text(problems)?;
    node.parse(|text| ElevatedScopes::new([text]), problems)?;
    Some(Pattern { text: text.into(), place: node.place })
}
