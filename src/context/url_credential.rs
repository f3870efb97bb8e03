//! Whether a query string holds a credential: there it ends up in logs, histories and referrers.
//!
//! Nothing here reads the credential. A caller who wants to hide one would send it elsewhere: this finds bad habits.

use crate::attestation::json;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// Parameters that hold a credential, in lower case and without what separates words.
const NAMES: [&str; 7] = ["accesstoken", "idtoken", "token", "apikey", "clientsecret", "secret", "password"];

/// More than Envoy takes for all headers together by default (60 KiB). What is longer is not looked at, and counts.
const MAX_QUERY_BYTES: usize = 64 * 1024;

/// Whether one of the parameters has the name of a credential, or a JWT as its value.
///
/// Parameters are separated by `&` or `;`. A name is compared without case, separators and a leading `x-`, so that
/// `access-token`, `apiKey` and `X-API-Key` count; a name in brackets counts like one outside (`user[password]`, `token[]`).
pub fn credential_in_url(query: &str) -> bool {
    query.len() > MAX_QUERY_BYTES || query.as_bytes().split(|byte| matches!(byte, b'&' | b';')).any(holds_credential)
}

fn holds_credential(parameter: &[u8]) -> bool {
    let mut halves = parameter.splitn(2, |byte| *byte == b'=');
    let name = halves.next().unwrap_or_default();
    // Without `=`, it may be either.
    is_credential_name(name) || is_jwt(halves.next().unwrap_or(name))
}

fn is_credential_name(name: &[u8]) -> bool {
    let decoded: Cow<'_, [u8]> = percent_decode(name).into();
    decoded.split(|byte| matches!(byte, b'[' | b']')).any(|part| {
        let part = if let [b'x' | b'X', b'-' | b'_' | b'.', rest @ ..] = part { rest } else { part };
        let letters =
            part.iter().filter(|b| !matches!(b, b'-' | b'_' | b'.' | b'+' | b' ')).map(u8::to_ascii_lowercase);
        NAMES.iter().any(|known| part.len() >= known.len() && letters.clone().eq(known.bytes()))
    })
}

/// A JWS has three parts, a JWE five (RFC 7519 §3); the first is a JOSE header, which names an algorithm. A word before
/// it, such as `Bearer`, changes nothing.
pub fn is_jwt(value: &[u8]) -> bool {
    if !value.iter().any(|byte| matches!(byte, b'.' | b'%')) {
        return false;
    }
    let decoded: Cow<'_, [u8]> = percent_decode(value).into();
    let token = decoded.rsplit(|byte| matches!(byte, b' ' | b'+')).next().unwrap_or_default();
    let base64url = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let mut parts = token.split(|byte| *byte == b'.');
    let (header, others) = (parts.next().unwrap_or_default(), parts.count());
    matches!(others, 2 | 4) && token.iter().all(base64url) && is_jose_header(header)
}

fn is_jose_header(part: &[u8]) -> bool {
    let header = URL_SAFE_NO_PAD.decode(part).ok().and_then(|bytes| json::object(&bytes));
    header.is_some_and(|header| header.contains_key("alg"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    /// `{"alg":"ES256"}`, `{}` and `signature`.
    const JWT: &str = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl";

    #[rstest]
    #[case("access_token=x")]
    #[case("page=2&id_token=x")]
    #[case("token=x&page=2")]
    #[case("a=1;api_key=x")]
    #[case("apikey=x")]
    #[case("client_secret=x")]
    #[case("secret=x")]
    #[case("password=x")]
    #[case("ACCESS_TOKEN=x")]
    #[case("accessToken=x")]
    #[case("access-token=x")]
    #[case("api.key=x")]
    #[case("api+key=x")]
    #[case("api%20key=x")]
    #[case("x-api-key=x")]
    #[case("X_API_KEY=x")]
    #[case("%74oken=x")]
    #[case("%54OKEN=x")]
    #[case("token[]=x")]
    #[case("token%5B%5D=x")]
    #[case("token%5b0%5d=x")]
    #[case("user[password]=x")]
    #[case("user%5Bpassword%5D=x")]
    #[case("token=")]
    #[case("token")]
    #[case("&&token=x")]
    #[case("a=b=c&token==")]
    fn a_parameter_with_the_name_of_a_credential_is_one(#[case] query: &str) {
        assert!(credential_in_url(query), "{query}");
    }

    #[rstest]
    #[case("q={}")]
    #[case("page=2&q={}&limit=5")]
    #[case("a=1;q={}")]
    #[case("{}")]
    #[case("authorization=Bearer%20{}")]
    #[case("authorization=Bearer+{}")]
    fn a_jwt_is_a_credential_under_any_name(#[case] query: &str) {
        let encoded = percent_encoding::percent_encode(JWT.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string();
        for token in [JWT, &JWT.replace('.', "%2e"), &JWT.replace('e', "%65"), &encoded] {
            assert!(credential_in_url(&query.replace("{}", token)), "{query}");
        }
    }

    #[rstest]
    #[case("eyJhbGciOiJub25lIn0.e30.")] // unsecured
    #[case("eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn")] // encrypted
    #[case("eyAiYWxnIiA6ICJFUzI1NiIgfQ.e30.c2ln")] // with spaces
    fn a_jwt_has_three_or_five_parts(#[case] token: &str) {
        assert!(credential_in_url(&format!("q={token}")));
    }

    #[rstest]
    #[case("")]
    #[case("page=2&limit=50")]
    #[case("q=token")]
    #[case("tokens=5&token_type=x&next_page_token=y&max_tokens=z")]
    #[case("secretary=x&passwords=y&xtoken=z")]
    #[case("%2574oken=x")]
    #[case("tok%C4%95n=x")]
    #[case("redirect=/a?token=x")]
    #[case("version=1.2.3")]
    #[case("q=a.b.c")]
    #[case("q=www.example.com")]
    #[case("q=e30.e30.e30")] // no `alg`
    #[case("q=W10.e30.e30")] // no object
    #[case("q=eyJhbGciOiJFUzI1NiJ9.e30")]
    #[case("q=eyJhbGciOiJFUzI1NiJ9.e30.a.b")]
    #[case("q=eyJhbGciOiJFUzI1NiJ9.e30.a.b.c.d")]
    #[case("q=eyJhbGciOiJFUzI1NiJ9.e30.a/b")]
    #[case("q=%")]
    #[case("%=%zz&%2=%")]
    fn anything_else_is_none(#[case] query: &str) {
        assert!(!credential_in_url(query), "{query}");
    }

    #[test]
    fn what_is_too_long_to_be_looked_at_counts() {
        assert!(!credential_in_url(&"a=b&".repeat(MAX_QUERY_BYTES / 4)));
        assert!(credential_in_url(&"a".repeat(MAX_QUERY_BYTES + 1)));
    }

    #[test]
    fn a_header_of_nothing_but_brackets_is_not_followed() {
        let deep = URL_SAFE_NO_PAD.encode("{\"alg\":".repeat(6_000));
        assert!(!credential_in_url(&format!("q={deep}.e30.e30")));
    }

    proptest! {
        #[test]
        fn parameters_beside_a_credential_never_hide_it(
            before in "[ -~]{0,24}",
            after in "[ -~]{0,24}",
            credential in prop::sample::select(vec!["token=x".to_owned(), format!("q={JWT}")]),
            separator in prop::sample::select(vec!['&', ';']),
        ) {
            let query = format!("{before}{separator}{credential}{separator}{after}");
            prop_assert!(credential_in_url(&query));
        }

        #[test]
        fn no_query_is_too_strange(query in "\\PC{0,64}") {
            let _ = credential_in_url(&query);
        }
    }
}
