//! base64url without padding (RFC 7515 §2, RFC 4648 §5 and §3.5).

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `None` also where the bits after the last whole byte are not zero.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<usize>> = text.chars().map(|character| ALPHABET.find(character)).collect();
    let mut bits: Vec<bool> = Vec::new();
    for digit in digits? {
        bits.extend((0..6).rev().map(|place| digit >> place & 1 == 1));
    }
    let rest = bits.split_off(bits.len() / 8 * 8);
    let bytes = bits.chunks(8).map(|byte| byte.iter().fold(0, |number, bit| number << 1 | u8::from(*bit)));
    (rest.len() < 6 && !rest.contains(&true)).then(|| bytes.collect())
}

/// SHA-256, as `jkt`, `ath` and `x5t#S256` write it.
pub(crate) fn digest(text: &str) -> Option<[u8; 32]> {
    decoded(text)?.try_into().ok()
}
