//! A call as signals look at it, for their tests: nothing is unusual about it until a test says so.

use super::{Circumstances, Lifetime, Test};
use crate::context::{Country, Familiarity, LearningTerms, Seen};
use crate::policy::{Identity, NamePattern, Status};
use crate::request::{Body, Headers, Hints, Host, Layer, Metadata, Method, Peer, Readings, RequestFacts, RequestPath};
use crate::time::UnixTime;
use std::collections::HashMap;

/// A Friday, 2027-01-15T08:00:00Z.
pub(super) const NOW: u64 = 1_800_000_000;

#[derive(Clone)]
pub(super) struct Situation {
    pub target: &'static str,
    /// `None` stands for what is no text.
    pub headers: Vec<(&'static str, Option<&'static str>)>,
    pub client: Option<&'static str>,
    pub country: Option<&'static str>,
    pub identity: Option<Identity>,
    pub lifetime: Lifetime,
    pub scopes_untold: bool,
    pub familiarity: Option<Familiarity>,
}

impl Situation {
    /// A call of somebody whom no entry describes, and of whom enough was seen.
    pub(super) fn usual() -> Self {
        Self {
            target: "/a",
            headers: Vec::new(),
            client: Some("10.20.1.4"),
            country: Some("DE"),
            identity: None,
            lifetime: Lifetime::None,
            scopes_untold: false,
            familiarity: Some(familiar()),
        }
    }

    pub(super) fn fires(&self, test: &Test) -> bool {
        test.fires(&Circumstances {
            now: UnixTime::from_secs(NOW),
            facts: &self.facts(),
            learning: LearningTerms::default(),
            client: self.client.map(|text| text.parse().unwrap()),
            country: self.country.map(|code| Country::parse(code).unwrap()),
            identity: self.identity.as_ref(),
            lifetime: self.lifetime,
            scopes_untold: self.scopes_untold,
            familiarity: self.familiarity.as_ref(),
        })
    }

    fn facts(&self) -> RequestFacts {
        let headers = self.headers.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
        RequestFacts {
            layer: Layer::Http,
            method: Method::parse("GET").unwrap(),
            path: RequestPath::parse(self.target, "GET").unwrap(),
            readings: Readings::default(),
            host: Host::parse("api.example.com").unwrap(),
            headers: Headers::apart(headers.collect(), HashMap::new()),
            body: Body::Absent,
            asked: None,
            source: None,
            peer: Peer::default(),
            metadata: Metadata::default(),
            hints: Hints::default(),
        }
    }
}

/// Of somebody who called just often enough, and always so.
pub(super) fn familiar() -> Familiarity {
    Familiarity {
        calls: LearningTerms::default().after,
        network: Seen::Before,
        country: Seen::Before,
        scopes: Seen::Before,
        knows_networks: true,
        knows_countries: true,
        last_seen: Some(UnixTime::from_secs(NOW - 60)),
        credential_networks: 1,
    }
}

/// The same, of whom one call too few was seen.
pub(super) fn still_learning(familiarity: Familiarity) -> Familiarity {
    Familiarity { calls: LearningTerms::default().after - 1, ..familiarity }
}

/// An entry that declares nothing.
pub(super) fn entry() -> Identity {
    Identity {
        pattern: NamePattern::parse("**").unwrap(),
        aliases: Vec::new(),
        kind: None,
        owner: None,
        baseline: None,
        networks: None,
        countries: None,
        hours: None,
        status: Status::Active,
        review_by: None,
    }
}
