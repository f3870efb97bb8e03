//! The strict gate for compact JWS (RFC 7515 §7.1, RFC 8725): what does not pass is never given to a signature check.

use super::json::{self, Object};
use super::{Algorithm, TokenFault};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::fmt;

/// The most that a token may have: more than any real one needs, and what headers of common servers hold.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// A well-formed compact JWS whose signature nobody has looked at.
pub struct Compact<'t> {
    pub header: Header,
    pub payload: Object,
    signing_input: &'t str,
    signature: Vec<u8>,
}

/// The members of a JOSE header that mean something here.
#[derive(Debug)]
pub struct Header {
    pub algorithm: Algorithm,
    pub key_id: Option<String>,
    /// In lower case and without `application/` (RFC 7515 §4.1.9).
    pub media_type: Option<String>,
    /// The key that a proof brings along. Only proofs may have one.
    pub key: Option<Object>,
}

impl<'t> Compact<'t> {
    pub fn parse(token: &'t str) -> Result<Self, TokenFault> {
        Self::parse_up_to(token, MAX_TOKEN_BYTES)
    }

    /// One that did not come in a header, and so may have more bytes.
    pub fn parse_up_to(token: &'t str, max_bytes: usize) -> Result<Self, TokenFault> {
        if token.len() > max_bytes {
            return Err(TokenFault::Oversize);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(TokenFault::Malformed)?;
        // What is not in the alphabet, a fourth part's dot too, can't be decoded. Nothing is read before all is.
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        Ok(Self {
            header: Header::parse(json::object(&header).ok_or(TokenFault::Malformed)?)?,
            payload: json::object(&payload).ok_or(TokenFault::Malformed)?,
            signing_input,
            signature,
        })
    }

    pub const fn signing_input(&self) -> &'t str {
        self.signing_input
    }

    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// What the signature of a compact JWS is over (RFC 7515 §5.1).
pub fn signing_input(token: &str) -> &str {
    token.rsplit_once('.').map_or(token, |(signed, _)| signed)
}

/// Cheap enough for any input: length, alphabet, and exactly three parts.
pub fn check_form(token: &str) -> Result<(), TokenFault> {
    check_length(token)?;
    let base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let dots = token.bytes().filter(|b| *b == b'.').count();
    let good = dots == 2 && token.bytes().all(|b| base64url(b) || b == b'.');
    if good { Ok(()) } else { Err(TokenFault::Malformed) }
}

fn check_length(token: &str) -> Result<(), TokenFault> {
    if token.len() > MAX_TOKEN_BYTES { Err(TokenFault::Oversize) } else { Ok(()) }
}

impl Header {
    fn parse(mut header: Object) -> Result<Self, TokenFault> {
        // RFC 7515 §4.1.11: extensions that are not understood must be refused, and none is understood here.
        // §4.1.2, §4.1.5: a token does not choose where its key comes from.
        if ["crit", "jku", "x5u"].iter().any(|name| header.contains_key(*name)) {
            return Err(TokenFault::ForbiddenHeader);
        }
        let key = match header.remove("jwk") {
            None => None,
            Some(Value::Object(key)) => Some(key),
            Some(_) => return Err(TokenFault::ForbiddenHeader),
        };
        let algorithm = text(&header, "alg")?.ok_or(TokenFault::Algorithm)?;
        Ok(Self {
            algorithm: Algorithm::parse(algorithm).ok_or(TokenFault::Algorithm)?,
            key_id: text(&header, "kid")?.map(str::to_owned),
            media_type: text(&header, "typ")?.map(media_type),
            key,
        })
    }
}

fn media_type(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").map_or(typ.clone(), str::to_owned)
}

fn text<'o>(object: &'o Object, name: &str) -> Result<Option<&'o str>, TokenFault> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenFault::Malformed),
    }
}

/// Without padding and without stray bits, so that one token has one form.
fn decode(part: &str) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)
}

/// Nothing of the token: whoever holds it can use it.
impl fmt::Debug for Compact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compact").field("algorithm", &self.header.algorithm).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn token(header: &str, payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(header), part(payload), part("signature"))
    }

    #[rstest]
    #[case(r#"{"alg":"none"}"#, TokenFault::Algorithm)]
    #[case(r#"{"alg":"None"}"#, TokenFault::Algorithm)]
    #[case(r#"{"alg":"HS256"}"#, TokenFault::Algorithm)]
    #[case(r#"{"alg":"RSA1_5","enc":"A256GCM"}"#, TokenFault::Algorithm)]
    #[case(r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#, TokenFault::Algorithm)]
    #[case(r#"{"alg":"es256"}"#, TokenFault::Algorithm)]
    #[case("{}", TokenFault::Algorithm)]
    #[case(r#"{"alg":["ES256"]}"#, TokenFault::Malformed)]
    #[case(r#"{"alg":"ES256","alg":"ES256"}"#, TokenFault::Malformed)]
    #[case(r#"{"alg":"ES256","crit":["exp"]}"#, TokenFault::ForbiddenHeader)]
    #[case(r#"{"alg":"ES256","crit":[]}"#, TokenFault::ForbiddenHeader)]
    #[case(r#"{"alg":"ES256","jku":"https://evil.example"}"#, TokenFault::ForbiddenHeader)]
    #[case(r#"{"alg":"ES256","x5u":"https://evil.example"}"#, TokenFault::ForbiddenHeader)]
    #[case(r#"{"alg":"ES256","jwk":"x"}"#, TokenFault::ForbiddenHeader)]
    #[case(r#"{"alg":"ES256","kid":7}"#, TokenFault::Malformed)]
    #[case(r#"{"alg":"ES256","typ":null}"#, TokenFault::Malformed)]
    fn a_header_that_is_not_plain_is_refused(#[case] header: &str, #[case] why: TokenFault) {
        assert_eq!(Compact::parse(&token(header, "{}")).unwrap_err(), why);
    }

    #[rstest]
    #[case("")]
    #[case("..")]
    #[case("a.b")]
    #[case("a.b.c.d")]
    #[case("a.b.c.d.e")]
    #[case("a.b.c,a.b.c")]
    #[case("a.b.c ")]
    #[case("a=.b.c")]
    #[case("e30.e30.é")]
    #[case("e30.e30.AA==")]
    #[case("e30.e30.AA.AA")]
    #[case("e30.e30.A A")]
    // Standard base64's alphabet, in each part.
    #[case("eyJ+IjoifiJ9.e30.AA")]
    #[case("e30.eyJ+Ij8ifQ.AA")]
    #[case("e30.e30.//8")]
    fn a_text_of_another_form_is_refused(#[case] text: &str) {
        assert_eq!(Compact::parse(text).unwrap_err(), TokenFault::Malformed);
    }

    #[test]
    fn a_token_within_a_token_is_refused() {
        let inner = token(r#"{"alg":"ES256"}"#, "{}");
        let nested = token(r#"{"alg":"ES256","cty":"JWT"}"#, &inner);
        assert_eq!(Compact::parse(&nested).unwrap_err(), TokenFault::Malformed);
    }

    #[test]
    fn the_form_of_every_part_comes_before_what_the_header_says() {
        let unsigned = token(r#"{"alg":"none"}"#, "{}");
        let (unsigned, _) = unsigned.rsplit_once('.').unwrap();
        assert_eq!(Compact::parse(&format!("{unsigned}.A+A=")).unwrap_err(), TokenFault::Malformed);
    }

    #[test]
    fn a_token_over_8_kib_is_refused_before_it_is_read() {
        assert_eq!(Compact::parse(&"a".repeat(80 * 1024)).unwrap_err(), TokenFault::Oversize);
    }

    #[test]
    fn stray_bits_at_the_end_of_base64_are_refused() {
        let unsigned = token(r#"{"alg":"ES256"}"#, "{}");
        let (unsigned, _) = unsigned.rsplit_once('.').unwrap();
        assert!(Compact::parse(&format!("{unsigned}.AA")).is_ok());
        assert_eq!(Compact::parse(&format!("{unsigned}.AB")).unwrap_err(), TokenFault::Malformed);
    }

    #[test]
    fn the_type_is_compared_without_case_and_prefix() {
        let typed = token(r#"{"alg":"ES256","typ":"application/AT+JWT"}"#, "{}");
        assert_eq!(Compact::parse(&typed).unwrap().header.media_type.as_deref(), Some("at+jwt"));
    }
}
