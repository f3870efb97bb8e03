//! What operators send: a JSON object of a few members, each once and none unknown. In the hour of need a typo must be told,
//! not passed over.
//!
//! It is read as JSON whatever it says it is: `curl -d` calls it a form, and no browser adds a bearer token by itself.

use super::problems::{BAD_REQUEST, TOO_LARGE, refuse};
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// A body that was read.
#[derive(Debug)]
pub(super) struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Asked<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let body = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => refuse(&TOO_LARGE),
            _ => refuse(&BAD_REQUEST),
        })?;
        read(&body).map(Self).map_err(|problem| refuse(&problem))
    }
}

/// Reads a member that is there, so that `null` is not taken for its absence.
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(member: D) -> Result<Option<T>, D::Error> {
    T::deserialize(member).map(Some)
}

/// As errors are worded, and as problem documents are.
pub(super) fn bad_request(why: &impl ToString) -> Problem {
    let mut said = why.to_string();
    if let Some(first) = said.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if !said.ends_with('?') {
        said.push('.');
    }
    BAD_REQUEST.saying(said)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // A list would do for serde, its items taken for the members in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad_request(&"the body is a JSON object"));
    }
    serde_json::from_slice(body).map_err(|error| bad_request(&shortened(error.to_string())))
}

/// An unknown member is told by its name, which may be long.
fn shortened(said: String) -> String {
    const SHOWN: usize = 500;
    match said.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}\u{2026}", said.get(..end).unwrap_or_default()),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[derive(Debug, Deserialize, PartialEq, Eq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(default, deserialize_with = "given")]
        task: Option<String>,
        #[serde(default)]
        names: Vec<String>,
    }

    fn why(body: &[u8]) -> String {
        read::<Sample>(body).unwrap_err().detail.into_owned()
    }

    #[test]
    fn an_object_is_read_whatever_stands_around_it() {
        let sample = read::<Sample>(b"\r\n {\"names\":[],\"task\":\"t\"}\n").unwrap();
        assert_eq!(sample, Sample { task: Some("t".into()), names: Vec::new() });
    }

    #[rstest]
    #[case::nothing(b"", "The body is a JSON object.")]
    #[case::a_list(br#"["t"]"#, "The body is a JSON object.")]
    #[case::a_text(br#""t""#, "The body is a JSON object.")]
    #[case::a_mark_before_it(b"\xef\xbb\xbf{}", "The body is a JSON object.")]
    #[case::a_form(b"task=t", "The body is a JSON object.")]
    #[case::unknown(br#"{"tsk":"t"}"#, "Unknown field `tsk`, expected `task` or `names`")]
    #[case::twice(br#"{"task":"t","task":"u"}"#, "Duplicate field `task`")]
    #[case::twice_in_other_letters(br#"{"task":"t","t\u0061sk":"t"}"#, "Duplicate field `task`")]
    #[case::null(br#"{"task":null}"#, "Invalid type: null, expected a string")]
    #[case::another_type(br#"{"task":7}"#, "Invalid type: integer `7`, expected a string")]
    #[case::something_behind(br#"{"task":"t"}{}"#, "Trailing characters")]
    #[case::comma_behind(br#"{"task":"t",}"#, "Trailing comma")]
    #[case::half(br#"{"task":"t""#, "EOF while parsing an object")]
    #[case::no_utf_8(b"{\"task\":\"\xff\"}", "Invalid unicode code point")]
    fn what_is_wrong_with_a_body_is_said(#[case] body: &[u8], #[case] says: &str) {
        assert!(why(body).starts_with(says), "{}", why(body));
    }

    #[test]
    fn what_is_said_has_an_end_and_so_has_what_is_read() {
        let long = format!("{{\"{}\":1}}", "\u{e9}".repeat(30_000));
        assert!(why(long.as_bytes()).len() < 1_100);
        let deep = format!("{{\"names\":{}", "[".repeat(30_000));
        assert!(read::<Sample>(deep.as_bytes()).is_err());
    }
}
