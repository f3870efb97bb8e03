//! Textual encodings (RFC 7468 §3), around one certificate.

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The content of the block, if the text is a certificate and nothing else (§3, "strict", but for the length of lines).
pub(crate) fn only_certificate(pem: &str) -> Option<Vec<u8>> {
    let (first, rest) = pem.trim().split_once('\n')?;
    let (lines, last) = rest.rsplit_once('\n')?;
    if (first.trim_end_matches('\r'), last) != (BEGIN, END) {
        return None;
    }
    let digits: String = lines.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    let (padded, digits) = (digits.len(), digits.trim_end_matches('='));
    if padded != digits.len().next_multiple_of(4) {
        return None;
    }
    let mut bits: Vec<bool> = Vec::new();
    for character in digits.chars() {
        let digit = ALPHABET.find(character)?;
        bits.extend((0..6).rev().map(|place| digit >> place & 1 == 1));
    }
    bits.truncate(bits.len() / 8 * 8);
    Some(bits.chunks(8).map(|byte| byte.iter().fold(0, |number, bit| number << 1 | u8::from(*bit))).collect())
}

/// As Envoy forwards it: URL-encoded, in lines of 64.
pub(crate) fn encoded(der: &[u8]) -> String {
    let alphabet: Vec<char> = ALPHABET.chars().collect();
    let mut digits = String::new();
    for three in der.chunks(3) {
        let number = (0..3).fold(0_usize, |number, at| number << 8 | usize::from(three.get(at).copied().unwrap_or(0)));
        let four = [18, 12, 6, 0].map(|place| alphabet.get(number >> place & 63).copied().unwrap_or_default());
        digits.extend(four.iter().take(three.len() + 1));
        digits.extend(std::iter::repeat_n('=', 3 - three.len()));
    }
    let characters: Vec<char> = digits.chars().collect();
    let lines: Vec<String> = characters.chunks(64).map(|line| line.iter().collect()).collect();
    let pem = format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"));
    pem.replace('\n', "%0A").replace(' ', "%20").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}
