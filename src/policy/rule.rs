//! Rules: when a combination asks for proof, or is refused. They have no order; the strictest that matches wins.

use super::{LevelId, Name, Privilege, Sensitivity};

/// The place of a rule in its policy. It says nothing about precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(super) usize);

#[derive(Clone, Debug)]
pub struct Rule {
    pub name: Name,
    pub when: When,
    pub effect: Effect,
    /// Framework controls that it implements, such as `OWASP-NHI5:2025`.
    pub controls: Vec<Box<str>>,
}

/// All conditions that stand must hold; at least one stands.
#[derive(Clone, Debug, Default)]
pub struct When {
    /// At least so sensitive.
    pub sensitivity: Option<Sensitivity>,
    pub privilege: Option<Privilege>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Require(LevelId),
    /// Refused, for this reason.
    Deny(Name),
}

/// What the rules that matched ask for together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    #[default]
    Nothing,
    Assurance(LevelId),
    Refusal(RuleId),
}

impl RuleId {
    pub const fn index(self) -> usize {
        self.0
    }
}

impl Rule {
    pub fn matches(&self, sensitivity: Sensitivity, privilege: Privilege) -> bool {
        let When { sensitivity: at_least, privilege: exactly } = &self.when;
        at_least.is_none_or(|least| sensitivity >= least) && exactly.is_none_or(|p| privilege == p)
    }
}

impl Requirement {
    /// Deny beats step-up; the later level beats the earlier.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        self.max(other)
    }
}
