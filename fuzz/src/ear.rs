//! Attestation results (draft-ietf-rats-ear-04 §3, draft-ietf-rats-ar4si §3.2, RFC 9711 §4.2.18): the worst verdict counts.

use super::reference::json::Json;
use stepgate::attestation::ear::{Tier, read};
use stepgate::attestation::json::object;

pub fn holds(data: &[u8]) -> bool {
    let (Some(payload), Some(expected)) = (object(data), Json::parse_object(data)) else { return false };
    let Ok(results) = read(&payload) else { return false };
    let verdicts = verdicts(&expected).expect("a verdict on each attester");
    assert!(verdicts.contains(&results.lowest()), "{verdicts:?}");
    for asked in Tier::ALL {
        let good = |tier: &Tier| match tier {
            Tier::Affirming => true,
            Tier::Warning => asked != Tier::Affirming,
            Tier::None | Tier::Contraindicated => false,
        };
        assert!(!results.meets(asked) || verdicts.iter().all(good), "{verdicts:?}");
    }
    assert_eq!(results.is_contraindicated(), verdicts.contains(&Tier::Contraindicated));
    true
}

/// Those on each attester, of which there is one at least, and the overall one, where it stands.
fn verdicts(results: &Json) -> Option<Vec<Tier>> {
    results.get("eat_profile")?.text()?;
    let submodules = results.get("submods")?;
    let names = submodules.names();
    let each: Option<Vec<_>> = names.iter().map(|name| verdict(submodules.get(name)?)).collect();
    let each = each.filter(|each| !each.is_empty())?;
    Some(each.into_iter().chain(verdict(results)).collect())
}

/// In the draft's spelling, or in Veraison's.
fn verdict(claims: &Json) -> Option<Tier> {
    match claims.get("ear_status").or(claims.get("ear.status"))? {
        Json::Text(word) => match word.as_str() {
            "affirming" => Some(Tier::Affirming),
            "warning" => Some(Tier::Warning),
            "contraindicated" => Some(Tier::Contraindicated),
            "none" => Some(Tier::None),
            _ => None,
        },
        Json::Number(number) => match number.as_str() {
            "2" => Some(Tier::Affirming),
            "32" => Some(Tier::Warning),
            "96" => Some(Tier::Contraindicated),
            "0" => Some(Tier::None),
            _ => None,
        },
        _ => None,
    }
}
