//! A call that needs evidence, with a fresh proof each, next to the bare signature checks in it, over the same bytes.

use crate::Result;
use crate::bare::{self, Signed, parsed};
use crate::policy::Size;
use crate::workload::Workload;
use crate::world::World;
use aws_lc_rs::signature::ParsedPublicKey;
use criterion::Criterion;
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use prost::Message;
use std::cell::{LazyCell, RefCell};
use std::time::Duration;
use stepgate::attestation::ProofKind;
use stepgate::clock::{Clock, SystemClock};
use stepgate::mint::Algorithm;

/// Both sides take turns after so many calls, so that they share the machine's fast and slow moments. In a turn as short as
/// this, the system seldom gives the core to somebody else.
const TURN: usize = 8;

/// What is fresh about a call.
#[derive(Clone, Copy)]
struct Shown {
    kind: ProofKind,
    algorithm: Algorithm,
    challenge: bool,
    /// Whether each call shows an attestation that nobody has seen yet.
    cold: bool,
}

#[expect(clippy::expect_used, reason = "without its world there is nothing to measure")]
pub(crate) fn decisions(criterion: &mut Criterion) {
    let dpop = Shown { kind: ProofKind::Dpop, algorithm: Algorithm::Es256, challenge: false, cold: false };
    let shown = [
        ("DPoP", dpop),
        ("DPoP with a challenge", Shown { challenge: true, ..dpop }),
        ("DPoP, EdDSA", Shown { algorithm: Algorithm::EdDsa, ..dpop }),
        ("PoP", Shown { kind: ProofKind::Pop, ..dpop }),
        ("WPT", Shown { kind: ProofKind::Wpt, ..dpop }),
        ("a new attestation and DPoP", Shown { cold: true, ..dpop }),
    ];
    let mut group = criterion.benchmark_group("verification");
    for (name, shown) in shown {
        let scene = LazyCell::new(|| Scene::new(shown).expect("the world of the benchmark"));
        let turns = RefCell::new(Vec::new());
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let own = scene.turns(rounds).expect("decisions");
                let whole = own.iter().map(|turn| turn.whole).sum();
                turns.borrow_mut().extend(own);
                whole
            });
        });
        report(&turns.borrow());
    }
    group.finish();
}

struct Scene {
    world: World,
    shown: Shown,
    attester: ParsedPublicKey,
    own: ParsedPublicKey,
    workload: RefCell<Workload>,
    challenge: Option<String>,
}

/// A call, and the tokens in it that have to be checked.
struct Fresh {
    message: Vec<u8>,
    proof: Signed,
    attestation: Option<Signed>,
}

/// The same calls, checked barely and decided wholly.
struct Turn {
    calls: usize,
    bare: Duration,
    whole: Duration,
}

impl Scene {
    fn new(shown: Shown) -> Result<Self> {
        let world = World::new(Size { routes: 20, identities: 0, rules: 5, signals: false })?;
        let workload = Workload::new(world.issuers(), shown.kind, shown.algorithm, SystemClock.now().as_secs())?;
        Ok(Self {
            attester: parsed(&world.issuers().attester)?,
            own: parsed(workload.key())?,
            workload: RefCell::new(workload),
            challenge: shown.challenge.then(|| world.challenge()).flatten(),
            world,
            shown,
        })
    }

    fn turns(&self, rounds: u64) -> Result<Vec<Turn>> {
        let fresh = (0..rounds).map(|_| self.fresh()).collect::<Result<Vec<_>>>()?;
        fresh.chunks(TURN).map(|calls| self.turn(calls)).collect()
    }

    fn turn(&self, calls: &[Fresh]) -> Result<Turn> {
        let decoded = calls.iter().map(|fresh| Ok(CheckRequest::decode(fresh.message.as_slice())?));
        let decoded = decoded.collect::<Result<_>>()?;
        Ok(Turn {
            calls: calls.len(),
            bare: bare::time(calls.iter().flat_map(|fresh| self.checks(fresh)))?,
            whole: self.world.time(decoded)?,
        })
    }

    fn fresh(&self) -> Result<Fresh> {
        let now = SystemClock.now().as_secs();
        let mut workload = self.workload.borrow_mut();
        if self.shown.cold {
            workload.attest(self.world.issuers(), now)?;
        }
        let proof = workload.proof(now, self.challenge.as_deref())?;
        Ok(Fresh {
            message: workload.call(&proof).encode_to_vec(),
            attestation: self.shown.cold.then(|| Signed::read(workload.attestation())).transpose()?,
            proof: Signed::read(&proof)?,
        })
    }

    fn checks<'f>(&'f self, fresh: &'f Fresh) -> impl Iterator<Item = (&'f ParsedPublicKey, &'f Signed)> {
        let attestation = fresh.attestation.iter().map(|signed| (&self.attester, signed));
        attestation.chain([(&self.own, &fresh.proof)])
    }
}

/// Says the medians of all whole turns, and of their ratios.
fn report(turns: &[Turn]) {
    let median = |of: fn(&Turn) -> f64| {
        let mut sorted: Vec<f64> = turns.iter().filter(|turn| turn.calls == TURN).map(of).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    };
    let bare = median(|turn| each(turn.bare));
    let whole = median(|turn| each(turn.whole));
    let ratio = median(|turn| turn.whole.as_secs_f64() / turn.bare.as_secs_f64());
    if let (Some(bare), Some(whole), Some(ratio)) = (bare, whole, ratio) {
        println!("                        bare checks {bare:.2} µs, decision {whole:.2} µs, ratio {ratio:.3}\n");
    }
}

/// The microseconds of one call in a turn.
#[expect(clippy::cast_precision_loss, reason = "a turn has few calls")]
fn each(turn: Duration) -> f64 {
    turn.as_secs_f64() * 1e6 / TURN as f64
}
