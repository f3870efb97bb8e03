//! `keys` of an issuer: public keys from a file beside the policy, or written into it.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::digest::{Digest, digest};
use super::files::read_bounded;
use super::section::{Section, not_yet_built};
use super::source::Place;
use super::tree::{Node, Value};
use crate::attestation::KeySet;
use crate::attestation::json::Object;
use crate::attestation::keys::KeySetError;
use serde_json::Value as Json;
use std::path::PathBuf;

/// Sixty-four keys of 8192 bits take less than 200 kB.
const MAX_KEY_FILE_BYTES: u64 = 1024 * 1024;

/// The keys of an issuer.
#[derive(Debug)]
pub(super) struct Keys {
    pub set: KeySet,
    /// Over the content of their file, where they have one.
    pub file: Option<Digest>,
}

pub(super) fn read(node: &Node, problems: &mut Diagnostics) -> Option<Keys> {
    let section = Section::open("`keys`", node, problems)?;
    let [file, inline, url, refresh, ca, spiffe] =
        section.members(["file", "inline", "url", "refresh", "ca", "spiffe"], problems);
    not_yet_built(&[url, refresh, ca, spiffe], problems);
    match (file.node(), inline.node()) {
        (Some(file), None) => from_file(file, problems),
        (None, Some(inline)) => from_inline(inline, problems),
        (None, None) if url.entry().or(spiffe.entry()).is_some() => None,
        _ => {
            let help = "say where the keys come from, once: `file: keys.jwks.json` or `inline: { keys: […] }`";
            problems.report(Code::InvalidValue, node.place, "`keys` takes exactly one origin", help);
            None
        }
    }
}

fn from_file(node: &Node, problems: &mut Diagnostics) -> Option<Keys> {
    let path = beside(node.place, node.text(problems)?, problems)?;
    problems.add_file(path.clone());
    let bytes = match read_bounded(&path, MAX_KEY_FILE_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("can't read the key file `{}`: {error}", path.display());
            let help = "key files are named relative to the file that names them";
            problems.report(Code::UnreadableKeys, node.place, message, help);
            return None;
        }
    };
    let set = KeySet::parse(&bytes).map_err(|error| unusable(error, node.place, problems)).ok()?;
    Some(Keys { set, file: Some(digest([&*bytes])) })
}

/// Relative to the file that names it.
pub(super) fn beside(place: Place, name: &str, problems: &Diagnostics) -> Option<PathBuf> {
    Some(problems.source(place.source)?.path.parent()?.join(name))
}

fn from_inline(node: &Node, problems: &mut Diagnostics) -> Option<Keys> {
    let Json::Object(jwks) = json(node) else {
        return node.wrong_type("a key set: a map with a list `keys`", problems);
    };
    let place = |error: KeySetError| key_at(node, error).map_or(node.place, |key| key.place);
    let set = KeySet::from_object(&jwks).map_err(|error| unusable(error, place(error), problems)).ok()?;
    Some(Keys { set, file: None })
}

fn unusable(error: KeySetError, place: Place, problems: &mut Diagnostics) {
    let help = "name a JWK Set (RFC 7517) with the issuer's public keys only";
    problems.report(Code::UnusableKeys, place, format!("these keys can't be used: {error}"), help);
}

/// The key that an error speaks of.
fn key_at(jwks: &Node, error: KeySetError) -> Option<&Node> {
    let (KeySetError::Key { index, .. } | KeySetError::RepeatedKeyId { index }) = error else {
        return None;
    };
    if let Value::List(items) = &jwks.member("keys")?.node.value { items.get(index) } else { None }
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => Json::Number(number.clone()),
        Value::Text(text) => Json::String(text.to_string()),
        Value::List(items) => Json::Array(items.iter().map(json).collect()),
        Value::Map(entries) => {
            let members = entries.iter().map(|entry| (entry.key.to_string(), json(&entry.node)));
            Json::Object(members.collect::<Object>())
        }
    }
}
