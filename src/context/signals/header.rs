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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::signals::Test;
    use crate::context::signals::situation::Situation;
    use rstest::rstest;

    const HEADER: &str = "x-custom";

    fn values() -> Look {
        Look::Values(["1".into(), "a, b".into()].into())
    }

    fn curl() -> Look {
        Look::Matches(Glob::parse("curl/*").unwrap())
    }

    #[rstest]
    #[case(Look::Present, &[], false)]
    #[case(Look::Present, &[Some("")], true)]
    #[case(Look::Present, &[Some("1"), Some("2")], true)]
    #[case(Look::Present, &[None], true)]
    #[case(Look::Absent, &[], true)]
    #[case(Look::Absent, &[Some("")], false)]
    #[case(Look::Absent, &[None], false)]
    #[case(values(), &[], false)]
    #[case(values(), &[Some("1")], true)]
    #[case(values(), &[Some("2")], false)]
    #[case(values(), &[Some("2, 1")], true)]
    #[case(values(), &[Some("a, b")], true)]
    #[case(values(), &[Some("a")], false)]
    #[case(values(), &[Some("2"), Some("2")], true)]
    #[case(values(), &[None], true)]
    #[case(curl(), &[], false)]
    #[case(curl(), &[Some("curl/8.5")], true)]
    #[case(curl(), &[Some("Curl/8.5")], false)]
    #[case(curl(), &[Some("Mozilla/5.0,curl/8.5")], true)]
    #[case(curl(), &[Some("Mozilla/5.0"), Some("Mozilla/5.0")], true)]
    #[case(curl(), &[None], true)]
    fn a_header_is_looked_at_as_the_policy_says(
        #[case] looks_for: Look,
        #[case] values: &[Option<&'static str>],
        #[case] fires: bool,
    ) {
        let headers = values.iter().map(|value| (HEADER, *value)).chain([("x-other", Some("1"))]).collect();
        let test = Test::Header(HeaderTest { name: HEADER.into(), looks_for });
        assert_eq!(Situation { headers, familiarity: None, ..Situation::usual() }.fires(&test), fires);
    }
}
