//! The files of a policy as one: what stands once, and what each file may add to.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::names::defined_twice;
use super::section::{Member, Section};
use super::source::Place;
use super::tree::{Entry, Node, Value};
use crate::policy::Name;

/// The sections of all files together, not read yet.
#[derive(Debug, Default)]
pub(super) struct Document<'t> {
    pub mode: Option<&'t Entry>,
    pub resource: Option<&'t Entry>,
    pub credentials: Option<&'t Entry>,
    pub scopes: Option<&'t Entry>,
    pub undeclared: Option<&'t Entry>,
    pub unmatched: Option<&'t Entry>,
    pub challenges: Option<&'t Entry>,
    pub paths: Option<&'t Entry>,
    pub owners: Option<&'t Entry>,
    pub context: Option<&'t Entry>,
    pub assurance: Option<&'t Entry>,
    pub events: Option<&'t Entry>,
    pub issuers: Vec<&'t Entry>,
    pub attestations: Vec<&'t Entry>,
    pub identities: Vec<&'t Node>,
    pub routes: Vec<Owned<'t>>,
    pub rules: Vec<Owned<'t>>,
    pub floors: Vec<Owned<'t>>,
    /// In the order of the files.
    pub tests: Vec<&'t Node>,
    /// Where a file says whose it is.
    pub named_owners: Vec<&'t Node>,
}

/// What one file adds to a list, and the team whose file it is.
#[derive(Clone, Debug)]
pub(super) struct Owned<'t> {
    pub node: &'t Node,
    pub owner: Option<Name>,
}

/// The sections that a team's file may hold, beside `version` and `owner`.
const OF_TEAMS: &str = "`routes`, `rules`, `floors` and `tests`";

impl<'t> Document<'t> {
    pub(super) fn merge(files: &'t [Node], problems: &mut Diagnostics) -> Self {
        let mut document = Self::default();
        for file in files {
            if let Some(section) = Section::open("the policy", file, problems) {
                document.add(&section, problems);
            }
        }
        document
    }

    /// By name, so that the order of files makes no difference.
    pub(super) fn sort(&mut self) {
        let name = |owned: &Owned<'t>| owned.name().map(|(name, _)| name);
        self.issuers.sort_by_key(|entry| &*entry.key);
        self.attestations.sort_by_key(|entry| &*entry.key);
        self.identities.sort_by_key(|node| node.member_text("match").map(|(pattern, _)| pattern));
        self.routes.sort_by_key(name);
        self.rules.sort_by_key(name);
    }

    fn add(&mut self, file: &Section<'t>, problems: &mut Diagnostics) {
        #[rustfmt::skip]
        let [version, owner, routes, rules, floors, tests, core @ ..] = file.members([
            "version", "owner", "routes", "rules", "floors", "tests",
            "mode", "resource", "issuers", "credentials", "scopes", "unmatched", "attestations", "assurance",
            "paths", "owners", "context", "identities", "undeclared", "challenges",
            "events",
        ], problems);
        check_version(version, problems);
        self.tests.extend(items(tests, problems));
        let team = owner.node().and_then(|node| node.parse(Name::parse, problems));
        if team.is_some() {
            self.named_owners.extend(owner.node());
        }
        if owner.entry().is_some() {
            foreign(&core, problems);
        }
        let of_team = |node: &'t Node| Owned { node, owner: team.clone() };
        self.routes.extend(items(routes, problems).iter().map(of_team));
        self.rules.extend(items(rules, problems).iter().map(of_team));
        self.floors.extend(items(floors, problems).iter().map(of_team));
        self.add_core(&core, problems);
    }

    fn add_core(&mut self, members: &[Member<'t>; 15], problems: &mut Diagnostics) {
        #[rustfmt::skip]
        let [
            mode, resource, issuers, credentials, scopes, unmatched, attestations, assurance,
            paths, owners, context, identities, undeclared, challenges,
            events,
        ] = *members;
        once(&mut self.mode, mode, problems);
        once(&mut self.resource, resource, problems);
        once(&mut self.credentials, credentials, problems);
        once(&mut self.scopes, scopes, problems);
        once(&mut self.undeclared, undeclared, problems);
        once(&mut self.unmatched, unmatched, problems);
        once(&mut self.challenges, challenges, problems);
        once(&mut self.paths, paths, problems);
        once(&mut self.owners, owners, problems);
        once(&mut self.context, context, problems);
        once(&mut self.assurance, assurance, problems);
        once(&mut self.events, events, problems);
        self.issuers.extend(entries(issuers, problems));
        self.attestations.extend(entries(attestations, problems));
        self.identities.extend(items(identities, problems));
    }
}

impl<'t> Owned<'t> {
    pub(super) fn name(&self) -> Option<(&'t str, Place)> {
        self.node.member_text("name")
    }
}

/// A team's file can only add to what the core policy says.
fn foreign(core: &[Member<'_>], problems: &mut Diagnostics) {
    for entry in core.iter().filter_map(|member| member.entry()) {
        let message = format!("`{}` has no place in a team's file", entry.key);
        let help = format!("move it to a file without `owner`, of the core policy: a team's file holds {OF_TEAMS}");
        problems.report(Code::ForeignSection, entry.key_place, message, help);
    }
}

fn check_version(version: Member<'_>, problems: &mut Diagnostics) {
    let help = "write `version: 1`: it says which schema the file follows";
    match version.node() {
        Some(Node { value: Value::Number(number), .. }) if number.as_u64() == Some(1) => {}
        Some(node) => {
            problems.report(Code::Version, node.place, "this version of the schema is not known", help);
        }
        None => {
            problems.report(Code::Version, version.title().place, "the file has no `version`", help);
        }
    }
}

/// Keeps the first, and reports any other.
fn once<'t>(slot: &mut Option<&'t Entry>, member: Member<'t>, problems: &mut Diagnostics) {
    match (*slot, member.entry()) {
        (Some(first), Some(again)) => {
            defined_twice(&format!("`{}`", again.key), again.key_place, first.key_place, problems);
        }
        (None, entry) => *slot = entry,
        (Some(_), None) => {}
    }
}

fn entries<'t>(member: Member<'t>, problems: &mut Diagnostics) -> &'t [Entry] {
    member.node().and_then(|node| node.entries(problems)).unwrap_or_default()
}

fn items<'t>(member: Member<'t>, problems: &mut Diagnostics) -> &'t [Node] {
    member.node().and_then(|node| node.list(problems)).unwrap_or_default()
}
