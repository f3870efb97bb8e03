//! From trees to the parts of a policy: reads every section, in an order that does not hang on the order of files.

use super::assurance::{self, LevelDraft};
use super::attestations::{self, AttestationDraft};
use super::challenges;
use super::context::{self, ContextDraft};
use super::credentials::{self, CredentialsDraft};
use super::diagnostics::Diagnostics;
use super::document::{Document, Owned};
use super::events::{self, EventsDraft};
use super::floors::{self, FloorDraft};
use super::identities::{self, IdentityDraft};
use super::issuers::{self, IssuerDraft};
use super::names::Names;
use super::owners::{self, SpaceDraft};
use super::paths::{self, Paths};
use super::policy_tests::{self, PolicyTest};
use super::routes::{self, RouteDraft};
use super::rules::{self, Known};
use super::scopes::{self, ScopesDraft};
use super::source::Place;
use super::tree::{Entry, Node};
use crate::policy::{
    ChallengeLimit, Definitions, Floors, Identities, IssuerId, KeyOrigin, Mode, Origin, Policy, RouteTable, Rule,
    Undeclared, Unmatched,
};

/// The parts of a policy that could be read; what could not has been reported.
#[derive(Debug)]
pub(super) struct Draft {
    pub mode: Mode,
    /// Whether one is named, readable or not.
    pub has_resource: bool,
    pub resource: Option<Origin>,
    pub issuers: Vec<IssuerDraft>,
    pub credentials: Option<CredentialsDraft>,
    pub scopes: ScopesDraft,
    pub identities: Vec<IdentityDraft>,
    pub undeclared: Undeclared,
    pub routes: Vec<RouteDraft>,
    pub unmatched: Unmatched,
    pub challenges: ChallengeLimit,
    pub paths: Paths,
    pub spaces: Vec<SpaceDraft>,
    pub floors: Vec<FloorDraft>,
    pub attestations: Vec<AttestationDraft>,
    pub levels: Vec<LevelDraft>,
    pub rules: Vec<Rule>,
    pub events: Option<EventsDraft>,
    pub context: ContextDraft,
    pub tests: Vec<PolicyTest>,
}

impl Draft {
    /// `complete`: whether every file could be read; else a name may be defined in one of the others.
    pub(super) fn read(mut document: Document<'_>, complete: bool, problems: &mut Diagnostics) -> Self {
        document.sort();
        let issuers = Names::collect("issuer", keys(document.issuers.iter().copied()), complete, problems);
        let attestations =
            Names::collect("attestation", keys(document.attestations.iter().copied()), complete, problems);
        let levels = document.assurance.and_then(|entry| entry.node.list(problems)).unwrap_or_default();
        let level_names = Names::collect("assurance level", names(levels), complete, problems);
        let signals = Names::collect("signal", context::names(document.context), complete, problems);
        let routes = Names::collect("route", document.routes.iter().filter_map(Owned::name), complete, problems);
        let rules = Names::collect("rule", document.rules.iter().filter_map(Owned::name), complete, problems);
        let owners = document.owners.and_then(|entry| entry.node.entries(problems)).unwrap_or_default();
        let owner_names = Names::collect("owner", keys(owners), complete, problems);
        for node in &document.named_owners {
            owner_names.resolve(node, problems);
        }
        Names::collect("test", names(document.tests.iter().copied()), complete, problems);
        let known = Known { levels: &level_names, signals: &signals, routes: &document.routes, complete };
        let refusals: Vec<_> =
            document.rules.iter().filter_map(|owned| Some(owned.node.member_text("deny")?.0)).collect();
        let tested = policy_tests::Known {
            levels: &level_names,
            attestations: &attestations,
            signals: &signals,
            routes: &routes,
            rules: &rules,
            refusals: &refusals,
        };
        let scopes = document.scopes.and_then(|entry| scopes::read(entry, problems)).unwrap_or_default();
        let mut floors = each(&document.floors, |owned| floors::read(owned, problems));
        floors::sort(&mut floors);
        Self {
            mode: document.mode.and_then(|entry| rules::read_mode(&entry.node, problems)).unwrap_or_default(),
            has_resource: document.resource.is_some(),
            resource: document.resource.and_then(|entry| entry.node.parse(Origin::parse, problems)),
            issuers: each(document.issuers, |entry| {
                issuers::read(IssuerId(issuers.index(&entry.key)?), entry, problems)
            }),
            credentials: document.credentials.and_then(|entry| credentials::read(entry, &issuers, problems)),
            identities: each(document.identities, |node| identities::read(node, problems)),
            undeclared: document
                .undeclared
                .and_then(|entry| identities::read_undeclared(entry, problems))
                .unwrap_or_default(),
            routes: each(&document.routes, |owned| routes::read(owned, &scopes.elevated, problems)),
            unmatched: document.unmatched.and_then(|entry| routes::read_unmatched(entry, problems)).unwrap_or_default(),
            challenges: document.challenges.and_then(|entry| challenges::read(entry, problems)).unwrap_or_default(),
            paths: document.paths.and_then(|entry| paths::read(entry, problems)).unwrap_or_default(),
            spaces: each(owners, |entry| owners::read(entry, problems)),
            floors,
            attestations: each(document.attestations, |entry| attestations::read(entry, &issuers, problems)),
            levels: each(levels, |node| assurance::read(node, &attestations, problems)),
            rules: each(&document.rules, |owned| rules::read(owned, known, problems)),
            events: document.events.and_then(|entry| events::read(entry, &issuers, problems)),
            scopes,
            tests: each(document.tests, |node| policy_tests::read(node, tested, problems)),
            context: document.context.map_or_else(ContextDraft::default, |entry| context::read(entry, problems)),
        }
    }

    pub(super) fn bearer_header(&self) -> Option<&str> {
        self.credentials.as_ref()?.credentials.bearer.as_ref().map(|bearer| &*bearer.header)
    }

    /// The policy, where its keys come from, and its tests. INVARIANT: nothing was reported, so every part is there, in the order of its names.
    pub(super) fn finish(self, hash: Box<str>) -> Option<(Policy, Vec<KeyOrigin>, Vec<PolicyTest>)> {
        let (issuers, keys) = self.issuers.into_iter().map(|draft| (draft.issuer, draft.keys.origin)).unzip();
        let mut credentials = self.credentials?.credentials;
        credentials.claims = claims_of(&self.rules);
        let policy = Policy {
            hash,
            mode: self.mode,
            resource: self.resource,
            issuers,
            credentials,
            elevated: self.scopes.elevated,
            routes: RouteTable::new(self.routes.into_iter().map(|draft| draft.route).collect(), self.paths.ignore_case),
            unmatched: self.unmatched,
            challenges: self.challenges,
            identities: Identities::new(
                self.identities.into_iter().map(|draft| draft.identity).collect(),
                self.undeclared,
            ),
            floors: Floors::new(self.floors.into_iter().map(|draft| draft.floor).collect()),
            refuse_ambiguous: self.paths.refuse_ambiguous,
            context: self.context.context?,
            definitions: Definitions::default(),
            attestations: self.attestations.into_iter().map(|draft| draft.attestation).collect(),
            assurance: self.levels.into_iter().map(|draft| draft.level).collect(),
            rules: self.rules,
            events: self.events.map(|draft| draft.events),
        };
        Some((policy, keys, self.tests))
    }
}

/// The claims that rules look at, each once.
fn claims_of(rules: &[Rule]) -> Box<[Box<str>]> {
    let mut names: Vec<_> = rules.iter().flat_map(|rule| &rule.when.claims).map(|claim| claim.name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names.into()
}

fn each<S, T>(parts: impl IntoIterator<Item = S>, read: impl FnMut(S) -> Option<T>) -> Vec<T> {
    parts.into_iter().filter_map(read).collect()
}

fn keys<'t>(entries: impl IntoIterator<Item = &'t Entry>) -> impl Iterator<Item = (&'t str, Place)> {
    entries.into_iter().map(|entry| (&*entry.key, entry.key_place))
}

fn names<'t>(nodes: impl IntoIterator<Item = &'t Node>) -> impl Iterator<Item = (&'t str, Place)> {
    nodes.into_iter().filter_map(|node| node.member_text("name"))
}
