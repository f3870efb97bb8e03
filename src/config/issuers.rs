//! `issuers`: who may vouch, and with which keys.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::keys::{self, Keys};
use super::section::Section;
use super::source::Place;
use super::tree::{Entry, Node};
use crate::attestation::Algorithm;
use crate::policy::{Issuer, IssuerId, KeyOrigin, Name, NamePattern};

/// An issuer and its keys, with the places that checks point at.
#[derive(Debug)]
pub(super) struct IssuerDraft {
    pub id: IssuerId,
    pub issuer: Issuer,
    pub keys: Keys,
    pub place: Place,
}

pub(super) fn read(id: IssuerId, entry: &Entry, problems: &mut Diagnostics) -> Option<IssuerDraft> {
    let section = Section::named("the issuer", entry, problems)?;
    let name = entry.name(problems);
    let [issuer, audiences, algorithms, key_set, subjects] =
        section.members(["issuer", "audiences", "algorithms", "keys", "subjects"], problems);
    let issuer = issuer.optional(problems, text);
    let audiences = audiences.or(Vec::new(), problems, texts);
    let algorithms = algorithms.required(problems, read_algorithms);
    let keys = key_set.required(problems, keys::read);
    let subjects = subjects.or(Vec::new(), problems, name_patterns);
    let issuer =
        Issuer { name: name?, issuer: issuer?, audiences: audiences?, algorithms: algorithms?, subjects: subjects? };
    let keys = fitting(keys?, &issuer, key_set.place()?, problems)?;
    Some(IssuerDraft { id, issuer, keys, place: entry.key_place })
}

fn fitting(keys: Keys, issuer: &Issuer, place: Place, problems: &mut Diagnostics) -> Option<Keys> {
    let KeyOrigin::Given(set) = &keys.origin else { return Some(keys) };
    if issuer.algorithms.iter().any(|algorithm| set.fits(*algorithm)) {
        return Some(keys);
    }
    let names: Vec<_> = issuer.algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
    let message = format!("the issuer `{}` has no key for {}", issuer.name, names.join(" or "));
    let help = "name the algorithms that its keys are for, or publish a key for one that is named";
    problems.report(Code::NoFittingKey, place, message, help);
    None
}

fn read_algorithms(node: &Node, problems: &mut Diagnostics) -> Option<Vec<Algorithm>> {
    let items = node.filled_list(problems)?;
    let mut algorithms = Node::each(items, problems, algorithm)?;
    algorithms.sort_unstable();
    algorithms.dedup();
    Some(algorithms)
}

fn algorithm(node: &Node, problems: &mut Diagnostics) -> Option<Algorithm> {
    let text = node.text(problems)?;
    let why = match text.to_ascii_uppercase().as_str() {
        "NONE" => "`none` is no signature: anybody could make such a token",
        "HS256" | "HS384" | "HS512" => "with a shared secret, whoever checks a token can make one",
        _ => {
            return node.choice(&Algorithm::ALL.map(|algorithm| (algorithm.as_str(), algorithm)), problems);
        }
    };
    let help = format!("{why}; use an asymmetric algorithm such as `ES256`");
    problems.report(Code::ForbiddenAlgorithm, node.place, format!("the algorithm `{text}` is never accepted"), help);
    None
}

/// A text that is compared byte by byte: not empty, and nothing in it that can't be seen.
pub(super) fn text(node: &Node, problems: &mut Diagnostics) -> Option<Box<str>> {
    node.parse(
        |text| {
            let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
            if visible { Ok(text.into()) } else { Err("write a text of visible ASCII characters without spaces") }
        },
        problems,
    )
}

pub(super) fn texts(node: &Node, problems: &mut Diagnostics) -> Option<Vec<Box<str>>> {
    let items = node.filled_list(problems)?;
    Node::each(items, problems, text)
}

/// Patterns of whom somebody may name.
pub(super) fn name_patterns(node: &Node, problems: &mut Diagnostics) -> Option<Vec<NamePattern>> {
    let items = node.filled_list(problems)?;
    Node::each(items, problems, |item, problems| item.parse(NamePattern::parse, problems))
}

impl Entry {
    /// The key as a name of the policy.
    pub(super) fn name(&self, problems: &mut Diagnostics) -> Option<Name> {
        let name = Name::parse(&self.key);
        if let Err(error) = &name {
            let message = format!("`{}` is no name", self.key);
            problems.report(Code::InvalidValue, self.key_place, message, error.to_string());
        }
        name.ok()
    }
}
