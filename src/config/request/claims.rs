//! `claims` of a request: what rules can compare, which is texts, numbers, booleans, and lists of them.

use super::super::diagnostics::Diagnostics;
use super::super::tree::{Node, Value};
use crate::attestation::json::Object;
use serde_json::Value as Json;

pub(super) fn read(node: &Node, problems: &mut Diagnostics) -> Option<Object> {
    let read: Vec<_> = node
        .entries(problems)?
        .iter()
        .map(|entry| Some((entry.key.to_string(), value(&entry.node, problems)?)))
        .collect();
    read.into_iter().collect()
}

fn value(node: &Node, problems: &mut Diagnostics) -> Option<Json> {
    match &node.value {
        Value::List(items) => Node::each(items, problems, plain).map(Json::Array),
        _ => plain(node, problems),
    }
}

fn plain(node: &Node, problems: &mut Diagnostics) -> Option<Json> {
    match &node.value {
        Value::Text(text) => Some(Json::from(&**text)),
        Value::Number(number) => Some(Json::Number(number.clone())),
        Value::Bool(value) => Some(Json::Bool(*value)),
        Value::Null | Value::List(_) | Value::Map(_) => {
            node.wrong_type("a text, a number, `true`, `false`, or a list of these", problems)
        }
    }
}
