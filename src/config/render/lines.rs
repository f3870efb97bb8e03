//! A problem a line, as compilers write them, without a word of the sources: for those who need not see all of a policy.

use crate::config::Diagnostics;
use std::fmt::Write;

pub(super) fn render(diagnostics: &Diagnostics) -> String {
    let mut output = String::new();
    for (problem, region) in diagnostics.regions() {
        let (path, start, severity) = (region.path.display(), region.start, problem.severity.as_str());
        let (line, column, code) = (start.line, start.column, problem.code);
        // Writing to a `String` can't fail.
        let _ = writeln!(output, "{path}:{line}:{column}: {severity} {code}: {}; {}", problem.message, problem.help);
    }
    output
}
