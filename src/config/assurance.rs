//! `assurance`: the levels, weakest first, each at least as strict as the one before it.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::names::Names;
use super::section::{Section, not_yet_built};
use super::source::Place;
use super::tree::Node;
use crate::policy::{Assurance, AttestationId, Name};
use crate::time::Ttl;

/// A level, with the places that checks point at.
#[derive(Debug)]
pub(super) struct LevelDraft {
    pub level: Assurance,
    pub place: Place,
    pub max_age_place: Place,
    /// Where each attestation is named.
    pub accept: Vec<(AttestationId, Place)>,
}

pub(super) fn read(node: &Node, attestations: &Names<'_>, problems: &mut Diagnostics) -> Option<LevelDraft> {
    let section = Section::open("the assurance level", node, problems)?;
    #[rustfmt::skip]
    let [name, max_age, accept, challenge, not_yet @ ..] = section.members([
        "name", "max_age", "accept", "challenge",
        "single_use", "scoped", "task", "carry", "on_state_loss",
    ], problems);
    not_yet_built(&not_yet, problems);
    let max_age_place = max_age.node().map(|node| node.place);
    let name = name.required(problems, |node, problems| node.parse(Name::parse, problems));
    let max_age = max_age.required(problems, read_max_age);
    let accept = accept.required(problems, |node, problems| attestations.resolve_each(node, problems));
    let challenge = challenge.or(false, problems, |node, problems| node.choice(&[("required", true)], problems));
    let accept: Vec<_> = accept?.into_iter().map(|(index, place)| (AttestationId(index), place)).collect();
    let level = Assurance {
        name: name?,
        max_age: max_age?,
        accept: accept.iter().map(|(id, _)| *id).collect(),
        challenge_required: challenge?,
    };
    Some(LevelDraft { level, place: section.title().place, max_age_place: max_age_place?, accept })
}

fn read_max_age(node: &Node, problems: &mut Diagnostics) -> Option<Ttl> {
    let max_age: Ttl = node.parse(str::parse, problems)?;
    if max_age == Ttl::ZERO {
        node.invalid("0s", "write a span of at least 1s: nothing is ever that fresh", problems);
        return None;
    }
    Some(max_age)
}

/// A caller that meets a level must meet all before it: rules pick the later of two.
pub(super) fn check_order(levels: &[LevelDraft], problems: &mut Diagnostics) {
    for (before, level) in levels.iter().zip(levels.iter().skip(1)) {
        if level.level.max_age > before.level.max_age {
            let message = format!("max_age {} is longer than {}", level.level.max_age, before.level.max_age);
            laxer(before, level, level.max_age_place, &message, problems);
        }
        if before.level.challenge_required && !level.level.challenge_required {
            laxer(before, level, level.place, "it does not ask for a challenge", problems);
        }
        for (_, place) in level.accept.iter().filter(|(id, _)| !before.level.accept.contains(id)) {
            laxer(before, level, *place, "it accepts what that one does not", problems);
        }
    }
}

fn laxer(before: &LevelDraft, level: &LevelDraft, place: Place, how: &str, problems: &mut Diagnostics) {
    let (name, earlier) = (&level.level.name, &before.level.name);
    let message = format!("the level `{name}` is laxer than `{earlier}` before it: {how}");
    let help = "levels stand weakest first, and where two rules match the later level counts: make this one as strict, or move it up";
    problems.report(Code::LaxerLevel, place, message, help).with(before.place, "the level before it");
}
