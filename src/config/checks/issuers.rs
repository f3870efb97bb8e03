//! Issuers against what they are used for.

use crate::config::attestations::AttestationDraft;
use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::issuers::IssuerDraft;
use crate::config::source::Place;
use crate::policy::{Attestation, Issuer, IssuerId};
use std::collections::HashMap;

/// An issuer and the place that names it, for those that could be read.
type Used<'d> = (IssuerId, Place, &'d IssuerDraft);

pub(in crate::config) fn check(
    issuers: &[IssuerDraft],
    bearers: &[(IssuerId, Place)],
    attestations: &[AttestationDraft],
    problems: &mut Diagnostics,
) {
    let read = |(id, place): &(IssuerId, Place)| Some((*id, *place, issuers.iter().find(|draft| draft.id == *id)?));
    let bearers: Vec<Used<'_>> = bearers.iter().filter_map(read).collect();
    for (_, place, draft) in &bearers {
        check_bearer(&draft.issuer, *place, draft.place, problems);
    }
    check_distinct(&bearers, problems);
    for draft in attestations {
        for (_, place, issuer) in draft.issuers.iter().filter_map(read) {
            let shared = |(_, _, bearer): &&Used<'_>| is_shared(bearer, issuer, &draft.attestation);
            if let Some((_, bearer, _)) = bearers.iter().find(shared) {
                report_shared(place, *bearer, problems);
            }
        }
    }
}

/// Whether one issuer signs both, and no audience tells them apart. Where their type does not either, two entries with one
/// `iss` are one issuer, and so is one that takes any `iss` by the same keys.
fn is_shared(bearer: &IssuerDraft, issuer: &IssuerDraft, attestation: &Attestation) -> bool {
    let one_key = bearer.keys.origin.shares_a_key_with(&issuer.keys.origin);
    let (bearer, issuer) = (&bearer.issuer, &issuer.issuer);
    // What names no audience at all is refused for that.
    let any_text = one_key && issuer.issuer.is_none() && attestation.has_audiences(issuer);
    let same_text = bearer.issuer.is_some() && bearer.issuer == issuer.issuer;
    let alike = (same_text || any_text) && !attestation.profile.holds_its_key();
    let same = bearer.name == issuer.name || alike;
    let apart = attestation.has_audiences(issuer)
        && !bearer.audiences.iter().any(|audience| attestation.is_named(audience, issuer));
    same && !apart
}

/// Where several name callers, each issuer must say whom it may name: else one of them names everybody's callers.
pub(in crate::config) fn check_subjects(
    issuers: &[IssuerDraft],
    bearers: &[(IssuerId, Place)],
    sources: usize,
    problems: &mut Diagnostics,
) {
    if sources < 2 && bearers.len() < 2 {
        return;
    }
    for (id, place) in bearers {
        let Some(draft) = issuers.iter().find(|draft| draft.id == *id && draft.issuer.subjects.is_empty()) else {
            continue;
        };
        let message = format!("tokens of `{}` may name anybody, also the callers of other sources", draft.issuer.name);
        let help = "add `subjects` where the issuer is defined, such as `subjects: [\"billing-*\"]`";
        problems.report(Code::UnboundedIssuer, *place, message, help).with(draft.place, "defined here");
    }
}

/// Without an issuer and audiences, a token that was made for somebody else would pass.
fn check_bearer(issuer: &Issuer, place: Place, defined: Place, problems: &mut Diagnostics) {
    for (key, is_there) in [("issuer", issuer.issuer.is_some()), ("audiences", !issuer.audiences.is_empty())] {
        if !is_there {
            let message = format!("bearer tokens of `{}` can't be told from others: it has no `{key}`", issuer.name);
            let help = format!("add `{key}` where the issuer is defined");
            problems.report(Code::BearerIssuer, place, message, help).with(defined, "defined here");
        }
    }
}

/// A bearer's issuer is found by its `iss`.
fn check_distinct(bearers: &[Used<'_>], problems: &mut Diagnostics) {
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for (_, place, draft) in bearers {
        let Some(iss) = draft.issuer.issuer.as_deref() else {
            continue;
        };
        if let Some(first) = seen.insert(iss, *place) {
            let message = format!("two issuers of bearer tokens call themselves `{iss}`");
            let help = "name one of them: a token's issuer is found by its `iss`";
            problems.report(Code::BearerIssuer, *place, message, help).with(first, "and this one");
        }
    }
}

fn report_shared(place: Place, bearer: Place, problems: &mut Diagnostics) {
    let message = "this issuer is used for bearer tokens and for attestations without audiences of its own for each";
    let help = "add `audiences` to the attestation that bearer tokens don't have, or define a second issuer for it";
    problems.report(Code::SharedIssuer, place, message, help).with(bearer, "used for bearer tokens here");
}
