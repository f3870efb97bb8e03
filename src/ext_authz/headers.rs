//! The headers that stepgate owns on a request to the upstream, and those that it takes off.

use crate::policy::{Attestation, Policy};
use crate::request::Headers;

pub const DECISION: &str = "x-stepgate-decision";
pub const DECISION_ID: &str = "x-stepgate-decision-id";
pub const PRINCIPAL: &str = "x-stepgate-principal";
pub const ROUTE: &str = "x-stepgate-route";
pub const ASSURANCE: &str = "x-stepgate-assurance";
pub const TASK: &str = "x-stepgate-task";

/// All that stepgate may set. What it does not set on a request, it takes off.
pub const OWN: [&str; 6] = [DECISION, DECISION_ID, PRINCIPAL, ROUTE, ASSURANCE, TASK];
/// Whatever begins like this is ours, and forged if the client sent it.
const OWN_PREFIX: &str = "x-stepgate-";

/// The challenge, as draft-ietf-oauth-attestation-based-client-auth names it on a response.
pub const CHALLENGE: &str = "oauth-client-attestation-challenge";
/// The same challenge, as RFC 9449 §8 names it.
pub const DPOP_NONCE: &str = "dpop-nonce";

/// What a client sent that only we may say, and that we don't know: what we know is set or taken off anyhow.
pub fn forged(sent: &Headers) -> impl Iterator<Item = &str> {
    sent.names().filter(|name| is_like_ours(name) && !OWN.contains(name))
}

/// Envoy lets underscores in names pass, and servers that know headers as CGI does (RFC 3875 §4.1.18) take them for hyphens.
fn is_like_ours(name: &str) -> bool {
    let begins = name.bytes().map(|byte| if byte == b'_' { b'-' } else { byte }).take(OWN_PREFIX.len());
    begins.eq(OWN_PREFIX.bytes())
}

/// Attestations and proofs, which are nobody's business further on; unless the policy forwards them.
pub fn evidence(policy: &Policy) -> impl Iterator<Item = &str> {
    let headers_of = |forward: bool| {
        let named = policy.attestations.iter().filter(move |attestation| attestation.forward == forward);
        named.flat_map(Attestation::headers)
    };
    let mut names: Vec<_> = headers_of(false).filter(|name| !headers_of(true).any(|kept| kept == *name)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}

/// The schemes of `authorization` under which a proof comes that is nobody's business further on.
pub fn proof_schemes(policy: &Policy) -> impl Iterator<Item = &'static str> {
    let taken_off = policy.attestations.iter().filter(|attestation| !attestation.forward);
    taken_off.flat_map(Attestation::key_proofs).filter_map(|kind| kind.scheme())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_could_take_for_ours_is_forged() {
        let sent =
            ["x-stepgate-other", "x_stepgate_principal", "x-stepgate_decision", "x_stepgate-a", "x-stepgate-task"];
        let others = ["x-stepgates", "x-stepgate", "stepgate-principal", "_x-stepgate-a"];
        let all = sent.iter().chain(&others).map(|name| ((*name).to_owned(), "1".to_owned()));
        let headers = Headers::joined(all.collect());
        let mut forged: Vec<_> = forged(&headers).collect();
        forged.sort_unstable();
        // The one that we know is set or taken off anyhow.
        assert_eq!(forged, ["x-stepgate-other", "x-stepgate_decision", "x_stepgate-a", "x_stepgate_principal"]);
    }
}
