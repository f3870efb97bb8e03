//! The bundles of all trust domains that an agent tells of, as one set in which each speaks for its own workloads only.

use crate::attestation::KeySet;
use crate::attestation::keys::KeySetError;
use crate::identity::TrustDomain;
use crate::keys::error::KeyError;
use crate::keys::follow::Fetched;
use std::collections::{BTreeMap, HashMap};

/// The last good bundle of each trust domain.
#[derive(Debug, Default)]
pub(super) struct Bundles(BTreeMap<TrustDomain, KeySet>);

/// More than anybody federates with.
const MAX_DOMAINS: usize = 64;

impl Bundles {
    /// Takes what the agent says now: a domain that it leaves out, or that has no keys, is gone. A bundle that can't be
    /// taken leaves its domain's last good one, and touches no other's: one partner must not keep all others' keys old.
    pub(super) fn take(&mut self, told: HashMap<String, Vec<u8>>) -> Fetched {
        if told.len() > MAX_DOMAINS {
            return Err(KeyError::TooManyDomains(MAX_DOMAINS));
        }
        let mut next = BTreeMap::new();
        for (id, jwks) in told {
            let Some(domain) = id.strip_prefix("spiffe://").and_then(|name| TrustDomain::parse(name).ok()) else {
                tracing::warn!("the agent tells of a trust domain whose name is none");
                continue;
            };
            match KeySet::parse(&jwks) {
                Ok(keys) => drop(next.insert(domain, keys)),
                Err(KeySetError::Empty) => {}
                Err(why) => {
                    tracing::warn!(trust_domain = %domain, "the bundle can't be taken, the last good one stays: {why}");
                    next.extend(self.0.remove_entry(&domain));
                }
            }
        }
        if next.is_empty() {
            return Err(KeySetError::Empty.into());
        }
        self.0 = next;
        Ok(Some(KeySet::of_trust_domains(&self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attestation::Algorithm;

    const ONE: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"KID"}"#;

    fn set(kid: &str) -> Vec<u8> {
        format!(r#"{{"keys":[{}]}}"#, ONE.replace("KID", kid)).into_bytes()
    }

    fn told(bundles: &[(&str, Vec<u8>)]) -> HashMap<String, Vec<u8>> {
        bundles.iter().map(|(id, jwks)| ((*id).to_owned(), jwks.clone())).collect()
    }

    fn knows(keys: &KeySet, kid: &str, domain: &str) -> bool {
        keys.find(Some(kid), Algorithm::EdDsa, Some(&format!("spiffe://{domain}/web"))).is_some()
    }

    #[test]
    fn a_domain_that_is_left_out_is_gone() {
        let mut bundles = Bundles::default();
        let both = told(&[("spiffe://one.example", set("a")), ("spiffe://two.example", set("b"))]);
        let keys = bundles.take(both).unwrap().unwrap();
        assert!(knows(&keys, "a", "one.example") && knows(&keys, "b", "two.example"));
        assert!(!knows(&keys, "b", "one.example"));
        let keys = bundles.take(told(&[("spiffe://one.example", set("a"))])).unwrap().unwrap();
        assert!(knows(&keys, "a", "one.example") && !knows(&keys, "b", "two.example"));
    }

    #[test]
    fn a_bad_bundle_leaves_its_last_good_one_and_touches_no_other() {
        let mut bundles = Bundles::default();
        bundles.take(told(&[("spiffe://one.example", set("a")), ("spiffe://two.example", set("b"))])).unwrap();
        let bad = told(&[("spiffe://one.example", set("c")), ("spiffe://two.example", b"{".to_vec())]);
        let keys = bundles.take(bad).unwrap().unwrap();
        assert!(knows(&keys, "c", "one.example") && !knows(&keys, "a", "one.example"));
        assert!(knows(&keys, "b", "two.example"));
    }

    #[test]
    fn nothing_at_all_is_no_bundle() {
        let mut bundles = Bundles::default();
        assert!(bundles.take(told(&[])).is_err());
        assert!(bundles.take(told(&[("spiffe://one.example", br#"{"keys":[]}"#.to_vec())])).is_err());
        assert!(bundles.take(told(&[("one.example", set("a")), ("spiffe://one.example/web", set("a"))])).is_err());
    }

    #[test]
    fn an_agent_can_not_fill_the_memory() {
        let many: Vec<_> = (0..=MAX_DOMAINS).map(|index| (format!("spiffe://d{index}.example"), set("a"))).collect();
        assert!(Bundles::default().take(many.into_iter().collect()).is_err());
    }
}
