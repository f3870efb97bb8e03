//! What a caller is told of a refusal: the members that all our problem documents (RFC 9457) begin with. Which problems
//! there are is said where they are found.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// What a problem document is written in (RFC 9457 §6.1).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// One row: status, code, and texts that say nothing about which check failed beyond its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: u16,
    pub code: Cow<'static, str>,
    pub title: &'static str,
    pub detail: Cow<'static, str>,
}

impl Problem {
    pub const fn new(status: u16, code: &'static str, title: &'static str, detail: &'static str) -> Self {
        Self { status, code: Cow::Borrowed(code), title, detail: Cow::Borrowed(detail) }
    }

    /// The same with what there is to say of this case.
    #[must_use]
    pub fn saying(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), ..self }
    }
}

/// The order of the members is part of what callers see.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Problem", 5)?;
        members.serialize_field("type", &format_args!("urn:stepgate:problem:{}", self.code))?;
        members.serialize_field("title", self.title)?;
        members.serialize_field("status", &self.status)?;
        members.serialize_field("code", &self.code)?;
        members.serialize_field("detail", &self.detail)?;
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_named_by_its_code() {
        let problem = Problem::new(404, "nowhere", "Nothing here", "Look elsewhere.");
        assert_eq!(
            serde_json::to_string(&problem).unwrap(),
            r#"{"type":"urn:stepgate:problem:nowhere","title":"Nothing here","status":404,"code":"nowhere","detail":"Look elsewhere."}"#
        );
    }
}
