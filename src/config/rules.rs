//! `rules`: which combinations ask for proof, or are refused.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::issuers::texts;
use super::names::Names;
use super::routes::read_sensitivity;
use super::section::{Member, Section, not_supported_yet, not_yet_built};
use super::tree::Node;
use crate::policy::{Effect, LevelId, Mode, Name, Privilege, Rule, When};

pub(super) fn read(node: &Node, levels: &Names<'_>, problems: &mut Diagnostics) -> Option<Rule> {
    let section = Section::open("the rule", node, problems)?;
    let [name, when, require, deny, mode, controls] =
        section.members(["name", "when", "require", "deny", "mode", "controls"], problems);
    let name = name.required(problems, |node, problems| node.parse(Name::parse, problems));
    let when = when.required(problems, read_when);
    let effect = read_effect(&section, require, deny, levels, problems);
    if let Some(node) = mode.node()
        && node.choice(&[("enforce", false), ("shadow", true)], problems) == Some(true)
    {
        not_supported_yet(node.place, "`mode: shadow` is not supported yet", problems);
    }
    let controls = controls.or(Vec::new(), problems, texts);
    Some(Rule { name: name?, when: when?, effect: effect?, controls: controls?, owner: None, mode: Mode::Enforce })
}

fn read_when(node: &Node, problems: &mut Diagnostics) -> Option<When> {
    let section = Section::open("`when`", node, problems)?;
    #[rustfmt::skip]
    let [sensitivity, privilege, not_yet @ ..] = section.members([
        "sensitivity", "privilege",
        "issues", "anomaly", "signals", "kinds", "routes", "methods", "headers", "claims",
    ], problems);
    not_yet_built(&not_yet, problems);
    let is_empty = not_yet.iter().chain([&sensitivity, &privilege]).all(|member| member.entry().is_none());
    if is_empty {
        let help = "say when it holds, such as `sensitivity: low` for every call: a condition that was lost must not go unnoticed";
        problems.report(Code::NoCondition, section.title().place, "the rule has no condition", help);
        return None;
    }
    let choices = Privilege::ALL.map(|privilege| (privilege.as_str(), privilege));
    let sensitivity = sensitivity.optional(problems, read_sensitivity);
    let privilege = privilege.optional(problems, |node, problems| node.choice(&choices, problems));
    Some(When { sensitivity: sensitivity?, privilege: privilege?, ..When::default() })
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
        (None, None) => {
            let help = "add `require: <assurance level>` or `deny: <reason>`";
            problems.report(Code::RuleEffect, place, "the rule has no effect", help);
            None
        }
        (Some(_), Some(_)) => {
            let help = "keep one of `require` and `deny`; two rules can have the same condition";
            problems.report(Code::RuleEffect, place, "the rule has two effects", help);
            None
        }
    }
}
