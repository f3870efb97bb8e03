//! `floors`: what is at least so sensitive, whatever route it takes.

use super::diagnostics::Diagnostics;
use super::document::Owned;
use super::matches::{self, SelectorDraft};
use super::routes::read_sensitivity;
use super::section::Section;
use super::source::Place;
use crate::policy::Floor;

/// A floor, with the places that checks point at.
#[derive(Debug)]
pub(super) struct FloorDraft {
    pub floor: Floor,
    pub place: Place,
    pub hosts_place: Place,
    pub path_place: Place,
}

pub(super) fn read(owned: &Owned<'_>, problems: &mut Diagnostics) -> Option<FloorDraft> {
    let section = Section::open("the floor", owned.node, problems)?;
    let [matches, sensitivity] = section.members(["match", "sensitivity"], problems);
    let place = sensitivity.node().map(|node| node.place);
    let selector = matches.required(problems, matches::read_of_floor);
    let sensitivity = sensitivity.required(problems, read_sensitivity);
    let SelectorDraft { selector, hosts_place, path_place } = selector?;
    let floor = Floor { owner: owned.owner.clone(), selector, sensitivity: sensitivity? };
    Some(FloorDraft { floor, place: place?, hosts_place, path_place })
}

/// They have no names to go by, and the order of files must make no difference.
pub(super) fn sort(floors: &mut [FloorDraft]) {
    floors.sort_by(|a, b| key(&a.floor).cmp(&key(&b.floor)));
}

fn key(floor: &Floor) -> impl Ord + '_ {
    let Floor { owner, selector, sensitivity } = floor;
    (owner, &selector.path, &selector.hosts, &selector.methods, &selector.headers, sensitivity)
}
