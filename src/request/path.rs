//! The path of a request in the one form in which it is judged, or the refusal to judge it.
//!
//! The request target is never parsed as a URL: `//x` is a path and no authority.

use std::fmt;

/// A request target, with the one form in which its path is compared. What else servers may read in it is the business
/// of `readings`.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestPath {
    target: Box<str>,
    path_end: usize,
    /// Only where it differs from the path as sent.
    canonical: Option<Box<str>>,
}

/// Why a path is not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PathFault {
    #[error("the path can't be decoded, holds a control byte or a fragment, or does not begin with `/`")]
    Malformed,
    #[error("servers read the path differently: it holds `//`, a dot segment, an encoded slash, a backslash or `;`")]
    Ambiguous,
    #[error("the path and the headers that override it can be read in too many ways")]
    TooManyReadings,
}

/// What a header line may hold in common servers; Envoy's own default for all headers together is 60 KiB.
const MAX_PATH_BYTES: usize = 8 * 1024;

impl RequestPath {
    /// Reads a request target: path and query (RFC 9112 §3.2.1), `*` (of `OPTIONS`) or nothing (of `CONNECT`).
    pub fn parse(target: &str, method: &str) -> Result<Self, PathFault> {
        let path_end = target.find('?').unwrap_or(target.len());
        let (path, query) = target.split_at(path_end);
        let whole_server = matches!((method, path), ("OPTIONS", "*") | ("CONNECT", "")) && query.is_empty();
        let canonical = if whole_server { None } else { canonical_path(path)? };
        if has_control(query) || query.contains('#') {
            return Err(PathFault::Malformed);
        }
        Ok(Self { target: target.into(), path_end, canonical: canonical.map(Into::into) })
    }

    /// The target of a `CONNECT` (RFC 9112 §3.2.3), which has no path.
    pub fn none() -> Self {
        Self { target: Box::default(), path_end: 0, canonical: None }
    }

    /// The path that is judged: what needs no escape decoded, other escapes in upper case.
    pub fn canonical(&self) -> &str {
        self.canonical.as_deref().unwrap_or_else(|| self.target.get(..self.path_end).unwrap_or_default())
    }

    /// Whether servers read the path differently by its own form.
    pub fn is_ambiguous(&self) -> bool {
        is_ambiguous(self.canonical())
    }

    /// What follows the `?`, as sent. It may hold secrets and goes into no log.
    pub fn query(&self) -> Option<&str> {
        self.target.get(self.path_end..)?.strip_prefix('?')
    }
}

/// Without the query: it may hold secrets.
impl fmt::Debug for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.canonical())
    }
}

/// The canonical form of a path, `None` where it is already in it.
pub fn canonical_path(path: &str) -> Result<Option<String>, PathFault> {
    if !path.starts_with('/') || path.len() > MAX_PATH_BYTES || has_control(path) || path.contains('#') {
        return Err(PathFault::Malformed);
    }
    if is_plain(path) { Ok(None) } else { normalized(path).map(Some) }
}

/// One segment of a policy's path in canonical form; `None` if no judged path could hold it.
pub fn canonical_segment(segment: &str) -> Option<String> {
    if segment.is_empty() || segment.contains(['/', '?']) {
        return None;
    }
    let path = format!("/{segment}");
    let canonical = canonical_path(&path).ok()?.unwrap_or(path);
    if is_ambiguous(&canonical) { None } else { canonical.strip_prefix('/').map(str::to_owned) }
}

fn has_control(text: &str) -> bool {
    text.bytes().any(|b| b <= b' ' || b == 0x7f)
}

/// RFC 3986 §6.2.2, for every character that means only itself in a path (§3.3, `pchar`): escapes of those are decoded, all
/// others are escaped in upper case. What servers give a meaning to (`/`, `\`, `;`, `?`) stays as it was sent. Escaped control
/// bytes, and escapes that together are no UTF-8 (such as overlong dots), are refused.
fn normalized(path: &str) -> Result<String, PathFault> {
    let mut canonical = String::with_capacity(path.len());
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escaped = byte == b'%';
        let meant = if escaped {
            let (pair, after) = tail.split_first_chunk::<2>().ok_or(PathFault::Malformed)?;
            rest = after;
            hex_byte(*pair).ok_or(PathFault::Malformed)?
        } else {
            byte
        };
        push_canonical(&mut canonical, meant, escaped);
        decoded.push(meant);
    }
    let refused = decoded.iter().any(|b| *b < b' ' || *b == 0x7f) || std::str::from_utf8(&decoded).is_err();
    if refused { Err(PathFault::Malformed) } else { Ok(canonical) }
}

fn push_canonical(canonical: &mut String, meant: u8, escaped: bool) {
    let plain = meant.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&meant);
    let has_meaning = b"/\\;".contains(&meant);
    if plain || (has_meaning && !escaped) {
        canonical.push(char::from(meant));
    } else {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase();
        canonical.extend(['%', digit(meant >> 4), digit(meant & 15)]);
    }
}

/// Whether a path is in canonical form as it stands: no escapes, and nothing that needs one.
fn is_plain(path: &str) -> bool {
    path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@/\\;".contains(&b))
}

fn hex_byte([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// What servers read differently, in a path whose dots are decoded.
pub(super) fn is_ambiguous(canonical: &str) -> bool {
    let bytes = canonical.as_bytes();
    let special = bytes.iter().any(|b| matches!(b, b'\\' | b';'))
        || bytes.windows(3).any(|w| w == b"%2F" || w == b"%5C")
        || bytes.windows(2).any(|w| w == b"//");
    special || canonical.split('/').any(|segment| matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/v1/payments/7", "/v1/payments/7")]
    #[case("/%61dmin/%7Ex", "/admin/~x")]
    #[case("/a%3fb%2b", "/a%3Fb+")]
    #[case("/all%3Arefund", "/all:refund")]
    #[case("/a\"b|c%22", "/a%22b%7Cc%22")]
    #[case("/a%3bb", "/a%3Bb")]
    #[case("/caf\u{e9}", "/caf%C3%A9")]
    #[case("/caf%c3%a9", "/caf%C3%A9")]
    #[case("/a?b=/../c", "/a")]
    #[case("/admin/x.", "/admin/x.")]
    #[case("/admin/", "/admin/")]
    #[case("/%252e", "/%252e")]
    fn a_path_has_one_form(#[case] target: &str, #[case] canonical: &str) {
        assert_eq!(RequestPath::parse(target, "GET").unwrap().canonical(), canonical);
    }

    #[rstest]
    #[case("")]
    #[case("*")]
    #[case("admin")]
    #[case("/a%")]
    #[case("/a%2")]
    #[case("/a%zz")]
    #[case("/a%00")]
    #[case("/a%0a")]
    #[case("/a\0")]
    #[case("/a b")]
    #[case("/a\r\nb")]
    #[case("/a#b")]
    #[case("/a?b#c")]
    #[case("/%c0%ae%c0%ae/admin")]
    #[case("/%ff")]
    fn what_cannot_be_read_is_malformed(#[case] target: &str) {
        assert_eq!(RequestPath::parse(target, "GET"), Err(PathFault::Malformed), "{target:?}");
    }

    #[rstest]
    #[case("//admin")]
    #[case("/./admin")]
    #[case("/a/../admin")]
    #[case("/a/..")]
    #[case("/%2e%2e/admin")]
    #[case("/a%2fb")]
    #[case("/a%5Cb")]
    #[case("/a\\..\\admin")]
    #[case("/admin;v=1/x")]
    #[case("/pub/..;/admin")]
    fn what_servers_read_differently_is_ambiguous(#[case] target: &str) {
        assert!(RequestPath::parse(target, "GET").unwrap().is_ambiguous(), "{target:?}");
    }

    #[test]
    fn only_options_and_connect_have_targets_without_a_path() {
        assert_eq!(RequestPath::parse("*", "OPTIONS").unwrap().canonical(), "*");
        assert_eq!(RequestPath::parse("", "CONNECT").unwrap().canonical(), "");
        assert_eq!(RequestPath::parse("", "CONNECT").unwrap(), RequestPath::none());
        assert!(RequestPath::parse("*", "CONNECT").is_err());
        assert!(RequestPath::parse("", "OPTIONS").is_err());
    }

    #[test]
    fn debug_does_not_show_the_query() {
        let path = RequestPath::parse("/a?access_token=secret", "GET").unwrap();
        assert_eq!((format!("{path:?}").as_str(), path.query()), ("\"/a\"", Some("access_token=secret")));
    }
}
