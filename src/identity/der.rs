//! Whether bytes are whole DER (X.690 §8.1.3, §10.1): every element ends where it says, and within the one around it.
//!
//! `x509-parser` takes some lengths loosely, and so could find names where others read none.

/// Deeper than any certificate goes, and a bound on what a hostile one makes us follow.
const MAX_DEPTH: usize = 32;
/// The bit of a tag that says that the content is elements.
const CONSTRUCTED: u8 = 0x20;
/// More bytes of length than any certificate has.
const MAX_LENGTH_BYTES: usize = 4;

pub(super) fn is_whole(bytes: &[u8]) -> bool {
    are_elements(bytes, MAX_DEPTH)
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"")]
    #[case(b"\x30\x00")]
    #[case(b"\x30\x05\x02\x01\x07\x05\x00")]
    #[case(b"\x30\x81\x03\x02\x01\x07")]
    #[case(b"\x04\x02\x30\x7f")] // what bytes hold is not looked at
    fn elements_within_elements_are_whole(#[case] bytes: &[u8]) {
        assert!(is_whole(bytes));
    }

    #[rstest]
    #[case::a_tag_alone(b"\x30")]
    #[case::too_short(b"\x04\x02\x00")]
    #[case::beyond_what_is_around(b"\x30\x03\x30\x04\x04\x02\x00\x00")]
    #[case::something_after_the_last(b"\x30\x04\x02\x01\x07\x00")]
    #[case::no_end(b"\x30\x80\x02\x01\x07\x00\x00")]
    #[case::a_length_of_many_bytes(b"\x04\x89\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00")]
    fn what_ends_elsewhere_is_not(#[case] bytes: &[u8]) {
        assert!(!is_whole(bytes));
    }

    #[test]
    fn depth_is_bounded() {
        let around = |inner: Vec<u8>| [&[0x30, u8::try_from(inner.len()).unwrap()][..], &inner].concat();
        let nested = |depth: usize| (0..depth).fold(vec![5, 0], |inner, _| around(inner));
        assert!(is_whole(&nested(MAX_DEPTH)));
        assert!(!is_whole(&nested(MAX_DEPTH + 1)));
        let hostile = [0x30, 0x84, 0, 0, 0x7f, 0xff].repeat(5_000);
        assert!(!is_whole(&hostile));
    }
}
