//! Clocks that are five seconds apart. A process takes the machine's clock, and to shift that for one alone takes a library
//! that is not everywhere; so the replicas with wrong clocks are the library's `Ledger` in this process, the same that the
//! binary serves from, and share the store and the challenge key with real ones.

use crate::support::gate::CHALLENGE_KEY;
use crate::support::issuers::bearer;
use crate::support::wait::until;
use crate::support::workload::Workload;
use crate::support::{Result, now};
use crate::world::{READ, World};
use arc_swap::ArcSwap;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge};
use std::sync::Arc;
use stepgate::attestation::Thumbprint;
use stepgate::case::{Reach, Spending, Spent};
use stepgate::challenge::ChallengeKeys;
use stepgate::clock::{Clock, SystemClock};
use stepgate::identity::Principal;
use stepgate::policy::OnStateLoss;
use stepgate::revocation::{Issued, Revocation, Revocations, Source, Target};
use stepgate::store::valkey::{Settings, StateMeter, StateOp, StateOutcome, StateUrl};
use stepgate::store::{Ledger, Revoked, State, Valkey};
use stepgate::time::{Ttl, UnixTime};
use tokio::task::JoinHandle;

const APART: Ttl = Ttl::from_secs(5);

/// A clock that is wrong.
#[derive(Clone, Copy)]
enum Shifted {
    Late,
    Ahead,
}

impl Clock for Shifted {
    fn now(&self) -> UnixTime {
        match self {
            Self::Late => SystemClock.now().minus(APART),
            Self::Ahead => SystemClock.now().plus(APART),
        }
    }
}

/// A replica with a clock of its own.
struct Replica {
    ledger: Ledger,
    clock: Shifted,
    following: JoinHandle<()>,
}

impl Replica {
    async fn start(world: &World, clock: Shifted) -> Result<Self> {
        let keys = Arc::new(ArcSwap::from_pointee(ChallengeKeys::parse(CHALLENGE_KEY)?));
        let keep = Revocations::DEFAULT_KEEP;
        let url = StateUrl::parse(&world.valkey.url())?;
        let settings = Settings { url, keys, keep, clock: Arc::new(clock) };
        let revoked = Arc::new(Revoked::unread(keep));
        let valkey = Valkey::new(settings, Arc::clone(&revoked), meter()?)?;
        let following = tokio::spawn(valkey.clone().follow());
        until("the state to be at hand", async || valkey.is_up().then_some(())).await?;
        Ok(Self { ledger: Ledger::new(revoked, State::Shared(valkey)), clock, following })
    }

    /// From its own now on.
    async fn revoke(&self, name: &str) -> Result<()> {
        let target = Target::Principal(Principal::parse(name)?);
        Ok(self
            .ledger
            .revoke(vec![Revocation::new(target, self.clock.now(), Source::Operator)], self.clock.now())
            .await?)
    }

    async fn spend(&self, name: &str) -> Spent {
        // As long as a proof lives that was made now.
        let until = SystemClock.now().plus(Ttl::from_secs(70));
        let reach = Reach::Replicas(OnStateLoss::Deny);
        self.ledger.spend(Spending { key: Thumbprint::of(name.as_bytes()), until, reach }, self.clock.now()).await
    }

    /// Whether what was issued to this principal then is void here.
    fn is_void(&self, name: &str, at: UnixTime) -> bool {
        let what = Issued { at: Some(at), principals: &[name], attester: None, task: None, keys: &[] };
        self.ledger.revocations().is_void(&what, self.clock.now())
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn meter() -> Result<StateMeter> {
    let counter = IntCounter::new("operations", "of all kinds")?;
    let of_op = [(); StateOutcome::ALL.len()].map(|()| counter.clone());
    let lag = Histogram::with_opts(HistogramOpts::new("lag", "of revocations"))?;
    let operations = [(); StateOp::ALL.len()].map(|()| of_op.clone());
    Ok(StateMeter { operations, up: IntGauge::new("up", "or not")?, lag })
}

/// What was issued before the clocks' distance is void whoever revokes; what is younger than that outlives a revocation by a
/// clock that is late, and what is issued just after one by a clock that is ahead is void too.
#[tokio::test]
async fn a_revocation_counts_everywhere_whatever_the_clock_of_who_revokes() -> Result<()> {
    let world = World::start().await?;
    let (late, ahead) = (Replica::start(&world, Shifted::Late).await?, Replica::start(&world, Shifted::Ahead).await?);
    let (by_late, by_ahead) = ("spiffe://example.org/ns/x/sa/late", "spiffe://example.org/ns/x/sa/ahead");
    for (name, by, other) in [(by_late, &late, &ahead), (by_ahead, &ahead, &late)] {
        let before = SystemClock.now().minus(APART.plus(Ttl::from_secs(1)));
        let mut workload = Workload::new(&world.issuers, name, "payments:read")?;
        workload.token = bearer(name, "payments:read").issued(before.as_secs(), 600).sign(&world.issuers.idp)?;
        let call = workload.call("GET", READ);
        for replica in &world.replicas {
            assert_eq!(replica.check(&call).await?.said(), ("allow", "routine"));
        }
        by.revoke(name).await?;
        for replica in &world.replicas {
            replica.soon_says("deny", "credential_revoked", || Ok(call.clone())).await?;
        }
        until("the other clock's replica", async || other.is_void(name, before).then_some(())).await?;
    }
    let just_now = UnixTime::from_secs(now());
    assert!(!late.is_void(by_late, just_now));
    assert!(late.is_void(by_ahead, just_now));
    Ok(())
}

#[tokio::test]
async fn a_revocation_by_a_right_clock_counts_where_the_clock_is_wrong() -> Result<()> {
    let world = World::start().await?;
    let (late, ahead) = (Replica::start(&world, Shifted::Late).await?, Replica::start(&world, Shifted::Ahead).await?);
    let (name, issued) = ("spiffe://example.org/ns/x/sa/one", UnixTime::from_secs(now()));
    world.replicas[0].operator.revoke(name).await?;
    for replica in [&late, &ahead] {
        until("the revocation", async || replica.is_void(name, issued).then_some(())).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_proof_passes_once_whatever_the_clocks_say() -> Result<()> {
    let world = World::start().await?;
    let (late, ahead) = (Replica::start(&world, Shifted::Late).await?, Replica::start(&world, Shifted::Ahead).await?);
    for (number, (one, other)) in [(&late, &ahead), (&ahead, &late)].into_iter().enumerate() {
        let name = format!("proof {number}");
        assert_eq!(one.spend(&name).await, Spent::First);
        assert_eq!((other.spend(&name).await, one.spend(&name).await), (Spent::Replayed, Spent::Replayed));
        // Long after the proof itself ended for the slowest clock, and no sooner, the store may forget it.
        let lives: Vec<String> = world.valkey.say(&["KEYS", "stepgate:spent:*"]).await?;
        for key in lives {
            let left: u64 = world.valkey.say(&["PTTL", &key]).await?;
            assert!(left > 70_000 + 2 * 5_000, "{left} ms");
        }
    }
    Ok(())
}
