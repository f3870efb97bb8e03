//! What is right part by part and wrong as a whole.

mod evidence;
mod floors;
mod identities;
mod issuers;
mod narrowing;
mod resource;
mod scopes;
mod selectors;
mod signals;
mod spaces;
mod transmitters;

use super::assurance;
use super::diagnostics::Diagnostics;
use super::draft::Draft;

pub(super) fn check(draft: &Draft, problems: &mut Diagnostics) {
    let bearers = draft.credentials.as_ref().map(|credentials| &*credentials.bearer_issuers).unwrap_or_default();
    issuers::check(&draft.issuers, bearers, &draft.attestations, problems);
    let sources = draft.credentials.as_ref().map_or(0, |credentials| credentials.credentials.identity.len());
    issuers::check_subjects(&draft.issuers, bearers, sources, problems);
    transmitters::check(draft.events.as_ref(), &draft.issuers, problems);
    evidence::check(draft, problems);
    identities::check(&draft.identities, problems);
    signals::check(&draft.context.headers, draft.bearer_header(), problems);
    selectors::check(&draft.routes, draft.paths.ignore_case, problems);
    narrowing::check(draft, problems);
    let over = floors::Over::new(&draft.floors);
    floors::check(&draft.routes, &over, problems);
    spaces::check(draft, problems);
    // DPoP-bound bearers come with a proof too.
    let accepts_proofs = !bearers.is_empty() || !draft.attestations.is_empty();
    if accepts_proofs && !draft.has_resource {
        resource::check(&draft.routes, problems);
    }
    assurance::check_order(&draft.levels, problems);
    if !problems.has_errors() {
        scopes::check(draft, &over, problems);
        evidence::warn(draft, &over, problems);
    }
}
