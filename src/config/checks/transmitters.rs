//! Issuers against what they say of events.

use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::events::EventsDraft;
use crate::config::issuers::IssuerDraft;
use crate::config::source::Place;
use crate::policy::{KeyOrigin, RemoteKeys};
use std::collections::HashMap;

pub(in crate::config) fn check(events: Option<&EventsDraft>, issuers: &[IssuerDraft], problems: &mut Diagnostics) {
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for (id, place) in events.iter().flat_map(|events| &events.transmitters) {
        let Some(draft) = issuers.iter().find(|draft| draft.id == *id) else { continue };
        check_one(draft, *place, problems);
        let Some(iss) = draft.issuer.issuer.as_deref() else { continue };
        if let Some(first) = seen.insert(iss, *place) {
            let message = format!("two transmitters call themselves `{iss}`");
            let help = "name one of them: whose an event is, is found by its `iss`";
            problems.report(Code::Transmitter, *place, message, help).with(first, "and this one");
        }
    }
}

fn check_one(draft: &IssuerDraft, place: Place, problems: &mut Diagnostics) {
    let name = &draft.issuer.name;
    if draft.issuer.issuer.is_none() {
        let message = format!("events of `{name}` can't be told from others: it has no `issuer`");
        let help = "add `issuer` where it is defined: whose an event is, is found by its `iss`";
        problems.report(Code::Transmitter, place, message, help).with(draft.place, "defined here");
    }
    if matches!(draft.keys.origin, KeyOrigin::Remote(RemoteKeys::Spiffe { .. })) {
        let message = format!("the keys of `{name}` sign for workloads, each of its own trust domain, and no events");
        let help = "name an issuer with keys from a file or a URL";
        problems.report(Code::Transmitter, place, message, help).with(draft.place, "defined here");
    }
    if draft.issuer.subjects.is_empty() {
        let message = format!("events of `{name}` may revoke anybody");
        let help = "add `subjects` where the issuer is defined, such as `subjects: [\"billing-*\"]`";
        problems.report(Code::UnboundedTransmitter, place, message, help).with(draft.place, "defined here");
    }
}
