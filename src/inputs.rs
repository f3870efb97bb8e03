//! What a decision is made from, as people and the decision log write it: the `request` of a policy's own test, the `inputs`
//! of a log line, the flags of `stepgate explain`. Credentials and attestations are given as already verified.
//!
//! How it is read from YAML and JSON is the business of `config`, how it is written that of the decision log.

mod facts;
mod recorded;

use crate::attestation::json::Object;
use crate::case::{Ground, ProvenBy, RecordedGrant};
use crate::context::Country;
use crate::decision::Decision;
use crate::identity::Principal;
use crate::policy::{Name, ScopeSet};
use crate::reason::Reason;
use crate::request::{Asked, Hints, Layer};
use crate::time::{Ttl, UnixTime};
use std::net::IpAddr;

/// One request. What is not given is not there, or can't be told.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub layer: Layer,
    // Texts, as a request brings them: that one is malformed is decided, too.
    pub method: Box<str>,
    pub host: Box<str>,
    /// A query may stand in it.
    pub path: Box<str>,
    pub headers: Vec<GivenHeader>,
    pub body: Option<Box<str>>,
    /// Where the call comes from: the peer, whose word on the client counts where the policy trusts it.
    pub source: Option<IpAddr>,
    /// What an issuing route is asked for; where this is not given, it is read from the request.
    pub asks: Option<Asked>,
    /// The MCP call that Envoy saw; where none is given, it could be any.
    pub mcp: Option<GivenCall>,
    /// What Envoy's configuration says of the route.
    pub hints: Hints,
    /// Where no header says it.
    pub country: Option<Country>,
    pub principal: Option<Principal>,
    /// What the caller's tokens grant; nothing where it has none.
    pub scopes: Option<ScopeSet>,
    pub credential_lifetime: Option<Ttl>,
    /// Of the token, where that is somebody else's.
    pub subject: Option<Box<str>>,
    /// The claims of the token that rules look at.
    pub claims: Option<Object>,
    pub bound: Bound,
    /// What is wrong with the request, its credential or what came before it, by the word of the reason.
    pub fault: Option<Reason>,
    /// Signals that fired on what is not given here: on what is remembered, on a query, on a header that holds secrets.
    pub fired: Vec<Name>,
    pub attestation: Option<GivenAttestation>,
    /// A live grant of the caller.
    pub grant: Option<RecordedGrant>,
}

/// A header; without a value it is there, and no text.
pub type GivenHeader = (Box<str>, Option<Box<str>>);

/// One MCP call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenCall {
    pub method: Box<str>,
    pub tool: Option<Box<str>>,
}

/// What the caller's credential is bound to, and what it showed with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// A key of which a proof came along.
    pub key: bool,
    /// The client certificate.
    pub certificate: bool,
}

/// An attestation that names the caller and whose signature is good.
#[derive(Clone, Debug, Default)]
pub struct GivenAttestation {
    pub by: Option<Name>,
    pub age: Option<Ttl>,
    pub task: Option<Box<str>>,
    pub scopes: ScopeSet,
    pub proof: Option<ProvenBy>,
    pub challenge: bool,
    pub fault: Option<Reason>,
}

impl Inputs {
    /// A request of which nothing else is known.
    pub fn new(method: &str, host: &str, path: &str) -> Self {
        Self {
            layer: Layer::Http,
            method: method.into(),
            host: host.into(),
            path: path.into(),
            headers: Vec::new(),
            body: None,
            source: None,
            asks: None,
            mcp: None,
            hints: Hints::default(),
            country: None,
            principal: None,
            scopes: None,
            credential_lifetime: None,
            subject: None,
            claims: None,
            bound: Bound::default(),
            fault: None,
            fired: Vec::new(),
            attestation: None,
            grant: None,
        }
    }

    /// Decides as a server would that was told the same.
    pub fn decide(&self, ground: Ground<'_>, now: UnixTime) -> Decision {
        match self.facts() {
            Ok(facts) => self.recorded(ground.policy).decide(ground, &facts, now),
            Err(why) => Decision::refused(Reason::Request(why)).under(ground.policy.mode),
        }
    }
}

#[cfg(test)]
mod tests;
