//! DER (X.690 §8.1, §10.1), as far as the names in a certificate need it (RFC 5280 §4.1, §4.2.1.6).
//!
//! Of most elements only the number of the tag is looked at: whether the rest of it is right is Envoy's business, which
//! verified the whole. What counts is that the names are those that stand there.

/// A tag and its content.
type Element<'d> = (u8, &'d [u8]);

/// The bits of a tag that are not its class or form.
const NUMBER: u8 = 0x1f;
const SEQUENCE: u8 = 0x10;
const EXTENSIONS: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
/// `uniformResourceIdentifier [6]`, whether or not it says that it is in pieces.
const URI: [u8; 2] = [0x86, 0xa6];
/// 2.5.29.17, whatever its tag.
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// The URIs among a certificate's alternative names, in every such extension; `None` where it can't be taken apart.
pub(crate) fn uris(certificate: &[u8]) -> Option<Vec<&[u8]>> {
    let certificate = only(certificate, SEQUENCE)?;
    let (_, body) = *elements(certificate)?.first()?;
    let mut found = Vec::new();
    for (_, wrapped) in elements(body)?.into_iter().filter(|(tag, _)| tag & NUMBER == EXTENSIONS) {
        for (_, extension) in elements(only(wrapped, SEQUENCE)?)? {
            if let Some(names) = alternative_names(extension)? {
                found.extend(elements(names)?.into_iter().filter(|(tag, _)| URI.contains(tag)).map(|(_, uri)| uri));
            }
        }
    }
    Some(found)
}

/// The names in an extension, where it is the one that holds them.
#[expect(clippy::option_option, reason = "whether it can be read is one question, and what it is another")]
fn alternative_names(extension: &[u8]) -> Option<Option<&[u8]>> {
    let parts = elements(extension)?;
    if parts.first().is_none_or(|(_, id)| *id != SUBJECT_ALTERNATIVE_NAME) {
        return Some(None);
    }
    let (_, value) = *parts.iter().skip(1).find(|(tag, _)| tag & NUMBER == OCTET_STRING)?;
    Some(Some(only(value, SEQUENCE)?))
}

/// The content of the one element that there is.
fn only(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    match elements(bytes)?.as_slice() {
        [(found, content)] if found & NUMBER == tag => Some(content),
        _ => None,
    }
}

fn elements(mut bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (element, rest) = element(bytes)?;
        found.push(element);
        bytes = rest;
    }
    Some(found)
}

fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let [tag, short, rest @ ..] = bytes else { return None };
    let (length, rest) = match usize::from(*short) {
        length @ 0..=0x7f => (length, rest),
        long => {
            let (digits, rest) = rest.split_at_checked(long - 0x80).filter(|(digits, _)| digits.len() <= 4)?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some(((*tag, content), rest))
}
