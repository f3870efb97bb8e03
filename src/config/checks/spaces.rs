//! Teams keep to what they may name, and no two may name the same.

use super::selectors::folded;
use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::draft::Draft;
use crate::config::owners::SpaceDraft;
use crate::config::source::Place;
use crate::policy::{HostPattern, Name, PathTemplate, Selector};
use std::collections::HashMap;

/// What a team's file names, and where.
struct Named<'d> {
    owner: &'d Name,
    /// For messages.
    what: String,
    selector: &'d Selector,
    hosts_place: Place,
    path_place: Place,
}

pub(in crate::config) fn check(draft: &Draft, problems: &mut Diagnostics) {
    let ignore_case = draft.paths.ignore_case;
    for (index, space) in draft.spaces.iter().enumerate() {
        for other in draft.spaces.iter().take(index).filter(|other| meet(other, space, ignore_case)) {
            overlapping(space, other, problems);
        }
    }
    let spaces: HashMap<_, _> = draft.spaces.iter().map(|space| (&space.team, space)).collect();
    for named in routes(draft).chain(floors(draft)) {
        if let Some(space) = spaces.get(named.owner) {
            check_within(space, &named, ignore_case, problems);
        }
    }
}

fn routes(draft: &Draft) -> impl Iterator<Item = Named<'_>> {
    draft.routes.iter().filter_map(|draft| {
        let (owner, selector) = (draft.route.owner.as_ref()?, &draft.route.selector);
        let what = format!("the route `{}`", draft.route.name);
        Some(Named { owner, what, selector, hosts_place: draft.hosts_place, path_place: draft.path_place })
    })
}

fn floors(draft: &Draft) -> impl Iterator<Item = Named<'_>> {
    draft.floors.iter().filter_map(|draft| {
        let (owner, selector) = (draft.floor.owner.as_ref()?, &draft.floor.selector);
        let what = "the floor".into();
        Some(Named { owner, what, selector, hosts_place: draft.hosts_place, path_place: draft.path_place })
    })
}

fn check_within(space: &SpaceDraft, named: &Named<'_>, ignore_case: bool, problems: &mut Diagnostics) {
    let Named { what, selector, .. } = named;
    let mut outside = |place, message: String, help: &str| {
        problems.report(Code::OutsideSpace, place, message, help).with(space.place, "what the team may name");
    };
    let is_foreign = |host: &&HostPattern| !space.hosts.iter().any(|own| own.covers(host));
    if !space.hosts.is_empty() && selector.hosts.is_empty() {
        let message = format!("{what} names no hosts, and so would take requests of any");
        outside(named.hosts_place, message, "add `hosts`: those that `owners` gives the team, or some of them");
    } else if let Some(host) = selector.hosts.iter().find(is_foreign).filter(|_| !space.hosts.is_empty()) {
        let message = format!("{what} names the host `{host}`, which `{}` may not", space.team);
        outside(
            named.hosts_place,
            message,
            "take the host away, or let `owners` of the core policy give it to the team",
        );
    }
    let path = folded(&selector.path, ignore_case);
    if !space.paths.is_empty() && !space.paths.iter().any(|own| folded(own, ignore_case).covers(&path)) {
        let message = format!("{what} has a path that `{}` may not name", space.team);
        outside(named.path_place, message, "choose a path below those that `owners` gives the team");
    }
}

/// Whether both may name some request.
fn meet(one: &SpaceDraft, other: &SpaceDraft, ignore_case: bool) -> bool {
    let paths = |own: &PathTemplate, other: &PathTemplate| folded(own, ignore_case).meets(&folded(other, ignore_case));
    any_pair(&one.hosts, &other.hosts, HostPattern::meets) && any_pair(&one.paths, &other.paths, paths)
}

/// Of two lists, of which an empty one means any.
fn any_pair<T>(one: &[T], other: &[T], meet: impl Fn(&T, &T) -> bool) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|own| other.iter().any(|other| meet(own, other)))
}

fn overlapping(space: &SpaceDraft, other: &SpaceDraft, problems: &mut Diagnostics) {
    let message = format!("`{}` and `{}` may name the same requests", other.team, space.team);
    let help = "give each team hosts or paths of its own: else a route of one would take what is the other's";
    problems.report(Code::OverlappingSpaces, space.place, message, help).with(other.place, "the other team");
}
