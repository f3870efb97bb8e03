//! What is said of a decision, as its maker knows it.

use super::LoggedHeaders;
use crate::attestation::Thumbprint;
use crate::decision::Decision;
use crate::policy::Policy;
use crate::request::RequestFacts;
use crate::telemetry::TraceContext;
use std::net::IpAddr;
use std::time::Duration;

/// A decision, and what surrounds it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Since the Unix epoch.
    pub time: Duration,
    pub policy: &'a Policy,
    pub decision: &'a Decision,
    pub decision_id: &'a str,
    pub trace: Option<TraceContext<'a>>,
    pub request: Seen<'a>,
    /// Those of the policy's own.
    pub headers: &'a LoggedHeaders,
    /// The digest of the token or certificate that the caller showed; never the credential.
    pub credential: Option<Thumbprint>,
    pub elapsed: Duration,
}

/// What can be shown of a request, also of one that could not be read.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub method: &'a str,
    pub host: &'a str,
    /// Without the query.
    pub path: &'a str,
    pub source: Option<IpAddr>,
    /// Nothing where the request could not be read.
    pub facts: Option<&'a RequestFacts>,
}

impl<'a> From<&'a RequestFacts> for Seen<'a> {
    fn from(facts: &'a RequestFacts) -> Self {
        Self {
            method: facts.method.as_str(),
            host: facts.host.as_str(),
            path: facts.path.canonical(),
            source: facts.source,
            facts: Some(facts),
        }
    }
}
