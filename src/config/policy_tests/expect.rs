//! `expect` of a test: fields of the decision log, by their names there.

use super::Known;
use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::names::Names;
use crate::config::section::{Member, Section};
use crate::config::source::Place;
use crate::config::suggest::suggestion;
use crate::config::tree::{Node, Value};
use crate::context::Anomaly;
use crate::decision::Outcome;
use crate::policy::{Privilege, Sensitivity, UNMATCHED};
use crate::reason::Reason;
use std::fmt;

/// What one field is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    pub field: Field,
    pub expected: Expected,
    pub place: Place,
}

/// What can be expected of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Decision,
    /// The level that the rules ask for.
    Require,
    Reason,
    Route,
    Sensitivity,
    Privilege,
    Signals,
    Anomaly,
    /// Those that matched and count.
    Rules,
    ShadowDecision,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    Nothing,
    Word(Box<str>),
    Number(u8),
    /// In the order of the alphabet: which comes first says nothing.
    Words(Vec<Box<str>>),
}

pub(super) fn read(node: &Node, known: Known<'_, '_>, problems: &mut Diagnostics) -> Option<Vec<Expectation>> {
    let section = Section::open("`expect`", node, problems)?;
    let members = section.members(Field::ALL.map(Field::as_str), problems);
    if members.iter().all(|member| member.entry().is_none()) {
        let help = "say what is to come of it, such as `decision: step_up`: a test that expects nothing never fails";
        problems.report(Code::MissingKey, section.title().place, "the test expects nothing", help);
        return None;
    }
    let read: Vec<_> = Field::ALL
        .into_iter()
        .zip(members)
        .filter_map(|(field, member)| Some((field, member.place()?, member)))
        .map(|(field, place, member)| {
            let expected = read_field(field, member, known, problems)?;
            Some(Expectation { field, expected, place })
        })
        .collect();
    read.into_iter().collect()
}

fn read_field(field: Field, member: Member<'_>, known: Known<'_, '_>, problems: &mut Diagnostics) -> Option<Expected> {
    let node = member.node()?;
    let may_be_nothing = matches!(field, Field::Require | Field::ShadowDecision);
    if matches!(node.value, Value::Null) && may_be_nothing {
        return Some(Expected::Nothing);
    }
    match field {
        Field::Decision | Field::ShadowDecision => word(node, &Outcome::WORDS, problems),
        Field::Require => named(node, known.levels, problems),
        Field::Reason => {
            let fixed: Vec<_> = Reason::all_fixed().collect();
            let words: Vec<_> = fixed.iter().map(Reason::as_str).chain(known.refusals.iter().copied()).collect();
            word(node, &words, problems)
        }
        Field::Route if matches!(&node.value, Value::Text(text) if **text == *UNMATCHED) => {
            Some(Expected::Word(UNMATCHED.into()))
        }
        Field::Route => named(node, known.routes, problems),
        Field::Sensitivity => word(node, &Sensitivity::ALL.map(Sensitivity::as_str), problems),
        Field::Privilege => word(node, &Privilege::ALL.map(Privilege::as_str), problems),
        Field::Signals => names(node, known.signals, problems),
        Field::Rules => names(node, known.rules, problems),
        Field::Anomaly => {
            let points = node.number(0..=u32::from(Anomaly::MAX.points()), problems)?;
            u8::try_from(points).ok().map(Expected::Number)
        }
    }
}

fn word(node: &Node, words: &[&str], problems: &mut Diagnostics) -> Option<Expected> {
    let text = node.text(problems)?;
    if !words.contains(&text) {
        node.invalid(text, suggestion(text, words), problems);
        return None;
    }
    Some(Expected::Word(text.into()))
}

fn named(node: &Node, names: &Names<'_>, problems: &mut Diagnostics) -> Option<Expected> {
    names.resolve(node, problems)?;
    node.text(problems).map(|text| Expected::Word(text.into()))
}

fn names(node: &Node, names: &Names<'_>, problems: &mut Diagnostics) -> Option<Expected> {
    let read = Node::each(node.list(problems)?, problems, |item, problems| {
        names.resolve(item, problems)?;
        item.text(problems).map(Into::into)
    });
    read.map(Expected::words)
}

impl Field {
    pub const ALL: [Self; 10] = [
        Self::Decision,
        Self::Require,
        Self::Reason,
        Self::Route,
        Self::Sensitivity,
        Self::Privilege,
        Self::Signals,
        Self::Anomaly,
        Self::Rules,
        Self::ShadowDecision,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Require => "require",
            Self::Reason => "reason",
            Self::Route => "route",
            Self::Sensitivity => "sensitivity",
            Self::Privilege => "privilege",
            Self::Signals => "signals",
            Self::Anomaly => "anomaly",
            Self::Rules => "rules",
            Self::ShadowDecision => "shadow_decision",
        }
    }
}

impl Expected {
    pub fn words(mut words: Vec<Box<str>>) -> Self {
        words.sort_unstable();
        words.dedup();
        Self::Words(words)
    }
}

/// As the policy writes it.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("null"),
            Self::Word(word) => f.write_str(word),
            Self::Number(number) => write!(f, "{number}"),
            Self::Words(words) => write!(f, "[{}]", words.join(", ")),
        }
    }
}
