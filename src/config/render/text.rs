//! Text for people: the lines in question, underlined, and what to do. Lines with private keys are only named.

use super::{Region, Style};
use crate::config::Severity;
use crate::config::diagnostics::{Diagnostic, Diagnostics};
use crate::config::source::{Place, Source};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents,
};
use std::fmt::{self, Write};

pub(super) fn render(diagnostics: &Diagnostics, style: Style) -> String {
    let theme = if style.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.columns)
        .with_links(false)
        .with_context_lines(0)
        .with_show_related_as_nested(true);
    let mut text = String::new();
    for problem in diagnostics.iter() {
        let Some(report) = Report::of(problem, diagnostics) else {
            continue;
        };
        let before = text.len();
        if handler.render_report(&mut text, &report).is_err() {
            text.truncate(before);
            let _ = writeln!(text, "{}: {}\n  help: {}", problem.code, problem.message, problem.help);
        }
        text.push('\n');
    }
    text
}

/// A problem as miette takes it.
#[derive(Debug)]
struct Report<'d> {
    problem: &'d Diagnostic,
    help: String,
    excerpt: Option<Excerpt<'d>>,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Elsewhere<'d>>,
}

/// A place that has to do with it and is shown by itself: in another file, or not to be seen beside it.
#[derive(Debug)]
struct Elsewhere<'d> {
    what: String,
    excerpt: Option<Excerpt<'d>>,
    label: LabeledSpan,
}

/// A source by its name, in which lines are found without reading it from the start.
#[derive(Clone, Copy, Debug)]
struct Excerpt<'d>(&'d Source);

impl<'d> Report<'d> {
    fn of(problem: &'d Diagnostic, diagnostics: &'d Diagnostics) -> Option<Self> {
        let (excerpt, help) = excerpt(problem.place, &problem.help, diagnostics)?;
        let primary = (problem.place.start, problem.place.end - problem.place.start);
        let mut labels = vec![LabeledSpan::new_primary_with_span(None, primary)];
        let mut elsewhere = Vec::new();
        for (place, what) in &problem.related {
            if place.source == problem.place.source && excerpt.is_some() && diagnostics.may_show(*place) {
                labels.push(label(*place, Some(what)));
            } else {
                let (excerpt, what) = self::excerpt(*place, what, diagnostics)?;
                elsewhere.push(Elsewhere { what, excerpt, label: label(*place, None) });
            }
        }
        Some(Self { problem, help, excerpt, labels, elsewhere })
    }
}

/// What is said of a place beside its lines; where those must not be shown, that says where they are.
fn excerpt<'d>(place: Place, text: &str, diagnostics: &'d Diagnostics) -> Option<(Option<Excerpt<'d>>, String)> {
    if diagnostics.may_show(place) {
        // What could not be read has no line to show.
        let source = diagnostics.source(place.source).filter(|source| !source.text().is_empty());
        return Some((source.map(Excerpt), text.to_owned()));
    }
    let Region { path, start, .. } = diagnostics.region(place)?;
    let (path, line, column) = (path.display(), start.line, start.column);
    Some((None, format!("{text}\n{path}:{line}:{column} is not shown: a private key may stand there")))
}

fn label(place: Place, what: Option<&str>) -> LabeledSpan {
    LabeledSpan::new(what.map(str::to_owned), place.start, place.end - place.start)
}

impl miette::Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.problem.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        let related = self.elsewhere.iter().map(|elsewhere| elsewhere as &dyn miette::Diagnostic);
        if self.elsewhere.is_empty() { None } else { Some(Box::new(related)) }
    }
}

impl miette::Diagnostic for Elsewhere<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(self.label.clone())))
    }
}

impl SourceCode for Excerpt<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let source = self.0;
        let first = source.line_at(span.offset()).saturating_sub(lines_before);
        let last = source.line_at(span.offset() + span.len().saturating_sub(1)) + lines_after;
        let (start, end) = (source.line_start(first), source.line_start(last + 1));
        let lines = source.text().get(start..end).ok_or(MietteError::OutOfBounds)?;
        let lines = lines.strip_suffix('\n').unwrap_or(lines);
        // Without context it is the place itself that is asked for, else whole lines.
        let column = if lines_before == 0 { source.position(span.offset()).column - 1 } else { 0 };
        let contents = MietteSpanContents::new_named(
            source.path.display().to_string(),
            lines.as_bytes(),
            (start, lines.len()).into(),
            first,
            column,
            last - first + 1,
        );
        Ok(Box::new(contents))
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl fmt::Display for Elsewhere<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Report<'_> {}
impl std::error::Error for Elsewhere<'_> {}
