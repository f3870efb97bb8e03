//! Compact tokens and their headers (RFC 7515 §4 and §7.1, RFC 8725 §3).
//!
//! An input is a token as it stands; or, where it begins with a brace, header and payload in two lines, of which one is made.

use super::reference::base64url;
use super::reference::json::Json;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stepgate::attestation::jose::Compact;

pub fn holds(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let token = if text.starts_with('{') { made(text) } else { text.to_owned() };
    let Ok(compact) = Compact::parse(&token) else { return false };
    assert!(is_read(&token, &compact) == Some(true), "{token}");
    true
}

fn made(lines: &str) -> String {
    let (header, payload) = lines.split_once('\n').unwrap_or((lines, "{}"));
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

/// Whether the standards let it be read so.
fn is_read(token: &str, compact: &Compact<'_>) -> Option<bool> {
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
    let read = Json::parse_object(&base64url::decoded(header)?)?;
    Json::parse_object(&base64url::decoded(payload)?)?;
    Some(
        token.len() <= 8192
            && compact.signing_input() == format!("{header}.{payload}")
            && compact.signature() == base64url::decoded(signature)?
            && is_safe(&read)?
            && read.get("alg")?.text()? == compact.header.algorithm.as_str()
            && read.get("kid").and_then(Json::text) == compact.header.key_id.as_deref()
            && read.get("typ").and_then(Json::text).map(full_type)
                == compact.header.media_type.as_deref().map(full_type)
            && read.get("jwk").is_some() == compact.header.key.is_some(),
    )
}

/// Signed by a known asymmetric algorithm, with no extension, no key from elsewhere, and every parameter of its type.
fn is_safe(header: &Json) -> Option<bool> {
    let known = ["ES256", "ES384", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    let foreign = ["crit", "jku", "x5u"].iter().any(|name| header.get(name).is_some());
    let texts = ["kid", "typ"].iter().all(|name| header.get(name).is_none_or(|value| value.text().is_some()));
    let key = header.get("jwk").is_none_or(|key| matches!(key, Json::Object(_)));
    Some(known.contains(&header.get("alg")?.text()?) && !foreign && texts && key)
}

/// RFC 7515 §4.1.9: `application/` is left out, and a media type has no case.
fn full_type(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    if typ.starts_with("application/") { typ } else { format!("application/{typ}") }
}
