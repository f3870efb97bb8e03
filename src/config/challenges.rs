//! `challenges`: how many a caller may leave unanswered.

use super::diagnostics::Diagnostics;
use super::section::Section;
use super::tree::Entry;
use crate::policy::ChallengeLimit;

pub(super) fn read(entry: &Entry, problems: &mut Diagnostics) -> Option<ChallengeLimit> {
    let section = Section::open("`challenges`", &entry.node, problems)?;
    let [per_minute] = section.members(["per_minute"], problems);
    per_minute.or(ChallengeLimit::default(), problems, |node, problems| {
        node.number(1..=ChallengeLimit::MAX_PER_MINUTE, problems).and_then(ChallengeLimit::new)
    })
}
