//! `JUnit`'s XML, which CI systems show.

use super::Report;
use super::verdict::Verdict;
use std::fmt::Write;

impl Report<'_> {
    pub(super) fn to_junit(&self) -> String {
        let (tests, failures) = (self.verdicts.len(), self.failed());
        let cases: String = self.verdicts.iter().map(|verdict| self.case(verdict)).collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  \
             <testsuite name=\"stepgate\" tests=\"{tests}\" failures=\"{failures}\">\n{cases}  </testsuite>\n</testsuites>\n"
        )
    }

    fn case(&self, verdict: &Verdict<'_>) -> String {
        let (path, position) = self.place(verdict.test.place);
        let (name, file, line) = (escaped(&verdict.test.name), escaped(&path.to_string_lossy()), position.line);
        let start = format!("    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{line}\"");
        if verdict.passed() {
            return format!("{start}/>\n");
        }
        let mut lines = String::new();
        for failure in &verdict.failures {
            let (_, position) = self.place(failure.expectation.place);
            let (field, expected, got) =
                (failure.expectation.field.as_str(), &failure.expectation.expected, &failure.got);
            // Writing to a `String` can't fail.
            let _ = writeln!(lines, "{}:{}: {field}: expected {expected}, got {got}", path.display(), position.line);
        }
        let lines = escaped(lines.trim_end());
        let message = lines.lines().next().unwrap_or_default();
        format!("{start}>\n      <failure message=\"{message}\">{lines}</failure>\n    </testcase>\n")
    }
}

/// XML 1.0 §2.2 and §2.4: control characters have no place in it, not even escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_is_taken_for_xml() {
        assert_eq!(escaped("a<b> & \"c\"\u{1b}\0"), "a&lt;b&gt; &amp; &quot;c&quot;\u{fffd}\u{fffd}");
    }
}
