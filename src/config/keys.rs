//! `keys` of an issuer: public keys from a file beside the policy, written into it, or followed while it is served by.
//! What is remote is only named here, and never fetched.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::digest::{Digest, digest};
use super::files::read_bounded;
use super::section::{Member, Section};
use super::source::Place;
use super::tree::{Node, Value};
use crate::attestation::KeySet;
use crate::attestation::json::Object;
use crate::attestation::keys::KeySetError;
use crate::policy::{KeyOrigin, KeyUrl, RemoteKeys};
use crate::time::Ttl;
use serde_json::Value as Json;
use std::path::PathBuf;
use std::sync::Arc;
use x509_parser::pem::Pem;

/// Sixty-four keys of 8192 bits take less than 200 kB.
const MAX_KEY_FILE_BYTES: u64 = 1024 * 1024;

/// The keys that a provider rotates hardly more often than every hour, so that few come as a surprise.
const DEFAULT_REFRESH: Ttl = Ttl::from_secs(5 * 60);
/// More often is no use: keys that are needed before are fetched when they are.
const MIN_REFRESH: Ttl = Ttl::from_secs(10);
/// A removed key is believed for so long.
const MAX_REFRESH: Ttl = Ttl::from_secs(24 * 60 * 60);

/// The keys of an issuer.
#[derive(Debug)]
pub(super) struct Keys {
    pub origin: KeyOrigin,
    /// Over the content of the file that they name, where they name one.
    pub file: Option<Digest>,
}

pub(super) fn read(node: &Node, problems: &mut Diagnostics) -> Option<Keys> {
    let section = Section::open("`keys`", node, problems)?;
    let [file, inline, url, spiffe, refresh, ca] =
        section.members(["file", "inline", "url", "spiffe", "refresh", "ca"], problems);
    let of_url = [refresh, ca];
    match (file.node(), inline.node(), url.node(), spiffe.node()) {
        (Some(file), None, None, None) => only_of_url(of_url, problems).and(from_file(file, problems)),
        (None, Some(inline), None, None) => only_of_url(of_url, problems).and(from_inline(inline, problems)),
        (None, None, Some(url), None) => from_url(url, refresh, ca, problems),
        (None, None, None, Some(spiffe)) => only_of_url(of_url, problems).and(from_spiffe(spiffe, problems)),
        _ => {
            let help = "say where the keys come from, once: `file: keys.jwks.json`, `inline: { keys: […] }`, \
                        `url: https://…` or `spiffe: \"unix:/run/spire/agent.sock\"`";
            problems.report(Code::InvalidValue, node.place, "`keys` takes exactly one origin", help);
            None
        }
    }
}

/// What would be silently without effect beside any other origin.
fn only_of_url(members: [Member<'_>; 2], problems: &mut Diagnostics) -> Option<()> {
    let mut stray = members.into_iter().filter_map(Member::entry).peekable();
    let good = stray.peek().is_none();
    for entry in stray {
        let message = format!("`{}` has no meaning here", entry.key);
        let help = "it says how keys are fetched from a `url`; remove it, or name the URL";
        problems.report(Code::InvalidValue, entry.key_place, message, help);
    }
    good.then_some(())
}

fn from_url(url: &Node, refresh: Member<'_>, ca: Member<'_>, problems: &mut Diagnostics) -> Option<Keys> {
    let url = url.parse(KeyUrl::parse, problems);
    let refresh = refresh.or(DEFAULT_REFRESH, problems, read_refresh);
    let ca = ca.optional(problems, read_ca);
    let (url, refresh, ca) = (url?, refresh?, ca?);
    let file = ca.as_ref().map(|pem| digest([&**pem]));
    Some(Keys { origin: KeyOrigin::Remote(RemoteKeys::Url { url, refresh, ca }), file })
}

fn read_refresh(node: &Node, problems: &mut Diagnostics) -> Option<Ttl> {
    let refresh: Ttl = node.parse(str::parse, problems)?;
    let fits = (MIN_REFRESH..=MAX_REFRESH).contains(&refresh);
    if !fits {
        node.invalid(&refresh.to_string(), format!("write a span from {MIN_REFRESH} to {MAX_REFRESH}"), problems);
    }
    fits.then_some(refresh)
}

/// The certificates that a server's certificate may hang on.
fn read_ca(node: &Node, problems: &mut Diagnostics) -> Option<Arc<[u8]>> {
    let pem = read_named(node, "CA file", problems)?;
    let certificates: Vec<_> = Pem::iter_from_buffer(&pem).collect();
    let good = |pem: &Pem| pem.label == "CERTIFICATE" && pem.parse_x509().is_ok();
    if certificates.is_empty() || !certificates.iter().all(|pem| pem.as_ref().is_ok_and(good)) {
        let help = "name a PEM file of the CA certificates that the server's certificate may hang on";
        problems.report(Code::UnusableKeys, node.place, "the CA file holds something other than certificates", help);
        return None;
    }
    Some(pem.into())
}

fn from_spiffe(node: &Node, problems: &mut Diagnostics) -> Option<Keys> {
    let text = node.text(problems)?;
    let path = text.strip_prefix("unix:").map(|path| path.strip_prefix("//").unwrap_or(path));
    let Some(path) = path.filter(|path| path.starts_with('/') && path.len() > 1) else {
        let help = "name the agent's Unix socket by its whole path, such as `unix:/run/spire/agent.sock`";
        node.invalid(text, help, problems);
        return None;
    };
    Some(Keys { origin: KeyOrigin::Remote(RemoteKeys::Spiffe { socket: path.into() }), file: None })
}

fn from_file(node: &Node, problems: &mut Diagnostics) -> Option<Keys> {
    let bytes = read_named(node, "key file", problems)?;
    let set = KeySet::parse(&bytes).map_err(|error| unusable(error, node.place, problems)).ok()?;
    Some(Keys { origin: KeyOrigin::Given(Arc::new(set)), file: Some(digest([&*bytes])) })
}

/// Reads a file that is named, and has it watched.
fn read_named(node: &Node, kind: &str, problems: &mut Diagnostics) -> Option<Vec<u8>> {
    let path = beside(node.place, node.text(problems)?, problems)?;
    problems.add_file(path.clone());
    let read = read_bounded(&path, MAX_KEY_FILE_BYTES);
    if let Err(error) = &read {
        let name = if problems.may_show(node.place) { format!("`{}`", path.display()) } else { "named here".into() };
        let message = format!("can't read the {kind} {name}: {error}");
        let help = "such files are named relative to the file that names them";
        problems.report(Code::UnreadableKeys, node.place, message, help);
    }
    read.ok()
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
    Some(Keys { origin: KeyOrigin::Given(Arc::new(set)), file: None })
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
