//! Which headers stand in a line: those that the policy looks at, as far as they hold no credential. A value that may be one
//! is left out, so that only whether it is there can be seen.

use crate::context::url_credential::is_jwt;
use crate::policy::{Attestation, CREDENTIAL_HEADERS, HeaderLook, Policy};
use crate::request::{Headers, readings};
use serde::{Serialize, Serializer};

/// The headers that a policy looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggedHeaders(Box<[LoggedHeader]>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct LoggedHeader {
    /// In lower case.
    name: Box<str>,
    /// Whether values that the policy does not name may be shown, too.
    open: bool,
    /// The values that the policy itself names.
    named: Vec<Box<str>>,
}

/// Stands for a value that is not shown. Real values of this form are shown, and mean the same.
const WITHHELD: &str = "[withheld]";
/// For one with a comma, which servers may read as two.
const WITHHELD_PARTS: &str = "[withheld],[withheld]";
/// Longer than a value that policies name.
const MAX_VALUE_BYTES: usize = 1_024;
/// Words in the name of a header that holds a credential.
const SECRET_WORDS: [&str; 20] = [
    "assertion",
    "auth",
    "authorization",
    "cert",
    "certificate",
    "cookie",
    "credential",
    "credentials",
    "csrf",
    "jwt",
    "key",
    "passphrase",
    "passwd",
    "password",
    "secret",
    "session",
    "signature",
    "sig",
    "token",
    "xsrf",
];
/// How credentials begin (RFC 9110 §11.4).
const SCHEMES: [&str; 6] = ["basic", "bearer", "digest", "dpop", "negotiate", "wpt"];

impl LoggedHeaders {
    pub fn of(policy: &Policy) -> Self {
        let bearer = policy.credentials.bearer.iter().map(|bearer| &*bearer.header);
        let evidence = policy.attestations.iter().flat_map(Attestation::headers);
        let secret: Vec<_> = CREDENTIAL_HEADERS.into_iter().chain(bearer).chain(evidence).collect();
        let mut looks: Vec<_> = policy.header_looks().filter(|look| !readings::overrides(look.name)).collect();
        looks.sort_by_key(|look| look.name);
        let by_name = looks.chunk_by(|one, other| one.name == other.name);
        Self(by_name.filter_map(|looks| LoggedHeader::of(looks, &secret)).collect())
    }

    /// Whether what the policy looks at in this header is not all in the line.
    pub(super) fn withholds(&self, name: &str, sent: &Headers) -> bool {
        let header = self.0.iter().find(|header| *header.name == *name);
        let mut values = sent.values(name).flatten();
        // What was withheld before is withheld again.
        header.is_some_and(|header| values.any(|value| header.shown(value) != value || value.starts_with(WITHHELD)))
    }
}

impl LoggedHeader {
    fn of(looks: &[HeaderLook<'_>], secret: &[&str]) -> Option<Self> {
        let name = looks.first()?.name;
        let open = looks.iter().any(|look| look.reads) && !secret.contains(&name) && !is_secret(name);
        Some(Self { name: name.into(), open, named: looks.iter().flat_map(|look| look.values).cloned().collect() })
    }

    fn shown<'v>(&self, value: &'v str) -> &'v str {
        // What stands in the policy is no secret.
        let named = self.named.iter().any(|own| **own == *value);
        let harmless = self.open && value.len() <= MAX_VALUE_BYTES && !may_be_secret(value);
        match value.contains(',') {
            _ if named || harmless => value,
            true => WITHHELD_PARTS,
            false => WITHHELD,
        }
    }
}

fn is_secret(name: &str) -> bool {
    name.split(['-', '_']).any(|word| SECRET_WORDS.contains(&word) || word.ends_with("token") || word == "apikey")
}

/// A token, a credential with its scheme, or a URL with a query.
fn may_be_secret(value: &str) -> bool {
    let scheme = |part: &str| part.split_once(' ').is_some_and(|(word, _)| is_scheme(word));
    value.contains('?') || value.split(',').map(str::trim).any(|part| is_jwt(part.as_bytes()) || scheme(part))
}

fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(word))
}

/// Those of the headers that a request has.
#[derive(Clone, Copy)]
pub(super) struct Read<'a> {
    pub looked_at: &'a LoggedHeaders,
    pub sent: &'a Headers,
    /// Whether headers may override method and path.
    pub overrides: bool,
}

/// A header as the line has it. `null`: it is there, and no text.
#[derive(Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Once(Option<&'a str>),
    /// What stands more often than twice means the same.
    Twice([Option<&'a str>; 2]),
}

impl<'a> Read<'a> {
    fn pairs(self) -> impl Iterator<Item = (&'a str, Written<'a>)> {
        let looked_at = self.looked_at.0.iter().filter_map(move |header| Some((&*header.name, self.written(header)?)));
        let names = self.sent.names().filter(move |_| self.overrides);
        let overriding = names.filter_map(move |name| {
            // Twice, or no text, would have been refused.
            Some((name, Written::Once(Some(readings::meant(name, self.sent.only(name)?)?))))
        });
        looked_at.chain(overriding)
    }

    fn written(self, header: &'a LoggedHeader) -> Option<Written<'a>> {
        let mut values = self.sent.values(&header.name).map(|value| value.map(|value| header.shown(value)));
        match (values.next()?, values.next()) {
            (only, None) => Some(Written::Once(only)),
            (one, Some(other)) => Some(Written::Twice([one, other])),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pairs().next().is_none()
    }
}

impl Serialize for Read<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.pairs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::collections::HashMap;

    const JWT: &str = "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl";

    fn logged(name: &str, reads: bool) -> LoggedHeader {
        let values = ["2".into(), "Bearer test".into()];
        LoggedHeader::of(&[HeaderLook { name, values: &values, reads }], &["authorization"]).unwrap()
    }

    fn shown(pairs: &[(&str, Option<&str>)], header: LoggedHeader) -> String {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
        let sent = Headers::apart(pairs.collect(), HashMap::new());
        let looked_at = LoggedHeaders([header].into());
        serde_json::to_string(&Read { looked_at: &looked_at, sent: &sent, overrides: true }).unwrap()
    }

    #[rstest]
    #[case("1")]
    #[case("curl/8.5")]
    #[case("a,b")]
    #[case("bearer")]
    fn a_value_that_the_policy_reads_is_shown(#[case] value: &str) {
        assert_eq!(logged("x-api-version", true).shown(value), value);
    }

    #[rstest]
    #[case(JWT)]
    #[case("a, eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl")]
    #[case("Bearer abc")]
    #[case("basic dXNlcjpwYXNz")]
    #[case("https://shop.example/?access_token=abc")]
    fn a_value_that_may_be_a_credential_is_withheld(#[case] value: &str) {
        assert!(logged("x-api-version", true).shown(value).starts_with(WITHHELD), "{value}");
    }

    #[rstest]
    #[case("authorization")]
    #[case("cookie")]
    #[case("x-api-key")]
    #[case("x_api_key")]
    #[case("x-goog-iap-jwt-assertion")]
    #[case("x-csrftoken")]
    #[case("x-apikey")]
    fn of_a_header_for_credentials_only_what_the_policy_names_is_shown(#[case] name: &str) {
        let header = logged(name, true);
        assert_eq!((header.shown("abc"), header.shown("2"), header.shown("a,b")), (WITHHELD, "2", WITHHELD_PARTS));
        assert_eq!(header.shown("Bearer test"), "Bearer test");
    }

    #[test]
    fn of_a_header_that_only_has_to_be_there_nothing_else_is_shown() {
        assert_eq!(logged("x-break-glass", false).shown("incident 7"), WITHHELD);
    }

    #[test]
    fn a_long_value_is_withheld() {
        assert_eq!(logged("x-api-version", true).shown(&"2".repeat(MAX_VALUE_BYTES + 1)), WITHHELD);
    }

    #[test]
    fn a_header_that_stands_twice_or_is_no_text_is_shown_as_that() {
        let of = |values: &[Option<&str>]| {
            let pairs: Vec<_> = values.iter().map(|value| ("x-a", *value)).collect();
            shown(&pairs, logged("x-a", true))
        };
        assert_eq!(of(&[]), "{}");
        assert_eq!(of(&[None]), r#"{"x-a":null}"#);
        assert_eq!(of(&[Some("1"), None, Some("2")]), r#"{"x-a":["1",null]}"#);
    }

    #[test]
    fn what_overrides_method_or_path_is_shown_without_a_query() {
        let sent = [("x-original-url", Some("https://h/admin?token=abc")), ("x_http_method", Some("PUT"))];
        assert_eq!(shown(&sent, logged("x-a", true)), r#"{"x-original-url":"/admin","x_http_method":"PUT"}"#);
    }
}
