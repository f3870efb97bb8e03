//! What is wrong with a policy: every problem, with its place and what to do about it.

use super::code::{Code, Severity};
use super::source::{Place, Source, SourceId, Sources};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One problem.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    /// What to do.
    pub help: String,
    pub place: Place,
    /// Other places that have to do with it, and what each is.
    pub related: Vec<(Place, String)>,
}

/// All problems of a policy, and the sources that they lie in.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    sources: Sources,
    found: Vec<Diagnostic>,
    other_files: Vec<PathBuf>,
    /// Lines that private keys stand in.
    concealed: BTreeSet<(SourceId, usize)>,
}

impl Diagnostics {
    /// Notes a problem.
    pub(super) fn report(
        &mut self,
        code: Code,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> &mut Diagnostic {
        let (message, help) = (message.into(), help.into());
        let related = Vec::new();
        self.found.push_mut(Diagnostic { code, severity: code.severity(), message, help, place, related })
    }

    pub(super) fn add_source(&mut self, path: &Path, text: String) -> SourceId {
        self.sources.add(path, text)
    }

    /// Notes a file that a policy names: it is followed like the policy's own.
    pub(super) fn add_file(&mut self, path: PathBuf) {
        self.other_files.push(path);
    }

    /// Keeps the lines of a place out of what is shown.
    pub(super) fn conceal(&mut self, place: Place) {
        if let Some(source) = self.sources.get(place.source) {
            self.concealed.extend(source.lines_of(place).map(|line| (place.source, line)));
        }
    }

    /// Whether the lines of a place may be shown: no private key stands in them.
    pub fn may_show(&self, place: Place) -> bool {
        let lines = self.source(place.source).map(|source| source.lines_of(place));
        lines.is_some_and(|mut lines| !lines.any(|line| self.concealed.contains(&(place.source, line))))
    }

    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id)
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    pub fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|problem| problem.severity == severity).count()
    }

    /// Every file that was looked at, policies and what they name, also those that could not be read.
    pub fn files(&self) -> Vec<PathBuf> {
        let policies = self.sources.iter().map(|source| source.path.clone());
        policies.chain(self.other_files.iter().cloned()).collect()
    }

    /// The same, with every warning an error.
    #[must_use]
    pub fn strict(mut self) -> Self {
        for problem in &mut self.found {
            problem.severity = Severity::Error;
        }
        self
    }

    /// In the order of the files and of the lines in them.
    pub(super) fn sort(&mut self) {
        self.found.sort_by_key(|problem| (problem.place, problem.code));
    }
}

impl Diagnostic {
    /// Adds another place that has to do with the problem.
    pub(super) fn with(&mut self, place: Place, what: impl Into<String>) -> &mut Self {
        self.related.push((place, what.into()));
        self
    }
}
