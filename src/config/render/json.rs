//! A JSON array, for scripts.

use crate::config::Diagnostics;
use serde_json::{Value, json};

pub(super) fn render(diagnostics: &Diagnostics) -> Value {
    let one = |(problem, region): (&crate::config::Diagnostic, super::Region<'_>)| {
        let related = problem.related.iter().filter_map(|(place, what)| {
            let region = diagnostics.region(*place)?;
            Some(json!({
                "message": what,
                "file": region.path.to_string_lossy(),
                "line": region.start.line,
                "column": region.start.column,
            }))
        });
        json!({
            "code": problem.code.to_string(),
            "severity": problem.severity.as_str(),
            "message": problem.message,
            "help": problem.help,
            "file": region.path.to_string_lossy(),
            "line": region.start.line,
            "column": region.start.column,
            "end_line": region.end.line,
            "end_column": region.end.column,
            "related": related.collect::<Vec<_>>(),
        })
    };
    diagnostics.regions().map(one).collect()
}
