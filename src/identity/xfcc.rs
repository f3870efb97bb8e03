//! `x-forwarded-client-cert`, in which Envoy says whose certificate it has seen.
//!
//! Each proxy appends an element for its own peer, so the last is what the nearest Envoy has seen itself; all before it may
//! be the caller's. It is read strictly from the left: a quote or comma that a caller sends must not decide where the last
//! element begins, so a value in which anything is malformed names nobody.
//!
//! Envoy writes the names of a certificate as they are, also with `,` or `;` in them: what an authority signs for its
//! workloads must hold neither.

use super::SpiffeId;

/// More than Envoy takes for all headers together by default (60 KiB).
const MAX_BYTES: usize = 64 * 1024;

/// The one URI of the last element, where it is a SPIFFE ID.
pub fn last_spiffe_id(value: &str) -> Option<SpiffeId> {
    if value.len() > MAX_BYTES {
        return None;
    }
    let mut rest = value;
    loop {
        let (element, after) = Element::read(rest)?;
        match after {
            Some(after) => rest = after,
            None => return SpiffeId::parse(element.only_uri()?).ok(),
        }
    }
}

/// What one proxy says of its peer.
#[derive(Default)]
struct Element<'v> {
    uri: Option<&'v str>,
    has_more_uris: bool,
    /// Those of [`SINGLE_KEYS`] that were read, a bit each.
    seen: u8,
}

/// `Key=Value`, where the value may be quoted.
struct Pair<'v> {
    key: &'v str,
    value: &'v str,
    end: End<'v>,
}

/// What follows a pair.
enum End<'v> {
    NextPair(&'v str),
    NextElement(&'v str),
    Value,
}

/// A certificate may have several names (`URI`, `DNS`), and so may the proxy's own (`By`). There is one of these.
const SINGLE_KEYS: [&str; 4] = ["hash", "cert", "chain", "subject"];

impl<'v> Element<'v> {
    /// Reads up to the comma that ends the element, and gives what follows it.
    fn read(text: &'v str) -> Option<(Self, Option<&'v str>)> {
        let mut element = Self::default();
        let mut rest = text.trim_start_matches(SPACE);
        loop {
            let pair = Pair::read(rest)?;
            element.add(pair.key, pair.value)?;
            match pair.end {
                End::NextPair(after) => rest = after,
                End::NextElement(after) => return Some((element, Some(after))),
                End::Value => return Some((element, None)),
            }
        }
    }

    fn add(&mut self, key: &str, value: &'v str) -> Option<()> {
        if key.eq_ignore_ascii_case("uri") {
            self.has_more_uris |= self.uri.replace(value).is_some();
        }
        let single = SINGLE_KEYS.iter().position(|known| key.eq_ignore_ascii_case(known));
        let bit = single.map_or(0, |index| 1 << index);
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        is_new.then_some(())
    }

    fn only_uri(&self) -> Option<&'v str> {
        self.uri.filter(|_| !self.has_more_uris)
    }
}

impl<'v> Pair<'v> {
    fn read(text: &'v str) -> Option<Self> {
        let (key, after) = text.split_once('=')?;
        let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric());
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => split_quoted(quoted)?,
            None => split_plain(after),
        };
        is_key.then_some(Self { key, value, end: End::read(after)? })
    }
}

impl<'v> End<'v> {
    fn read(text: &'v str) -> Option<Self> {
        // Where lines of a header are joined, space may stand around the comma (RFC 9110 §5.3).
        let unspaced = text.trim_start_matches(SPACE);
        match (text.strip_prefix(';'), unspaced.strip_prefix(',')) {
            (Some(after), _) => Some(Self::NextPair(after)),
            (None, Some(after)) => Some(Self::NextElement(after)),
            (None, None) => unspaced.is_empty().then_some(Self::Value),
        }
    }
}

const SPACE: [char; 2] = [' ', '\t'];

/// Splits behind the closing quote. A backslash takes the meaning from whatever follows it, as in the names of RFC 4514
/// that Envoy puts between quotes: in `"CN=a\\"` the quote closes.
fn split_quoted(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let close = text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    Some((text.get(..close)?, text.get(close + 1..)?))
}

/// Splits before what a plain value can't hold; a quote there is not where one may stand. Envoy doesn't quote the URIs of
/// certificates, so `=` may stand in one.
fn split_plain(text: &str) -> (&str, &str) {
    text.split_at(text.find([',', ';', '"', ' ', '\t']).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const BOT: &str = "spiffe://prod.example/ns/agents/sa/billing-bot";
    const ADMIN: &str = "spiffe://prod.example/ns/agents/sa/admin-bot";
    /// As Envoy 1.40 writes it.
    const REAL: &str = "By=spiffe://prod.example/gateway;Hash=f7ac365eb7122f14e546abedc67754545a3939bda9f4bb8c7fcf54a853945c22;\
                        Subject=\"CN=billing-bot,O=Probe\";URI=spiffe://prod.example/ns/agents/sa/billing-bot";

    fn named(value: &str) -> Option<String> {
        last_spiffe_id(value).map(|id| id.as_str().to_owned())
    }

    #[rstest]
    #[case("{real}")]
    #[case("By=spiffe://evil;URI={admin},{real}")] // recorded: APPEND_FORWARD behind a forged element
    #[case("URI={admin} , \t{real} ")]
    #[case("URI={bot}")]
    #[case("uri={bot}")]
    #[case("Uri=\"{bot}\"")]
    #[case("URI={bot};DNS=a.example;DNS=b.example")]
    #[case("By=spiffe://a;By=https://b/?c=d;Hash=00;Cert=\"-----BEGIN%20CERTIFICATE-----%0AMII%3D%0A\";URI={bot}")]
    #[case("Subject=\"\";URI={bot}")]
    #[case("Hash=;URI={bot}")]
    #[case("URI=spiffe://a/b;URI=spiffe://a/c,URI={bot}")] // an earlier hop's certificate had two names
    #[case("URI={admin},URI={admin},URI={bot}")]
    // A subject may hold anything, as long as it is quoted.
    #[case("Subject=\"CN=x,URI={admin}\";URI={bot}")]
    #[case("Subject=\"CN=x;URI={admin}\";URI={bot}")]
    #[case(r#"Subject="CN=\",URI={admin};x=\"";URI={bot}"#)]
    #[case(r#"Subject="CN=a\\";URI={bot}"#)]
    #[case(r#"Subject="CN=a\\\",URI={admin}";URI={bot}"#)]
    #[case(r#"Subject="CN=a\,O=b";URI={bot}"#)]
    fn the_last_element_names_the_caller(#[case] value: &str) {
        assert_eq!(named(&fill(value)).as_deref(), Some(BOT), "{value}");
    }

    #[rstest]
    #[case("")]
    #[case(" ")]
    #[case(",")]
    #[case(";")]
    #[case("=")]
    #[case("URI")]
    #[case("URI=")]
    #[case("={bot}")]
    #[case("{bot}")]
    // The last element is what counts, whatever stands before it.
    #[case("{real},")]
    #[case("{real}, ")]
    #[case("{real},,")]
    #[case("{real},By=spiffe://prod.example/gateway;Hash=00")]
    #[case("{real},URI=")]
    #[case("{real},URI=https://a.example")]
    // One that is malformed spoils all: readers may differ on where the last begins.
    #[case(",{real}")]
    #[case("x,{real}")]
    #[case("URI={admin};,{real}")]
    #[case("URI={admin},,{real}")]
    #[case("{real};")]
    #[case("{real};;DNS=a")]
    #[case(";{real}")]
    #[case("A B=c,{real}")]
    #[case("URI ={bot}")]
    #[case("URI= {bot}")]
    #[case("By=a ;URI={bot}")]
    #[case("By=a; URI={bot}")]
    #[case("\u{fffd}=a,{real}")]
    // Quotes that are sent to swallow a boundary, or to break out.
    #[case("By=\"x,{real}")]
    #[case("URI=\"{admin},{real}")]
    #[case("By=\"x\"y\",{real}")]
    #[case("By=x\"{real}")]
    #[case("By=x\",{real}")]
    #[case("\"By\"=x,{real}")]
    #[case("By=\"\"x,{real}")]
    #[case(r#"By="x\,{real}"#)]
    #[case(r#"By="x\",{real}"#)]
    #[case(r#"Subject="CN=a\";URI={bot}"#)]
    #[case(r#"Subject="CN=a\\\";URI={bot}"#)]
    #[case(r#"Subject="CN=a\\"";URI={bot}"#)]
    #[case(r"URI={bot}\")]
    #[case(r#"URI="spiffe://prod.example/\a""#)]
    // Two of what there is one of.
    #[case("URI={bot};URI={bot}")]
    #[case("URI={admin};URI={bot}")]
    #[case("URI=;URI={bot}")]
    #[case("URI={bot};uri={admin}")]
    #[case("Hash=a;Hash=b;URI={bot}")]
    #[case("Subject=\"a\";SUBJECT=\"b\";URI={bot}")]
    #[case("Cert=\"a\";Chain=\"b\";Cert=\"c\",{real}")]
    // What is no SPIFFE ID.
    #[case("URI=https://prod.example/ns/agents/sa/billing-bot")]
    #[case("URI=spiffe://prod.example/a?b=c")]
    #[case("URI=spiffe://prod.example/%61")]
    #[case("Subject=\"URI={bot}\"")]
    #[case("DNS={bot}")]
    #[case("By={bot}")]
    fn anything_else_names_nobody(#[case] value: &str) {
        assert_eq!(named(&fill(value)), None, "{value}");
    }

    fn fill(value: &str) -> String {
        value.replace("{real}", REAL).replace("{bot}", BOT).replace("{admin}", ADMIN)
    }

    /// `FORWARD_ONLY` and `ALWAYS_FORWARD_ONLY` hand through what the caller sent. Nothing in the value tells: only the
    /// Envoy in front can be configured well.
    #[test]
    fn a_header_that_envoy_does_not_sanitize_is_the_callers_own() {
        assert_eq!(named(&fill("By=spiffe://evil;URI={admin}")).as_deref(), Some(ADMIN));
    }

    #[test]
    fn a_value_over_64_kib_names_nobody() {
        let long = |bytes: usize| format!("Chain=\"{}\";URI={BOT}", "a".repeat(bytes));
        assert_eq!(named(&long(50_000)).as_deref(), Some(BOT));
        assert_eq!(named(&long(70_000)), None);
    }

    proptest! {
        #[test]
        fn whatever_a_caller_sends_first_it_is_itself_or_nobody(
            sent in "([ -~]{0,24}|[\"\\\\,;=URIa]{0,24}|URI=spiffe://a/b|By=\")",
        ) {
            let told = named(&format!("{sent},{REAL}"));
            prop_assert!(told.as_deref().is_none_or(|name| name == BOT), "{:?}", told);
        }

        #[test]
        fn whatever_a_subject_holds_it_names_nobody_else(subject in "[ -~]{0,24}|[\"\\\\,;=URI]{0,24}") {
            let quoted = subject.replace('\\', "\\\\").replace('"', "\\\"");
            let told = named(&format!("Subject=\"{quoted}\";URI={BOT}"));
            prop_assert_eq!(told.as_deref(), Some(BOT));
        }

        #[test]
        fn no_value_is_too_strange(value in "\\PC{0,64}|[\"\\\\,;=URIa ]{0,32}") {
            let _ = last_spiffe_id(&value);
        }
    }
}
