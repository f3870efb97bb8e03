//! EAT Attestation Results (draft-ietf-rats-ear-04): how a verifier of hardware judged what runs there.
//!
//! Only the verifier's verdicts are read: which vector, policy or evidence led to them is for whoever audits it. Words are
//! those of the draft, or of Project Veraison, which writes dots where the draft now has underscores.

use super::TokenFault;
use super::json::Object;
use serde_json::Value;

/// How far an attester is trusted (draft-ietf-rats-ar4si §3.2), from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    Contraindicated,
    /// Nothing is said of it, and so nothing good.
    None,
    Warning,
    Affirming,
}

/// What a verifier made of all the attesters together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Results {
    lowest: Tier,
}

/// The values of `eat_profile` whose claims are known to mean what is read here (draft-ietf-rats-ear-04 §3 and its
/// predecessors, Veraison and Trustee). Another profile may give the same words another meaning.
const PROFILES: [&str; 5] = [
    "tag:ietf.org,2026:rats/ear#04",
    "tag:ietf.org,2026:rats/ear#03",
    "tag:ietf.org,2025-07:ear",
    "tag:github.com,2023:veraison/ear",
    "tag:github.com,2024:confidential-containers/Trustee",
];
/// More attesters than a machine with its accelerators and switches has.
const MAX_SUBMODULES: usize = 64;
/// The status in the draft's spelling, and in Veraison's.
const STATUS: [&str; 2] = ["ear_status", "ear.status"];

impl Tier {
    pub const ALL: [Self; 4] = [Self::Contraindicated, Self::None, Self::Warning, Self::Affirming];

    /// As JSON has it: the word, or the number that CBOR has.
    pub fn parse(value: &Value) -> Option<Self> {
        match value {
            Value::String(word) => Self::ALL.into_iter().find(|tier| tier.as_str() == word),
            Value::Number(number) => Self::from_number(number.as_u64()?),
            _ => None,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contraindicated => "contraindicated",
            Self::None => "none",
            Self::Warning => "warning",
            Self::Affirming => "affirming",
        }
    }

    const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::None),
            2 => Some(Self::Affirming),
            32 => Some(Self::Warning),
            96 => Some(Self::Contraindicated),
            _ => None,
        }
    }

    /// Whether it is at least as good as asked. Nothing worse than a warning ever is, whatever was asked.
    pub fn meets(self, at_least: Self) -> bool {
        self >= at_least.max(Self::Warning)
    }
}

impl Results {
    /// The worst of all verdicts.
    pub const fn lowest(self) -> Tier {
        self.lowest
    }

    pub fn meets(self, at_least: Tier) -> bool {
        self.lowest.meets(at_least)
    }

    /// Whether the verifier warns of any attester, which is more than not to vouch for it.
    pub fn is_contraindicated(self) -> bool {
        self.lowest == Tier::Contraindicated
    }
}

/// Reads the verdict on every attester, of which there must be one. An overall one can only make it worse, as the draft
/// wants of whoever writes it.
pub fn read(payload: &Object) -> Result<Results, TokenFault> {
    check_profile(payload)?;
    check_dates(payload)?;
    let Some(Value::Object(submodules)) = payload.get("submods") else {
        return Err(TokenFault::Malformed);
    };
    if submodules.len() > MAX_SUBMODULES {
        return Err(TokenFault::Malformed);
    }
    let tiers: Vec<_> = submodules.values().map(submodule).collect::<Result<_, _>>()?;
    let overall = status(payload)?;
    let lowest = tiers.into_iter().min().ok_or(TokenFault::Malformed)?;
    Ok(Results { lowest: overall.map_or(lowest, |overall| overall.min(lowest)) })
}

/// Whether a statement says that it is one of these, whatever its `typ`.
pub fn is_results(payload: &Object) -> bool {
    check_profile(payload).is_ok()
}

/// An unknown profile is another kind of statement (RFC 9711 §6).
fn check_profile(payload: &Object) -> Result<(), TokenFault> {
    match payload.get("eat_profile") {
        Some(Value::String(profile)) if PROFILES.contains(&profile.as_str()) => Ok(()),
        Some(Value::String(_)) => Err(TokenFault::Type),
        _ => Err(TokenFault::Malformed),
    }
}

/// RFC 9711 §4.3.1, draft-ietf-rats-ear-04 §3: dates have no fraction, and a recipient must refuse one that has.
fn check_dates(payload: &Object) -> Result<(), TokenFault> {
    let whole = |name| payload.get(name).is_none_or(Value::is_u64);
    if whole("iat") && whole("exp") { Ok(()) } else { Err(TokenFault::Malformed) }
}

/// An appraisal has no attesters within itself: their verdicts would go unread.
fn submodule(value: &Value) -> Result<Tier, TokenFault> {
    let Value::Object(appraisal) = value else {
        return Err(TokenFault::Malformed);
    };
    if appraisal.contains_key("submods") {
        return Err(TokenFault::Malformed);
    }
    status(appraisal)?.ok_or(TokenFault::Malformed)
}

/// The status in either spelling; in both, it must be the same.
fn status(claims: &Object) -> Result<Option<Tier>, TokenFault> {
    let read = |name| claims.get(name).map(|value| Tier::parse(value).ok_or(TokenFault::Malformed)).transpose();
    let [own, dotted] = STATUS.map(read);
    match (own?, dotted?) {
        (Some(own), Some(dotted)) if own != dotted => Err(TokenFault::Malformed),
        (own, dotted) => Ok(own.or(dotted)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn of(payload: &str) -> Result<Tier, TokenFault> {
        read(&json::object(payload.as_bytes()).unwrap()).map(Results::lowest)
    }

    fn with(rest: &str) -> String {
        format!(r#"{{"eat_profile":"tag:ietf.org,2026:rats/ear#04",{rest}}}"#)
    }

    /// draft-ietf-rats-ear-03 §3.2.1: one attester with unauthorized code in its memory.
    const CONTRAINDICATED: &str = r#"{
        "eat_profile": "tag:ietf.org,2026:rats/ear#03", "iat": 1666529184,
        "ear_verifier_id": { "developer": "https://veraison-project.org", "build": "vts 0.0.1" },
        "ear_raw_evidence": "NzQ3MjY5NzM2NTYzNzQK",
        "submods": { "PSA": {
            "ear_status": "contraindicated",
            "ear_trustworthiness_vector": { "instance-identity": 2, "executables": 96, "hardware": 2 },
            "ear_appraisal_policy_ids": [ "https://veraison.example/policy/1/60a0068d" ] } } }"#;
    /// draft-ietf-rats-ear-03 §3.2.1: a platform and the realm in it.
    const COMPOSITE: &str = r#"{
        "eat_profile": "tag:ietf.org,2026:rats/ear#03", "iat": 1666529300,
        "ear_verifier_id": { "developer": "https://veraison-project.org", "build": "vts 0.0.1" },
        "ear_raw_evidence": "NzQ3MjY5NzM2NTYzNzQKNzQ3MjY5NzM2NTYzNzQK",
        "submods": {
            "CCA Platform": { "ear_status": "affirming",
                "ear_trustworthiness_vector": { "instance-identity": 2, "executables": 2, "hardware": 2 } },
            "CCA Realm": { "ear_status": "affirming",
                "ear_trustworthiness_vector": { "instance-identity": 2 } } } }"#;
    /// As Veraison's verifier signs it.
    const VERAISON: &str = r#"{
        "ear.verifier-id": { "build": "N/A", "developer": "Veraison Project" },
        "eat_nonce": "jcw5yPcdEW_JM_QrRekL18i5FFjBFr2o-_txjW_AGO0=",
        "eat_profile": "tag:github.com,2023:veraison/ear", "iat": 1782598790,
        "submods": { "TPM_ENACTTRUST": { "ear.status": "warning", "ear.appraisal-policy-id": "policy:TPM_ENACTTRUST" } } }"#;

    #[rstest]
    #[case(CONTRAINDICATED, Tier::Contraindicated)]
    #[case(COMPOSITE, Tier::Affirming)]
    #[case(VERAISON, Tier::Warning)]
    fn the_examples_are_read(#[case] payload: &str, #[case] lowest: Tier) {
        assert_eq!(of(payload), Ok(lowest));
    }

    #[rstest]
    #[case(r#""affirming""#, Tier::Affirming)]
    #[case("2", Tier::Affirming)]
    #[case(r#""warning""#, Tier::Warning)]
    #[case("32", Tier::Warning)]
    #[case(r#""none""#, Tier::None)]
    #[case("0", Tier::None)]
    #[case(r#""contraindicated""#, Tier::Contraindicated)]
    #[case("96", Tier::Contraindicated)]
    fn a_tier_is_its_word_or_its_number(#[case] status: &str, #[case] tier: Tier) {
        assert_eq!(of(&with(&format!(r#""submods":{{"a":{{"ear_status":{status}}}}}"#))), Ok(tier));
        assert_eq!(
            of(&with(&format!(r#""submods":{{"a":{{"ear.status":{status},"ear_status":{status}}}}}"#))),
            Ok(tier)
        );
    }

    #[rstest]
    #[case::none_at_all("{}")]
    #[case::empty(r#"{"submods":{}}"#)]
    #[case::a_list(r#"{"submods":[{"ear_status":"affirming"}]}"#)]
    #[case::a_nested_token(r#"{"submods":{"a":"eyJ.eyJ.c2ln"}}"#)]
    #[case::no_status(r#"{"submods":{"a":{"ear_status":"affirming"},"b":{}}}"#)]
    #[case::an_overall_status_alone(r#"{"ear_status":"affirming","submods":{"a":{}}}"#)]
    #[case::null(r#"{"submods":{"a":{"ear_status":null}}}"#)]
    #[case::an_unknown_word(r#"{"submods":{"a":{"ear_status":"Affirming"}}}"#)]
    #[case::a_number_in_words(r#"{"submods":{"a":{"ear_status":"2"}}}"#)]
    #[case::a_number_between(r#"{"submods":{"a":{"ear_status":3}}}"#)]
    #[case::a_fraction(r#"{"submods":{"a":{"ear_status":2.0}}}"#)]
    #[case::a_negative(r#"{"submods":{"a":{"ear_status":-1}}}"#)]
    #[case::true_is_no_tier(r#"{"submods":{"a":{"ear_status":true}}}"#)]
    #[case::two_verdicts(r#"{"submods":{"a":{"ear_status":"affirming","ear.status":"warning"}}}"#)]
    #[case::an_unknown_one_beside(r#"{"submods":{"a":{"ear_status":"affirming","ear.status":"good"}}}"#)]
    #[case::a_hidden_attester(r#"{"submods":{"a":{"ear_status":2,"submods":{"b":{"ear_status":96}}}}}"#)]
    #[case::a_broken_overall_status(r#"{"ear_status":"fine","submods":{"a":{"ear_status":2}}}"#)]
    #[case::a_date_with_a_fraction(r#"{"exp":1666529184.5,"submods":{"a":{"ear_status":2}}}"#)]
    #[case::a_date_as_text(r#"{"iat":"1666529184","submods":{"a":{"ear_status":2}}}"#)]
    fn what_has_not_one_plain_verdict_on_each_is_malformed(#[case] payload: &str) {
        let profiled = payload.replacen('{', r#"{"eat_profile":"tag:github.com,2023:veraison/ear","#, 1);
        let profiled = profiled.replace(",}", "}");
        assert_eq!(of(&profiled), Err(TokenFault::Malformed), "{profiled}");
    }

    #[rstest]
    #[case(r#"{"submods":{"a":{"ear_status":2}}}"#, TokenFault::Malformed)]
    #[case(
        r#"{"eat_profile":["tag:github.com,2023:veraison/ear"],"submods":{"a":{"ear_status":2}}}"#,
        TokenFault::Malformed
    )]
    #[case(r#"{"eat_profile":"tag:ietf.org,2026:rats/ear#05","submods":{"a":{"ear_status":2}}}"#, TokenFault::Type)]
    #[case(
        r#"{"eat_profile":"tag:github.com,2023:veraison/ear#x","submods":{"a":{"ear_status":2}}}"#,
        TokenFault::Type
    )]
    #[case(r#"{"eat_profile":"http://arm.com/psa/2.0.0","submods":{"a":{"ear_status":2}}}"#, TokenFault::Type)]
    fn evidence_and_other_profiles_are_no_results(#[case] payload: &str, #[case] fault: TokenFault) {
        assert_eq!(of(payload), Err(fault));
    }

    #[test]
    fn an_overall_verdict_only_makes_it_worse() {
        let payload = |overall: &str, own: &str| {
            with(&format!(r#""ear_status":"{overall}","submods":{{"a":{{"ear_status":"{own}"}}}}"#))
        };
        assert_eq!(of(&payload("affirming", "warning")), Ok(Tier::Warning));
        assert_eq!(of(&payload("contraindicated", "affirming")), Ok(Tier::Contraindicated));
    }

    #[test]
    fn submodules_are_bounded() {
        let many = |count: usize| {
            let each: Vec<_> = (0..count).map(|index| format!(r#""{index}":{{"ear_status":2}}"#)).collect();
            of(&with(&format!(r#""submods":{{{}}}"#, each.join(","))))
        };
        assert_eq!(many(MAX_SUBMODULES), Ok(Tier::Affirming));
        assert_eq!(many(MAX_SUBMODULES + 1), Err(TokenFault::Malformed));
    }

    #[rstest]
    #[case(Tier::Affirming, true, true)]
    #[case(Tier::Warning, false, true)]
    #[case(Tier::None, false, false)]
    #[case(Tier::Contraindicated, false, false)]
    fn no_claim_and_a_contraindication_meet_nothing(
        #[case] tier: Tier,
        #[case] affirming: bool,
        #[case] warning: bool,
    ) {
        assert_eq!((tier.meets(Tier::Affirming), tier.meets(Tier::Warning)), (affirming, warning));
        assert_eq!((tier.meets(Tier::None), tier.meets(Tier::Contraindicated)), (warning, warning));
        assert_eq!(Results { lowest: tier }.is_contraindicated(), tier == Tier::Contraindicated);
    }

    proptest! {
        #[test]
        fn every_attester_must_meet_the_tier(tiers in proptest::collection::vec(0..4_usize, 1..8), at_least in 2..4_usize) {
            let tiers: Vec<_> = tiers.into_iter().map(|index| Tier::ALL[index]).collect();
            let each = tiers.iter().enumerate().map(|(i, tier)| format!(r#""{i}":{{"ear_status":"{}"}}"#, tier.as_str()));
            let lowest = of(&with(&format!(r#""submods":{{{}}}"#, each.collect::<Vec<_>>().join(",")))).unwrap();
            let results = Results { lowest };
            prop_assert_eq!(results.meets(Tier::ALL[at_least]), tiers.iter().all(|tier| tier.meets(Tier::ALL[at_least])));
            prop_assert_eq!(results.is_contraindicated(), tiers.contains(&Tier::Contraindicated));
        }
    }
}
