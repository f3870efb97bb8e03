//! What an attestation was made for (RFC 9396 §2): an entry allows what it names, and no two add up to more.

use super::reference::json::Json;
use stepgate::attestation::Details;
use stepgate::attestation::json::object;

const HOST: &str = "api.example.com";
const CALLS: [&[&str]; 4] = [&[], &["refund"], &["list"], &["list", "refund"]];

pub fn holds(data: &[u8]) -> bool {
    let (Some(payload), Some(expected)) = (object(data), Json::parse_object(data)) else { return false };
    let Ok(details) = Details::read(&payload) else { return false };
    let mut taken = false;
    for actions in CALLS {
        let covers = details.covers(&actions.iter().copied(), HOST);
        assert!(!covers || may_cover(&expected, actions) == Some(true), "{actions:?} by {expected:?}");
        taken |= covers;
    }
    taken
}

/// By no entry of ours at all, or by one that is understood as a whole, and names the host and every action.
fn may_cover(payload: &Json, actions: &[&str]) -> Option<bool> {
    let Some(entries) = payload.get("authorization_details") else { return Some(true) };
    let types: Option<Vec<_>> = entries.list()?.iter().map(|entry| entry.get("type")?.text()).collect();
    let own = |entry: &&Json| entry.get("type").and_then(Json::text) == Some("stepgate");
    let covers = |entry: &Json| {
        let named = |name: &str| entry.get(name).and_then(Json::list);
        let is = |value: &Json, text: &str| value.text().is_some_and(|own| own == text);
        let host = |value: &Json| value.text().is_some_and(is_host);
        let understood = entry.names().iter().all(|name| ["type", "actions", "locations"].contains(name));
        let limited = named("actions").is_some() || named("locations").is_some();
        let each =
            |list: &[Json]| !actions.is_empty() && actions.iter().all(|action| list.iter().any(|own| is(own, action)));
        understood
            && limited
            && named("locations").is_none_or(|list| list.iter().any(host))
            && named("actions").is_none_or(each)
    };
    let entries = entries.list()?;
    Some(!types?.contains(&"stepgate") || entries.iter().filter(own).any(covers))
}

/// The host by itself, or as an `https` URI without anything that would limit it.
fn is_host(location: &str) -> bool {
    let authority = location.strip_prefix("https://").map_or(location, |rest| rest.strip_suffix('/').unwrap_or(rest));
    authority.strip_suffix('.').unwrap_or(authority).eq_ignore_ascii_case(HOST)
}
