//! Identities against one another: each name must lead to one of them.

use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::identities::IdentityDraft;
use crate::config::source::Place;
use crate::policy::identities::ties;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub(in crate::config) fn check(identities: &[IdentityDraft], problems: &mut Diagnostics) {
    let patterns: Vec<_> = identities.iter().map(|draft| &draft.identity.pattern).collect();
    for (first, second) in ties(&patterns) {
        if let (Some(first), Some(second)) = (identities.get(first), identities.get(second)) {
            tie(first, second, problems);
        }
    }
    check_aliases(identities, problems);
}

fn tie(first: &IdentityDraft, second: &IdentityDraft, problems: &mut Diagnostics) {
    let (one, other) = (&first.identity.pattern, &second.identity.pattern);
    let (message, help) = if one == other {
        (format!("`{one}` is described twice"), "make the two entries one")
    } else {
        let help = "write more of one of them out: a literal segment comes before one with a `*`, and one with more \
                    literal characters before one with fewer";
        (format!("`{one}` and `{other}` could describe the same name, and neither is more specific"), help)
    };
    problems.report(Code::IdentityTie, second.place, message, help).with(first.place, "the other identity");
}

fn check_aliases(identities: &[IdentityDraft], problems: &mut Diagnostics) {
    let exact = identities.iter().filter(|draft| draft.identity.pattern.is_exact());
    let mut taken: HashMap<&str, Place> = exact.map(|draft| (draft.identity.pattern.as_str(), draft.place)).collect();
    for (alias, place) in identities.iter().flat_map(|draft| draft.identity.aliases.iter().zip(&draft.alias_places)) {
        match taken.entry(alias.as_str()) {
            Entry::Occupied(first) => {
                let help = "a name leads to one identity: remove it in one of the two places";
                let message = format!("the alias `{alias}` is a name that is given already");
                problems.report(Code::AliasTaken, *place, message, help).with(*first.get(), "given here");
            }
            Entry::Vacant(free) => {
                free.insert(*place);
            }
        }
    }
}
