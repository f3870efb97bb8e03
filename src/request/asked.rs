//! stub
use super::RequestFacts;
use crate::policy::ScopeSet;
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedIn {
    Form(Box<str>),
    Json(JsonPointer),
    Query(Box<str>),
    Header(Box<str>),
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPointer(Box<str>);
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Scopes(ScopeSet),
    Unreadable,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a JSON pointer is `/` and the name of a member, up to 8 times, each of 1 to 128 visible ASCII characters, with `~1` for `/` and `~0` for `~` (RFC 6901)"
)]
pub struct PointerError;
impl JsonPointer {
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.starts_with('/') { Ok(Self(text.into())) } else { Err(PointerError) }
    }
}
impl AskedIn {
    pub fn read(&self, _f: &RequestFacts) -> Asked {
        Asked::Unreadable
    }
    pub fn header(&self) -> Option<&str> {
        if let Self::Header(n) = self { Some(n) } else { None }
    }
}
