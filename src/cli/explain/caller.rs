//! Who calls, and what the policy says of them.

use super::Explained;
use super::page::{Page, list};
use crate::context::Lifetime;
use crate::identity::{AccessToken, Caller, Principal};
use crate::policy::{Identity, Kind, Status, Undeclared};
use crate::request::RequestFacts;

impl Explained<'_> {
    pub(super) fn say_caller(&self, facts: &RequestFacts, page: &mut Page) {
        page.gap();
        let findings = &self.decision.findings;
        let Some(caller) = &findings.caller else {
            page.fact("caller", format!("refused: {}", self.decision.reason().as_str()));
            return;
        };
        page.fact("caller", caller.principal.as_ref().map_or("nobody", Principal::as_str));
        page.fact("address", address(findings.client.map(|ip| ip.to_string()), facts.source.map(|ip| ip.to_string())));
        self.say_identity(caller, page);
        page.fact("grants", grants(caller));
        if caller.principal.is_some() {
            page.fact("credential", credential(caller));
        }
    }

    fn say_identity(&self, caller: &Caller, page: &mut Page) {
        let identities = &self.policy.identities;
        let Some(principal) = caller.principal.as_ref().filter(|_| !identities.is_empty()) else { return };
        let described = self.decision.findings.identity.and_then(|id| identities.get(id));
        page.fact(
            "identity",
            match (described, identities.undeclared()) {
                (Some(identity), _) => described_by(identity),
                (None, Undeclared::Refuse) => "no entry names it, and the policy refuses those".to_owned(),
                (None, Undeclared::Baseline(_)) => "no entry names it: `undeclared` says what it needs".to_owned(),
            },
        );
        let names = [Some(principal.as_str()), caller.foreign_subject()];
        let matches = |entry: &Identity| names.into_iter().flatten().any(|name| names_it(entry, name));
        for (_, entry) in identities.iter().filter(|(_, entry)| entry.status != Status::Active && matches(entry)) {
            page.fact("", format!("{} by {}", entry.status.as_str(), entry.pattern.as_str()));
        }
    }
}

fn names_it(entry: &Identity, name: &str) -> bool {
    entry.pattern.matches(name) || entry.aliases.iter().any(|alias| alias.as_str() == name)
}

fn described_by(identity: &Identity) -> String {
    let kind = identity.kind.map(Kind::as_str);
    let owner = identity.owner.as_ref().map(|owner| format!("owner {owner}"));
    let said = kind.map(str::to_owned).into_iter().chain(owner).chain([identity.status.as_str().to_owned()]);
    format!("{} ({})", identity.pattern.as_str(), list(said))
}

fn address(client: Option<String>, peer: Option<String>) -> String {
    match (client, peer) {
        (Some(client), Some(peer)) if client != peer => format!("{client}, by {peer}"),
        (Some(client), _) => client,
        (None, Some(peer)) => format!("can't be told behind {peer}"),
        (None, None) => "can't be told".to_owned(),
    }
}

fn grants(caller: &Caller) -> String {
    match &caller.granted {
        Some(granted) => list(granted.iter()),
        None if caller.scopes_enforced => "nothing: it shows no token".to_owned(),
        None => "not asked: no source of the policy says what is granted".to_owned(),
    }
}

fn credential(caller: &Caller) -> String {
    let lifetime = match caller.lifetime {
        Lifetime::Told(lifetime) => format!("lives {lifetime}"),
        Lifetime::None | Lifetime::Untold => "no end can be read".to_owned(),
    };
    let key = caller.token.as_ref().and_then(AccessToken::bound_to).map(|_| "bound to a key");
    let subject = caller.foreign_subject().map(|subject| format!("of {}", subject.escape_debug()));
    list([Some(lifetime), key.map(str::to_owned), subject].into_iter().flatten())
}
