//! What can have happened (CAEP 1.0 §3, SSF 1.0 §8.1.4), and whether it ends what was issued before it.

use crate::attestation::json::Object;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventType {
    SessionRevoked,
    TokenClaimsChange,
    CredentialChange,
    AssuranceLevelChange,
    DeviceComplianceChange,
    RiskLevelChange,
    /// Somebody tries whether events arrive.
    Verification,
    /// Of another specification, by its URI.
    Other(Box<str>),
}

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";
/// Longer than any that is registered, and short enough for a line of a log.
const MAX_URI_BYTES: usize = 256;

impl EventType {
    const OF_CAEP: [Self; 6] = [
        Self::SessionRevoked,
        Self::TokenClaimsChange,
        Self::CredentialChange,
        Self::AssuranceLevelChange,
        Self::DeviceComplianceChange,
        Self::RiskLevelChange,
    ];

    /// By its URI; nothing where that is none.
    pub fn parse(uri: &str) -> Option<Self> {
        let named = |base: &str, known: &[Self]| {
            let word = uri.strip_prefix(base)?;
            known.iter().find(|kind| kind.as_str() == word).cloned()
        };
        let known = named(CAEP, &Self::OF_CAEP).or_else(|| named(SSF, &[Self::Verification]));
        let is_uri = (1..=MAX_URI_BYTES).contains(&uri.len()) && uri.bytes().all(|byte| byte.is_ascii_graphic());
        known.or_else(|| is_uri.then(|| Self::Other(uri.into())))
    }

    /// The last word of its URI, or all of it where it is not known.
    pub fn as_str(&self) -> &str {
        match self {
            Self::SessionRevoked => "session-revoked",
            Self::TokenClaimsChange => "token-claims-change",
            Self::CredentialChange => "credential-change",
            Self::AssuranceLevelChange => "assurance-level-change",
            Self::DeviceComplianceChange => "device-compliance-change",
            Self::RiskLevelChange => "risk-level-change",
            Self::Verification => "verification",
            Self::Other(uri) => uri,
        }
    }

    /// Whether it got worse. Only what says that it did not is believed to have got better.
    pub(super) fn revokes(&self, payload: &Object) -> bool {
        let says = |name: &str, harmless: &[&str]| {
            let word = payload.get(name).and_then(Value::as_str);
            word.is_some_and(|word| harmless.contains(&word))
        };
        match self {
            Self::SessionRevoked | Self::TokenClaimsChange => true,
            Self::CredentialChange => !says("change_type", &["create", "update"]),
            Self::AssuranceLevelChange => !says("change_direction", &["increase"]),
            Self::DeviceComplianceChange => !says("current_status", &["compliant"]),
            Self::RiskLevelChange => !says("current_level", &["LOW", "MEDIUM"]),
            // Nobody can say what another specification means; its name is in the log.
            Self::Verification | Self::Other(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn revokes(word: &str, payload: &Value) -> bool {
        let kind = EventType::parse(&format!("{CAEP}{word}")).unwrap();
        assert_eq!(kind.as_str(), word);
        kind.revokes(payload.as_object().unwrap())
    }

    #[rstest]
    #[case::created("credential-change", json!({ "change_type": "create" }))]
    #[case::updated("credential-change", json!({ "change_type": "update" }))]
    #[case::increased("assurance-level-change", json!({ "change_direction": "increase" }))]
    #[case::compliant("device-compliance-change", json!({ "current_status": "compliant" }))]
    #[case::low("risk-level-change", json!({ "current_level": "LOW" }))]
    #[case::medium("risk-level-change", json!({ "current_level": "MEDIUM", "previous_level": "LOW" }))]
    fn what_makes_things_better_revokes_nothing(#[case] word: &str, #[case] payload: Value) {
        assert!(!revokes(word, &payload));
    }

    #[rstest]
    #[case::session("session-revoked", json!({}))]
    #[case::claims("token-claims-change", json!({ "claims": {} }))]
    #[case::revoked("credential-change", json!({ "change_type": "revoke" }))]
    #[case::deleted("credential-change", json!({ "change_type": "delete" }))]
    #[case::changed_somehow("credential-change", json!({}))]
    #[case::changed_otherwise("credential-change", json!({ "change_type": "rotate" }))]
    #[case::changed_in_capitals("credential-change", json!({ "change_type": "CREATE" }))]
    #[case::changed_twice("credential-change", json!({ "change_type": ["create", "delete"] }))]
    #[case::decreased("assurance-level-change", json!({ "change_direction": "decrease" }))]
    #[case::of_no_direction("assurance-level-change", json!({ "current_level": "hi-res-scan" }))]
    #[case::not_compliant("device-compliance-change", json!({ "current_status": "not-compliant" }))]
    #[case::was_compliant("device-compliance-change", json!({ "previous_status": "compliant" }))]
    #[case::high("risk-level-change", json!({ "current_level": "HIGH" }))]
    #[case::was_low("risk-level-change", json!({ "previous_level": "LOW" }))]
    #[case::of_another_scale("risk-level-change", json!({ "current_level": "low" }))]
    #[case::as_a_number("risk-level-change", json!({ "current_level": 1 }))]
    fn what_makes_them_worse_or_does_not_say_revokes(#[case] word: &str, #[case] payload: Value) {
        assert!(revokes(word, &payload));
    }

    #[rstest]
    #[case("https://schemas.openid.net/secevent/caep/event-type/session-established")]
    #[case("https://schemas.openid.net/secevent/caep/event-type/session-revoked/")]
    #[case("https://schemas.openid.net/secevent/ssf/event-type/session-revoked")]
    #[case("https://schemas.openid.net/secevent/risc/event-type/account-disabled")]
    #[case("urn:ietf:params:scim:event:create")]
    fn what_is_not_known_is_named_and_revokes_nothing(#[case] uri: &str) {
        let kind = EventType::parse(uri).unwrap();
        assert_eq!(kind, EventType::Other(uri.into()));
        assert!(kind.as_str() == uri && !kind.revokes(&Object::new()));
    }

    #[test]
    fn what_is_no_uri_is_no_event() {
        for text in ["", "two words", "line\nbreak", "caf\u{e9}", &"x".repeat(257)] {
            assert_eq!(EventType::parse(text), None, "{text:?}");
        }
    }
}
