//! Names of keys and certificates: SHA-256 digests that tokens are bound to.

use super::json::Object;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::fmt;

/// A SHA-256 digest: of a key (RFC 7638), of a certificate (RFC 8705 §3.1) or of a token (RFC 9449 §4.2, `ath`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn of(bytes: &[u8]) -> Self {
        let mut own = [0; 32];
        own.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(own)
    }

    /// Reads base64url without padding, as claims write it.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// RFC 7638 §3: over the required members alone, in lexicographic order, without white space.
pub fn thumbprint(jwk: &Object) -> Option<Thumbprint> {
    let Some(Value::String(kind)) = jwk.get("kty") else {
        return None;
    };
    let required: &[&str] = match kind.as_str() {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let mut canonical = Vec::with_capacity(CANONICAL_BYTES);
    for (index, name) in required.iter().enumerate() {
        let text = jwk.get(*name)?.as_str().filter(|text| is_plain(text))?;
        canonical.extend_from_slice(if index == 0 { b"{\"" } else { b",\"" });
        canonical.extend_from_slice(name.as_bytes());
        canonical.extend_from_slice(b"\":\"");
        canonical.extend_from_slice(text.as_bytes());
        canonical.push(b'"');
    }
    canonical.push(b'}');
    Some(Thumbprint::of(&canonical))
}

/// Room for the members of an elliptic curve key, which most are.
const CANONICAL_BYTES: usize = 256;

/// Names and base64url need no escaping, and no member of a key is anything else (RFC 7638 §3.3).
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;

    #[test]
    fn rfc_7638_3_1() {
        let jwk = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        let jwk = json::object(jwk.as_bytes()).unwrap();
        assert_eq!(thumbprint(&jwk).unwrap().to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    /// Otherwise two keys could have one form, and so one thumbprint.
    #[test]
    fn a_member_that_would_have_to_be_escaped_has_none() {
        for x in [r#"AA\",\"y\":\"AA"#, r"A\\A", r"A\u0041=", "\u{e9}"] {
            let jwk = json::object(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes()).unwrap();
            assert_eq!(thumbprint(&jwk), None, "{x}");
        }
    }

    #[test]
    fn rfc_8037_a_3() {
        let jwk = json::object(br#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#);
        assert_eq!(thumbprint(&jwk.unwrap()).unwrap().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
