//! A policy, its issuers, a workload and a thief; and a world that answers a case on the spot.

use crate::attestation::verify::verify;
use crate::attestation::{
    Algorithm, KeySet, Keyring, Proof, ProofKey, ProofKind, Thumbprint, TokenFault, TokenKind, Unverified, Verified,
};
use crate::case::{Answer, Case, Ground, Moment, Need, Reach, Renewal, Spending, Spent, Step, Wanted};
use crate::challenge::ChallengeKeys;
use crate::context::Context;
use crate::decision::Decision;
use crate::identity::{PeerCertificate, Principal, TrustDomain};
use crate::mint::{Jwt, SigningKey, jwks};
use crate::policy::{
    Assurance, Attestation, AttestationId, BearerCredential, Carry, ChallengeLimit, Credentials, Definitions, Effect,
    ElevatedScopes, Floors, HostPattern, Identities, IdentitySource, Issuer, IssuerId, LevelId, Mode, MtlsCredential,
    Name, OnStateLoss, Origin, PathTemplate, Policy, Possession, Privilege, Profile, RequiredClaims, Route, RouteTable,
    Rule, ScopeSet, Selector, Sensitivity, Unmatched, When,
};
use crate::reason::Unavailable;
use crate::request::{Body, Headers, Hints, Host, Layer, Metadata, Method, Peer, Readings, RequestFacts, RequestPath};
use crate::revocation::{Revocation, Revocations, Source, Target};
use crate::store::learned::{Bounds, ScopeKey};
use crate::store::{Grants, Learned, Revoked, SpentProofs, Unanswered};
use crate::time::{Ttl, UnixTime};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const WEB: &str = "spiffe://example.org/ns/billing/sa/web";
pub(crate) const THIEF: &str = "spiffe://example.org/ns/thief/sa/thief";
pub(crate) const ORIGIN: &str = "https://api.example.com";
pub(crate) const REFUND: &str = "/v1/payments/7/refund";

pub(crate) struct World {
    pub policy: Policy,
    pub keyring: Keyring,
    pub challenges: ChallengeKeys,
    pub spent: SpentProofs,
    pub revoked: Revoked,
    pub grants: Grants,
    pub learned: Learned,
    pub unanswered: Unanswered,
    pub idp: SigningKey,
    pub attester: SigningKey,
    /// The workload's own key.
    pub web: SigningKey,
    pub thief: SigningKey,
}

/// One call, as headers and a peer.
#[derive(Clone)]
pub(crate) struct Call {
    pub method: &'static str,
    pub path: &'static str,
    pub host: &'static str,
    pub headers: Vec<(String, String)>,
    pub peer: Peer,
    pub metadata: Metadata,
    pub hints: Hints,
    pub source: Option<IpAddr>,
    pub at: u64,
}

pub(crate) fn key() -> SigningKey {
    SigningKey::generate(crate::mint::Algorithm::Es256).unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn key_set(keys: &[&SigningKey]) -> Arc<KeySet> {
    Arc::new(KeySet::parse(jwks(keys.iter().copied()).to_string().as_bytes()).unwrap())
}

impl World {
    pub(crate) fn new() -> Self {
        let (idp, attester) = (key(), key());
        let keyring = Keyring::new(vec![key_set(&[&idp]), key_set(&[&attester])]);
        Self {
            policy: policy(),
            keyring,
            challenges: ChallengeKeys::single(&[1; 32]),
            spent: SpentProofs::new(1_000),
            revoked: Revoked::none(Revocations::DEFAULT_KEEP),
            grants: Grants::default(),
            learned: Learned::new(Bounds::default(), ScopeKey::from_bytes([7; 16])),
            unanswered: Unanswered::default(),
            idp,
            attester,
            web: key(),
            thief: key(),
        }
    }

    pub(crate) fn decide(&self, call: &Call) -> Decision {
        let facts = call.facts();
        let ground = Ground { policy: &self.policy, keyring: &self.keyring, challenges: &self.challenges };
        let mut case = Case::open(ground, &facts);
        loop {
            match self.step(&mut case, call.at) {
                Step::Needs(need) => case.supply(self.answer(need, call.at)),
                Step::Decided(decision) => {
                    if let Some((sighting, lesson)) = decision.lesson(&self.policy.context.signals) {
                        let terms = &self.policy.context.learning;
                        self.learned.learn(sighting, lesson, terms, UnixTime::from_secs(call.at));
                    }
                    decision.findings.answered.iter().for_each(|key| self.unanswered.answered(key));
                    let earned = decision.earned().into_iter();
                    earned.for_each(|grant| self.grants.keep(Arc::clone(grant), UnixTime::from_secs(call.at)));
                    return decision;
                }
            }
        }
    }

    pub(crate) fn step<'a>(&self, case: &mut Case<'a>, now: u64) -> Step<'a> {
        case.step(Moment { now: UnixTime::from_secs(now), revoked: &self.revoked.in_force() })
    }

    /// Revokes what was issued for this until then.
    pub(crate) fn revoke(&self, target: Target, at: u64) {
        self.revoked.add([Revocation::new(target, UnixTime::from_secs(at), Source::Operator)]);
    }

    pub(crate) fn answer(&self, need: Need<'_>, now: u64) -> Answer {
        let ground = Ground { policy: &self.policy, keyring: &self.keyring, challenges: &self.challenges };
        let now = UnixTime::from_secs(now);
        match need {
            Need::Familiarity(sighting) => {
                Answer::Familiarity(self.learned.familiarity(&sighting, &self.policy.context.learning, now))
            }
            Need::Spend(spending) => Answer::Spent(spending.key, self.spent.spend(spending, now)),
            Need::Grants(Wanted { keys, from }) => {
                Answer::Grants(from, keys.iter().flat_map(|key| self.grants.of(key, now)).collect())
            }
            Need::EndTask(task) => {
                self.revoked.add([task.revocation(now)]);
                Answer::TaskEnded(Ok(()))
            }
            Need::Challenge(key) => Answer::Challenge(self.unanswered.ask(&key, self.policy.challenges, now)),
            need => read(ground, &need).unwrap(),
        }
    }

    pub(crate) fn challenge(&self, principal: &str, at: u64) -> String {
        let principal = Principal::parse(principal).unwrap();
        self.challenges.issue(UnixTime::from_secs(at), [3; 12], &Origin::parse(ORIGIN).unwrap(), &principal).unwrap()
    }

    pub(crate) fn bearer(subject: &str, scope: &str) -> Jwt {
        let issuer = "https://idp.example.com";
        Jwt::bearer(subject).issued(NOW, 600).claim("iss", issuer).claim("aud", ORIGIN).claim("scope", scope)
    }

    pub(crate) fn attestation(subject: &str, key: &SigningKey) -> Jwt {
        Jwt::attestation(subject, key.public()).issued(NOW, 600)
    }

    pub(crate) fn proof(key: &SigningKey, bearer: &str) -> Jwt {
        let url = format!("{ORIGIN}{REFUND}");
        Jwt::proof(key.public(), "POST", &url).unwrap().claim("iat", NOW).with_token(bearer)
    }

    /// The workload refunds, and proves itself.
    pub(crate) fn refund(&self) -> Call {
        let bearer = Self::bearer(WEB, "payments:refund").sign(&self.idp).unwrap();
        let proof = Self::proof(&self.web, &bearer).claim("nonce", self.challenge(WEB, NOW));
        Call::new("POST", REFUND)
            .with("authorization", format!("Bearer {bearer}"))
            .with("oauth-client-attestation", Self::attestation(WEB, &self.web).sign(&self.attester).unwrap())
            .with("dpop", proof.sign(&self.web).unwrap())
    }
}

impl Call {
    pub(crate) fn new(method: &'static str, path: &'static str) -> Self {
        let (headers, peer, metadata) = (Vec::new(), Peer::default(), Metadata::default());
        let hints = Hints::default();
        Self { method, path, host: "api.example.com", headers, peer, metadata, hints, source: None, at: NOW }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn and(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn from(mut self, source: &str) -> Self {
        self.source = Some(source.parse().unwrap());
        self
    }

    pub(crate) fn at(mut self, now: u64) -> Self {
        self.at = now;
        self
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(other, _)| other == name).unwrap().1
    }

    pub(crate) fn token(&self) -> &str {
        self.header("authorization").strip_prefix("Bearer ").unwrap()
    }

    pub(crate) fn facts(&self) -> RequestFacts {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        let headers = Headers::apart(headers.collect(), HashMap::new());
        let path = RequestPath::parse(self.path, self.method).unwrap();
        let method = Method::parse(self.method).unwrap();
        RequestFacts {
            layer: Layer::Http,
            readings: Readings::of(&method, &path, &headers).unwrap(),
            method,
            path,
            host: Host::parse(self.host).unwrap(),
            headers,
            body: Body::Absent,
            asked: None,
            source: self.source,
            peer: self.peer.clone(),
            metadata: self.metadata.clone(),
            hints: self.hints.clone(),
        }
    }
}

/// Answers what needs no memory.
pub(crate) fn read(ground: Ground<'_>, need: &Need<'_>) -> Option<Answer> {
    match need {
        Need::Certificate(pem) => Some(Answer::Certificate(PeerCertificate::parse(pem).map(Arc::new))),
        Need::Bearer(token) => {
            let bearer = ground.policy.credentials.bearer.as_ref()?;
            let names = bearer.claim_names(&ground.policy.credentials);
            let verified = verify(token, TokenKind::Bearer, names, ground.trusted(&bearer.issuers));
            Some(told(verified, Answer::Bearer))
        }
        Need::Attestation(id, token) => {
            let attestation = ground.policy.attestation(*id)?;
            let trusted = ground.trusted(&attestation.issuers);
            let verified = verify(token, attestation.profile.kind(), attestation.claim_names(), trusted);
            Some(told(verified, |verified| Answer::Attestation(*id, verified)))
        }
        Need::Proof(unproven) => {
            let verdict = Proof::verify(unproven.kind, unproven.token, &unproven.key);
            Some(Answer::Proof(unproven.kind, unproven.key.thumbprint, verdict.map(Arc::new)))
        }
        Need::Keys(_) => Some(Answer::Keys(Renewal::Unchanged)),
        Need::Familiarity(_) | Need::Spend(_) | Need::Challenge(_) | Need::Grants(_) | Need::EndTask(_) => None,
    }
}

fn told(
    verified: Result<Verified, Unverified>,
    answer: impl FnOnce(Result<Arc<Verified>, TokenFault>) -> Answer,
) -> Answer {
    match verified {
        Ok(verified) => answer(Ok(Arc::new(verified))),
        Err(Unverified::Fault(fault)) => answer(Err(fault)),
        Err(Unverified::KeysAway) => Answer::Unavailable(Unavailable::Keys),
    }
}

fn policy() -> Policy {
    let elevated = ElevatedScopes::new(["payments:refund", "admin:*"]).unwrap();
    Policy {
        hash: "test".into(),
        resource: Some(Origin::parse(ORIGIN).unwrap()),
        issuers: issuers(),
        credentials: credentials(),
        mode: Mode::Enforce,
        identities: Identities::default(),
        routes: RouteTable::new(routes(&elevated), false),
        elevated,
        unmatched: Unmatched::default(),
        challenges: ChallengeLimit::default(),
        floors: Floors::default(),
        refuse_ambiguous: false,
        context: Context::default(),
        attestations: vec![attestation()],
        assurance: levels(),
        definitions: Definitions::default(),
        rules: rules(),
        events: None,
    }
}

/// One for bearers and one for attestations.
pub(crate) fn issuers() -> Vec<Issuer> {
    let issuer = |who: &str, url: &str, audiences: &[&str]| Issuer {
        name: name(who),
        issuer: Some(url.into()),
        audiences: audiences.iter().map(|audience| (*audience).into()).collect(),
        algorithms: vec![Algorithm::Es256],
        subjects: Vec::new(),
    };
    vec![issuer("idp", "https://idp.example.com", &[ORIGIN]), issuer("attester", "https://attest.example.com", &[])]
}

pub(crate) fn attestation() -> Attestation {
    Attestation {
        name: name("workload"),
        profile: Profile::OauthClientAttestation,
        issuers: vec![IssuerId(1)],
        header: "oauth-client-attestation".into(),
        forward: false,
        subject: Attestation::DEFAULT_SUBJECT.into(),
        task_claim: Attestation::DEFAULT_TASK_CLAIM.into(),
        scope_claim: Attestation::DEFAULT_SCOPE_CLAIM.into(),
        audiences: Vec::new(),
        possession: Possession::Any,
        claims: RequiredClaims::default(),
    }
}

pub(crate) fn levels() -> Vec<Assurance> {
    let level = |(level, max_age, challenge_required)| Assurance {
        name: name(level),
        max_age: Ttl::from_secs(max_age),
        accept: vec![AttestationId(0)],
        challenge_required,
        single_use: false,
        scoped: false,
        task_required: false,
        carry: Carry::EveryCall,
        on_state_loss: OnStateLoss::Deny,
    };
    [("fresh", 300, false), ("bound", 60, true)].map(level).into()
}

fn credentials() -> Credentials {
    Credentials {
        identity: vec![IdentitySource::Mtls, IdentitySource::Bearer],
        mtls: Some(MtlsCredential {
            trust_domains: vec![TrustDomain::parse("example.org").unwrap()],
            certificate_required: true,
        }),
        bearer: Some(BearerCredential {
            issuers: vec![IssuerId(0)],
            header: "authorization".into(),
            subject: "sub".into(),
            scopes: "scope".into(),
            delegated: false,
        }),
        xfcc: None,
        jwt_authn: None,
        claims: Box::default(),
        leeway: Credentials::DEFAULT_LEEWAY,
    }
}

fn routes(elevated: &ElevatedScopes) -> Vec<Route> {
    let route = |id: &str, method: &str, path: &str, sensitivity: Sensitivity, scopes: &str| {
        let scopes = ScopeSet::parse(scopes).unwrap();
        Route {
            name: name(id),
            selector: Selector {
                hosts: vec![HostPattern::parse("api.example.com").unwrap()],
                methods: vec![Method::parse(method).unwrap()],
                path: PathTemplate::parse(path).unwrap(),
                headers: Vec::new(),
                mcp: None,
            },
            owner: None,
            issues: None,
            sensitivity,
            elevated: scopes.filtered(|scope| elevated.contains(scope)),
            scopes,
            anonymous: id == "status",
            enforce_scopes: true,
        }
    };
    vec![
        route("read", "GET", "/v1/payments/{id}", Sensitivity::Moderate, "payments:read"),
        route("refund", "POST", "/v1/payments/{id}/refund", Sensitivity::High, "payments:refund"),
        route("wipe", "DELETE", "/v1/payments", Sensitivity::Critical, "admin:wipe"),
        route("status", "GET", "/status", Sensitivity::Low, ""),
        route("forbidden", "POST", "/forbidden", Sensitivity::Critical, ""),
    ]
}

fn rules() -> Vec<Rule> {
    let rule = |id: &str, sensitivity, privilege, effect| Rule {
        name: name(id),
        owner: None,
        when: When { sensitivity: Some(sensitivity), privilege: Some(privilege), ..When::default() },
        effect,
        mode: Mode::Enforce,
        controls: Vec::new(),
    };
    vec![
        rule("wiping", Sensitivity::Critical, Privilege::Elevated, Effect::Require(LevelId(1))),
        rule("elevated-on-sensitive", Sensitivity::High, Privilege::Elevated, Effect::Require(LevelId(0))),
        rule("closed", Sensitivity::Critical, Privilege::Standard, Effect::Deny(name("closed_for_good"))),
    ]
}

/// Whether a proof was recorded by this world.
pub(crate) fn is_spent(world: &World, proof: &str) -> bool {
    let key = ProofKey::of_thumbprint(Thumbprint::parse(&world.web.public().thumbprint()).unwrap());
    let proof = Proof::verify(ProofKind::Dpop, proof, &key).unwrap();
    let spending = Spending::of_proof(&proof, Reach::Process);
    world.spent.spend(spending, UnixTime::from_secs(NOW)) == Spent::Replayed
}

/// A client certificate as Envoy forwards it.
pub(crate) fn certificate(id: &str) -> String {
    let mut params = rcgen::CertificateParams::default();
    params.subject_alt_names = vec![rcgen::SanType::URI(id.try_into().unwrap())];
    let pem = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem();
    percent_encoding::utf8_percent_encode(&pem, percent_encoding::NON_ALPHANUMERIC).to_string()
}
