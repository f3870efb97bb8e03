//! The body of a request, where all of it came as it was sent. Reading scopes out of it is the business of `asked`.

use super::{Headers, Occurrence};
use std::fmt;

/// What Envoy brought of a body. Only [`Body::Whole`] can be read; nothing else says what a server will see.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Body {
    /// No bytes came: there are none, or Envoy does not buffer them.
    #[default]
    Absent,
    Whole(Box<[u8]>),
    /// A part of it came, or it can't be told whether all did.
    Truncated,
    /// It may have other bytes than the server gets.
    Altered,
}

/// Envoy says here whether it cut the body.
const PARTIAL: &str = "x-envoy-auth-partial-body";
/// What Envoy's `max_request_bytes` must be at least. With `allow_partial_message`, a body that fills the buffer to its last
/// byte is sent as complete, though more may follow; one that is shorter than any buffer did not fill it.
const SMALLEST_BUFFER: usize = 4096;

impl Body {
    /// A body as it was sent (`pack_as_bytes: true`).
    pub fn of_bytes(bytes: Vec<u8>, headers: &Headers) -> Self {
        let cut = headers.values(PARTIAL).any(|value| value != Some("false"));
        match bytes.len() {
            0 => Self::Absent,
            length if !cut && is_all(length, headers.occurrence("content-length")) => Self::Whole(bytes.into()),
            _ => Self::Truncated,
        }
    }

    /// A body as text, in which Envoy wrote `!` for each byte that is not UTF-8. A `!` that the client wrote can't be told from
    /// those, and bytes that are not UTF-8 can make a second field for a lenient server (an overlong `&`).
    pub fn of_text(text: String, headers: &Headers) -> Self {
        if text.contains('!') { Self::Altered } else { Self::of_bytes(text.into_bytes(), headers) }
    }
}

/// RFC 9110 §8.6: digits, and only once.
fn is_all(length: usize, declared: Occurrence<'_>) -> bool {
    match declared {
        Occurrence::Absent => length < SMALLEST_BUFFER,
        Occurrence::Once(text) => text.bytes().all(|b| b.is_ascii_digit()) && text.parse() == Ok(length),
        Occurrence::Repeated | Occurrence::Unreadable => false,
    }
}

/// The length only: bodies hold secrets.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::Truncated => f.write_str("Truncated"),
            Self::Altered => f.write_str("Altered"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::collections::HashMap;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
        Headers::apart(pairs.collect(), HashMap::new())
    }

    fn of(bytes: &[u8], pairs: &[(&str, &str)]) -> Body {
        Body::of_bytes(bytes.into(), &headers(pairs))
    }

    #[test]
    fn a_body_of_the_length_that_was_declared_is_whole() {
        let whole = Body::Whole(b"hello".as_slice().into());
        assert_eq!(of(b"hello", &[("content-length", "5"), (PARTIAL, "false")]), whole);
        assert_eq!(of(b"hello", &[("content-length", "5")]), whole);
        assert_eq!(Body::of_text("hello".into(), &headers(&[("content-length", "5")])), whole);
    }

    #[test]
    fn a_body_of_undeclared_length_is_whole_where_it_filled_no_buffer() {
        let chunked = |length| of(&vec![b'x'; length], &[(PARTIAL, "false")]);
        assert!(matches!(chunked(SMALLEST_BUFFER - 1), Body::Whole(_)));
        assert_eq!(chunked(SMALLEST_BUFFER), Body::Truncated);
    }

    #[rstest]
    #[case(&[(PARTIAL, "true")])]
    #[case(&[("content-length", "6")])]
    #[case(&[("content-length", "4")])]
    #[case(&[("content-length", "5"), ("content-length", "5")])]
    #[case(&[("content-length", "5,5")])]
    #[case(&[("content-length", "+5")])]
    #[case(&[("content-length", " 5")])]
    #[case(&[("content-length", "-1")])]
    #[case(&[("content-length", "")])]
    #[case(&[("content-length", "0x5")])]
    #[case(&[("content-length", "99999999999999999999999999999999999999")])]
    #[case(&[("content-length", "5"), (PARTIAL, "true")])]
    #[case(&[("content-length", "5"), (PARTIAL, "false"), (PARTIAL, "true")])]
    #[case(&[("content-length", "5"), (PARTIAL, "")])]
    #[case(&[("content-length", "5"), (PARTIAL, "FALSE")])]
    fn a_body_that_could_go_on_is_not_read(#[case] pairs: &[(&str, &str)]) {
        assert_eq!(of(b"hello", pairs), Body::Truncated, "{pairs:?}");
    }

    #[test]
    fn no_bytes_are_no_body_whatever_length_was_declared() {
        assert_eq!(of(b"", &[("content-length", "5")]), Body::Absent);
        assert_eq!(of(b"", &[("content-length", "0")]), Body::Absent);
        assert_eq!(of(b"", &[]), Body::Absent);
    }

    #[test]
    fn text_in_which_bytes_may_have_been_replaced_is_not_read() {
        assert_eq!(Body::of_text("a!!b".into(), &headers(&[("content-length", "4")])), Body::Altered);
        assert_ne!(of(b"a!!b", &[("content-length", "4")]), Body::Altered);
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", of(b"hello", &[("content-length", "5")])), "Whole(5 bytes)");
    }
}
