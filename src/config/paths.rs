//! `paths`: how paths of requests are read.

use super::diagnostics::Diagnostics;
use super::section::Section;
use super::tree::{Entry, Node};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Paths {
    /// Whether what servers read differently is refused.
    pub refuse_ambiguous: bool,
    /// Whether upper and lower case are the same.
    pub ignore_case: bool,
}

pub(super) fn read(entry: &Entry, problems: &mut Diagnostics) -> Option<Paths> {
    let section = Section::open("`paths`", &entry.node, problems)?;
    let [ambiguous, ignore_case] = section.members(["ambiguous", "ignore_case"], problems);
    let words = [("judge", false), ("refuse", true)];
    let refuse_ambiguous = ambiguous.or(false, problems, |node, problems| node.choice(&words, problems));
    let ignore_case = ignore_case.or(false, problems, Node::boolean);
    Some(Paths { refuse_ambiguous: refuse_ambiguous?, ignore_case: ignore_case? })
}
