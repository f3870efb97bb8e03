//! A policy file as a tree in which everything knows its place.

use super::source::Place;
use serde_json::Number;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub place: Place,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Vec<Node>),
    /// No key stands twice.
    Map(Vec<Entry>),
}

/// A member of a map.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: Box<str>,
    pub key_place: Place,
    pub node: Node,
}

impl Value {
    /// For messages: what it is.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Node {
    /// A member, where this is a map that has it: for what must be known before anything is read.
    pub(super) fn member(&self, key: &str) -> Option<&Entry> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        entries.iter().find(|entry| *entry.key == *key)
    }

    /// The text of a member.
    pub(super) fn member_text(&self, key: &str) -> Option<(&str, Place)> {
        let node = &self.member(key)?.node;
        match &node.value {
            Value::Text(text) => Some((text, node.place)),
            _ => None,
        }
    }
}
