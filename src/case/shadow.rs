//! What would be decided if the rules that are only watched counted. It looks at evidence and spends none of it, and
//! whatever it finds changes nothing but what is logged and counted.

use super::evidence::{Found, Use};
use super::{Case, Halt, Moment, Need};
use crate::decision::{Evidence, Outcome, decide};
use crate::identity::Caller;
use crate::policy::{Classification, Requirement};
use crate::reason::Reason;
use crate::request::Layer;

impl<'a> Case<'a> {
    /// Nothing where no such rule matched.
    pub(super) fn watched(
        &self,
        outcome: &Outcome,
        classification: &Classification,
        caller: &Caller,
        moment: Moment<'_>,
        found: &mut Found<'_>,
    ) -> Result<Option<Outcome>, Need<'a>> {
        if classification.shadow_rules.is_empty() {
            return Ok(None);
        }
        let stands = matches!(outcome, Outcome::Deny(_) | Outcome::Challenge | Outcome::TaskEnded);
        if stands || classification.shadow_requirement <= classification.requirement {
            return Ok(Some(outcome.clone()));
        }
        let (mut looked_at, mut granted, mut earned) = (None, None, None);
        let evidence = match classification.shadow_requirement {
            Requirement::Assurance(_) if self.facts.layer == Layer::Network => {
                return Ok(Some(Outcome::Deny(Reason::Unanswerable)));
            }
            Requirement::Assurance(level) if !self.watching_failed => {
                let mut looked_at = Found { attestation: &mut looked_at, grant: &mut granted, earned: &mut earned };
                match self.attest(level, caller, classification, moment, Use::LookOnly, &mut looked_at) {
                    Ok(evidence) => evidence,
                    Err(Halt::Needs(need)) => return Err(need),
                    Err(Halt::Refused(reason)) => return Ok(Some(Outcome::Deny(reason))),
                }
            }
            _ => Evidence::NotAsked { proven: false },
        };
        // What was asked for comes first.
        if found.attestation.is_none() {
            *found.attestation = looked_at;
        }
        Ok(Some(decide(&classification.shadow_requirement, evidence)))
    }
}
