//! The Authorization service: the straight line from `CheckRequest` to `CheckResponse`.
//!
//! ```text
//! CheckRequest ─▶ facts ─▶ Case ⇄ Store, KeySources ─▶ Decision ─▶ CheckResponse
//!                                                         └▶ metrics, decision log
//! ```

mod ids;
mod snapshot;

pub use ids::{DecisionId, DecisionIds};
pub use snapshot::Snapshot;

use crate::case::{self, Answer, Case, Ground, Moment, Need, Renewal, Step};
use crate::challenge::{ChallengeKeys, Randomness};
use crate::chassis::{self, Authorize, Call};
use crate::clock::Clock;
use crate::decision::Decision;
use crate::ext_authz::{CheckAnswer, Refused, Rendering, facts, render};
use crate::identity::{Caller, Principal};
use crate::keys::KeySources;
use crate::policy::{IssuerId, Origin};
use crate::reason::{Reason, Unavailable};
use crate::request::RequestFacts;
use crate::store::Store;
use crate::telemetry::{DecisionLog, Record, Seen, TraceContext};
use arc_swap::ArcSwap;
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout_at;

/// What is left of a call's time, at least, when it waits no more for others to hear of its grant: timers fire up to a
/// millisecond late.
const TO_CONCLUDE: Duration = Duration::from_millis(5);

/// Everything that decides, shared by all workers.
#[derive(Debug)]
pub struct Server<C> {
    /// Swapped whole between requests; a request keeps the one it began with.
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub keys: KeySources,
    pub store: Store<C>,
    pub challenges: Arc<ArcSwap<ChallengeKeys>>,
    pub clock: C,
    pub ids: DecisionIds,
    pub log: DecisionLog,
}

impl<C: Clock + Clone> Authorize for Server<C> {
    type Answer = CheckAnswer;

    async fn check(&self, request: CheckRequest, call: &Call) -> Result<CheckAnswer, chassis::Unavailable> {
        match facts(request) {
            Ok(facts) => {
                let challenges = self.challenges.load();
                let (snapshot, decision) = self.decide(&facts, &challenges).await;
                call.in_time()?;
                self.earn(&decision, call).await;
                call.in_time()?;
                // Only what Envoy hears teaches, and answers.
                self.store.learn(snapshot.ground(&challenges), &decision);
                self.store.answered(&decision);
                Ok(self.conclude(&snapshot, &decision, Subject::Facts(&facts), call))
            }
            Err(refused) => {
                let snapshot = self.snapshot.load();
                let decision = refusal(&snapshot, Reason::Request(refused.why));
                call.in_time()?;
                Ok(self.conclude(&snapshot, &decision, Subject::Refused(&refused), call))
            }
        }
    }

    fn unavailable(&self, why: chassis::Unavailable, call: &Call) -> CheckAnswer {
        let what = match why {
            chassis::Unavailable::Deadline => Unavailable::Deadline,
            chassis::Unavailable::Overload => Unavailable::Overload,
            chassis::Unavailable::Panic => Unavailable::Panic,
        };
        let snapshot = self.snapshot.load();
        let decision = refusal(&snapshot, Reason::Unavailable(what));
        self.conclude(&snapshot, &decision, Subject::Unknown, call)
    }
}

impl<C: Clock + Clone> Server<C> {
    /// Decides by the policy and keys of this moment, and once more where there were newer keys than those.
    async fn decide(&self, facts: &RequestFacts, challenges: &ChallengeKeys) -> (Arc<Snapshot>, Decision) {
        let snapshot = self.snapshot.load_full();
        if let Some(decision) = self.judge(&snapshot, challenges, facts, true).await {
            return (snapshot, decision);
        }
        let newer = self.snapshot.load_full();
        let decision = self.judge(&newer, challenges, facts, false).await;
        let decision = decision.unwrap_or_else(|| refusal(&newer, Reason::Unavailable(Unavailable::Keys)));
        (newer, decision)
    }

    /// Nothing where it has to be judged by newer keys.
    async fn judge(
        &self,
        snapshot: &Snapshot,
        challenges: &ChallengeKeys,
        facts: &RequestFacts,
        mut may_begin_anew: bool,
    ) -> Option<Decision> {
        let ground = snapshot.ground(challenges);
        let mut case = Case::open(ground, facts);
        loop {
            let need = match self.step(&mut case) {
                Step::Needs(need) => need,
                Step::Decided(decision) => return Some(decision),
            };
            // A proof that is spent would be one that was used before.
            may_begin_anew &= !matches!(need, Need::Spend(_) | Need::EndTask(_));
            let answer = match need {
                Need::Keys(issuers) if may_begin_anew => match self.renew(ground, issuers).await {
                    Renewal::Renewed => return None,
                    unchanged @ Renewal::Unchanged => Answer::Keys(unchanged),
                },
                need => self.store.answer(ground, need).await,
            };
            count_verification(snapshot, &answer);
            case.supply(answer);
        }
    }

    /// A grant counts here at once. That others hear of it too is waited for as long as the call can still be answered.
    async fn earn(&self, decision: &Decision, call: &Call) {
        let until = call.deadline().checked_sub(TO_CONCLUDE).unwrap_or_else(|| call.deadline());
        let _ = timeout_at(until.into(), self.store.earn(decision)).await;
    }

    fn step<'a>(&self, case: &mut Case<'a>) -> Step<'a> {
        let revoked = self.store.ledger().revocations();
        case.step(Moment { now: self.clock.now(), revoked: &revoked })
    }

    async fn renew(&self, ground: Ground<'_>, issuers: &[IssuerId]) -> Renewal {
        let names = issuers.iter().filter_map(|id| Some(&ground.policy.issuer(*id)?.name));
        self.keys.renew(ground.keyring.generation(), names).await
    }

    /// Says the decision, and has it counted and logged.
    fn conclude(&self, snapshot: &Snapshot, decision: &Decision, subject: Subject<'_>, call: &Call) -> CheckAnswer {
        let id = self.ids.next();
        let facts = subject.facts();
        let resource = facts.and_then(|facts| case::origin(&snapshot.policy, facts));
        let challenge = resource.as_deref().and_then(|resource| self.challenge(decision, resource));
        let answer = render(&Rendering {
            policy: &snapshot.policy,
            decision,
            decision_id: id.as_str(),
            sent: facts.map(|facts| &facts.headers),
            removals: &snapshot.removals,
            resource: resource.as_deref(),
            challenge: challenge.as_deref(),
        });
        let elapsed = call.received().elapsed();
        snapshot.meters.record(decision, elapsed);
        if self.log.takes(decision, id.as_str()) {
            self.log.write(&Record {
                time: self.clock.since_epoch(),
                policy: &snapshot.policy,
                decision,
                decision_id: id.as_str(),
                trace: TraceContext::of(call.headers()),
                request: subject.seen(),
                headers: &snapshot.logged_headers,
                credential: facts
                    .zip(caller(decision))
                    .and_then(|(facts, caller)| case::credential_digest(facts, caller)),
                elapsed,
            });
        }
        answer
    }

    /// A new challenge, where one goes with the answer.
    fn challenge(&self, decision: &Decision, resource: &Origin) -> Option<String> {
        if !decision.hands_out_challenge() {
            return None;
        }
        let principal = principal(decision)?;
        let mut randomness = Randomness::default();
        aws_lc_rs::rand::fill(&mut randomness).ok()?;
        self.challenges.load().issue(self.clock.now(), randomness, resource, principal)
    }
}

fn principal(decision: &Decision) -> Option<&Principal> {
    caller(decision)?.principal.as_ref()
}

fn count_verification(snapshot: &Snapshot, answer: &Answer) {
    if let Answer::Attestation(id, result) = answer {
        snapshot.meters.record_attestation(*id, result.is_ok());
    }
}

fn caller(decision: &Decision) -> Option<&Caller> {
    decision.findings.caller.as_ref()
}

/// A refusal before anything could be found out, under the policy of the moment.
fn refusal(snapshot: &Snapshot, reason: Reason) -> Decision {
    Decision::refused(reason).under(snapshot.policy.mode)
}

/// What a decision is about, as far as it could be read.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Facts(&'a RequestFacts),
    Refused(&'a Refused),
    Unknown,
}

impl<'a> Subject<'a> {
    const fn facts(self) -> Option<&'a RequestFacts> {
        if let Self::Facts(facts) = self { Some(facts) } else { None }
    }

    fn seen(self) -> Seen<'a> {
        match self {
            Self::Facts(facts) => facts.into(),
            Self::Refused(refused) => Seen {
                method: &refused.method,
                host: &refused.host,
                path: &refused.path,
                source: refused.source,
                facts: None,
            },
            Self::Unknown => Seen { method: "", host: "", path: "", source: None, facts: None },
        }
    }
}
