//! The straight line as the server goes it, without the wire around it.

use crate::Result;
use crate::message;
use crate::policy::Size;
use arc_swap::ArcSwap;
use criterion::Bencher;
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use prost::Message;
use std::fs;
use std::hint::black_box;
use std::time::Instant;
use stepgate::case::{Case, Ground, Step};
use stepgate::challenge::ChallengeKeys;
use stepgate::clock::{Clock, SystemClock};
use stepgate::config::{self, Loaded};
use stepgate::decision::{Decision, Outcome};
use stepgate::ext_authz::{CheckAnswer, Removals, Rendering, facts, render};
use stepgate::mint::{Algorithm, SigningKey, jwks};
use stepgate::store::{CacheMeter, Gate, Meters, Store};
use tokio::runtime::Runtime;

/// So many calls of the caller were seen before anything is measured: learned signals speak.
const FAMILIAR: usize = 100;

pub(crate) struct World {
    loaded: ArcSwap<Loaded>,
    challenges: ChallengeKeys,
    removals: Removals,
    store: Store<SystemClock>,
    request: Vec<u8>,
    runtime: Runtime,
}

impl World {
    pub(crate) fn new(size: Size) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let [idp, attester] = [SigningKey::generate(Algorithm::Es256)?, SigningKey::generate(Algorithm::Es256)?];
        fs::write(folder.path().join("idp.jwks.json"), jwks([&idp]).to_string())?;
        fs::write(folder.path().join("attester.jwks.json"), jwks([&attester]).to_string())?;
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
        let world = Self {
            removals: Removals::of(&loaded.policy),
            loaded: ArcSwap::from_pointee(loaded),
            challenges: ChallengeKeys::single(&[1; 32]),
            store: Store::new(SystemClock, 64 << 20, Gate::new(2, 1_024), meters)?,
            request: message::routine(&idp, &attester, SystemClock.now().as_secs())?.encode_to_vec(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        };
        for _ in 0..FAMILIAR {
            let (decision, _) = world.runtime.block_on(world.decide(world.decoded()?))?;
            if !matches!(decision.outcome, Outcome::Allow(_)) {
                return Err(format!("the measured call should be allowed: {:?}", decision.reason()).into());
            }
        }
        Ok(world)
    }

    pub(crate) fn measure(&self, bencher: &mut Bencher<'_>) {
        bencher.iter_custom(|rounds| {
            let requests: Vec<_> = (0..rounds).filter_map(|_| self.decoded().ok()).collect();
            self.runtime.block_on(async {
                let began = Instant::now();
                for request in requests {
                    black_box(self.decide(request).await.is_ok());
                }
                began.elapsed()
            })
        });
    }

    fn decoded(&self) -> Result<CheckRequest> {
        Ok(CheckRequest::decode(self.request.as_slice())?)
    }

    async fn decide(&self, request: CheckRequest) -> Result<(Decision, CheckAnswer)> {
        let loaded = self.loaded.load_full();
        let ground = Ground { policy: &loaded.policy, keyring: &loaded.keyring, challenges: &self.challenges };
        let facts = facts(request).map_err(|refused| format!("a request that can be read: {}", refused.why))?;
        let mut case = Case::open(ground, &facts);
        let decision = loop {
            match case.step(SystemClock.now()) {
                Step::Needs(need) => case.supply(self.store.answer(ground, need).await),
                Step::Decided(decision) => break decision,
            }
        };
        self.store.learn(ground, &decision);
        let answer = render(&Rendering {
            policy: &loaded.policy,
            decision: &decision,
            decision_id: "0123456789abcdef0123456789abcdef",
            sent: Some(&facts.headers),
            removals: &self.removals,
            resource: None,
            challenge: None,
        });
        Ok((decision, answer))
    }
}
