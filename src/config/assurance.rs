//! `assurance`: the levels, weakest first, each at least as strict as the one before it.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::names::Names;
use super::section::Section;
use super::source::Place;
use super::tree::Node;
use crate::policy::{Assurance, AttestationId, Carry, Name, OnStateLoss};
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
    let [name, max_age, accept, challenge, single_use, scoped, task, carry, on_state_loss] = section.members([
        "name", "max_age", "accept", "challenge", "single_use", "scoped", "task", "carry", "on_state_loss",
    ], problems);
    let max_age_place = max_age.node().map(|node| node.place);
    let name = name.required(problems, |node, problems| node.parse(Name::parse, problems));
    let max_age = max_age.required(problems, read_max_age);
    let accept = accept.required(problems, |node, problems| attestations.resolve_each(node, problems));
    let challenge = challenge.or(false, problems, read_required);
    let single_use = single_use.or(false, problems, Node::boolean);
    let scoped = scoped.or(false, problems, read_required);
    let task_required = task.or(false, problems, read_required);
    let carry_place = carry.node().map(|node| node.place);
    let carry = carry.or(Carry::EveryCall, problems, read_carry);
    let on_state_loss = on_state_loss.or(OnStateLoss::Deny, problems, read_on_state_loss);
    let accept: Vec<_> = accept?.into_iter().map(|(index, place)| (AttestationId(index), place)).collect();
    let level = Assurance {
        name: name?,
        max_age: max_age?,
        accept: accept.iter().map(|(id, _)| *id).collect(),
        challenge_required: challenge?,
        single_use: single_use?,
        scoped: scoped?,
        task_required: task_required?,
        carry: carry?,
        on_state_loss: on_state_loss?,
    };
    if let (Carry::FirstCall, false, Some(place)) = (level.carry, level.task_required, carry_place) {
        let message = format!("a grant of `{}` would end with nothing", level.name);
        let help = "add `task: required`: a grant is for one task, and ends with it";
        problems.report(Code::GrantWithoutTask, place, message, help);
    }
    Some(LevelDraft { level, place: section.title().place, max_age_place: max_age_place?, accept })
}

fn read_required(node: &Node, problems: &mut Diagnostics) -> Option<bool> {
    node.choice(&[("required", true)], problems)
}

fn read_carry(node: &Node, problems: &mut Diagnostics) -> Option<Carry> {
    node.choice(&[("every_call", Carry::EveryCall), ("first_call", Carry::FirstCall)], problems)
}

fn read_on_state_loss(node: &Node, problems: &mut Diagnostics) -> Option<OnStateLoss> {
    node.choice(&[("deny", OnStateLoss::Deny), ("local", OnStateLoss::Local)], problems)
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
        for (asked, asks, how) in asked_for(&before.level, &level.level) {
            if asked && !asks {
                laxer(before, level, level.place, how, problems);
            }
        }
        for (_, place) in level.accept.iter().filter(|(id, _)| !before.level.accept.contains(id)) {
            laxer(before, level, *place, "it accepts what that one does not", problems);
        }
    }
}

/// What two levels ask for beside freshness, and how the later one would be laxer.
const fn asked_for(before: &Assurance, level: &Assurance) -> [(bool, bool, &'static str); 6] {
    [
        (before.challenge_required, level.challenge_required, "it does not ask for a challenge"),
        (before.single_use, level.single_use, "its proofs may pass once in each replica"),
        (before.scoped, level.scoped, "it does not ask for the elevated scopes to be named"),
        (before.task_required, level.task_required, "it does not ask for a task"),
        (asks_every_call(before), asks_every_call(level), "only the first call of a task attests"),
        (
            before.single_use && denies_on_loss(before),
            denies_on_loss(level),
            "its proofs may pass once in each replica while the state is away",
        ),
    ]
}

const fn asks_every_call(level: &Assurance) -> bool {
    matches!(level.carry, Carry::EveryCall)
}

const fn denies_on_loss(level: &Assurance) -> bool {
    matches!(level.on_state_loss, OnStateLoss::Deny)
}

fn laxer(before: &LevelDraft, level: &LevelDraft, place: Place, how: &str, problems: &mut Diagnostics) {
    let (name, earlier) = (&level.level.name, &before.level.name);
    let message = format!("the level `{name}` is laxer than `{earlier}` before it: {how}");
    let help = "levels stand weakest first, and where two rules match the later level counts: make this one as strict, or move it up";
    problems.report(Code::LaxerLevel, place, message, help).with(before.place, "the level before it");
}
