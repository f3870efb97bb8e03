//! What a decision was made from, in the shape in which policies' own tests give a request
//! ([`Inputs`](crate::inputs::Inputs)), so that it can be decided again and comes out the same. Credentials and attestations
//! are given as already verified; what may not be logged is given by what came of it.

mod attestation;
pub(super) mod grant;

use super::headers::Read;
use super::line::Scopes;
use super::record::{Record, Seen};
use crate::attestation::Claims;
use crate::context::{Country, Lifetime, Test};
use crate::decision::Outcome;
use crate::identity::{AccessToken, Caller, Principal};
use crate::policy::{Credentials, Policy, Sensitivity};
use crate::reason::Reason;
use crate::request::{Asked, Hints, Layer, Malformed, McpCall, RequestFacts};
use crate::time::Ttl;
use attestation::Shown;
use grant::Granted;
use serde::{Serialize, Serializer};
use std::net::IpAddr;

#[derive(Serialize)]
pub(super) struct Inputs<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<&'static str>,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Read<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asks: Option<Asks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mcp: Option<Called<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hints: Option<Hinted<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Shows<Country>>,
    #[serde(flatten)]
    caller: Option<Calling<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fired: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<Granted<'a>>,
}

/// Who calls.
#[derive(Serialize)]
struct Calling<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<&'a str>,
    /// What the caller's token grants.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Scopes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_lifetime: Option<Shows<Ttl>>,
    /// Of the token, where that is somebody else's.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<Claimed<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bound: Vec<&'static str>,
}

/// A call of MCP.
#[derive(Serialize)]
struct Called<'a> {
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'a str>,
}

#[derive(Serialize)]
struct Hinted<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitivity: Option<Sensitivity>,
    scopes: Scopes<'a>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unreadable: bool,
}

/// What an issuing route was asked for.
struct Asks(Asked);

/// The claims that the policy looks at.
struct Claimed<'a> {
    claims: &'a Claims,
    names: &'a [Box<str>],
}

/// Written as people write it.
struct Shows<T>(T);

impl<'a> Inputs<'a> {
    pub(super) fn of(record: &Record<'a>) -> Self {
        let Seen { method, host, path, source, facts } = record.request;
        let (policy, findings) = (record.policy, &record.decision.findings);
        let caller = findings.caller.as_ref();
        Self {
            layer: facts.filter(|facts| facts.layer == Layer::Network).map(|_| "network"),
            method,
            host,
            path,
            headers: facts.map(|facts| read(record, facts)).filter(|read| !read.is_empty()),
            // Where it was looked for and can't be told, nobody knows.
            source: if caller.is_some() { findings.client } else { source },
            asks: facts.and_then(|facts| Asks::of(record, facts)),
            mcp: facts.and_then(|facts| Called::of(policy, facts)),
            hints: facts.and_then(|facts| Hinted::of(&facts.hints)),
            country: findings.country.map(Shows),
            caller: caller.map(|caller| Calling::of(caller, &policy.credentials)),
            fault: fault(record),
            fired: facts.map(|facts| fired(record, facts)).unwrap_or_default(),
            attestation: Shown::of(record),
            grant: Granted::of(record),
        }
    }
}

fn read<'a>(record: &Record<'a>, facts: &'a RequestFacts) -> Read<'a> {
    Read { looked_at: record.headers, sent: &facts.headers, overrides: !facts.readings.is_single() }
}

/// What is wrong with the request, its credential or what came before it, where that can't be seen in what else is logged.
fn fault<'a>(record: &Record<'a>) -> Option<&'a str> {
    let Outcome::Deny(reason) = record.decision.decided() else { return None };
    let hidden = match reason {
        Reason::Credential(_) | Reason::Proof(_) | Reason::ChallengeLoop => true,
        Reason::Request(why) => *why == Malformed::RepeatedAuthorization || record.request.facts.is_none(),
        _ => false,
    };
    hidden.then(|| reason.as_str())
}

/// The signals that fired on what is not logged.
fn fired<'a>(record: &Record<'a>, facts: &RequestFacts) -> Vec<&'a str> {
    let (policy, findings) = (record.policy, &record.decision.findings);
    let identity = findings.identity.and_then(|id| policy.identities.get(id));
    let hidden = |test: &Test| match test.look() {
        Some(look) if record.headers.withholds(look.name, &facts.headers) => true,
        _ => test.asks_memory(identity) || matches!(test, Test::CredentialInUrl),
    };
    let signals = findings.unusual.signals.iter().filter_map(|id| policy.context.signals.get(id));
    signals.filter(|signal| hidden(&signal.test)).map(|signal| signal.name.as_str()).collect()
}

impl Asks {
    /// Of several routes that the request may take, all that they are asked for; nothing where one can't tell.
    fn of(record: &Record<'_>, facts: &RequestFacts) -> Option<Self> {
        let class = record.decision.findings.classification.as_ref()?;
        let routes = class.touched().filter_map(|id| record.policy.routes.get(id?));
        let asked = routes.filter_map(|route| Some(route.issues.as_ref()?.read(facts)));
        asked.reduce(Asked::and).map(Self)
    }
}

impl<'a> Called<'a> {
    /// Only where a route or floor looks at calls.
    fn of(policy: &Policy, facts: &'a RequestFacts) -> Option<Self> {
        match policy.call_of(facts) {
            McpCall::One { method, tool } => Some(Self { method, tool }),
            McpCall::Unclear => None,
        }
    }
}

impl<'a> Hinted<'a> {
    fn of(hints: &'a Hints) -> Option<Self> {
        let Hints { sensitivity, scopes, unreadable } = hints;
        let says = *hints != Hints::default();
        says.then_some(Self { sensitivity: *sensitivity, scopes: Scopes(Some(scopes)), unreadable: *unreadable })
    }
}

impl<'a> Calling<'a> {
    fn of(caller: &'a Caller, credentials: &'a Credentials) -> Self {
        let bound_to_key = caller.token.as_ref().and_then(AccessToken::bound_to).is_some();
        // One that does not name the caller is a proxy's, and proves nothing of who comes through it.
        let bound = [("key", bound_to_key), ("certificate", caller.certified)];
        Self {
            principal: caller.principal.as_ref().map(Principal::as_str),
            scopes: caller.granted.as_ref().map(|granted| Scopes(Some(granted))),
            credential_lifetime: match caller.lifetime {
                Lifetime::Told(lifetime) => Some(Shows(lifetime)),
                Lifetime::None | Lifetime::Untold => None,
            },
            subject: caller.foreign_subject(),
            claims: Claimed::of(caller, credentials),
            bound: bound.into_iter().filter(|(_, holds)| *holds).map(|(word, _)| word).collect(),
        }
    }
}

impl<'a> Claimed<'a> {
    fn of(caller: &'a Caller, credentials: &'a Credentials) -> Option<Self> {
        let claimed = Self { claims: caller.claims()?, names: &credentials.claims };
        let says_something = claimed.kept().next().is_some();
        says_something.then_some(claimed)
    }

    fn kept(&self) -> impl Iterator<Item = (&'a str, Vec<&'a str>)> {
        let claims = self.claims;
        let kept = self.names.iter().map(move |name| (&**name, claims.values(name).collect::<Vec<_>>()));
        kept.filter(|(_, values)| !values.is_empty())
    }
}

impl Serialize for Claimed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.kept())
    }
}

impl Serialize for Asks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Asked::Scopes(scopes) => Scopes(Some(scopes)).serialize(serializer),
            Asked::Unreadable => serializer.serialize_str("unreadable"),
        }
    }
}

impl<T: std::fmt::Display> Serialize for Shows<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
