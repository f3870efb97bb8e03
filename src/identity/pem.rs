//! A certificate in PEM, alone (RFC 7468 §3, §5).
//!
//! Readers differ in what they pass over before, between and after blocks, and so in the certificate that they find in text
//! with more than one. Here nothing is passed over but white space at the ends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The DER in the block, where the text is one and nothing else.
pub(super) fn only_certificate(text: &str) -> Option<Vec<u8>> {
    let block = text.trim_ascii().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let lines: Vec<_> = block.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let ["", digits @ .., ""] = lines.as_slice() else { return None };
    let is_full = !digits.is_empty() && digits.iter().all(|line| !line.is_empty());
    STANDARD.decode(is_full.then(|| digits.concat())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const BLOCK: &str = "-----BEGIN CERTIFICATE-----\nc3Rl\ncA==\n-----END CERTIFICATE-----";

    #[rstest]
    #[case::no_end_of_line(BLOCK.to_owned())]
    #[case::white_space_around(format!("\r\n \t{BLOCK}\n\n"))]
    #[case::lines_as_mail_ends_them(BLOCK.replace('\n', "\r\n"))]
    fn one_block_is_read(#[case] text: String) {
        assert_eq!(only_certificate(&text), Some(b"step".to_vec()));
    }

    #[rstest]
    #[case::nothing(String::new())]
    #[case::no_block("c3RlcA==".to_owned())]
    #[case::an_empty_block(format!("{BEGIN}\n{END}"))]
    #[case::a_block_on_one_line(format!("{BEGIN}c3RlcA=={END}"))]
    #[case::dashes_for_begin_and_end("-----BEGIN CERTIFICATE-----END CERTIFICATE-----".to_owned())]
    #[case::another_label(BLOCK.replace("CERTIFICATE", "PRIVATE KEY"))]
    #[case::another_label_at_the_end(BLOCK.replace("END CERTIFICATE", "END CERTIFICATE REQUEST"))]
    #[case::no_end(BLOCK.replace(END, ""))]
    #[case::text_before(format!("subject=web\n{BLOCK}"))]
    #[case::text_after(format!("{BLOCK}\n# web"))]
    #[case::a_header(BLOCK.replace("c3Rl", "Proc-Type: 4,CLEAR\n\nc3Rl"))]
    #[case::an_empty_line(BLOCK.replace("c3Rl", "c3Rl\n"))]
    #[case::white_space_in_a_line(BLOCK.replace("c3Rl", "c3 Rl"))]
    #[case::the_alphabet_of_tokens(BLOCK.replace("c3Rl", "c3-_"))]
    #[case::no_padding(BLOCK.replace("==", ""))]
    #[case::padding_within(BLOCK.replace("c3Rl", "c3Q="))]
    #[case::stray_bits_at_the_end(BLOCK.replace("cA==", "cB=="))]
    #[case::a_second_block(format!("{BLOCK}\n{BLOCK}"))]
    #[case::a_block_behind_a_broken_one(format!("{BEGIN}\n\u{0}\n{BLOCK}"))]
    #[case::a_block_behind_an_open_one(format!("{BEGIN}\nc3Rl\n{BLOCK}"))]
    fn anything_else_is_no_certificate(#[case] text: String) {
        assert_eq!(only_certificate(&text), None);
    }
}
