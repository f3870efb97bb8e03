//! What the headers say a body is.

use super::names::has_twin;
use crate::request::{Headers, Occurrence};

/// The kinds of body that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Form,
    Json,
}

/// What servers go by when they read a body.
const DESCRIBING: [&str; 4] = ["content-type", "content-encoding", "content-length", "transfer-encoding"];

impl Media {
    /// The kind of a body that is plain: of one type, in UTF-8, not compressed, not in pieces.
    pub(super) fn of(headers: &Headers) -> Option<Self> {
        let plain = !DESCRIBING.iter().any(|name| has_twin(headers, name))
            && is_identity(headers.occurrence("content-encoding"))
            && headers.occurrence("transfer-encoding") == Occurrence::Absent;
        let kind = unparameterized(headers.only("content-type")?)?;
        [("application/x-www-form-urlencoded", Self::Form), ("application/json", Self::Json)]
            .into_iter()
            .find(|(name, _)| plain && kind.eq_ignore_ascii_case(name))
            .map(|(_, media)| media)
    }
}

/// Whether there may be a body that did not come: Envoy does not buffer it, or skips that for an upgrade.
pub(super) fn announces_body(headers: &Headers) -> bool {
    let there = |name| headers.occurrence(name) != Occurrence::Absent;
    match headers.occurrence("content-length") {
        _ if there("transfer-encoding") || there("upgrade") => true,
        Occurrence::Once("0") => false,
        Occurrence::Absent => there("content-type"),
        _ => true,
    }
}

fn is_identity(encoding: Occurrence<'_>) -> bool {
    match encoding {
        Occurrence::Absent => true,
        Occurrence::Once(coding) => coding.eq_ignore_ascii_case("identity"),
        Occurrence::Repeated | Occurrence::Unreadable => false,
    }
}

/// A media type (RFC 9110 §8.3.1) without its `charset=utf-8`; no other parameter is known to mean the same everywhere.
fn unparameterized(content_type: &str) -> Option<&str> {
    const SPACE: [char; 2] = [' ', '\t'];
    let Some((kind, parameter)) = content_type.split_once(';') else { return Some(content_type) };
    let (name, value) = parameter.trim_matches(SPACE).split_once('=')?;
    let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let is_utf8 = name.eq_ignore_ascii_case("charset") && value.eq_ignore_ascii_case("utf-8");
    is_utf8.then(|| kind.trim_end_matches(SPACE))
}
