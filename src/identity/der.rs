//! Whether a certificate is whole DER (X.690 §8.1, §10.1): every element is what its tag says, and ends where it says, within
//! the one around it.
//!
//! `x509-parser` takes some lengths loosely and looks only at the numbers of tags, and so could find names where others read
//! none.

/// Deeper than any certificate goes, and a bound on what a hostile one makes us follow.
const MAX_DEPTH: usize = 32;
/// The bits of a tag that are not its class or form; all of them say that the number stands in the bytes after it.
const NUMBER: u8 = 0x1f;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const EXTENSIONS: u8 = 0xa3;
/// What a `TBSCertificate` is made of, in this order (RFC 5280 §4.1), and whether that must be there.
const FIELDS: [(u8, bool); 10] = [
    (0xa0, false), // version
    (0x02, true),  // serial number
    (SEQUENCE, true),
    (SEQUENCE, true),
    (SEQUENCE, true),
    (SEQUENCE, true),
    (SEQUENCE, true),
    (0x81, false), // the unique identifiers of issuer and subject
    (0x82, false),
    (EXTENSIONS, false),
];
/// The bit of a tag that says that the content is elements.
const CONSTRUCTED: u8 = 0x20;
/// More bytes of length than any certificate has.
const MAX_LENGTH_BYTES: usize = 4;

/// Whether these bytes are a certificate, as far as it leads to the extensions. What those hold is not looked at.
pub(super) fn is_certificate(bytes: &[u8]) -> bool {
    is_sequence(bytes) && body(bytes).is_some_and(has_fields)
}

/// Whether these bytes are one sequence, and nothing else.
pub(super) fn is_sequence(bytes: &[u8]) -> bool {
    matches!(split_element(bytes), Some((SEQUENCE, _, []))) && are_elements(bytes, MAX_DEPTH)
}

/// The content of what is signed.
fn body(certificate: &[u8]) -> Option<&[u8]> {
    let (_, content, _) = split_element(certificate)?;
    let (tag, body, _) = split_element(content)?;
    (tag == SEQUENCE).then_some(body)
}

fn has_fields(mut body: &[u8]) -> bool {
    for (field, is_required) in FIELDS {
        match split_element(body) {
            Some((EXTENSIONS, content, _)) if field == EXTENSIONS && !is_sequence(content) => return false,
            Some((tag, _, rest)) if tag == field => body = rest,
            _ if is_required => return false,
            _ => {}
        }
    }
    body.is_empty()
}

fn are_elements(mut bytes: &[u8], depth: usize) -> bool {
    while !bytes.is_empty() {
        let Some((tag, content, rest)) = split_element(bytes) else { return false };
        let is_constructed = tag & CONSTRUCTED != 0;
        if is_constructed && !depth.checked_sub(1).is_some_and(|depth| are_elements(content, depth)) {
            return false;
        }
        bytes = rest;
    }
    true
}

/// The tag and the content of the first element, and what follows it.
fn split_element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = bytes.split_first_chunk()?;
    if !is_plain(tag) {
        return None;
    }
    let (length, rest) = match usize::from(length) {
        short @ 0..0x80 => (short, rest),
        long => {
            let (digits, rest) = rest.split_at_checked(long - 0x80)?;
            let fits = (1..=MAX_LENGTH_BYTES).contains(&digits.len());
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), fits.then_some(rest)?)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Sequences and sets are universal and constructed (X.690 §8.9.1, §8.11.1), and no number of a certificate is above 30.
fn is_plain(tag: u8) -> bool {
    match tag & NUMBER {
        NUMBER => false,
        number if [SEQUENCE & NUMBER, SET & NUMBER].contains(&number) => [SEQUENCE, SET].contains(&tag),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"\x30\x00")]
    #[case(b"\x30\x05\x02\x01\x07\x05\x00")]
    #[case(b"\x30\x81\x03\x02\x01\x07")]
    #[case(b"\x30\x04\x04\x02\x30\x7f")] // what bytes hold is not looked at
    fn elements_within_elements_are_whole(#[case] bytes: &[u8]) {
        assert!(is_sequence(bytes));
    }

    #[rstest]
    #[case::nothing(b"")]
    #[case::a_tag_alone(b"\x30")]
    #[case::too_short(b"\x30\x02\x05")]
    #[case::something_beside_it(b"\x30\x00\x05\x00")]
    #[case::a_set(b"\x31\x00")]
    #[case::beyond_what_is_around(b"\x30\x03\x30\x04\x04\x02\x00\x00")]
    #[case::something_after_the_last(b"\x30\x04\x02\x01\x07\x00")]
    #[case::no_end(b"\x30\x80\x02\x01\x07\x00\x00")]
    #[case::a_length_of_many_bytes(b"\x30\x0c\x04\x89\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00")]
    #[case::a_sequence_in_one_piece(b"\x30\x02\x10\x00")]
    #[case::a_sequence_of_another_class(b"\x30\x02\x50\x00")]
    #[case::a_set_of_another_class(b"\x30\x02\xb1\x00")]
    #[case::a_number_behind_the_tag(b"\x30\x03\x9f\x06\x00")]
    fn what_ends_elsewhere_is_not(#[case] bytes: &[u8]) {
        assert!(!is_sequence(bytes));
    }

    /// Of these fields behind a serial number and five sequences.
    fn certificate(fields: &[u8]) -> Vec<u8> {
        let body = [b"\x02\x00\x30\x00\x30\x00\x30\x00\x30\x00\x30\x00", fields].concat();
        around(&around(&body))
    }

    fn around(inner: &[u8]) -> Vec<u8> {
        [&[SEQUENCE, u8::try_from(inner.len()).unwrap()][..], inner].concat()
    }

    #[rstest]
    #[case::no_fields(b"", true)]
    #[case::extensions(b"\xa3\x02\x30\x00", true)]
    #[case::identifiers(b"\x81\x00\x82\x00\xa3\x02\x30\x00", true)]
    #[case::extensions_in_one_piece(b"\x83\x02\x30\x00", false)]
    #[case::extensions_as_bits(b"\x03\x02\x30\x00", false)]
    #[case::extensions_of_another_class(b"\x63\x02\x30\x00", false)]
    #[case::extensions_twice(b"\xa3\x02\x30\x00\xa3\x02\x30\x00", false)]
    #[case::extensions_behind_their_field(b"\xa3\x00\x30\x00", false)]
    #[case::extensions_in_part_behind_their_field(b"\xa3\x02\x30\x00\x30\x00", false)]
    #[case::a_sixth_sequence(b"\x30\x00", false)]
    fn a_certificate_has_its_fields_and_no_others(#[case] fields: &[u8], #[case] good: bool) {
        assert_eq!(is_certificate(&certificate(fields)), good);
    }

    #[rstest]
    #[case::no_body(b"\x30\x00")]
    #[case::a_body_of_another_kind(b"\x30\x0e\xa0\x0c\x02\x00\x30\x00\x30\x00\x30\x00\x30\x00\x30\x00")]
    #[case::an_empty_body(b"\x30\x02\x30\x00")]
    fn without_its_body_it_is_none(#[case] bytes: &[u8]) {
        assert!(!is_certificate(bytes));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| (0..depth).fold(vec![5, 0], |inner, _| around(&inner));
        assert!(is_sequence(&nested(MAX_DEPTH)));
        assert!(!is_sequence(&nested(MAX_DEPTH + 1)));
        let hostile = [0x30, 0x84, 0, 0, 0x7f, 0xff].repeat(5_000);
        assert!(!is_sequence(&hostile));
    }
}
