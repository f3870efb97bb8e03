//! When servers may take one name for another.
//!
//! Go and .NET match JSON members without case, some also without `_` and `-`; PHP and Rack read `scope[]`, `[scope]` and
//! `scope.0` as `scope`; CGI turns `-` in headers into `_`.

use crate::request::Headers;

/// What changes the meaning of all that is asked for (RFC 9396, RFC 9126, RFC 9101).
const BESIDE: [&str; 3] = ["authorization_details", "request_uri", "request"];

/// Whether a name can't mean `field`, nor anything that changes what `field` means.
pub(super) fn is_harmless(name: &str, field: &str) -> bool {
    is_printable(name) && !is_near(name, field) && !BESIDE.iter().any(|other| is_near(name, other))
}

/// Whether some other header could be taken for this one.
pub(super) fn has_twin(headers: &Headers, name: &str) -> bool {
    headers.names().any(|other| other != name && is_same(other, name))
}

/// Beyond ASCII are letters that case folding or normalization makes ASCII (`ſ`, `K`, `ｓ`); control bytes end names in C.
fn is_printable(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}

fn is_near(name: &str, field: &str) -> bool {
    is_same(name, field) || is_same(root(name), field)
}

/// Whether two names have the same letters and digits in the same order.
fn is_same(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|b| !b.is_ascii() || b.is_ascii_alphanumeric()).map(|b| b.to_ascii_lowercase())
}

/// The name of the array or object that a name is an element of.
fn root(name: &str) -> &str {
    let inner = name.trim_start_matches(|c: char| !c.is_alphanumeric());
    inner.split(['[', ']', '.']).next().unwrap_or_default()
}
