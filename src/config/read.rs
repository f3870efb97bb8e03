//! Single values: each reader gives back what it could read, or reports why not.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::suggest::suggestion;
use super::tree::{Node, Value};
use crate::time::Ttl;
use std::fmt::Display;
use std::ops::RangeInclusive;

impl Node {
    pub(super) fn text(&self, problems: &mut Diagnostics) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Number(_) | Value::Bool(_) => self.wrong_type("a text: write it in quotes", problems),
            _ => self.wrong_type("a text", problems),
        }
    }

    pub(super) fn boolean(&self, problems: &mut Diagnostics) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => self.wrong_type("`true` or `false`", problems),
        }
    }

    /// A whole number within these bounds.
    pub(super) fn number(&self, bounds: RangeInclusive<u32>, problems: &mut Diagnostics) -> Option<u32> {
        let Value::Number(number) = &self.value else {
            return self.wrong_type("a whole number", problems);
        };
        let fitting = number.as_u64().and_then(|number| u32::try_from(number).ok());
        let fitting = fitting.filter(|number| bounds.contains(number));
        if fitting.is_none() {
            let help = format!("write a whole number from {} to {}", bounds.start(), bounds.end());
            self.invalid(&number.to_string(), help, problems);
        }
        fitting
    }

    /// A span of time of a second at least, and of this at most.
    pub(super) fn span(&self, most: Ttl, problems: &mut Diagnostics) -> Option<Ttl> {
        let span: Ttl = self.parse(str::parse, problems)?;
        let fits = span != Ttl::ZERO && span <= most;
        if !fits {
            self.invalid(&span.to_string(), format!("write a span from 1s to {most}"), problems);
        }
        fits.then_some(span)
    }

    pub(super) fn list(&self, problems: &mut Diagnostics) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => self.wrong_type("a list", problems),
        }
    }

    /// A list of at least one.
    pub(super) fn filled_list(&self, problems: &mut Diagnostics) -> Option<&[Self]> {
        let items = self.list(problems)?;
        if items.is_empty() {
            let help = "name at least one; where the key may be left out, leaving it out means any";
            problems.report(Code::InvalidValue, self.place, "the list is empty", help);
        }
        Some(items).filter(|items| !items.is_empty())
    }

    /// Reads every item, so that every bad one is reported.
    pub(super) fn each<T>(
        items: &[Self],
        problems: &mut Diagnostics,
        mut read: impl FnMut(&Self, &mut Diagnostics) -> Option<T>,
    ) -> Option<Vec<T>> {
        let read: Vec<_> = items.iter().map(|item| read(item, problems)).collect();
        read.into_iter().collect()
    }

    /// A text that is one of the core's types. Its own error says what it takes.
    pub(super) fn parse<T, E: Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
        problems: &mut Diagnostics,
    ) -> Option<T> {
        let text = self.text(problems)?;
        parse(text).map_err(|error| self.invalid(text, error.to_string(), problems)).ok()
    }

    /// A text that is one of a few words.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&'static str, T)], problems: &mut Diagnostics) -> Option<T> {
        let text = self.text(problems)?;
        let found = choices.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            self.invalid(text, suggestion(text, &words), problems);
        }
        found.map(|(_, value)| *value)
    }

    pub(super) fn invalid(&self, text: &str, help: impl Into<String>, problems: &mut Diagnostics) {
        let message = match text {
            "" => "an empty text".into(),
            _ if !problems.may_show(self.place) => "this text".into(),
            _ => format!("`{text}`"),
        };
        problems.report(Code::InvalidValue, self.place, format!("{message} is not taken here"), help);
    }

    pub(super) fn wrong_type<T>(&self, wanted: &str, problems: &mut Diagnostics) -> Option<T> {
        let message = format!("here stands {}", self.value.kind());
        problems.report(Code::WrongType, self.place, message, format!("this key takes {wanted}"));
        None
    }
}
