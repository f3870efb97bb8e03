//! `attestation` of a request: one that was verified, and what is left to be asked of it.

use super::super::diagnostics::Diagnostics;
use super::super::section::Section;
use super::super::tree::Node;
use super::{read_fault, read_scopes, read_span, text};
use crate::case::ProvenBy;
use crate::inputs::GivenAttestation;
use crate::policy::{Name, ScopeSet};
use crate::reason::Reason;

pub(super) fn read(node: &Node, problems: &mut Diagnostics) -> Option<GivenAttestation> {
    let section = Section::open("`attestation`", node, problems)?;
    let [by, age, task, scopes, proof, challenge, fault] =
        section.members(["by", "age", "task", "scopes", "proof", "challenge", "fault"], problems);
    // Of one whose signature was bad, nobody knows whose it is.
    let name = |node: &Node, problems: &mut Diagnostics| node.parse(Name::parse, problems);
    let by = if fault.entry().is_some() { by.optional(problems, name) } else { by.required(problems, name).map(Some) };
    let age = age.optional(problems, read_span);
    let task = task.optional(problems, text);
    let scopes = scopes.or(ScopeSet::default(), problems, read_scopes);
    let words = ProvenBy::ALL.map(|proof| (proof.as_str(), Some(proof)));
    let words: Vec<_> = words.into_iter().chain([("none", None)]).collect();
    let proof = proof.or(None, problems, |node, problems| node.choice(&words, problems));
    let challenge = challenge.or(false, problems, Node::boolean);
    let is_ours = |reason: &Reason| matches!(reason, Reason::Attestation(_) | Reason::Proof(_));
    let fault = fault.optional(problems, |node, problems| read_fault(node, is_ours, problems));
    Some(GivenAttestation {
        by: by?,
        age: age?,
        task: task?,
        scopes: scopes?,
        proof: proof?,
        challenge: challenge?,
        fault: fault?,
    })
}
