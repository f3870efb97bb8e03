//! The straight line as the server goes it, without the wire around it.

use crate::Result;
use crate::message::{Issuers, SUBJECT};
use crate::policy::Size;
use arc_swap::ArcSwap;
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use std::fs;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stepgate::case::{Case, Ground, Moment, Step};
use stepgate::challenge::{ChallengeKeys, Randomness};
use stepgate::clock::{Clock, SystemClock};
use stepgate::config::{self, Loaded};
use stepgate::decision::{Decision, Outcome};
use stepgate::ext_authz::{CheckAnswer, Removals, Rendering, facts, render};
use stepgate::identity::Principal;
use stepgate::policy::Policy;
use stepgate::revocation::Revocations;
use stepgate::store::learned::Bounds;
use stepgate::store::{CacheMeter, Gate, Learned, Ledger, Meters, ScopeKey, Store};
use tokio::runtime::Runtime;

pub(crate) struct World {
    loaded: ArcSwap<Loaded>,
    challenges: ChallengeKeys,
    removals: Removals,
    store: Store<SystemClock>,
    issuers: Issuers,
    runtime: Runtime,
}

impl World {
    pub(crate) fn new(size: Size) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let issuers = Issuers::generate()?;
        issuers.publish(folder.path())?;
        fs::write(folder.path().join("policy.yaml"), size.policy()?)?;
        let loaded =
            config::load(&[folder.path().to_owned()]).map_err(|problems| format!("{:#}", problems.to_json()))?;
        let meter = || -> prometheus::Result<CacheMeter> {
            Ok(CacheMeter {
                hits: prometheus::IntCounter::new("h", "h")?,
                misses: prometheus::IntCounter::new("m", "m")?,
            })
        };
        let meters = Meters { bearers: meter()?, attestations: meter()?, certificates: meter()? };
        let learned = Learned::new(Bounds::default(), ScopeKey::random()?);
        let ledger = Arc::new(Ledger::in_process(Revocations::DEFAULT_KEEP));
        Ok(Self {
            removals: Removals::of(&loaded.policy),
            loaded: ArcSwap::from_pointee(loaded),
            challenges: ChallengeKeys::single(&[1; 32]),
            store: Store::new(SystemClock, 64 << 20, Gate::new(2, 1_024), meters, ledger, learned)?,
            issuers,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        })
    }

    pub(crate) fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// A challenge for the caller of the measured calls.
    pub(crate) fn challenge(&self) -> Option<String> {
        self.issue(&self.loaded.load().policy, &Principal::parse(SUBJECT).ok()?)
    }

    /// How long decisions on these calls take, one after the other; each must be an allow.
    pub(crate) fn time(&self, calls: Vec<CheckRequest>) -> Result<Duration> {
        self.runtime.block_on(async {
            let began = Instant::now();
            let mut refused = None;
            for call in calls {
                let (decision, answer) = self.decide(call).await?;
                black_box(answer);
                if !matches!(decision.outcome, Outcome::Allow(_)) {
                    refused = Some(decision.reason().clone());
                }
            }
            let elapsed = began.elapsed();
            refused.map_or(Ok(elapsed), |why| Err(format!("a measured call should be allowed: {why:?}").into()))
        })
    }

    async fn decide(&self, request: CheckRequest) -> Result<(Decision, CheckAnswer)> {
        let loaded = self.loaded.load_full();
        let ground = Ground { policy: &loaded.policy, keyring: &loaded.keyring, challenges: &self.challenges };
        let facts = facts(request).map_err(|refused| format!("a request that can be read: {}", refused.why))?;
        let mut case = Case::open(ground, &facts);
        let decision = loop {
            let revoked = Arc::clone(&self.store.ledger().revocations());
            match case.step(Moment { now: SystemClock.now(), revoked: &revoked }) {
                Step::Needs(need) => case.supply(self.store.answer(ground, need).await),
                Step::Decided(decision) => break decision,
            }
        };
        self.store.learn(ground, &decision);
        self.store.answered(&decision);
        let caller = decision.findings.caller.as_ref().and_then(|caller| caller.principal.as_ref());
        let challenge = caller.filter(|_| decision.hands_out_challenge());
        let challenge = challenge.and_then(|principal| self.issue(&loaded.policy, principal));
        let answer = render(&Rendering {
            policy: &loaded.policy,
            decision: &decision,
            decision_id: "0123456789abcdef0123456789abcdef",
            sent: Some(&facts.headers),
            removals: &self.removals,
            resource: loaded.policy.resource.as_ref(),
            challenge: challenge.as_deref(),
        });
        Ok((decision, answer))
    }

    fn issue(&self, policy: &Policy, principal: &Principal) -> Option<String> {
        let mut randomness = Randomness::default();
        aws_lc_rs::rand::fill(&mut randomness).ok()?;
        self.challenges.issue(SystemClock.now(), randomness, policy.resource.as_ref()?, principal)
    }
}
