//! For programs: one object.

use super::Report;
use super::verdict::{Failure, Verdict};
use crate::config::Expected;
use serde_json::{Value, json};

impl Report<'_> {
    pub(super) fn to_json(&self) -> Value {
        let tests: Vec<_> = self.verdicts.iter().map(|verdict| self.json(verdict)).collect();
        let mut report = json!({ "passed": self.passed(), "failed": self.failed(), "tests": tests });
        if let (Some(coverage), Some(members)) = (&self.coverage, report.as_object_mut()) {
            let unreached = json!({ "routes": coverage.unreached_routes(), "rules": coverage.unreached_rules() });
            members.insert("unreached".to_owned(), unreached);
        }
        report
    }

    fn json(&self, verdict: &Verdict<'_>) -> Value {
        let (path, position) = self.place(verdict.test.place);
        let failures: Vec<_> = verdict.failures.iter().map(|failure| self.failure_json(failure)).collect();
        json!({
            "name": verdict.test.name, "file": path.to_string_lossy(), "line": position.line, "column": position.column,
            "passed": verdict.passed(), "failures": failures,
        })
    }

    fn failure_json(&self, Failure { expectation, got }: &Failure<'_>) -> Value {
        let (_, position) = self.place(expectation.place);
        json!({
            "field": expectation.field.as_str(), "expected": value(&expectation.expected), "got": value(got),
            "line": position.line, "column": position.column,
        })
    }
}

fn value(expected: &Expected) -> Value {
    match expected {
        Expected::Nothing => Value::Null,
        Expected::Word(word) => json!(word),
        Expected::Number(number) => json!(number),
        Expected::Words(words) => json!(words),
    }
}
