//! Textual encodings (RFC 7468 §3), around one certificate.

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BEGIN: &str = "-----BEGIN ";
const LABEL: &str = "CERTIFICATE-";
/// §2: a parser may disregard the label here.
const END: &str = "-----END ";

/// The content of the first block, if that is a certificate.
pub(crate) fn first_certificate(pem: &str) -> Option<Vec<u8>> {
    let mut lines = pem.split('\n').skip_while(|line| !line.starts_with(BEGIN));
    lines.next()?.strip_prefix(BEGIN).filter(|label| label.starts_with(LABEL))?;
    let digits: String = lines.take_while(|line| !line.starts_with(END)).map(str::trim_end).collect();
    let digits = digits.trim_end_matches('=');
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
    let pem = format!("{BEGIN}{LABEL}----\n{}\n{END}{LABEL}----\n", lines.join("\n"));
    pem.replace('\n', "%0A").replace(' ', "%20").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}
