//! The files of a policy as one: what stands once, and what each file may add to.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::names::defined_twice;
use super::section::{Member, Section, not_supported_yet, not_yet_built};
use super::tree::{Entry, Node, Value};

/// The sections of all files together, not read yet.
#[derive(Debug, Default)]
pub(super) struct Document<'t> {
    pub resource: Option<&'t Entry>,
    pub credentials: Option<&'t Entry>,
    pub scopes: Option<&'t Entry>,
    pub undeclared: Option<&'t Entry>,
    pub unmatched: Option<&'t Entry>,
    pub assurance: Option<&'t Entry>,
    pub context: Option<&'t Entry>,
    pub issuers: Vec<&'t Entry>,
    pub attestations: Vec<&'t Entry>,
    pub identities: Vec<&'t Node>,
    pub routes: Vec<&'t Node>,
    pub rules: Vec<&'t Node>,
    mode: Option<&'t Entry>,
}

impl<'t> Document<'t> {
    pub(super) fn merge(files: &'t [Node], problems: &mut Diagnostics) -> Self {
        let mut document = Self::default();
        for file in files {
            if let Some(section) = Section::open("the policy", file, problems) {
                document.add(&section, problems);
            }
        }
        document.check_mode(problems);
        document
    }

    /// By name, so that the order of files makes no difference.
    pub(super) fn sort(&mut self) {
        let name = |node: &&'t Node| node.member_text("name").map(|(name, _)| name);
        self.issuers.sort_by_key(|entry| &*entry.key);
        self.attestations.sort_by_key(|entry| &*entry.key);
        self.identities.sort_by_key(|node| node.member_text("match").map(|(pattern, _)| pattern));
        self.routes.sort_by_key(name);
        self.rules.sort_by_key(name);
    }

    fn add(&mut self, file: &Section<'t>, problems: &mut Diagnostics) {
        #[rustfmt::skip]
        let [
            version, mode, resource, issuers, credentials, scopes, identities, undeclared, routes, unmatched, attestations, assurance,
            rules, context, not_yet @ ..,
        ] = file.members([
            "version", "mode", "resource", "issuers", "credentials", "scopes", "identities", "undeclared", "routes", "unmatched", "attestations", "assurance", "rules", "context",
            "owner", "owners", "challenges", "floors", "events", "tests", "paths",
        ], problems);
        check_version(version, problems);
        once(&mut self.mode, mode, problems);
        once(&mut self.resource, resource, problems);
        once(&mut self.credentials, credentials, problems);
        once(&mut self.scopes, scopes, problems);
        once(&mut self.undeclared, undeclared, problems);
        once(&mut self.unmatched, unmatched, problems);
        once(&mut self.assurance, assurance, problems);
        once(&mut self.context, context, problems);
        self.issuers.extend(entries(issuers, problems));
        self.attestations.extend(entries(attestations, problems));
        self.identities.extend(items(identities, problems));
        self.routes.extend(items(routes, problems));
        self.rules.extend(items(rules, problems));
        not_yet_built(&not_yet, problems);
    }

    fn check_mode(&self, problems: &mut Diagnostics) {
        let Some(mode) = self.mode else { return };
        if mode.node.choice(&[("enforce", false), ("shadow", true)], problems) == Some(true) {
            not_supported_yet(mode.node.place, "`mode: shadow` is not supported yet", problems);
        }
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
