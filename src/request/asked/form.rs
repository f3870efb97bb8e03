//! Forms and queries, where there is only one way to take them apart.

use super::names::is_harmless;
use percent_encoding::percent_decode_str;

/// The fields of a form, or of a query that is written like one (RFC 6749 appendix B), decoded.
pub(super) struct Fields(Vec<(String, String)>);

/// Servers leave out what goes beyond their own bound, which is nowhere lower.
const MAX_FIELDS: usize = 128;

impl Fields {
    /// `None` for what could be taken apart in another way: `;`, a second `=`, escapes that are none, bytes that need one.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > super::MAX_BYTES || !text.bytes().all(is_plain) {
            return None;
        }
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let fields: Vec<_> = pairs.take(MAX_FIELDS + 1).map(field).collect::<Option<_>>()?;
        (fields.len() <= MAX_FIELDS).then_some(Self(fields))
    }

    /// The value of a field, where no other could be taken for it.
    pub(super) fn only(&self, name: &str) -> Option<&str> {
        let mut near = self.near(name);
        match (near.next(), near.next()) {
            (Some((found, value)), None) if found == name => Some(value),
            _ => None,
        }
    }

    pub(super) fn mentions(&self, name: &str) -> bool {
        self.near(name).next().is_some()
    }

    fn near<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f (String, String)> {
        self.0.iter().filter(move |(other, _)| !is_harmless(other, name))
    }
}

/// What stands unescaped in forms and queries and means the same to all.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~*+%=&:/,@$!'()[]".contains(&byte)
}

fn field(pair: &str) -> Option<(String, String)> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    if value.contains('=') { None } else { Some((decoded(name)?, decoded(value)?)) }
}

/// No NUL either: in C, a text ends there.
fn decoded(text: &str) -> Option<String> {
    let is_escape = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    let whole = text.split('%').skip(1).all(is_escape) && !decoded.contains('\0');
    whole.then(|| decoded.into_owned())
}
