//! What callers prove themselves by: that it was made for us, that it can't be taken for something else, and that it is
//! strong enough for where it is asked for.

use super::floors::Over;
use crate::config::attestations::AttestationDraft;
use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::draft::Draft;
use crate::policy::{LevelId, Requirement, Route, Rule};

pub(in crate::config) fn check(draft: &Draft, problems: &mut Diagnostics) {
    for attestation in &draft.attestations {
        check_audiences(attestation, draft, problems);
        check_header(attestation, draft.bearer_header(), problems);
    }
}

/// Tokens of platforms are made for many services: without an audience, one that was shown to another would pass here.
fn check_audiences(draft: &AttestationDraft, policy: &Draft, problems: &mut Diagnostics) {
    if draft.attestation.profile.holds_its_key() {
        return;
    }
    for (id, place) in &draft.issuers {
        let Some(issuer) = policy.issuers.iter().find(|issuer| issuer.id == *id) else { continue };
        if !draft.attestation.has_audiences(&issuer.issuer) {
            let message =
                format!("an attestation of `{}` that was made for somebody else would pass", issuer.issuer.name);
            let help =
                "add `audiences` to the attestation, or to the issuer: the names under which workloads ask for it";
            problems.report(Code::AttestationAudience, *place, message, help).with(issuer.place, "defined here");
        }
    }
}

fn check_header(draft: &AttestationDraft, bearer: Option<&str>, problems: &mut Diagnostics) {
    if bearer == Some(&*draft.attestation.header) {
        let message = format!("bearer tokens come in `{}` too", draft.attestation.header);
        problems.report(
            Code::InvalidValue,
            draft.header_place,
            message,
            "take a header of its own for the attestation",
        );
    }
}

/// Warns of what would surprise: a level that nobody can meet in the way it seems to say, and proofs that may pass once in
/// each replica where they open the most.
pub(in crate::config) fn warn(draft: &Draft, over: &Over<'_>, problems: &mut Diagnostics) {
    warn_of_unprovable(draft, problems);
    warn_of_reusable(draft, over, problems);
}

/// Without proof, an attestation counts for a caller with a client certificate, or once for our challenge.
fn warn_of_unprovable(draft: &Draft, problems: &mut Diagnostics) {
    let certified = draft.credentials.as_ref().is_some_and(|draft| draft.credentials.mtls.is_some());
    for level in draft.levels.iter().filter(|level| !level.level.takes_statements()) {
        for (id, place) in &level.accept {
            let accepted = draft.attestations.get(id.0).map(|draft| &draft.attestation);
            let Some(accepted) = accepted.filter(|accepted| accepted.may_be_unbound() && !certified) else { continue };
            let message = format!("without proof, `{}` does for nobody at this level", accepted.name);
            let help = "add `challenge: required` and `single_use: true` to the level, or know callers by their certificates (`credentials.mtls`)";
            problems.report(Code::UnprovableAttestation, *place, message, help);
        }
    }
}

fn warn_of_reusable(draft: &Draft, over: &Over<'_>, problems: &mut Diagnostics) {
    let routes = draft.routes.iter().map(|draft| &draft.route);
    let opening: Vec<_> = routes.filter(|route| route.issues_privilege() || route.selector.mcp.is_some()).collect();
    for (index, level) in draft.levels.iter().enumerate().filter(|(_, level)| !level.level.single_use) {
        let asked_for = |route: &&&Route| draft.rules.iter().any(|rule| asks(rule, LevelId(index), route, over));
        let Some(route) = opening.iter().find(asked_for) else { continue };
        let message = format!(
            "a proof for `{}` may pass once in each replica, on the route `{}` too",
            level.level.name, route.name
        );
        let help =
            "add `single_use: true`: who issues privilege, or has a tool act, should not do so twice for one proof";
        problems.report(Code::ReusableProof, level.place, message, help);
    }
}

fn asks(rule: &Rule, level: LevelId, route: &Route, over: &Over<'_>) -> bool {
    let asked = rule.effect.requirement() == Requirement::Assurance(level);
    asked && rule.may_reach(over.highest(route)) && rule.may_concern(route)
}
