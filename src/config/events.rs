//! `events`: whose Security Event Tokens are believed.

use super::diagnostics::Diagnostics;
use super::issuers::texts;
use super::names::Names;
use super::section::Section;
use super::source::Place;
use super::tree::Entry;
use crate::policy::{Events, IssuerId};

/// The section, with the places that checks point at.
#[derive(Debug)]
pub(super) struct EventsDraft {
    pub events: Events,
    /// Where each transmitter is named.
    pub transmitters: Vec<(IssuerId, Place)>,
}

pub(super) fn read(entry: &Entry, issuers: &Names<'_>, problems: &mut Diagnostics) -> Option<EventsDraft> {
    let section = Section::open("`events`", &entry.node, problems)?;
    let [named, audiences] = section.members(["transmitters", "audiences"], problems);
    let named = named.required(problems, |node, problems| issuers.resolve_each(node, problems));
    let audiences = audiences.required(problems, texts);
    let transmitters: Vec<_> = named?.into_iter().map(|(index, place)| (IssuerId(index), place)).collect();
    let ids = transmitters.iter().map(|(id, _)| *id).collect();
    Some(EventsDraft { events: Events { transmitters: ids, audiences: audiences? }, transmitters })
}
