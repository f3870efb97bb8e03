//! Workflow commands: `::error file=…,line=…,col=…,title=…::message`.

use crate::config::Diagnostics;
use std::fmt::Write;

pub(super) fn render(diagnostics: &Diagnostics) -> String {
    let mut output = String::new();
    for (problem, region) in diagnostics.regions() {
        let (start, end) = (region.start, region.end);
        // Writing to a `String` can't fail.
        let _ = write!(
            output,
            "::{} file={},line={},col={},endLine={}",
            problem.severity.as_str(),
            property(&region.path.to_string_lossy()),
            start.line,
            start.column,
            end.line,
        );
        // The end of a column means nothing where it stands on another line.
        if start.line == end.line && end.column > start.column {
            let _ = write!(output, ",endColumn={}", end.column);
        }
        let message = format!("{}\n{}", problem.message, problem.help);
        let _ = writeln!(output, ",title={}::{}", problem.code, data(&message));
    }
    output
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
