//! Routes under floors: which floors raise them, and what must not be raised.

use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::floors::FloorDraft;
use crate::config::routes::{RouteDraft, nobody};
use crate::policy::{Route, Selector, Sensitivity};

/// All floors, to be held against routes. Their paths have no case.
pub(super) struct Over<'d>(Vec<(&'d FloorDraft, Selector)>);

/// A floor that raises some requests of a route.
struct Raising<'d> {
    draft: &'d FloorDraft,
    /// Whether it raises all.
    always: bool,
}

pub(in crate::config) fn check(routes: &[RouteDraft], over: &Over<'_>, problems: &mut Diagnostics) {
    for draft in routes {
        let raising = over.raising(&draft.route);
        check_anonymous(draft, &raising, problems);
        let always = raising.iter().filter(|raising| raising.always);
        if let Some(highest) = always.max_by_key(|raising| raising.draft.floor.sensitivity) {
            below(draft, highest.draft, problems);
        }
    }
}

impl<'d> Over<'d> {
    pub(super) fn new(floors: &'d [FloorDraft]) -> Self {
        Self(floors.iter().map(|draft| (draft, draft.floor.selector.in_lower_case())).collect())
    }

    /// The most that a request of this route may count as.
    pub(super) fn highest(&self, route: &Route) -> Sensitivity {
        let raised = self.raising(route).into_iter().map(|raising| raising.draft.floor.sensitivity).max();
        raised.unwrap_or(route.sensitivity)
    }

    fn raising(&self, route: &Route) -> Vec<Raising<'d>> {
        let higher = |draft: &FloorDraft| draft.floor.sensitivity > route.sensitivity && draft.floor.binds(Some(route));
        let mut candidates = self.0.iter().filter(|(draft, _)| higher(draft)).peekable();
        if candidates.peek().is_none() {
            return Vec::new();
        }
        let own = route.selector.in_lower_case();
        let met = candidates.filter(|(_, selector)| selector.meets(&own));
        met.map(|(draft, selector)| Raising { draft, always: selector.covers(&own) }).collect()
    }
}

fn check_anonymous(draft: &RouteDraft, raising: &[Raising<'_>], problems: &mut Diagnostics) {
    let Some(place) = draft.anonymous_place.filter(|_| draft.route.anonymous) else { return };
    let high = raising.iter().find(|raising| raising.draft.floor.sensitivity >= Sensitivity::High);
    if let (Some(high), true) = (high, draft.route.sensitivity < Sensitivity::High) {
        let help = "take `anonymous` away, or let the floor end before this route: it may raise requests of it";
        nobody(place, "a route under a floor of high or critical sensitivity", help, problems)
            .with(high.draft.place, "the floor");
    }
}

fn below(route: &RouteDraft, floor: &FloorDraft, problems: &mut Diagnostics) {
    let (name, raised) = (&route.route.name, floor.floor.sensitivity.as_str());
    let message = format!("the route `{name}` is below its floor, which raises it to {raised}");
    let help = format!("write `sensitivity: {raised}`, so that the route says what holds");
    problems.report(Code::BelowFloor, route.sensitivity_place, message, help).with(floor.place, "the floor");
}
