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
impl AskedIn {
    pub fn read(&self, _f: &RequestFacts) -> Asked {
        Asked::Unreadable
    }
    pub fn header(&self) -> Option<&str> {
        if let Self::Header(n) = self { Some(n) } else { None }
    }
}
