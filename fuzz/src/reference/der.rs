//! DER (X.690 §8.1, §10.1), as far as the names in a certificate need it (RFC 5280 §4.1, §4.2.1.6).

/// A tag and its content.
type Element<'d> = (u8, &'d [u8]);

const SEQUENCE: u8 = 0x30;
const EXTENSIONS: u8 = 0xa3;
const OBJECT_IDENTIFIER: u8 = 0x06;
const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
/// `uniformResourceIdentifier [6]`.
const URI: u8 = 0x86;
/// 2.5.29.17.
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// The URIs among a certificate's alternative names, in every such extension; `None` where it can't be taken apart.
pub(crate) fn uris(certificate: &[u8]) -> Option<Vec<&[u8]>> {
    let certificate = only(certificate, SEQUENCE)?;
    // Its tag is Envoy's business, which verified the whole.
    let (_, body) = *elements(certificate)?.first()?;
    let mut found = Vec::new();
    for (_, wrapped) in elements(body)?.into_iter().filter(|(tag, _)| *tag == EXTENSIONS) {
        for (_, extension) in elements(only(wrapped, SEQUENCE)?)? {
            if let Some(names) = alternative_names(extension)? {
                found.extend(elements(names)?.into_iter().filter(|(tag, _)| *tag == URI).map(|(_, uri)| uri));
            }
        }
    }
    Some(found)
}

/// The names in an extension, where it is the one that holds them.
#[expect(clippy::option_option, reason = "whether it can be read is one question, and what it is another")]
fn alternative_names(extension: &[u8]) -> Option<Option<&[u8]>> {
    let parts = elements(extension)?;
    if parts.first() != Some(&(OBJECT_IDENTIFIER, SUBJECT_ALTERNATIVE_NAME)) {
        return Some(None);
    }
    let value = match parts.as_slice() {
        [_, (OCTET_STRING, value)] | [_, (BOOLEAN, _), (OCTET_STRING, value)] => *value,
        _ => return None,
    };
    Some(Some(only(value, SEQUENCE)?))
}

/// The content of the one element that there is.
fn only(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    match elements(bytes)?.as_slice() {
        [(found, content)] if *found == tag => Some(content),
        _ => None,
    }
}

fn elements(mut bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut found = Vec::new();
    while let [tag, short, rest @ ..] = bytes {
        let (length, rest) = match usize::from(*short) {
            length @ 0..=0x7f => (length, rest),
            long => {
                let (digits, rest) = rest.split_at_checked(long - 0x80).filter(|(digits, _)| digits.len() <= 4)?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
            }
        };
        let (content, rest) = rest.split_at_checked(length)?;
        found.push((*tag, content));
        bytes = rest;
    }
    bytes.is_empty().then_some(found)
}
