//! `attestations`: the ways for a caller to prove itself.

use super::diagnostics::Diagnostics;
use super::issuers::text;
use super::names::Names;
use super::section::{Section, not_supported_yet, not_yet_built};
use super::source::Place;
use super::tree::{Entry, Node};
use crate::policy::{Attestation, IssuerId, Profile};

/// An attestation, with the places that checks point at.
#[derive(Debug)]
pub(super) struct AttestationDraft {
    pub attestation: Attestation,
    /// Where each issuer is named.
    pub issuers: Vec<(IssuerId, Place)>,
}

pub(super) fn read(entry: &Entry, issuers: &Names<'_>, problems: &mut Diagnostics) -> Option<AttestationDraft> {
    let section = Section::named("the attestation", entry, problems)?;
    let name = entry.name(problems);
    #[rustfmt::skip]
    let [profile, named, proof, forward, task_claim, scope_claim, not_yet @ ..] = section.members([
        "profile", "issuers", "proof", "forward", "task_claim", "scope_claim",
        "audiences", "header", "subject", "claims", "tier",
    ], problems);
    let profile = profile.required(problems, read_profile)?;
    not_yet_built(&not_yet, problems);
    let named = named.required(problems, |node, problems| issuers.resolve_each(node, problems));
    let proof = proof.or((), problems, read_proof);
    let forward = forward.or(false, problems, Node::boolean);
    let task_claim = task_claim.or(Attestation::DEFAULT_TASK_CLAIM.into(), problems, text);
    let scope_claim = scope_claim.or(Attestation::DEFAULT_SCOPE_CLAIM.into(), problems, text);
    proof?;
    let issuers: Vec<_> = named?.into_iter().map(|(index, place)| (IssuerId(index), place)).collect();
    let attestation = Attestation {
        name: name?,
        profile,
        issuers: issuers.iter().map(|(id, _)| *id).collect(),
        forward: forward?,
        task_claim: task_claim?,
        scope_claim: scope_claim?,
    };
    Some(AttestationDraft { attestation, issuers })
}

/// Of a profile that is not supported yet nothing else is judged.
fn read_profile(node: &Node, problems: &mut Diagnostics) -> Option<Profile> {
    let built = Profile::OauthClientAttestation;
    let words = [(built.as_str(), Some(built)), ("wimse", None), ("jwt", None), ("ear", None)];
    let profile = node.choice(&words, problems)?;
    if profile.is_none() {
        not_supported_yet(node.place, "this profile is not supported yet", problems);
    }
    profile
}

/// DPoP is the only proof so far, so that `any` and `dpop` come to the same.
fn read_proof(node: &Node, problems: &mut Diagnostics) -> Option<()> {
    let words = [("any", true), ("dpop", true), ("pop", false), ("mtls", false), ("none", false)];
    if !node.choice(&words, problems)? {
        not_supported_yet(node.place, "this kind of proof is not supported yet", problems);
    }
    Some(())
}
