//! One request from facts to decision: authenticate, classify, appraise, spend, decide.
//!
//! A case is pure: it asks for what it needs and is told. Each step begins at the top and goes as far as it can with what
//! it was told so far, so that the order of all checks can be read, and tested, in one place.

mod authenticate;
mod context;
mod evidence;
mod grants;
mod loop_guard;
mod need;
mod possession;
mod presented;
mod recorded;
mod revoked;
mod shadow;
mod task_end;
mod tokens;

use crate::attestation::verify::Trusted;
use crate::attestation::{Keyring, ProofKind, Thumbprint, TokenFault, TokenKind, Unverified, Verified};
use crate::challenge::ChallengeKeys;
use crate::context::{Familiarity, Sighting};
use crate::decision::{Decision, Evidence, Findings, Outcome, decide};
use crate::grant::Grant;
use crate::identity::Caller;
use crate::policy::{
    Assurance, AttestationId, Classification, Issuer, IssuerId, Origin, Policy, Requirement, Route, Subject, Taken,
    Unmatched,
};
use crate::reason::{Reason, Unavailable};
use crate::request::{CertificateReading, Layer, Malformed, PathFault, RequestFacts};
use crate::revocation::Revocations;
use crate::time::UnixTime;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use evidence::{Found, Use};
pub use grants::{GrantSource, Wanted};
pub use loop_guard::{Allowance, CHALLENGE_WINDOW, ChallengeKey};
pub use need::{Answer, Need, NotShared, Renewal, Signed, Spent};
pub use possession::{Reach, Spending, Unproven};
pub use presented::credential_digest;
pub use recorded::{ProvenBy, Recorded, RecordedAttestation, RecordedGrant};
pub use task_end::{EndedTask, TASK_END_PATH};

/// Where callers fetch a challenge before they are asked for one.
pub const CHALLENGE_PATH: &str = "/.well-known/stepgate/challenge";

/// What a case is judged by; it does not change while the case is open.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    pub policy: &'a Policy,
    pub keyring: &'a Keyring,
    pub challenges: &'a ChallengeKeys,
}

/// The moment of a step: what time it is, and what is revoked.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'m> {
    pub now: UnixTime,
    pub revoked: &'m Revocations,
}

#[derive(Debug)]
pub struct Case<'a> {
    ground: Ground<'a>,
    facts: &'a RequestFacts,
    known: Known,
    /// What it was told instead of asking, where it is decided again.
    recorded: Option<&'a Recorded>,
    /// Whether all is decided, and what is asked for is only for what is watched.
    watching: bool,
    /// Whether that could not be had.
    watching_failed: bool,
    // What does not change while the case is open is found out once.
    /// Who calls, and what the call is, once that is known.
    settled: Option<Findings>,
    touched: OnceCell<Vec<Taken<'a>>>,
    sighting: OnceCell<Arc<Sighting>>,
    presented: OnceCell<Result<Option<presented::Presented<'a>>, Reason>>,
}

/// How far a case came.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it lives on the stack for a moment, and a box would cost every call")]
pub enum Step<'a> {
    Needs(Need<'a>),
    Decided(Decision),
}

/// What a case was told so far.
#[derive(Debug, Default)]
struct Known {
    certificate: Option<CertificateReading>,
    bearer: Option<Result<Arc<Verified>, TokenFault>>,
    familiarity: Option<Familiarity>,
    attestations: Vec<(AttestationId, Result<Arc<Verified>, TokenFault>)>,
    /// Each with its kind and the key that was expected of it.
    proofs: Vec<(ProofKind, Thumbprint, Signed)>,
    spent: Vec<(Thumbprint, Spent)>,
    renewal: Option<Renewal>,
    allowance: Option<Allowance>,
    grants: Vec<(GrantSource, Vec<Arc<Grant>>)>,
    ended: Option<Result<(), NotShared>>,
    unavailable: Option<Unavailable>,
}

/// Why a step ends before its end.
#[derive(Debug)]
enum Halt<'a> {
    Needs(Need<'a>),
    Refused(Reason),
}

type Progress<'a, T> = Result<T, Halt<'a>>;

impl<'a> Ground<'a> {
    /// Those of these issuers that the policy knows, with the keys that they have now.
    pub fn trusted(self, issuers: &'a [IssuerId]) -> impl Iterator<Item = Trusted<'a>> {
        issuers
            .iter()
            .filter_map(move |id| Some(Trusted { issuer: self.policy.issuer(*id)?, keys: self.keyring.of(*id) }))
    }
}

impl<'a> Case<'a> {
    pub fn open(ground: Ground<'a>, facts: &'a RequestFacts) -> Self {
        Self {
            ground,
            facts,
            known: Known::default(),
            recorded: None,
            watching: false,
            watching_failed: false,
            settled: None,
            touched: OnceCell::new(),
            sighting: OnceCell::new(),
            presented: OnceCell::new(),
        }
    }

    /// Goes as far as it can with what is known.
    pub fn step(&mut self, moment: Moment<'_>) -> Step<'a> {
        let mut findings = self.settled.take().unwrap_or_default();
        let judged = self.judge(moment, &mut findings);
        let outcome = match judged.and_then(|outcome| self.guard_loops(outcome, &mut findings)) {
            Ok(outcome) => outcome,
            Err(Halt::Refused(reason)) => Outcome::Deny(reason),
            Err(Halt::Needs(need)) => {
                self.settled = findings.settled();
                return Step::Needs(need);
            }
        };
        let Findings { classification, caller, attestation, grant, earned, .. } = &mut findings;
        let shadow = match (classification, caller) {
            (Some(classification), Some(caller)) => {
                let mut found = Found { attestation, grant, earned };
                self.watched(&outcome, classification, caller, moment, &mut found)
            }
            _ => Ok(None),
        };
        match shadow {
            Ok(shadow) => Step::Decided(Decision { outcome, shadow, findings }.under(self.ground.policy.mode)),
            Err(need) => {
                self.watching = true;
                self.settled = findings.settled();
                Step::Needs(need)
            }
        }
    }

    pub fn supply(&mut self, answer: Answer) {
        match answer {
            Answer::Certificate(reading) => self.known.certificate = Some(reading),
            Answer::Bearer(result) => self.known.bearer = Some(result),
            Answer::Familiarity(familiarity) => self.known.familiarity = Some(familiarity),
            Answer::Attestation(id, result) => self.known.attestations.push((id, result)),
            Answer::Keys(renewal) => self.known.renewal = Some(renewal),
            Answer::Proof(kind, key, result) => self.known.proofs.push((kind, key, result)),
            Answer::Spent(key, spent) => self.known.spent.push((key, spent)),
            Answer::Challenge(allowance) => self.known.allowance = Some(allowance),
            Answer::Grants(from, grants) => self.known.grants.push((from, grants)),
            Answer::TaskEnded(ended) => self.known.ended = Some(ended),
            Answer::Unavailable(_) if self.watching => self.watching_failed = true,
            Answer::Unavailable(what) => self.known.unavailable = Some(what),
        }
    }

    /// The straight line.
    fn judge(&self, moment: Moment<'_>, findings: &mut Findings) -> Progress<'a, Outcome> {
        if let Some(what) = self.known.unavailable {
            *findings = Findings::default();
            return Err(Halt::Refused(Reason::Unavailable(what)));
        }
        self.settle(moment.now, findings)?;
        let Findings { caller: Some(caller), classification: Some(classification), attestation, grant, earned, .. } =
            findings
        else {
            return refuse(Reason::Unavailable(Unavailable::Policy));
        };
        let mut found = Found { attestation, grant, earned };
        Self::check_standing(caller, moment)?;
        let token_proof = self.prove_token(caller, moment)?;
        if self.asks_for_challenge() {
            self.spend_token_proof(&token_proof, Reach::Process)?;
            return challenge(caller);
        }
        if self.ends_task() {
            return self.end_task(caller, &token_proof, moment, &mut found);
        }
        self.admit(caller, classification)?;
        let evidence = match classification.requirement {
            Requirement::Assurance(_) if self.facts.layer == Layer::Network => return refuse(Reason::Unanswerable),
            Requirement::Assurance(level) => {
                self.attest(level, caller, classification, moment, Use::Spend, &mut found)?
            }
            Requirement::Nothing | Requirement::Refusal(_) => Evidence::NotAsked { proven: token_proof.is_given() },
        };
        self.spend_token_proof(&token_proof, self.reach_of(&classification.requirement))?;
        Ok(decide(&classification.requirement, evidence))
    }

    /// Finds out who calls, and what the call is. No later answer changes it, so that it is found once.
    fn settle(&self, now: UnixTime, findings: &mut Findings) -> Progress<'a, ()> {
        if findings.are_settled() {
            return Ok(());
        }
        let policy = self.ground.policy;
        findings.scheme = self.scheme();
        let authenticated = self.authenticate(now);
        if let Err(Halt::Needs(need)) = authenticated {
            return Err(Halt::Needs(need));
        }
        let touched = self.touched.get_or_init(|| policy.touch(self.facts));
        let caller = match authenticated {
            Ok(caller) => caller,
            Err(refused) => {
                // Also of a caller who is nobody: the log says what was touched.
                findings.classification = policy.classify(touched, self.facts, &Subject::default());
                return Err(refused);
            }
        };
        let caller = findings.caller.insert(caller).clone();
        let profile = self.profile(&caller);
        findings.identity = profile.identity.map(|(id, _)| id);
        findings.unusual = self.unusual(&caller, &profile, touched, now, findings)?;
        findings.classification = policy.classify(touched, self.facts, &findings.subject(policy));
        profile.admit()
    }

    /// What holds before evidence is looked at, for every route that a reading of the request takes: a form that is not
    /// refused, a principal, a route that takes it, its scopes.
    fn admit(&self, caller: &Caller, classification: &Classification) -> Progress<'a, ()> {
        if self.ground.policy.refuse_ambiguous && self.facts.path.is_ambiguous() {
            return refuse(Reason::Request(Malformed::Path(PathFault::Ambiguous)));
        }
        let routes = || classification.touched().map(|id| id.and_then(|id| self.ground.policy.routes.get(id)));
        if caller.principal.is_none() && !routes().all(|route| route.is_some_and(|route| route.anonymous)) {
            return refuse(Reason::CredentialMissing);
        }
        if matches!(classification.requirement, Requirement::Refusal(_)) {
            return Ok(());
        }
        let hinted = &self.facts.hints.scopes;
        routes().try_for_each(|route| match route {
            None if self.ground.policy.unmatched == Unmatched::Deny => refuse(Reason::UnmatchedRoute),
            None if !caller.is_granted(hinted) => refuse(Reason::InsufficientScope),
            Some(Route { scopes, enforce_scopes: true, .. })
                if !caller.is_granted(scopes) || !caller.is_granted(hinted) =>
            {
                refuse(Reason::InsufficientScope)
            }
            _ => Ok(()),
        })
    }

    /// The issuer that signed a token, if it still stands by it. What nobody can tell without its keys is no fault.
    fn signer(
        &self,
        verified: &Verified,
        kind: TokenKind,
        issuers: &'a [IssuerId],
    ) -> Progress<'a, Result<&'a Issuer, TokenFault>> {
        match verified.still_holds(kind, self.ground.trusted(issuers)) {
            Ok(issuer) => Ok(Ok(issuer)),
            Err(Unverified::Fault(fault)) => Ok(Err(fault)),
            Err(Unverified::KeysAway) => refuse(Reason::Unavailable(Unavailable::Keys)),
        }
    }

    /// Before a token is refused for a key that nobody knows, its issuers are looked at once for newer ones; not for what is
    /// only watched, since such a case has spent its proof and can't be opened anew.
    fn look_for_newer_keys(&self, fault: TokenFault, issuers: &'a [IssuerId]) -> Progress<'a, ()> {
        let worth_a_look = fault == TokenFault::Key && self.known.renewal.is_none() && !self.watching;
        if worth_a_look { Err(Halt::Needs(Need::Keys(issuers))) } else { Ok(()) }
    }

    /// Who counts the proofs of this call together.
    fn reach_of(&self, requirement: &Requirement) -> Reach {
        match requirement {
            Requirement::Assurance(id) => self.ground.policy.level(*id).map_or(Reach::Process, Assurance::reach),
            Requirement::Nothing | Requirement::Refusal(_) => Reach::Process,
        }
    }

    fn asks_for_challenge(&self) -> bool {
        self.facts.method.as_str() == "POST" && self.facts.path.canonical() == CHALLENGE_PATH
    }
}

fn challenge<'a>(caller: &Caller) -> Progress<'a, Outcome> {
    if caller.principal.is_some() { Ok(Outcome::Challenge) } else { refuse(Reason::CredentialMissing) }
}

/// The origin that proofs for this request are made for: never what a caller can choose. Where the policy says none, it is
/// the host, if a route names that very host; a proof for any other could have been made for another service.
pub fn origin<'a>(policy: &'a Policy, facts: &RequestFacts) -> Option<Cow<'a, Origin>> {
    match &policy.resource {
        Some(origin) => Some(Cow::Borrowed(origin)),
        None => policy.routes.names_host(&facts.host).then(|| Cow::Owned(Origin::of_host(&facts.host))),
    }
}

fn refuse<'a, T>(reason: Reason) -> Progress<'a, T> {
    Err(Halt::Refused(reason))
}

#[cfg(test)]
pub(crate) mod tests;
