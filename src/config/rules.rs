//! `rules`: which combinations ask for proof, or are refused.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::document::Owned;
use super::issuers::texts;
use super::names::Names;
use super::section::{Member, Section};
use super::source::Place;
use super::tree::Node;
use super::when::{self, Conditions};
use crate::policy::{Effect, LevelId, Mode, Name, Rule};

/// What rules refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'k, 't> {
    pub levels: &'k Names<'t>,
    pub signals: &'k Names<'t>,
    pub routes: &'k [Owned<'t>],
    /// Whether every file could be read, so that what is not here is nowhere.
    pub complete: bool,
}

pub(super) fn read(owned: &Owned<'_>, known: Known<'_, '_>, problems: &mut Diagnostics) -> Option<Rule> {
    let section = Section::open("the rule", owned.node, problems)?;
    let [name, when, require, deny, mode, controls] =
        section.members(["name", "when", "require", "deny", "mode", "controls"], problems);
    let name = name.required(problems, |node, problems| node.parse(Name::parse, problems));
    check_refusal(when, deny, problems);
    let conditions = when.required(problems, |node, problems| when::read(node, owned.owner.as_ref(), known, problems));
    let effect = read_effect(&section, require, deny, known.levels, problems);
    let mode = mode.or(Mode::default(), problems, read_mode);
    let controls = controls.or(Vec::new(), problems, texts);
    let Conditions { when, unusual } = conditions?;
    let effect = match (effect?, unusual) {
        (Effect::Require(level), Some(joined)) => Effect::RequireIf(joined, level),
        (effect, _) => effect,
    };
    Some(Rule { name: name?, owner: owned.owner.clone(), when, effect, mode: mode?, controls: controls? })
}

pub(super) fn read_mode(node: &Node, problems: &mut Diagnostics) -> Option<Mode> {
    node.choice(&Mode::ALL.map(|mode| (mode.as_str(), mode)), problems)
}

/// What is unusual can ask for proof, and never refuses.
fn check_refusal(when: Member<'_>, deny: Member<'_>, problems: &mut Diagnostics) {
    let unusual = when.node().and_then(|node| node.member("anomaly").or(node.member("signals")));
    if let (Some(unusual), Some(deny)) = (unusual, deny.place()) {
        let message = "what is unusual never refuses a call";
        let help =
            format!("take `{}` away, or ask for proof with `require`: who is in the right can show it", unusual.key);
        problems.report(Code::AnomalyRefuses, unusual.key_place, message, help).with(deny, "refused here");
    }
}

fn read_effect(
    section: &Section<'_>,
    require: Member<'_>,
    deny: Member<'_>,
    levels: &Names<'_>,
    problems: &mut Diagnostics,
) -> Option<Effect> {
    let place = section.title().place;
    match (require.node(), deny.node()) {
        (Some(node), None) => levels.resolve(node, problems).map(|index| Effect::Require(LevelId(index))),
        (None, Some(node)) => node.parse(Name::parse, problems).map(Effect::Deny),
        (None, None) => no_effect(place, problems),
        (Some(_), Some(_)) => {
            let help = "keep one of `require` and `deny`; two rules can have the same condition";
            problems.report(Code::RuleEffect, place, "the rule has two effects", help);
            None
        }
    }
}

fn no_effect<T>(place: Place, problems: &mut Diagnostics) -> Option<T> {
    let help = "add `require: <assurance level>` or `deny: <reason>`";
    problems.report(Code::RuleEffect, place, "the rule has no effect", help);
    None
}
