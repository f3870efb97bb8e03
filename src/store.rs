//! What this process remembers and what it has spent: the world that answers a case.
//!
//! Remembered are facts, under bounds and never longer than they hold: a signature was good, a certificate says this.
//! Spent proofs are exact: none is forgotten while it could still pass.

pub mod digest;
pub mod gate;
pub mod grants;
pub mod journal;
pub mod learned;
pub mod ledger;
pub mod rejected;
pub mod remembered;
pub mod revoked;
pub mod spent;
pub mod unanswered;
pub mod valkey;

pub use digest::NoRandomness;
pub use gate::Gate;
pub use grants::Grants;
pub use journal::{Journal, JournalError, Kept, NotWritten};
pub use learned::{Learned, LearnedRecord, ScopeKey};
pub use ledger::{Ledger, NotKept, RevocationMeter, State};
pub use remembered::{CacheMeter, CacheSize, Meters, Remembered};
pub use revoked::Revoked;
pub use spent::SpentProofs;
pub use unanswered::Unanswered;
pub use valkey::Valkey;

use crate::attestation::{Proof, ProofFault, TokenFault, TokenKind};
use crate::case::{Answer, EndedTask, Ground, Need, NotShared, Renewal, Unproven};
use crate::clock::Clock;
use crate::decision::Decision;
use crate::identity::Principal;
use crate::policy::{Attestation, IssuerId, Policy};
use crate::reason::Unavailable;
use remembered::Token;
use std::collections::HashSet;
use std::sync::Arc;

/// Answers the needs of cases.
#[derive(Debug)]
pub struct Store<C> {
    remembered: Remembered,
    ledger: Arc<Ledger>,
    learned: Learned,
    unanswered: Unanswered,
    gate: Arc<Gate>,
    clock: C,
}

impl<C: Clock + Clone> Store<C> {
    pub fn new(
        clock: C,
        cache_bytes: u64,
        gate: Gate,
        meters: Meters,
        ledger: Arc<Ledger>,
        learned: Learned,
    ) -> Result<Self, NoRandomness> {
        let gate = Arc::new(gate);
        let remembered = Remembered::new(clock.clone(), cache_bytes, Arc::clone(&gate), meters)?;
        let unanswered = Unanswered::default();
        Ok(Self { remembered, ledger, learned, unanswered, gate, clock })
    }

    /// What is revoked and granted.
    pub const fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub async fn answer(&self, ground: Ground<'_>, need: Need<'_>) -> Answer {
        let result = match need {
            Need::Certificate(pem) => Ok(Answer::Certificate(self.remembered.certificate(pem).await)),
            Need::Bearer(token) => self.bearer(ground, token).await.map(Answer::Bearer),
            Need::Familiarity(sighting) => {
                let terms = &ground.policy.context.learning;
                Ok(Answer::Familiarity(self.learned.familiarity(&sighting, terms, self.clock.now())))
            }
            Need::Attestation(id, token) => match ground.policy.attestation(id) {
                Some(attestation) => {
                    self.attestation(ground, attestation, token).await.map(|result| Answer::Attestation(id, result))
                }
                None => Err(Unavailable::Policy),
            },
            Need::Proof(unproven) => {
                let verdict = self.proof(&unproven).await;
                verdict.map(|verdict| Answer::Proof(unproven.kind, unproven.key.thumbprint, verdict.map(Arc::new)))
            }
            // Which keys there are is not remembered here; who opened the case knows better.
            Need::Keys(_) => Ok(Answer::Keys(Renewal::Unchanged)),
            Need::Spend(spending) => {
                Ok(Answer::Spent(spending.key, self.ledger.spend(spending, self.clock.now()).await))
            }
            Need::Grants(wanted) => {
                let grants = self.ledger.grants_of(&wanted, self.clock.now()).await;
                Ok(Answer::Grants(wanted.from, grants))
            }
            Need::EndTask(task) => Ok(Answer::TaskEnded(self.end(task).await)),
            Need::Challenge(key) => {
                Ok(Answer::Challenge(self.unanswered.ask(&key, ground.policy.challenges, self.clock.now())))
            }
        };
        result.unwrap_or_else(Answer::Unavailable)
    }

    /// Takes what a decision teaches of its caller.
    pub fn learn(&self, ground: Ground<'_>, decision: &Decision) {
        let context = &ground.policy.context;
        if let Some((sighting, lesson)) = decision.lesson(&context.signals) {
            self.learned.learn(sighting, lesson, &context.learning, self.clock.now());
        }
    }

    /// Has the grant known that a proof left behind.
    pub async fn earn(&self, decision: &Decision) {
        if let Some(grant) = decision.earned() {
            // Whoever does not hear of it asks for another attestation.
            let _ = self.ledger.keep_grant(Arc::clone(grant), self.clock.now()).await;
        }
    }

    async fn end(&self, task: EndedTask) -> Result<(), NotShared> {
        let now = self.clock.now();
        self.ledger.revoke(vec![task.revocation(now)], now).await.map_err(|NotKept| NotShared)
    }

    /// Takes note of a caller that proved itself: what it was asked before is answered.
    pub fn answered(&self, decision: &Decision) {
        decision.findings.answered.iter().for_each(|key| self.unanswered.answered(key));
    }

    /// Takes in what was learned before this process began.
    pub fn recall(&self, records: &[LearnedRecord], policy: &Policy) {
        let now = self.clock.now();
        for record in records {
            self.learned.merge(record, policy.identities.standing(record.principal.as_str()), now);
        }
    }

    /// Has kept what was learned since the last time, and takes in what other replicas learned.
    pub async fn exchange(&self, policy: &Policy) {
        match self.ledger.state() {
            State::Nothing => {}
            State::File(journal) => {
                let changes = self.learned.changed();
                if journal.learn(&changes).await.is_err() {
                    self.learned.not_kept(&changes);
                }
            }
            State::Shared(valkey) => {
                let changes = self.learned.changed();
                if valkey.put_learned(&baselines(&changes)).await.is_err() {
                    self.learned.not_kept(&changes);
                }
                let heard = valkey.learned().await.unwrap_or_default();
                let records: Vec<_> = heard.iter().filter_map(|(_, json)| serde_json::from_str(json).ok()).collect();
                self.recall(&records, policy);
            }
        }
    }

    /// Everybody of whom something is remembered that a policy could end.
    pub fn known_principals(&self) -> HashSet<Principal> {
        self.ledger.grant_holders().into_iter().chain(self.learned.principals()).collect()
    }

    /// Takes what was learned to where it belongs under a new policy. It asks once for each identity that is remembered.
    pub fn settle(&self, policy: &Policy) {
        self.learned.restand(|principal| policy.identities.standing(principal.as_str()));
    }

    /// How much is remembered, for the metrics.
    pub fn cache_sizes(&self) -> impl Iterator<Item = CacheSize> {
        self.remembered.sizes().into_iter().chain(self.learned.sizes())
    }

    async fn bearer(&self, ground: Ground<'_>, token: &str) -> Verification {
        let Some(bearer) = &ground.policy.credentials.bearer else { return Err(Unavailable::Policy) };
        let token = Token {
            text: token,
            purpose: "",
            kind: TokenKind::Bearer,
            names: bearer.claim_names(&ground.policy.credentials),
            issuers: &bearer.issuers,
        };
        self.remembered.verified(ground, &token).await
    }

    async fn attestation(&self, ground: Ground<'_>, attestation: &Attestation, token: &str) -> Verification {
        let token = Token {
            text: token,
            purpose: attestation.name.as_str(),
            kind: attestation.profile.kind(),
            names: attestation.claim_names(),
            issuers: &attestation.issuers,
        };
        self.remembered.verified(ground, &token).await
    }

    /// Never remembered: a proof that is shown twice does not pass twice.
    async fn proof(&self, unproven: &Unproven<'_>) -> Result<Result<Proof, ProofFault>, Unavailable> {
        let _turn = self.gate.turn().await?;
        Ok(Proof::verify(unproven.kind, unproven.token, &unproven.key))
    }
}

/// As other replicas hear of them.
fn baselines(changes: &[LearnedRecord]) -> Vec<valkey::Baseline> {
    let json = |record: &LearnedRecord| serde_json::to_string(record).ok();
    changes.iter().filter_map(|record| Some((record.principal.as_str().into(), json(record)?))).collect()
}

type Verification = Result<Result<Arc<crate::attestation::Verified>, TokenFault>, Unavailable>;

/// The issuers that a token may come from, by their places in the policy.
type Issuers<'a> = &'a [IssuerId];
