//! What would be decided if the rules that are only watched counted. It looks at evidence and spends none of it, and
//! whatever it finds changes nothing but what is logged and counted.

use super::evidence::Use;
use super::{Case, Halt, Need};
use crate::decision::{Attested, Evidence, Outcome, decide};
use crate::identity::Caller;
use crate::policy::{Classification, Requirement};
use crate::reason::Reason;
use crate::request::Layer;
use crate::time::UnixTime;

impl<'a> Case<'a> {
    /// Nothing where no such rule matched.
    pub(super) fn watched(
        &self,
        outcome: &Outcome,
        classification: &Classification,
        caller: &Caller,
        now: UnixTime,
        found: &mut Option<Attested>,
    ) -> Result<Option<Outcome>, Need<'a>> {
        if classification.shadow_rules.is_empty() {
            return Ok(None);
        }
        let stands = matches!(outcome, Outcome::Deny(_) | Outcome::Challenge);
        if stands || classification.shadow_requirement <= classification.requirement {
            return Ok(Some(outcome.clone()));
        }
        let mut looked_at = None;
        let evidence = match classification.shadow_requirement {
            Requirement::Assurance(_) if self.facts.layer == Layer::Network => {
                return Ok(Some(Outcome::Deny(Reason::Unanswerable)));
            }
            Requirement::Assurance(level) if !self.watching_failed => {
                match self.attest(level, caller, classification, now, Use::LookOnly, &mut looked_at) {
                    Ok(evidence) => evidence,
                    Err(Halt::Needs(need)) => return Err(need),
                    Err(Halt::Refused(reason)) => return Ok(Some(Outcome::Deny(reason))),
                }
            }
            _ => Evidence::NotAsked { proven: false },
        };
        // What was asked for comes first.
        if found.is_none() {
            *found = looked_at;
        }
        Ok(Some(decide(&classification.shadow_requirement, evidence)))
    }
}
