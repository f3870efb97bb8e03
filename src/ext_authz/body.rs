//! The bodies of answers that stepgate gives in the upstream's place.

use crate::challenge::CHALLENGE_LIFETIME;
use crate::identity::Caller;
use crate::policy::{Assurance, Attestation, Origin, Policy};
use crate::problem::Problem;
use serde::Serialize;

/// RFC 9457. The order of the members is part of what callers see.
#[derive(Debug, Serialize)]
pub struct ProblemBody<'a> {
    #[serde(flatten)]
    problem: &'a Problem,
    decision_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    route: &'a str,
    #[serde(flatten)]
    step_up: Option<StepUpBody<'a>>,
}

/// What would do instead.
#[derive(Debug, Serialize)]
pub struct StepUpBody<'a> {
    assurance: &'a str,
    max_age: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<&'a str>,
    challenge_expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    accept: Vec<Accepted<'a>>,
}

/// One attestation and proof that would do.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Accepted<'a> {
    profile: &'a str,
    headers: Vec<&'a str>,
    /// What the attestation may be signed with.
    alg: Vec<&'a str>,
}

/// The answer of the challenge endpoint.
#[derive(Debug, Serialize)]
pub struct ChallengeBody<'a> {
    attestation_challenge: &'a str,
    challenge_expires_in: u64,
}

impl<'a> ProblemBody<'a> {
    pub const fn new(
        problem: &'a Problem,
        decision_id: &'a str,
        route: &'a str,
        step_up: Option<StepUpBody<'a>>,
    ) -> Self {
        Self { problem, decision_id, route, step_up }
    }

    pub fn to_json(&self) -> String {
        json(self)
    }
}

impl<'a> StepUpBody<'a> {
    pub fn new(
        policy: &'a Policy,
        level: &'a Assurance,
        caller: Option<&Caller>,
        scope: String,
        challenge: Option<&'a str>,
        resource: Option<&'a Origin>,
    ) -> Self {
        Self {
            assurance: level.name.as_str(),
            max_age: level.max_age.as_secs(),
            scope,
            challenge,
            challenge_expires_in: CHALLENGE_LIFETIME.as_secs(),
            resource: resource.map(Origin::as_str),
            accept: accepted(policy, level, caller),
        }
    }
}

/// Every attestation that would do at the level, with each proof that this caller could give. What looks the same from
/// outside stands there once.
fn accepted<'a>(policy: &'a Policy, level: &Assurance, caller: Option<&Caller>) -> Vec<Accepted<'a>> {
    let attestations = level.accept.iter().filter_map(|id| policy.attestation(*id));
    let ways = attestations.flat_map(|attestation| Accepted::ways(policy, attestation, level, caller));
    ways.fold(Vec::new(), |mut accepted, way| {
        if !accepted.contains(&way) {
            accepted.push(way);
        }
        accepted
    })
}

impl<'a> Accepted<'a> {
    fn ways(
        policy: &'a Policy,
        attestation: &'a Attestation,
        level: &Assurance,
        caller: Option<&Caller>,
    ) -> impl Iterator<Item = Self> {
        let own = attestation.profile.standard_header().unwrap_or(&attestation.header);
        // What is best known first.
        let by_key = attestation.key_proofs().iter().rev().map(move |kind| vec![own, kind.header_as_written()]);
        let by_certificate =
            attestation.takes_certificate() && caller.is_some_and(|caller| caller.certificate.is_some());
        let certified = caller.is_some_and(|caller| caller.certified);
        let by_itself = attestation.may_be_unbound() && (certified || level.takes_statements());
        let alone = (by_certificate || by_itself).then(|| vec![own]);
        let alg = algorithms(policy, attestation);
        let profile = attestation.profile.as_str();
        by_key.chain(alone).map(move |headers| Self { profile, headers, alg: alg.clone() })
    }
}

fn algorithms<'a>(policy: &'a Policy, attestation: &Attestation) -> Vec<&'a str> {
    let issuers = attestation.issuers.iter().filter_map(|id| policy.issuer(*id));
    let mut alg: Vec<_> = issuers.flat_map(|issuer| &issuer.algorithms).map(|a| a.as_str()).collect();
    alg.sort_unstable();
    alg.dedup();
    alg
}

impl<'a> ChallengeBody<'a> {
    pub const fn new(challenge: &'a str) -> Self {
        Self { attestation_challenge: challenge, challenge_expires_in: CHALLENGE_LIFETIME.as_secs() }
    }

    pub fn to_json(&self) -> String {
        json(self)
    }
}

/// These bodies hold texts and numbers alone, so that writing them can't fail.
fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}
