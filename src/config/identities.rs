//! `identities`: what each caller normally needs, and what holds for those that none of them matches.

mod whereabouts;

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::section::{Member, Section};
use super::source::Place;
use super::tree::{Entry, Node};
use crate::identity::Principal;
use crate::policy::{Identity, Kind, Name, NamePattern, ScopePatterns, Status, Undeclared};
use jiff::civil::Date;

/// An identity, with the places that checks point at.
#[derive(Debug)]
pub(super) struct IdentityDraft {
    pub identity: Identity,
    pub place: Place,
    /// Of its aliases, in their order.
    pub alias_places: Vec<Place>,
}

pub(super) fn read(node: &Node, problems: &mut Diagnostics) -> Option<IdentityDraft> {
    let section = Section::called_by("match", "the identity", node, problems)?;
    #[rustfmt::skip]
    let [matches, aliases, kind, owner, baseline, networks, countries, hours, status, review_by] = section.members([
        "match", "aliases", "kind", "owner", "baseline", "networks", "countries", "hours", "status", "review_by",
    ], problems);
    let pattern = matches.required(problems, |node, problems| node.parse(NamePattern::parse, problems));
    let named = read_aliases(aliases, pattern.as_ref(), problems);
    let kind = kind.optional(problems, |node, problems| node.choice(&Kind::ALL.map(|k| (k.as_str(), k)), problems));
    let owner = owner.optional(problems, |node, problems| node.parse(Name::parse, problems));
    let baseline = baseline.optional(problems, read_baseline);
    let networks = networks.optional(problems, whereabouts::networks);
    let countries = countries.optional(problems, whereabouts::countries);
    let hours = hours.optional(problems, whereabouts::hours);
    let status = status.or(Status::default(), problems, |node, problems| {
        node.choice(&Status::ALL.map(|status| (status.as_str(), status)), problems)
    });
    let review_by = review_by.optional(problems, read_date);
    let (aliases, alias_places) = named?.into_iter().unzip();
    let identity = Identity {
        pattern: pattern?,
        aliases,
        kind: kind?,
        owner: owner?,
        baseline: baseline?,
        networks: networks?,
        countries: countries?,
        hours: hours?,
        status: status?,
        review_by: review_by?,
    };
    Some(IdentityDraft { identity, place: section.title().place, alias_places })
}

pub(super) fn read_undeclared(entry: &Entry, problems: &mut Diagnostics) -> Option<Undeclared> {
    let section = Section::open("`undeclared`", &entry.node, problems)?;
    let [baseline, refuse] = section.members(["baseline", "refuse"], problems);
    match (baseline.node(), refuse.node()) {
        (Some(node), None) => read_baseline(node, problems).map(Undeclared::Baseline),
        (None, Some(node)) if node.boolean(problems)? => Some(Undeclared::Refuse),
        _ => {
            let help = "write `baseline: []` (or the scopes that anybody may use), or `refuse: true`";
            problems.report(Code::InvalidValue, section.title().place, "`undeclared` takes exactly one answer", help);
            None
        }
    }
}

/// Only one identity can have another name: a pattern stands for many.
fn read_aliases(
    member: Member<'_>,
    pattern: Option<&NamePattern>,
    problems: &mut Diagnostics,
) -> Option<Vec<(Principal, Place)>> {
    let aliases = member.or(Vec::new(), problems, |node, problems| {
        Node::each(node.list(problems)?, problems, |item, problems| Some((read_alias(item, problems)?, item.place)))
    })?;
    if let (Some(pattern), Some(place), false) = (pattern, member.place(), aliases.is_empty())
        && !pattern.is_exact()
    {
        let message = format!("`{pattern}` stands for many names, and an alias is another name of one");
        let help = "give the caller an entry of its own, with its whole name in `match`";
        problems.report(Code::AliasOfPattern, place, message, help);
        return None;
    }
    Some(aliases)
}

fn read_alias(node: &Node, problems: &mut Diagnostics) -> Option<Principal> {
    node.parse(
        |text| match Principal::parse(text) {
            Ok(_) if text.contains('*') => Err("an alias is one whole name: write it without `*`".to_owned()),
            parsed => parsed.map_err(|error| error.to_string()),
        },
        problems,
    )
}

fn read_baseline(node: &Node, problems: &mut Diagnostics) -> Option<ScopePatterns> {
    let items = node.list(problems)?;
    let good = |item: &Node, problems: &mut Diagnostics| item.parse(|text| ScopePatterns::new([text]), problems);
    Node::each(items, problems, good)?;
    let texts: Vec<_> = items.iter().filter_map(|item| item.text(problems)).collect();
    let patterns = ScopePatterns::new(texts);
    if patterns.is_err() {
        let help = format!("name at most {}: a `*` stands for any run of characters", ScopePatterns::MAX_PATTERNS);
        problems.report(Code::InvalidValue, node.place, "too many scopes for one baseline", help);
    }
    patterns.ok()
}

/// As ISO 8601 writes it in full, and in no other way.
fn read_date(node: &Node, problems: &mut Diagnostics) -> Option<Date> {
    node.parse(
        |text| {
            let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
            date.ok_or("write a day such as `2027-03-31`")
        },
        problems,
    )
}
