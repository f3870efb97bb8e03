//! From YAML to a tree with places. Reports what is wrong with the file as YAML, keys that stand twice included.
//!
//! Typed decoding would stop at the first error, so nothing here knows the schema.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::secrecy::{is_private_member, is_private_text, may_hold_private};
use super::source::{Place, Source, SourceId};
use super::tree::{Entry, Node, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Error as YamlError, Location, Options, Spanned};
use std::collections::HashMap;
use std::fmt;

/// 50,000 routes take a little more than a million. Aliases count as what they stand for.
const MAX_NODES: usize = 2_000_000;

/// Enough for what people write by hand; aliases of aliases multiply.
const MAX_ALIASED_NODES: usize = 100_000;

/// The tree of one source; `None`, and reported, where it is not one YAML document.
pub(super) fn tree(source: SourceId, problems: &mut Diagnostics) -> Option<Node> {
    let text = problems.source(source)?.text();
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options()) {
        Ok(raw) => Some(Placing { source, problems }.node(raw)),
        Err(error) => {
            report(&error, source, problems);
            None
        }
    }
}

fn options() -> Options {
    let budget = serde_saphyr::budget! { max_nodes: MAX_NODES, max_events: 2 * MAX_NODES };
    let alias_limits = serde_saphyr::alias_limits! { max_total_replayed_events: 2 * MAX_ALIASED_NODES };
    serde_saphyr::options! {
        budget: budget,
        alias_limits: alias_limits,
        // Found by `Placing`, which knows both places and goes on.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // `<<` is no part of YAML 1.2; as an ordinary key it is unknown, and reported with all others.
        merge_keys: MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn report(error: &YamlError, read: SourceId, problems: &mut Diagnostics) {
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let text = error.to_string();
    let (message, help) = match error {
        YamlError::MultipleDocuments { .. } => {
            ("the file holds more than one document", "put each document into a file of its own")
        }
        YamlError::Budget { .. } => (
            "the file holds more, or nests deeper, than a policy may",
            "split the policy into several files, and use fewer anchors and aliases",
        ),
        _ => (
            text.lines().next().and_then(|line| line.split(" at line ").next()).unwrap_or(&text),
            "correct the YAML here; until then, nothing else in this file can be judged",
        ),
    };
    let place = problems.source(read).map_or(Place::start_of(read), |source| {
        let start = offset(source, location);
        Place { source: read, start, end: source.char_end(start) }
    });
    if problems.source(read).is_some_and(|source| may_hold_private(source.text())) {
        problems.conceal(place);
    }
    problems.report(Code::Syntax, place, message, help);
}

fn offset(source: &Source, location: Location) -> usize {
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    source.offset(count(location.line()), count(location.column()))
}

/// The tree as the deserializer yields it: places without their source, keys as often as they stand.
enum Raw {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

/// A list or map is shown by the key that holds it: its own text is too long to underline.
struct Placing<'p> {
    source: SourceId,
    problems: &'p mut Diagnostics,
}

impl Placing<'_> {
    fn node(&mut self, raw: Spanned<Raw>) -> Node {
        let place = self.place(raw.defined);
        match raw.value {
            Raw::Null => Node { place, value: Value::Null },
            Raw::Bool(value) => Node { place, value: Value::Bool(value) },
            Raw::Number(number) => Node { place, value: Value::Number(number) },
            Raw::Text(text) => {
                if is_private_text(&text) {
                    self.problems.conceal(place);
                }
                Node { place, value: Value::Text(text) }
            }
            Raw::List(items) => {
                let items = items.into_iter().map(|item| self.node(item)).collect();
                Node { place: visible(place), value: Value::List(items) }
            }
            Raw::Map(members) => {
                let entries = self.entries(members);
                let first = entries.first().map_or(place, |entry| entry.key_place);
                let place = if place.start == place.end { first } else { place };
                Node { place, value: Value::Map(entries) }
            }
        }
    }

    /// Each key once: the first counts, so that all else is still judged.
    fn entries(&mut self, members: Vec<(Spanned<String>, Spanned<Raw>)>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::with_capacity(members.len());
        let mut seen: HashMap<String, Place> = HashMap::new();
        for (key, value) in members {
            let (key_place, mut node) = (self.place(key.defined), self.node(value));
            if matches!(node.value, Value::List(_) | Value::Map(_)) {
                node.place = key_place;
            } else if is_private_member(&key.value) {
                self.problems.conceal(key_place);
                self.problems.conceal(node.place);
            }
            if let Some(first) = seen.get(&key.value) {
                let message = format!("the key `{}` stands twice", key.value);
                let help = "YAML readers disagree on which of two counts: remove one";
                self.problems.report(Code::DuplicateKey, key_place, message, help).with(*first, "first here");
                continue;
            }
            entries.push(Entry { key: key.value.as_str().into(), key_place, node });
            seen.insert(key.value, key_place);
        }
        entries
    }

    fn place(&self, location: Location) -> Place {
        let count = |number: Option<u64>| number.and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let span = location.span();
        let start = count(span.byte_offset());
        Place { source: self.source, start, end: start + count(span.byte_len()) }
    }
}

/// A block list begins at its first dash, but has no length of its own there.
fn visible(place: Place) -> Place {
    Place { end: place.end.max(place.start + 1), ..place }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Number::from_f64(value).map_or(Raw::Null, Raw::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Raw::Map(members))
    }
}
