//! `signals`: those that stepgate knows, each with its points and with what it must be told.

use super::{LONGEST, countries, read_points};
use crate::config::diagnostics::Diagnostics;
use crate::config::digest::Digest;
use crate::config::section::{Member, Section};
use crate::config::tree::{Entry, Node};
use crate::context::{Anomaly, LearningTerms, Signal, Test};
use crate::time::Ttl;

/// The signals that are switched on, and what they say beside.
#[derive(Debug, Default)]
pub(super) struct BuiltIn {
    pub signals: Vec<Signal>,
    /// How far back the networks of a credential count.
    pub within: Option<Ttl>,
    /// Over the content of the database of countries.
    pub database: Option<Digest>,
}

/// One of them.
struct Part {
    points: Anomaly,
    test: Test,
    within: Option<Ttl>,
    database: Option<Digest>,
}

type Read = fn(&Entry, &mut Diagnostics) -> Option<Part>;

/// In the order of their places, which is also that of the README.
const ALL: [(&str, Read); 9] = [
    ("new_network", |entry, problems| plain(entry, Test::NewNetwork, problems)),
    ("new_country", new_country),
    ("outside_hours", |entry, problems| plain(entry, Test::OutsideHours, problems)),
    ("scope_jump", |entry, problems| plain(entry, Test::ScopeJump, problems)),
    ("long_lived_credential", long_lived_credential),
    ("shared_credential", shared_credential),
    ("dormant_identity", dormant_identity),
    ("untrusted_device", untrusted_device),
    ("credential_in_url", |entry, problems| plain(entry, Test::CredentialInUrl, problems)),
];

pub(super) fn keys() -> [&'static str; ALL.len()] {
    ALL.map(|(key, _)| key)
}

pub(super) fn read(node: &Node, problems: &mut Diagnostics) -> Option<BuiltIn> {
    let section = Section::open("`signals`", node, problems)?;
    let members = section.members(keys(), problems).into_iter().zip(ALL);
    let entries = members.filter_map(|(member, (_, read))| Some((member.entry()?, read)));
    let read: Vec<_> = entries.map(|(entry, read)| Some((entry.name(problems), read(entry, problems)?))).collect();
    let mut built_in = BuiltIn::default();
    for (name, part) in read.into_iter().collect::<Option<Vec<_>>>()? {
        built_in.signals.push(Signal { name: name?, points: part.points, test: part.test });
        built_in.within = built_in.within.or(part.within);
        built_in.database = built_in.database.or(part.database);
    }
    Some(built_in)
}

/// A signal that says nothing but its points.
fn plain(entry: &Entry, test: Test, problems: &mut Diagnostics) -> Option<Part> {
    let [points] = open(entry, problems)?.members(["points"], problems);
    read_points(points, problems).map(|points| Part::of(points, test))
}

fn new_country(entry: &Entry, problems: &mut Diagnostics) -> Option<Part> {
    let section = open(entry, problems)?;
    let [points, header, mmdb] = section.members(["points", "header", "mmdb"], problems);
    let points = read_points(points, problems);
    let (source, database) = countries::read(&section, header, mmdb, problems)?;
    Some(Part { database, ..Part::of(points?, Test::NewCountry(source)) })
}

fn long_lived_credential(entry: &Entry, problems: &mut Diagnostics) -> Option<Part> {
    let [points, lifetime] = open(entry, problems)?.members(["points", "lifetime"], problems);
    let points = read_points(points, problems);
    let lifetime = span(lifetime, problems)?;
    Some(Part::of(points?, Test::LongLivedCredential { lifetime }))
}

/// From one network everybody calls.
const FEWEST_SOURCES: u32 = 2;

fn shared_credential(entry: &Entry, problems: &mut Diagnostics) -> Option<Part> {
    let [points, sources, within] = open(entry, problems)?.members(["points", "sources", "within"], problems);
    let points = read_points(points, problems);
    let bounds = FEWEST_SOURCES..=LearningTerms::MOST_SOURCES;
    let sources = sources.required(problems, |node, problems| node.number(bounds, problems));
    let within = within.required(problems, |node, problems| node.span(LearningTerms::LONGEST_WINDOW, problems))?;
    Some(Part { within: Some(within), ..Part::of(points?, Test::SharedCredential { sources: sources? }) })
}

fn dormant_identity(entry: &Entry, problems: &mut Diagnostics) -> Option<Part> {
    let [points, after] = open(entry, problems)?.members(["points", "after"], problems);
    let points = read_points(points, problems);
    let after = span(after, problems)?;
    Some(Part::of(points?, Test::DormantIdentity { after }))
}

fn untrusted_device(entry: &Entry, problems: &mut Diagnostics) -> Option<Part> {
    let [points, header, trusted] = open(entry, problems)?.members(["points", "header", "trusted"], problems);
    let points = read_points(points, problems);
    let header = header.required(problems, super::read_header);
    let trusted = trusted.required(problems, super::read_values)?;
    Some(Part::of(points?, Test::UntrustedDevice { header: header?, trusted }))
}

fn open<'t>(entry: &'t Entry, problems: &mut Diagnostics) -> Option<Section<'t>> {
    Section::named("the signal", entry, problems)
}

fn span(member: Member<'_>, problems: &mut Diagnostics) -> Option<Ttl> {
    member.required(problems, |node, problems| node.span(LONGEST, problems))
}

impl Part {
    const fn of(points: Anomaly, test: Test) -> Self {
        Self { points, test, within: None, database: None }
    }
}
