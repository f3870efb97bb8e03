//! For people: a line a test, what was expected where it failed, and a summary.

use super::Report;
use super::coverage::Coverage;
use super::verdict::{Failure, Verdict};
use std::fmt::Write;

impl Report<'_> {
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        for verdict in &self.verdicts {
            text.push_str(&self.verdict(verdict));
        }
        text.push_str(&self.summary());
        if let Some(coverage) = &self.coverage {
            text.push_str(&unreached(coverage));
        }
        text
    }

    fn verdict(&self, verdict: &Verdict<'_>) -> String {
        let word = if verdict.passed() { "ok  " } else { "FAIL" };
        let name = verdict.test.name.replace(char::is_control, "\u{fffd}");
        let mut text = format!("{word} {name}\n");
        for failure in &verdict.failures {
            text.push_str(&self.failure(failure));
        }
        text
    }

    fn failure(&self, failure: &Failure<'_>) -> String {
        let Failure { expectation, got } = failure;
        let (path, position) = self.place(expectation.place);
        let field = expectation.field.as_str();
        format!(
            "     {}:{}:{}: {field}: expected {}, got {got}\n",
            path.display(),
            position.line,
            position.column,
            expectation.expected
        )
    }

    fn summary(&self) -> String {
        let count = self.verdicts.len();
        let plural = if count == 1 { "" } else { "s" };
        match self.failed() {
            0 => format!("{count} test{plural} passed\n"),
            failed => format!("{failed} of {count} test{plural} failed\n"),
        }
    }
}

fn unreached(coverage: &Coverage<'_>) -> String {
    let mut text = String::new();
    for (kind, names) in [("route", coverage.unreached_routes()), ("rule", coverage.unreached_rules())] {
        // Writing to a `String` can't fail.
        let _ = match names.len() {
            0 => writeln!(text, "every {kind} is reached"),
            _ => writeln!(text, "{kind}s that no test reaches: {}", names.join(", ")),
        };
    }
    text
}
