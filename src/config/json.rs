//! JSON as a tree, to be read as YAML is. Nothing in it has a place of its own.

use super::diagnostics::Diagnostics;
use super::source::Place;
use super::tree::{Entry, Node, Value};
use crate::attestation::json::Object;
use crate::inputs::Inputs;
use serde_json::Value as Json;
use std::path::Path;

impl Inputs {
    /// Reads the `inputs` of a line of the decision log, or a request as policies' tests give it. `origin` is what problems
    /// are said to be in.
    pub fn from_json(json: &Object, origin: &Path) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::default();
        let place = Place::start_of(problems.add_source(origin, String::new()));
        super::request::read(&map(json, place), &mut problems).filter(|_| !problems.has_errors()).ok_or(problems)
    }
}

fn map(members: &Object, place: Place) -> Node {
    let entry =
        |(key, value): (&String, &Json)| Entry { key: key.as_str().into(), key_place: place, node: node(value, place) };
    Node { place, value: Value::Map(members.iter().map(entry).collect()) }
}

fn node(json: &Json, place: Place) -> Node {
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(number.clone()),
        Json::String(text) => Value::Text(text.as_str().into()),
        Json::Array(items) => Value::List(items.iter().map(|item| node(item, place)).collect()),
        Json::Object(members) => return map(members, place),
    };
    Node { place, value }
}
