//! Keys that come along with proofs and attestations (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2, RFC 7638 §3).

use super::reference::base64url::decoded;
use super::reference::json::Json;
use stepgate::attestation::Thumbprint;
use stepgate::attestation::json::object;
use stepgate::attestation::jwk::VerifyingKey;

pub fn holds(data: &[u8]) -> bool {
    let (Some(jwk), Some(expected)) = (object(data), Json::parse_object(data)) else { return false };
    let Ok(key) = VerifyingKey::from_jwk(&jwk) else { return false };
    assert!(is_public_key(&expected) == Some(true), "{expected:?}");
    assert_eq!(Some(key.thumbprint), thumbprint(&expected));
    true
}

fn is_public_key(jwk: &Json) -> Option<bool> {
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| jwk.get(name).is_some());
    let size = |name: &str| Some(decoded(jwk.get(name)?.text()?)?.len());
    let material = match (jwk.get("kty")?.text()?, jwk.get("crv").and_then(Json::text)) {
        ("EC", Some("P-256")) => size("x")? == 32 && size("y")? == 32,
        ("EC", Some("P-384")) => size("x")? == 48 && size("y")? == 48,
        ("OKP", Some("Ed25519")) => size("x")? == 32,
        ("RSA", None) => (256..=1024).contains(&size("n")?) && size("e")? > 0,
        _ => false,
    };
    // The last two stand in SPIFFE bundles (SPIFFE-JWT-SVID §4).
    let uses = ["sig", "jwt-svid", "wit-svid"];
    let purpose = jwk.get("use").is_none_or(|purpose| purpose.text().is_some_and(|purpose| uses.contains(&purpose)));
    let verify = Json::Text("verify".into());
    let operations = jwk.get("key_ops").is_none_or(|list| list.list().is_some_and(|list| list.contains(&verify)));
    Some(!private && material && purpose && operations)
}

/// Of the members that must be there, in the order of the alphabet. All that are taken are base64url and need no escapes.
fn thumbprint(jwk: &Json) -> Option<Thumbprint> {
    let kind = jwk.get("kty")?.text()?;
    let names: &[&str] = match kind {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => &["e", "kty", "n"],
    };
    let members: Option<Vec<_>> =
        names.iter().map(|name| Some(format!("\"{name}\":\"{}\"", jwk.get(name)?.text()?))).collect();
    Some(Thumbprint::of(format!("{{{}}}", members?.join(",")).as_bytes()))
}
