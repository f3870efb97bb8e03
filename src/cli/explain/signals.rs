//! The signals one by one: whether each fires, what it adds, and on what it goes.

use super::Explained;
use super::page::Page;
use crate::context::{Lifetime, Look, Signal, Test};
use crate::policy::Identity;
use crate::request::{Headers, Occurrence, RequestFacts};
use crate::time::Ttl;

impl Explained<'_> {
    pub(super) fn say_signals(&self, facts: &RequestFacts, page: &mut Page) {
        let findings = &self.decision.findings;
        if self.policy.context.signals.is_empty() || findings.caller.is_none() {
            return;
        }
        let rows: Vec<_> = self
            .policy
            .context
            .signals
            .iter()
            .map(|(id, signal)| {
                let fired = findings.unusual.signals.contains(id);
                let points = if fired { format!("fired +{}", signal.points.points()) } else { "silent".to_owned() };
                [signal.name.to_string(), points, self.why(signal, fired, facts)]
            })
            .collect();
        page.table("signals", &rows);
        page.fact("anomaly", findings.unusual.anomaly.points());
    }

    fn why(&self, signal: &Signal, fired: bool, facts: &RequestFacts) -> String {
        let findings = &self.decision.findings;
        let identity = findings.identity.and_then(|id| self.policy.identities.get(id));
        if signal.test.asks_memory(identity) {
            return learned(fired, self.inputs.is_some()).to_owned();
        }
        match &signal.test {
            Test::NewNetwork => {
                declared("networks", findings.client.map(|client| client.to_string()), "the address", fired)
            }
            Test::NewCountry(_) => {
                declared("countries", findings.country.map(|country| country.to_string()), "the country", fired)
            }
            Test::OutsideHours => hours(identity, fired).to_owned(),
            Test::LongLivedCredential { lifetime } => self.lifetime(*lifetime),
            Test::UntrustedDevice { header, .. } => of_header(header, &facts.headers),
            Test::CredentialInUrl => match (facts.path.query(), fired) {
                (None, true) => "given as fired".to_owned(),
                (None, false) => "there is no query".to_owned(),
                (Some(_), true) => "a credential in the query".to_owned(),
                (Some(_), false) => "no credential in the query".to_owned(),
            },
            Test::Header(test) => match test.looks_for {
                Look::Absent => format!("{}, which must be there", of_header(&test.name, &facts.headers)),
                _ => of_header(&test.name, &facts.headers),
            },
            Test::ScopeJump | Test::SharedCredential { .. } | Test::DormantIdentity { .. } => String::new(),
        }
    }
}

impl Explained<'_> {
    fn lifetime(&self, most: Ttl) -> String {
        match self.decision.findings.caller.as_ref().map(|caller| caller.lifetime) {
            Some(Lifetime::Told(lifetime)) => format!("the credential lives {lifetime}, {most} is the most"),
            Some(Lifetime::Untold) => "no end of the credential can be read".to_owned(),
            Some(Lifetime::None) | None => "no credential is shown".to_owned(),
        }
    }
}

/// Nothing is remembered here.
const fn learned(fired: bool, given: bool) -> &'static str {
    match (fired, given) {
        (true, true) => "learned: given as fired",
        (true, false) => "learned",
        (false, _) => "learned: nothing is remembered here",
    }
}

fn declared(of: &str, what: Option<String>, kind: &str, fired: bool) -> String {
    match (what, fired) {
        (None, _) => format!("declared {of}: {kind} can't be told"),
        (Some(what), true) => format!("declared {of}: {what} is none of them"),
        (Some(what), false) => format!("declared {of}: {what} is one of them"),
    }
}

fn hours(identity: Option<&Identity>, fired: bool) -> &'static str {
    match (identity.and_then(|identity| identity.hours.as_ref()), fired) {
        (None, _) => "no hours are declared",
        (Some(_), true) => "declared hours: it is none of them",
        (Some(_), false) => "declared hours: it is one of them",
    }
}

/// Values of headers may hold anything.
fn of_header(name: &str, headers: &Headers) -> String {
    match headers.occurrence(name) {
        Occurrence::Absent => format!("no {name}"),
        Occurrence::Once(value) => {
            format!("{name}: {}", value.chars().take(MAX_SHOWN_CHARS).collect::<String>().escape_debug())
        }
        Occurrence::Repeated => format!("{name} stands more than once"),
        Occurrence::Unreadable => format!("{name} is no text"),
    }
}

/// Enough to know a value by.
const MAX_SHOWN_CHARS: usize = 60;
