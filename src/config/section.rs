//! A map of the schema: takes its members out by name, and reports what is left over.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::source::Place;
use super::suggest::suggestion;
use super::tree::{Entry, Node, Value};
use std::fmt;

/// A map that is read as a part of the schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'t> {
    title: Title<'t>,
    entries: &'t [Entry],
}

/// What a section is called in messages, and where it is shown when something is missing in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Title<'t> {
    kind: &'static str,
    name: Option<&'t str>,
    pub place: Place,
}

/// A member of a section, there or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'t> {
    title: Title<'t>,
    key: &'static str,
    entry: Option<&'t Entry>,
}

impl<'t> Section<'t> {
    /// Opens a map; one with a `name` is called by it. Anything but a map is reported.
    pub(super) fn open(kind: &'static str, node: &'t Node, problems: &mut Diagnostics) -> Option<Self> {
        Self::called_by("name", kind, node, problems)
    }

    /// Opens a map that is called by this member, where it has it.
    pub(super) fn called_by(key: &str, kind: &'static str, node: &'t Node, problems: &mut Diagnostics) -> Option<Self> {
        let entries = node.entries(problems)?;
        let title = match node.member_text(key) {
            Some((name, place)) => Title { kind, name: Some(name), place },
            None => Title { kind, name: None, place: node.place },
        };
        Some(Self { title, entries })
    }

    /// Opens a map that is called by its key.
    pub(super) fn named(kind: &'static str, entry: &'t Entry, problems: &mut Diagnostics) -> Option<Self> {
        let entries = entry.node.entries(problems)?;
        Some(Self { title: Title { kind, name: Some(&entry.key), place: entry.key_place }, entries })
    }

    pub(super) const fn title(&self) -> Title<'t> {
        self.title
    }

    /// The members with these keys, in this order. Any other key is reported, so that none can be forgotten.
    pub(super) fn members<const N: usize>(
        &self,
        keys: [&'static str; N],
        problems: &mut Diagnostics,
    ) -> [Member<'t>; N] {
        for entry in self.entries.iter().filter(|entry| !keys.contains(&&*entry.key)) {
            let message = format!("unknown key `{}` in {}", entry.key, self.title);
            problems.report(Code::UnknownKey, entry.key_place, message, suggestion(&entry.key, &keys));
        }
        keys.map(|key| {
            let entry = self.entries.iter().find(|entry| *entry.key == *key);
            Member { title: self.title, key, entry }
        })
    }
}

impl<'t> Member<'t> {
    /// What is read from it; nothing, and reported, where it is missing.
    pub(super) fn required<T>(
        self,
        problems: &mut Diagnostics,
        read: impl FnOnce(&'t Node, &mut Diagnostics) -> Option<T>,
    ) -> Option<T> {
        if self.entry.is_none() {
            let message = format!("{} has no `{}`", self.title, self.key);
            let help = format!("add `{}`: nothing is assumed where it is missing", self.key);
            problems.report(Code::MissingKey, self.title.place, message, help);
        }
        self.node().and_then(|node| read(node, problems))
    }

    /// What is read from it, `Some(None)` where it is left out; nothing where it can't be read.
    #[expect(clippy::option_option, reason = "whether it can be read, and whether it is there")]
    pub(super) fn optional<T>(
        self,
        problems: &mut Diagnostics,
        read: impl FnOnce(&'t Node, &mut Diagnostics) -> Option<T>,
    ) -> Option<Option<T>> {
        self.node().map_or(Some(None), |node| read(node, problems).map(Some))
    }

    /// What is read from it, or this where it is left out; nothing where it can't be read.
    pub(super) fn or<T>(
        self,
        default: T,
        problems: &mut Diagnostics,
        read: impl FnOnce(&'t Node, &mut Diagnostics) -> Option<T>,
    ) -> Option<T> {
        self.node().map_or(Some(default), |node| read(node, problems))
    }

    pub(super) fn node(self) -> Option<&'t Node> {
        self.entry.map(|entry| &entry.node)
    }

    pub(super) const fn title(self) -> Title<'t> {
        self.title
    }

    pub(super) const fn entry(self) -> Option<&'t Entry> {
        self.entry
    }

    /// Where its key stands.
    pub(super) fn place(self) -> Option<Place> {
        self.entry.map(|entry| entry.key_place)
    }
}

impl Node {
    pub(super) fn entries(&self, problems: &mut Diagnostics) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => self.wrong_type("a map of keys and values", problems),
        }
    }
}

impl fmt::Display for Title<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => write!(f, "{} `{name}`", self.kind),
            None => f.write_str(self.kind),
        }
    }
}
