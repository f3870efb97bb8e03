//! What an attestation was made for: its `authorization_details` (RFC 9396 §2) of type `stepgate`.
//!
//! An entry of our type allows calls of these routes (`actions`) to these hosts (`locations`). Several add up, each by
//! itself: the routes of one never go with the hosts of another. Entries of other types are for others.

use super::TokenFault;
use super::json::Object;
use crate::request::Host;
use serde_json::Value;

/// What an attestation allows, as far as it says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Those of our type. Where there are none, nothing is limited.
    entries: Box<[Entry]>,
}

/// Several texts, of which one must be met; `None` where they are not limited.
type OneOf = Option<Box<[Box<str>]>>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    actions: OneOf,
    /// In their one form.
    locations: OneOf,
}

/// The `type` of our entries.
const TYPE: &str = "stepgate";
/// More intents than one attestation is made for.
const MAX_ENTRIES: usize = 16;
/// More routes or hosts than an entry names that still means to limit anything.
const MAX_VALUES: usize = 64;
/// As long as a host may be; names of routes are shorter.
const MAX_BYTES: usize = 255;

impl Details {
    pub fn read(payload: &Object) -> Result<Self, TokenFault> {
        let entries = match payload.get("authorization_details") {
            None => return Ok(Self::default()),
            Some(Value::Array(entries)) if entries.len() <= MAX_ENTRIES => entries,
            Some(_) => return Err(TokenFault::Malformed),
        };
        let own: Vec<_> = entries.iter().map(Entry::read).collect::<Result<_, _>>()?;
        Ok(Self { entries: own.into_iter().flatten().collect() })
    }

    /// Whether one entry allows a call that may be any of these `actions`, to this host in its one form.
    pub fn covers<'a>(&self, actions: &(impl Iterator<Item = &'a str> + Clone), host: &str) -> bool {
        self.entries.is_empty() || self.entries.iter().any(|entry| entry.covers(actions, host))
    }

    /// Those of our type, as an attestation writes them.
    pub fn to_value(&self) -> Value {
        Value::Array(self.entries.iter().map(Entry::to_value).collect())
    }

    /// What it holds outside of itself, about.
    pub fn heap_bytes(&self) -> usize {
        let lists = self.entries.iter().flat_map(|entry| [&entry.actions, &entry.locations]).flatten();
        let texts: usize = lists.flatten().map(|text| text.len() + size_of::<&str>()).sum();
        texts + size_of_val(&*self.entries)
    }
}

impl Entry {
    /// Allows nothing: some of what it says is not understood, and might be the very limit.
    fn nothing() -> Self {
        Self { actions: Some(Box::default()), locations: None }
    }

    /// `None` where it is for others.
    fn read(entry: &Value) -> Result<Option<Self>, TokenFault> {
        let Value::Object(members) = entry else {
            return Err(TokenFault::Malformed);
        };
        match members.get("type") {
            Some(Value::String(kind)) if kind == TYPE => {}
            Some(Value::String(_)) => return Ok(None),
            _ => return Err(TokenFault::Malformed),
        }
        let actions = texts(members, "actions", |action| Some(action.into()))?;
        let locations = texts(members, "locations", location)?;
        let understood = members.keys().all(|name| ["type", "actions", "locations"].contains(&name.as_str()));
        // Without either, what should limit it was lost on the way, or never thought of.
        let limited = actions.is_some() || locations.is_some();
        Ok(Some(if understood && limited { Self { actions, locations } } else { Self::nothing() }))
    }

    fn to_value(&self) -> Value {
        let texts = |texts: &[Box<str>]| Value::Array(texts.iter().map(|text| (**text).into()).collect());
        let limits = [("actions", &self.actions), ("locations", &self.locations)];
        let limits = limits.into_iter().filter_map(|(name, own)| Some((name.to_owned(), texts(own.as_deref()?))));
        Value::Object(limits.chain([("type".to_owned(), TYPE.into())]).collect())
    }

    fn covers<'a>(&self, actions: &(impl Iterator<Item = &'a str> + Clone), host: &str) -> bool {
        let host_is_in = |hosts: &[Box<str>]| hosts.iter().any(|own| **own == *host);
        let is_in = |own: &[Box<str>], action: &str| own.iter().any(|own| **own == *action);
        // Of a call without any action, no entry speaks that names some.
        let all_are_in =
            |own: &[Box<str>]| actions.clone().next().is_some() && actions.clone().all(|action| is_in(own, action));
        self.locations.as_deref().is_none_or(host_is_in) && self.actions.as_deref().is_none_or(all_are_in)
    }
}

/// A list of texts, each as `read` takes it. One that it does not take allows nothing, and the others stay.
fn texts(members: &Object, name: &str, read: impl Fn(&str) -> Option<Box<str>>) -> Result<OneOf, TokenFault> {
    let list = match members.get(name) {
        None => return Ok(None),
        Some(Value::Array(list)) if list.len() <= MAX_VALUES => list,
        Some(_) => return Err(TokenFault::Malformed),
    };
    let texts = list.iter().map(|value| value.as_str().filter(|text| text.len() <= MAX_BYTES));
    let texts: Vec<_> = texts.collect::<Option<_>>().ok_or(TokenFault::Malformed)?;
    Ok(Some(texts.into_iter().filter_map(read).collect()))
}

/// A host by itself, or as the `https` URI that RFC 9396 §2.2 has in mind. With a port or a path it allows less than the
/// host, by a limit that is not looked at here, and so nothing.
fn location(text: &str) -> Option<Box<str>> {
    let authority = match text.strip_prefix("https://") {
        Some(rest) => rest.strip_suffix('/').unwrap_or(rest),
        None => text,
    };
    let host = Host::parse(authority).ok()?;
    let name = authority.strip_suffix('.').unwrap_or(authority);
    name.eq_ignore_ascii_case(host.as_str()).then(|| host.as_str().into())
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const HOST: &str = "api.example.com";

    fn read(details: &str) -> Result<Details, TokenFault> {
        let payload = format!(r#"{{"authorization_details":{details}}}"#);
        Details::read(&json::object(payload.as_bytes()).unwrap())
    }

    fn covers(details: &str, actions: &[&str]) -> bool {
        read(details).unwrap().covers(&actions.iter().copied(), HOST)
    }

    #[test]
    fn what_says_nothing_of_us_limits_nothing() {
        let none = Details::read(&Object::new()).unwrap();
        assert!(none.covers(&["refund"].into_iter(), HOST) && none.covers(&[].into_iter(), HOST));
        assert_eq!((none.heap_bytes(), read("[]").unwrap()), (0, none));
        // RFC 9396 §2: the example of a payment.
        let payment = r#"[{"type":"payment_initiation","locations":["https://example.com/payments"],
            "instructedAmount":{"currency":"EUR","amount":"123.50"},"creditorName":"Merchant A"}]"#;
        assert!(covers(payment, &["refund"]));
    }

    #[rstest]
    #[case(r#"[{"type":"stepgate","actions":["refund"]}]"#, &["refund"], true)]
    #[case(r#"[{"type":"stepgate","actions":["refund"]}]"#, &["payout"], false)]
    #[case(r#"[{"type":"stepgate","actions":["refund"]}]"#, &["refund", "payout"], false)]
    #[case(r#"[{"type":"stepgate","actions":["refund","payout"]}]"#, &["refund", "payout"], true)]
    #[case::of_no_action(r#"[{"type":"stepgate","actions":["refund"]}]"#, &[], false)]
    #[case::not_one_for_each(r#"[{"type":"stepgate","actions":["a"]},{"type":"stepgate","actions":["b"]}]"#, &["a", "b"], false)]
    #[case::names_are_exact(r#"[{"type":"stepgate","actions":["Refund","*","refund "]}]"#, &["refund"], false)]
    #[case(r#"[{"type":"stepgate","locations":["api.example.com"]}]"#, &["refund"], true)]
    #[case(r#"[{"type":"stepgate","locations":["api.example.com"]}]"#, &[], true)]
    #[case(r#"[{"type":"stepgate","locations":["other.example.com"]}]"#, &["refund"], false)]
    #[case(r#"[{"type":"stepgate","locations":["API.Example.com."]}]"#, &["refund"], true)]
    #[case(r#"[{"type":"stepgate","locations":["https://api.example.com"]}]"#, &["refund"], true)]
    #[case(r#"[{"type":"stepgate","locations":["https://api.example.com/"]}]"#, &["refund"], true)]
    #[case::one_that_is_not_understood_beside(r#"[{"type":"stepgate","locations":["a/b","api.example.com"]}]"#, &["refund"], true)]
    #[case::crossed(
        r#"[{"type":"stepgate","actions":["refund"],"locations":["b"]},{"type":"stepgate","actions":["list"],"locations":["api.example.com"]}]"#,
        &["refund"], false
    )]
    #[case::both(r#"[{"type":"stepgate","actions":["refund"],"locations":["api.example.com"]}]"#, &["refund"], true)]
    #[case::an_empty_list_allows_none(r#"[{"type":"stepgate","actions":[]}]"#, &["refund"], false)]
    #[case::an_empty_list_allows_none(r#"[{"type":"stepgate","locations":[]}]"#, &["refund"], false)]
    #[case::its_limit_was_lost(r#"[{"type":"stepgate"}]"#, &["refund"], false)]
    #[case::another_covers_it(r#"[{"type":"stepgate"},{"type":"stepgate","actions":["refund"]}]"#, &["refund"], true)]
    #[case::types_are_exact(r#"[{"type":"Stepgate","actions":["list"]}]"#, &["refund"], true)]
    fn one_entry_must_cover_the_host_and_every_action(
        #[case] details: &str,
        #[case] actions: &[&str],
        #[case] covered: bool,
    ) {
        assert_eq!(covers(details, actions), covered, "{details}");
    }

    #[rstest]
    #[case(r#""datatypes":["contacts"]"#)]
    #[case(r#""identifier":"account-14""#)]
    #[case(r#""privileges":["admin"]"#)]
    #[case(r#""amount":{"max":10}"#)]
    #[case(r#""Actions":["list"]"#)]
    #[case(r#""action":"list""#)]
    fn an_entry_that_is_not_understood_covers_nothing(#[case] member: &str) {
        let details = format!(r#"[{{"type":"stepgate","actions":["refund"],{member}}}]"#);
        assert!(!covers(&details, &["refund"]), "{details}");
        assert!(!covers(&details, &[]), "{details}");
    }

    #[rstest]
    #[case("https://api.example.com/v1")]
    #[case("https://api.example.com:443")]
    #[case("api.example.com:443")]
    #[case("https://user@api.example.com")]
    #[case("https://api.example.com?x")]
    #[case("https://api.example.com//")]
    #[case("http://api.example.com")]
    #[case("HTTPS://api.example.com")]
    #[case("*.example.com")]
    #[case("example.com")]
    #[case("")]
    fn a_location_that_says_more_or_other_than_the_host_does_not_cover_it(#[case] location: &str) {
        assert!(!covers(&format!(r#"[{{"type":"stepgate","locations":["{location}"]}}]"#), &["refund"]), "{location}");
    }

    #[rstest]
    #[case("{}")]
    #[case("null")]
    #[case(r#""stepgate""#)]
    #[case("[7]")]
    #[case("[{}]")]
    #[case(r#"[{"actions":["refund"]}]"#)]
    #[case(r#"[{"type":7}]"#)]
    #[case(r#"[{"type":["stepgate"]}]"#)]
    #[case(r#"[{"type":"stepgate","actions":"refund"}]"#)]
    #[case(r#"[{"type":"stepgate","actions":null}]"#)]
    #[case(r#"[{"type":"stepgate","actions":[7]}]"#)]
    #[case(r#"[{"type":"stepgate","locations":{"a":"b"}}]"#)]
    #[case(r#"[{"type":"stepgate","actions":["refund"],"locations":[null]}]"#)]
    #[case(&format!(r#"[{{"type":"stepgate","actions":["{}"]}}]"#, "a".repeat(MAX_BYTES + 1)))]
    #[case(&format!(r#"[{{"type":"stepgate","actions":[{}"a"]}}]"#, r#""a","#.repeat(MAX_VALUES)))]
    #[case(&format!(r#"[{}{{"type":"x"}}]"#, r#"{"type":"x"},"#.repeat(MAX_ENTRIES)))]
    fn what_is_no_list_of_typed_entries_is_malformed(#[case] details: &str) {
        assert_eq!(read(details), Err(TokenFault::Malformed), "{details}");
    }

    proptest! {
        #[test]
        fn more_actions_are_never_easier_to_cover(
            own in proptest::collection::vec("[abc]", 0..3),
            asked in proptest::collection::vec("[abc]", 1..4),
        ) {
            let details = format!(r#"[{{"type":"stepgate","actions":{}}}]"#, serde_json::to_string(&own).unwrap());
            let asked: Vec<_> = asked.iter().map(String::as_str).collect();
            prop_assert_eq!(covers(&details, &asked), asked.iter().all(|asked| own.iter().any(|own| own == asked)));
        }
    }
}
