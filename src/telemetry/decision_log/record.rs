//! What is said of a decision, as its maker knows it.

use crate::attestation::Thumbprint;
use crate::decision::Decision;
use crate::policy::{CREDENTIAL_HEADERS, Policy, Profile};
use crate::request::{Headers, RequestFacts};
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
    pub headers: Option<&'a Headers>,
}

/// The headers that a policy reads and that hold no credential, by their names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggedHeaders(Box<[Box<str>]>);

impl<'a> From<&'a RequestFacts> for Seen<'a> {
    fn from(facts: &'a RequestFacts) -> Self {
        Self {
            method: facts.method.as_str(),
            host: facts.host.as_str(),
            path: facts.path.canonical(),
            source: facts.source,
            headers: Some(&facts.headers),
        }
    }
}

impl LoggedHeaders {
    pub fn of(policy: &Policy) -> Self {
        let bearer = policy.credentials.bearer.iter().map(|bearer| &*bearer.header);
        let profiles = policy.attestations.iter().map(|attestation| attestation.profile);
        let evidence = profiles.flat_map(|profile: Profile| [profile.attestation_header(), profile.proof_header()]);
        let secret: Vec<_> = CREDENTIAL_HEADERS.into_iter().chain(bearer).chain(evidence).collect();
        let mut names: Vec<Box<str>> =
            policy.header_names().filter(|name| !secret.contains(name)).map(Into::into).collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }
}
