//! What the proxy's own configuration says of a route, in `context_extensions`. It can raise what the policy says, never lower it.

use crate::policy::{Scope, ScopeSet, Sensitivity};

/// What Envoy was told to say of the route that a request takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    pub sensitivity: Option<Sensitivity>,
    pub scopes: ScopeSet,
    /// A hint stands there that says nothing. A typo must not loosen, so the strictest was meant.
    pub unreadable: bool,
}

const SENSITIVITY: &str = "stepgate.sensitivity";
const SCOPES: &str = "stepgate.scopes";
/// Whatever begins so was meant for us.
const OURS: &str = "stepgate.";

impl Hints {
    /// Reads those of the extensions that are meant for us.
    pub fn read<'a>(extensions: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut hints = Self::default();
        for (name, value) in extensions.into_iter().filter(|(name, _)| is_ours(name)) {
            let read = match name {
                SENSITIVITY => Sensitivity::parse(value).map(|sensitivity| hints.sensitivity = Some(sensitivity)),
                SCOPES => scopes(value).map(|scopes| hints.scopes = scopes),
                _ => None,
            };
            hints.unreadable |= read.is_none();
        }
        hints
    }
}

fn is_ours(name: &str) -> bool {
    name.get(..OURS.len()).is_some_and(|start| start.eq_ignore_ascii_case(OURS))
}

/// An empty list is a template that was not filled in, and one with commas would be one scope that nobody knows.
fn scopes(text: &str) -> Option<ScopeSet> {
    let plain = |scopes: &ScopeSet| !scopes.is_empty() && !scopes.iter().any(Scope::may_be_several);
    ScopeSet::parse(text).ok().filter(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_route_may_name_its_sensitivity_and_scopes() {
        let hints = Hints::read([("vhost", "all"), (SENSITIVITY, "critical"), (SCOPES, "admin:write a")]);
        let scopes = ScopeSet::parse("a admin:write").unwrap();
        assert_eq!(hints, Hints { sensitivity: Some(Sensitivity::Critical), scopes, unreadable: false });
    }

    #[test]
    fn what_is_meant_for_others_is_passed_over() {
        for name in ["", "sensitivity", "stepgate", "stepgate_scopes", "x.stepgate.scopes", "st\u{e9}pgate.scopes"] {
            assert_eq!(Hints::read([(name, "?")]), Hints::default(), "{name}");
        }
    }

    #[rstest]
    #[case(SENSITIVITY, "Critical")]
    #[case(SENSITIVITY, " critical")]
    #[case(SENSITIVITY, "severe")]
    #[case(SENSITIVITY, "")]
    #[case(SCOPES, "")]
    #[case(SCOPES, "a  b")]
    #[case(SCOPES, "a\tb")]
    #[case(SCOPES, " a")]
    #[case(SCOPES, "a,b")]
    #[case("stepgate.sensitivty", "critical")]
    #[case("stepgate.scope", "a")]
    #[case("Stepgate.Sensitivity", "critical")]
    #[case("stepgate.", "x")]
    fn a_typo_is_no_hint_that_loosens(#[case] name: &str, #[case] value: &str) {
        assert_eq!(Hints::read([(name, value)]), Hints { unreadable: true, ..Hints::default() });
    }

    #[test]
    fn one_good_hint_does_not_heal_a_bad_one() {
        let hints = Hints::read([(SCOPES, "?\""), (SENSITIVITY, "low")]);
        assert!(hints.unreadable && hints.sensitivity == Some(Sensitivity::Low));
    }
}
