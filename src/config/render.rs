//! Diagnostics as people and programs read them.

mod github;
mod json;
mod lines;
mod sarif;
mod text;

use super::diagnostics::{Diagnostic, Diagnostics};
use super::source::{Place, Position};
use std::io::{self, IsTerminal};
use std::path::Path;

/// How text for people looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub colour: bool,
    pub columns: usize,
}

/// A place as the formats for programs write it.
struct Region<'d> {
    path: &'d Path,
    start: Position,
    end: Position,
}

impl Style {
    /// Wide enough for a route on one line, narrow enough for a log viewer.
    const COLUMNS: usize = 120;

    /// Colour only on a terminal, and not where `NO_COLOR` asks for none.
    pub fn of_stderr() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: io::stderr().is_terminal() && !unwanted, columns: Self::COLUMNS }
    }

    pub const fn plain() -> Self {
        Self { colour: false, columns: Self::COLUMNS }
    }
}

impl Diagnostics {
    /// For people: each problem with its lines and what to do.
    pub fn to_text(&self, style: Style) -> String {
        text::render(self, style)
    }

    /// A problem a line, without the lines that it is about: those may hold what is not for everybody.
    pub fn to_lines(&self) -> String {
        lines::render(self)
    }

    /// A JSON array, one object a problem.
    pub fn to_json(&self) -> serde_json::Value {
        json::render(self)
    }

    /// SARIF 2.1.0, for code scanning.
    pub fn to_sarif(&self) -> serde_json::Value {
        sarif::render(self)
    }

    /// Workflow commands of GitHub Actions, which show as annotations.
    pub fn to_github(&self) -> String {
        github::render(self)
    }

    fn region(&self, place: Place) -> Option<Region<'_>> {
        let source = self.source(place.source)?;
        let path = source.path.strip_prefix(".").unwrap_or(&source.path);
        Some(Region { path, start: source.position(place.start), end: source.position(place.end) })
    }

    fn regions(&self) -> impl Iterator<Item = (&Diagnostic, Region<'_>)> {
        self.iter().filter_map(|problem| Some((problem, self.region(problem.place)?)))
    }
}
