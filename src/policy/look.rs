//! Which headers a policy looks at, and what it wants to know of them.

use super::{HeaderCondition, Policy};
use crate::context::{CountrySource, HeaderTest, Look, Test};

/// A look at one header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderLook<'p> {
    /// In lower case.
    pub name: &'p str,
    /// The values that it is compared with.
    pub values: &'p [Box<str>],
    /// Whether anything is asked of it but whether it is there.
    pub reads: bool,
}

impl Policy {
    /// All looks at headers by routes, floors, rules and signals. What an issuing route reads of one is no look: that is a
    /// fact of its own.
    pub fn header_looks(&self) -> impl Iterator<Item = HeaderLook<'_>> {
        let routes = self.routes.iter().flat_map(|(_, route)| &route.selector.headers);
        let floors = self.floors.iter().flat_map(|floor| &floor.selector.headers);
        let rules = self.rules.iter().flat_map(|rule| &rule.when.headers);
        let conditions = routes.chain(floors).chain(rules).map(HeaderCondition::look);
        conditions.chain(self.context.signals.iter().filter_map(|(_, signal)| signal.test.look()))
    }
}

impl HeaderCondition {
    fn look(&self) -> HeaderLook<'_> {
        HeaderLook { name: &self.name, values: &self.values, reads: true }
    }
}

impl Test {
    /// The look that it takes at a header.
    pub fn look(&self) -> Option<HeaderLook<'_>> {
        let (name, values, reads): (_, &[_], _) = match self {
            Self::NewCountry(CountrySource::Header(name)) => (name, &[], true),
            Self::UntrustedDevice { header, trusted } => (header, trusted, true),
            Self::Header(HeaderTest { name, looks_for }) => match looks_for {
                Look::Present | Look::Absent => (name, &[], false),
                Look::Values(values) => (name, values, true),
                Look::Matches(_) => (name, &[], true),
            },
            _ => return None,
        };
        Some(HeaderLook { name, values, reads })
    }
}
