//! `attestations`: the ways for a caller to prove itself.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::issuers::{text, texts};
use super::matches::header_name;
use super::names::Names;
use super::section::{Member, Section};
use super::source::Place;
use super::tree::{Entry, Node};
use super::when::read_claims;
use crate::attestation::Tier;
use crate::policy::{Attestation, CREDENTIAL_HEADERS, IssuerId, Possession, Profile, RequiredClaims};

/// An attestation, with the places that checks point at.
#[derive(Debug)]
pub(super) struct AttestationDraft {
    pub attestation: Attestation,
    /// Where its header is chosen; else the attestation, which has that of its profile.
    pub header_place: Place,
    /// Where each issuer is named.
    pub issuers: Vec<(IssuerId, Place)>,
}

/// What begins so is taken off every request.
const OWN_PREFIX: &str = "x-stepgate-";
/// The words for profiles; that of an EAR says nothing yet of its tier.
const PROFILES: [Profile; 4] =
    [Profile::OauthClientAttestation, Profile::Wimse, Profile::Jwt, Profile::Ear(Tier::Affirming)];

pub(super) fn read(entry: &Entry, issuers: &Names<'_>, problems: &mut Diagnostics) -> Option<AttestationDraft> {
    let section = Section::named("the attestation", entry, problems)?;
    let name = entry.name(problems);
    #[rustfmt::skip]
    let [profile, named, header, subject, audiences, claims, tier, proof, forward, task_claim, scope_claim] = section.members([
        "profile", "issuers", "header", "subject", "audiences", "claims", "tier", "proof", "forward", "task_claim", "scope_claim",
    ], problems);
    let words = PROFILES.map(|profile| (profile.as_str(), profile));
    let profile = profile.required(problems, |node, problems| node.choice(&words, problems))?;
    let profile = with_tier(profile, tier, problems);
    let named = named.required(problems, |node, problems| issuers.resolve_each(node, problems));
    let chosen = profile.and_then(|profile| read_header(profile, header, problems));
    let subject = subject.or(Attestation::DEFAULT_SUBJECT.into(), problems, text);
    let audiences = audiences.or(Vec::new(), problems, texts);
    let claims = claims.or(Vec::new(), problems, read_claims);
    let possession = profile.and_then(|profile| read_possession(profile, proof, problems));
    let forward = forward.or(false, problems, Node::boolean);
    let task_claim = task_claim.or(Attestation::DEFAULT_TASK_CLAIM.into(), problems, text);
    let scope_claim = scope_claim.or(Attestation::DEFAULT_SCOPE_CLAIM.into(), problems, text);
    let issuers: Vec<_> = named?.into_iter().map(|(index, place)| (IssuerId(index), place)).collect();
    let attestation = Attestation {
        name: name?,
        profile: profile?,
        issuers: issuers.iter().map(|(id, _)| *id).collect(),
        header: chosen?,
        forward: forward?,
        subject: subject?,
        task_claim: task_claim?,
        scope_claim: scope_claim?,
        audiences: audiences?,
        possession: possession?,
        claims: RequiredClaims::new(claims?),
    };
    Some(AttestationDraft { attestation, header_place: header.place().unwrap_or(entry.key_place), issuers })
}

/// A tier is asked of attestation results alone: of anything else, it would be asked for in vain.
fn with_tier(profile: Profile, tier: Member<'_>, problems: &mut Diagnostics) -> Option<Profile> {
    let tiers = [Tier::Affirming, Tier::Warning].map(|tier| (tier.as_str(), tier));
    match (profile, tier.place()) {
        (Profile::Ear(_), _) => {
            let tier = tier.or(Tier::Affirming, problems, |node, problems| node.choice(&tiers, problems));
            tier.map(Profile::Ear)
        }
        (profile, None) => Some(profile),
        (profile, Some(place)) => {
            let message = format!("attestations of the profile `{}` have no tier", profile.as_str());
            problems.report(Code::InvalidValue, place, message, "take `tier` away, or write `profile: ear`");
            None
        }
    }
}

/// The header of the standard, where it names one; a policy that named another would wait for what nobody sends.
fn read_header(profile: Profile, header: Member<'_>, problems: &mut Diagnostics) -> Option<Box<str>> {
    match (profile.standard_header(), header.place()) {
        (None, _) => header.or(Attestation::DEFAULT_HEADER.into(), problems, chosen_header),
        (Some(own), None) => Some(own.to_ascii_lowercase().into()),
        (Some(own), Some(place)) => {
            let message = format!("attestations of the profile `{}` have a header of their own", profile.as_str());
            problems.report(Code::InvalidValue, place, message, format!("take `header` away: they come in `{own}`"));
            None
        }
    }
}

/// Its own: what stands in another header is taken for what that holds.
fn chosen_header(node: &Node, problems: &mut Diagnostics) -> Option<Box<str>> {
    let name = header_name(node.text(problems)?, node.place, problems)?;
    let taken = CREDENTIAL_HEADERS.into_iter().any(|other| *name == *other && other != Attestation::DEFAULT_HEADER);
    if taken || name.starts_with(OWN_PREFIX) {
        let help = format!("take one of its own, such as `{}`", Attestation::DEFAULT_HEADER);
        node.invalid(&name, help, problems);
        return None;
    }
    Some(name)
}

fn read_possession(profile: Profile, proof: Member<'_>, problems: &mut Diagnostics) -> Option<Possession> {
    let words = Possession::ALL.map(|possession| (possession.as_str(), possession));
    proof.or(Possession::Any, problems, |node, problems| {
        let possession = node.choice(&words, problems)?;
        let known = profile.possessions();
        if known.contains(&possession) {
            return Some(possession);
        }
        let words: Vec<_> = known.iter().map(|possession| format!("`{}`", possession.as_str())).collect();
        let help = format!("attestations of the profile `{}` take {}", profile.as_str(), words.join(", "));
        node.invalid(possession.as_str(), help, problems);
        None
    })
}
