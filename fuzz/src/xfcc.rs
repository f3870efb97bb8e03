//! `x-forwarded-client-cert` as Envoy documents it: elements between commas, pairs between semicolons, values in quotes
//! where they hold one of these.

use super::reference::spiffe::is_spiffe_id;
use stepgate::identity::xfcc::last_spiffe_id;

/// What the nearest Envoy writes last.
const OWN: &str =
    r#"By=spiffe://prod.example/gateway;Hash=f7ac;Subject="CN=a,O=b";URI=spiffe://prod.example/ns/agents/sa/bot"#;
const BOT: &str = "spiffe://prod.example/ns/agents/sa/bot";

pub fn holds(data: &[u8]) -> bool {
    let Ok(value) = std::str::from_utf8(data) else { return false };
    let read = last_spiffe_id(value);
    if let Some(id) = &read {
        assert!(is_spiffe_id(id.as_str()), "{value:?}");
        assert_eq!(last_uri(value).as_deref(), Some(id.as_str()), "{value:?}");
    }
    // Whatever a caller sends: Envoy's own element follows it, and names the caller, or the whole names nobody.
    let forwarded = last_spiffe_id(&format!("{value},{OWN}"));
    assert!(forwarded.is_none_or(|id| id.as_str() == BOT), "{value:?}");
    read.is_some()
}

/// The only URI of the last element; `None` where any pair is none, or a quote stays open.
fn last_uri(value: &str) -> Option<String> {
    let mut last = None;
    for element in split_unquoted(value, ',')? {
        let mut uris = Vec::new();
        for pair in split_unquoted(element.trim_matches([' ', '\t']), ';')? {
            let (key, value) = pair.split_once('=')?;
            let quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
            let value = if quoted { value.get(1..value.len() - 1)? } else { value };
            if key.is_empty() || (!quoted && value.contains('"')) {
                return None;
            }
            if key.eq_ignore_ascii_case("uri") {
                uris.push(value.to_owned());
            }
        }
        last = Some(uris);
    }
    last.filter(|uris| uris.len() == 1)?.pop()
}

fn split_unquoted(text: &str, mark: char) -> Option<Vec<String>> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        if character == mark && !quoted {
            parts.push(std::mem::take(&mut part));
            continue;
        }
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && character == '\\' && !escaped;
        part.push(character);
    }
    parts.push(part);
    (!quoted).then_some(parts)
}
