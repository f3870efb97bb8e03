//! Signals of a policy's own: a header that is there, is not, or says something.

use crate::policy::Glob;
use crate::request::{Headers, Occurrence};

/// What is looked for in a header.
#[derive(Clone, Debug)]
pub struct HeaderTest {
    /// In lower case.
    pub name: Box<str>,
    pub looks_for: Look,
}

#[derive(Clone, Debug)]
pub enum Look {
    Present,
    Absent,
    Values(Box<[Box<str>]>),
    Matches(Glob),
}

impl HeaderTest {
    /// A header that stands twice, or is no text, could say anything: it fires.
    pub fn fires(&self, headers: &Headers) -> bool {
        match (&self.looks_for, headers.occurrence(&self.name)) {
            (Look::Absent, occurrence) => occurrence == Occurrence::Absent,
            (_, Occurrence::Absent) => false,
            (Look::Present, _) | (_, Occurrence::Repeated | Occurrence::Unreadable) => true,
            (Look::Values(values), Occurrence::Once(value)) => {
                any_part(value, |part| values.iter().any(|own| **own == *part))
            }
            (Look::Matches(glob), Occurrence::Once(value)) => any_part(value, |part| glob.matches(part)),
        }
    }
}

/// Envoy joins headers that stand twice by a comma: each part is looked at, and the whole.
fn any_part(value: &str, holds: impl Fn(&str) -> bool) -> bool {
    holds(value) || (value.contains(',') && value.split(',').any(|part| holds(part.trim())))
}
