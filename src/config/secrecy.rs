//! Private keys that stand in a policy by mistake: problems are told without the lines that hold them.
//!
//! They are known by their looks, so that it matters neither where they stand nor what else is wrong there.

use crate::attestation::jwk::PRIVATE_MEMBERS;

/// Of PEM (RFC 7468 §10, §11), and of a JWK as JSON within a text.
const MARKS: [&str; 2] = ["PRIVATE KEY", "\"kty\""];
/// Of any JWK. What is no YAML can't be told into members.
const KEY_TYPE: &str = "kty";

/// Whether the value of this member may be a private key, or a part of one.
pub(super) fn is_private_member(key: &str) -> bool {
    PRIVATE_MEMBERS.contains(&key)
}

/// Whether this value may be a private key, whatever it is the value of.
pub(super) fn is_private_text(text: &str) -> bool {
    MARKS.iter().any(|mark| text.contains(mark))
}

/// Whether one may stand anywhere in this file, which is no YAML.
pub(super) fn may_hold_private(file: &str) -> bool {
    file.contains(KEY_TYPE) || is_private_text(file)
}
