//! Request headers in the two forms that Envoy sends, read through one door.
//!
//! In `headers` duplicates arrive joined by a comma and bytes that are not UTF-8 as `!`; `header_map` keeps both apart.

use std::collections::HashMap;
use std::fmt;

/// Header names in lower case with their values.
#[derive(Clone)]
pub struct Headers(Form);

#[derive(Clone)]
enum Form {
    /// Envoy's `headers`.
    Joined(HashMap<String, String>),
    /// Envoy's `header_map`, with what `headers` held beside it. `None` stands for bytes that are no text.
    Apart(Vec<(String, Option<String>)>),
}

/// How often a header stands on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence<'h> {
    Absent,
    Once(&'h str),
    /// Twice or more; where Envoy joins duplicates this can't be told, and the comma must be looked for.
    Repeated,
    /// There, but not as text: never trusted, never remembered.
    Unreadable,
}

impl Headers {
    pub const fn joined(headers: HashMap<String, String>) -> Self {
        Self(Form::Joined(headers))
    }

    pub fn apart(mut pairs: Vec<(String, Option<String>)>, beside: HashMap<String, String>) -> Self {
        for (name, _) in &mut pairs {
            name.make_ascii_lowercase();
        }
        pairs.extend(beside.into_iter().map(|(name, value)| (name, readable(&value).then_some(value))));
        Self(Form::Apart(pairs))
    }

    /// Finds a header by its name in lower case.
    pub fn occurrence(&self, name: &str) -> Occurrence<'_> {
        match &self.0 {
            Form::Joined(map) => match map.get(name) {
                None => Occurrence::Absent,
                Some(value) if readable(value) => Occurrence::Once(value),
                Some(_) => Occurrence::Unreadable,
            },
            Form::Apart(pairs) => occurrence_apart(pairs, name),
        }
    }

    /// The value of a header that stands once and is text.
    pub fn only(&self, name: &str) -> Option<&str> {
        if let Occurrence::Once(value) = self.occurrence(name) { Some(value) } else { None }
    }

    /// What `authorization` holds under this scheme (RFC 9110 §11.4).
    pub fn authorization(&self, scheme: &str) -> Option<&str> {
        let (own, credentials) = self.only("authorization")?.split_once(' ')?;
        own.eq_ignore_ascii_case(scheme).then(|| credentials.trim_start_matches(' '))
    }

    /// All values of a header, by its name in lower case, in their order; `None` for what is no text. Where Envoy joins
    /// duplicates, they are one value.
    pub fn values<'h>(&'h self, name: &str) -> impl Iterator<Item = Option<&'h str>> {
        let (joined, apart) = match &self.0 {
            Form::Joined(map) => (map.get(name).map(|value| readable(value).then_some(value.as_str())), None),
            Form::Apart(pairs) => (None, Some(pairs.iter().filter(move |(n, _)| n == name))),
        };
        joined.into_iter().chain(apart.into_iter().flatten().map(|(_, value)| value.as_deref()))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        let (joined, apart) = match &self.0 {
            Form::Joined(map) => (Some(map.keys().map(String::as_str)), None),
            Form::Apart(pairs) => (None, Some(pairs.iter().map(|(name, _)| name.as_str()))),
        };
        joined.into_iter().flatten().chain(apart.into_iter().flatten())
    }
}

fn occurrence_apart<'h>(pairs: &'h [(String, Option<String>)], name: &str) -> Occurrence<'h> {
    let mut values = pairs.iter().filter(|(n, _)| n == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (None, _) => Occurrence::Absent,
        (Some(_), Some(_)) => Occurrence::Repeated,
        (Some(Some(value)), None) => Occurrence::Once(value),
        (Some(None), None) => Occurrence::Unreadable,
    }
}

/// Envoy writes `!` for each byte that is not UTF-8, so a value with one may have been anything.
fn readable(value: &str) -> bool {
    !value.contains('!')
}

impl Default for Headers {
    fn default() -> Self {
        Self::joined(HashMap::new())
    }
}

/// Names only: values hold credentials.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn duplicates_kept_apart_are_seen_as_repeated() {
        let pairs = vec![("DPoP".to_owned(), Some("a".to_owned())), ("dpop".to_owned(), Some("b".to_owned()))];
        let headers = Headers::apart(pairs, HashMap::new());
        assert_eq!(headers.occurrence("dpop"), Occurrence::Repeated);
        assert_eq!(headers.only("dpop"), None);
    }

    #[test]
    fn a_header_in_both_forms_is_repeated() {
        let headers = Headers::apart(vec![("dpop".to_owned(), Some("a".to_owned()))], map(&[("dpop", "a")]));
        assert_eq!(headers.occurrence("dpop"), Occurrence::Repeated);
    }

    #[test]
    fn bytes_that_are_no_text_are_unreadable_in_both_forms() {
        assert_eq!(Headers::joined(map(&[("x-a", "caf!!")])).occurrence("x-a"), Occurrence::Unreadable);
        assert_eq!(Headers::apart(vec![("x-a".to_owned(), None)], map(&[])).occurrence("x-a"), Occurrence::Unreadable);
    }

    #[test]
    fn values_stand_in_their_order_with_those_that_cannot_be_read() {
        let pairs = [("X-A", Some("1")), ("x-b", Some("2")), ("x-a", None), ("x-a", Some("1"))];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        let apart = Headers::apart(pairs.into(), map(&[("x-a", "3"), ("x-c", "!")]));
        assert_eq!(apart.values("x-a").collect::<Vec<_>>(), [Some("1"), None, Some("1"), Some("3")]);
        assert_eq!(apart.values("x-c").collect::<Vec<_>>(), [None]);
        let joined = Headers::joined(map(&[("x-a", "1,2"), ("x-b", "caf!")]));
        assert_eq!(joined.values("x-a").collect::<Vec<_>>(), [Some("1,2")]);
        assert_eq!(joined.values("x-b").collect::<Vec<_>>(), [None]);
        assert_eq!(joined.values("x-c").count(), 0);
    }

    #[test]
    fn debug_shows_names_and_no_values() {
        let shown = format!("{:?}", Headers::joined(map(&[("authorization", "Bearer secret")])));
        assert_eq!(shown, r#"{"authorization"}"#);
    }
}
