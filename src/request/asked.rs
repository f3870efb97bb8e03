//! Which scopes a request asks for, where its route issues them: in a token, a secret or a grant.
//!
//! Whoever asks picks the words, and the server behind us may be any. So only one plain reading counts: whatever some
//! server could read in another way is unreadable, and privilege then counts as elevated.

mod form;
mod json;
mod media;
mod names;
mod pointer;
#[cfg(test)]
mod tests;

pub use pointer::{JsonPointer, PointerError};

use self::form::Fields;
use self::media::Media;
use self::names::has_twin;
use super::readings::PATH_OVERRIDES;
use super::{Body, Headers, Occurrence, RequestFacts};
use crate::policy::{Scope, ScopeSet};

/// Where a request names the scopes that it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedIn {
    /// A field of the body as `application/x-www-form-urlencoded` (RFC 6749 appendix B).
    Form(Box<str>),
    /// A member of the body as JSON.
    Json(JsonPointer),
    /// A parameter of the query.
    Query(Box<str>),
    /// A header, by its name in lower case.
    Header(Box<str>),
}

/// The scopes that a request asks for, where there is only one way to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// At least one.
    Scopes(ScopeSet),
    Unreadable,
}

/// More than a request for a token has, and less than what servers refuse to read or silently cut.
const MAX_BYTES: usize = 64 * 1024;
/// The methods for which servers read a body.
const WITH_BODY: [&str; 3] = ["POST", "PUT", "PATCH"];

impl AskedIn {
    /// The header that it reads, in lower case.
    pub fn header(&self) -> Option<&str> {
        if let Self::Header(name) = self { Some(name) } else { None }
    }

    pub fn read(&self, facts: &RequestFacts) -> Asked {
        if let Some(asked) = &facts.asked {
            return asked.clone();
        }
        let scopes = match self {
            Self::Form(field) => in_form(field, facts),
            Self::Json(pointer) => in_json(pointer, facts),
            Self::Query(field) => in_query(field, facts),
            Self::Header(name) => in_header(name, &facts.headers),
        };
        // A server grants its own choice where none is named (RFC 6749 §3.3).
        let plain = |scopes: &ScopeSet| !scopes.is_empty() && !scopes.iter().any(Scope::may_be_several);
        scopes.filter(plain).map_or(Asked::Unreadable, Asked::Scopes)
    }
}

impl Asked {
    /// What both are; where one can't be told, neither can the whole.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Scopes(one), Self::Scopes(other)) => Self::Scopes(one.union(&other)),
            _ => Self::Unreadable,
        }
    }
}

fn in_form(field: &str, facts: &RequestFacts) -> Option<ScopeSet> {
    let form = Fields::read(read_body(facts, Media::Form)?)?;
    let elsewhere = query(facts)?.mentions(field);
    form.only(field).filter(|_| !elsewhere).and_then(|text| ScopeSet::parse(text).ok())
}

fn in_json(pointer: &JsonPointer, facts: &RequestFacts) -> Option<ScopeSet> {
    let elsewhere = query(facts)?.mentions(pointer.first());
    json::scopes(read_body(facts, Media::Json)?, pointer).filter(|_| !elsewhere)
}

fn in_query(field: &str, facts: &RequestFacts) -> Option<ScopeSet> {
    let query = query(facts)?;
    let text = query.only(field).filter(|_| body_is_silent_on(field, facts))?;
    ScopeSet::parse(text).ok()
}

/// Servers that know headers as `HTTP_X_SCOPE` can't tell `x-scope` from `x_scope`.
fn in_header(name: &str, headers: &Headers) -> Option<ScopeSet> {
    let text = headers.only(name)?;
    if has_twin(headers, name) { None } else { ScopeSet::parse(text).ok() }
}

/// The body, where every server reads it, and as the same.
fn read_body(facts: &RequestFacts, media: Media) -> Option<&str> {
    let read = facts.readings.methods(&facts.method).all(|method| WITH_BODY.contains(&method.as_str()));
    match &facts.body {
        Body::Whole(bytes) if read && Media::of(&facts.headers) == Some(media) => text(bytes),
        _ => None,
    }
}

/// Servers merge what the query says with what the body says. `None` where the query can't be read, or where a header
/// brings another one.
fn query(facts: &RequestFacts) -> Option<Fields> {
    let overrides = |name| facts.headers.occurrence(name) != Occurrence::Absent || has_twin(&facts.headers, name);
    if PATH_OVERRIDES.into_iter().any(overrides) { None } else { Fields::read(facts.path.query().unwrap_or_default()) }
}

/// Whether there is no body that could say something else. One that can't be seen could.
fn body_is_silent_on(field: &str, facts: &RequestFacts) -> bool {
    match (&facts.body, Media::of(&facts.headers)) {
        (Body::Absent, _) => !media::announces_body(&facts.headers),
        (Body::Whole(bytes), Some(Media::Form)) => {
            text(bytes).and_then(Fields::read).is_some_and(|form| !form.mentions(field))
        }
        (Body::Whole(bytes), Some(Media::Json)) => text(bytes).is_some_and(|text| json::is_silent_on(text, field)),
        _ => false,
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    if bytes.len() > MAX_BYTES { None } else { std::str::from_utf8(bytes).ok() }
}
