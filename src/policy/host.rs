//! Which hosts a route answers for.

use crate::request::Host;
use std::fmt;

/// A host as a policy names it: exact, or everything below a domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// `api.example.com`
    Exact(Host),
    /// `*.internal`: one or more labels before `.internal`. The domain is held without `*.`.
    Below(Host),
}

/// Why a text is no host pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a host is a lower-case name or address without scheme, port or path, or `*.` and such a name")]
pub struct HostPatternError;

impl HostPattern {
    pub fn parse(text: &str) -> Result<Self, HostPatternError> {
        let (name, wrap): (_, fn(Host) -> Self) = match text.strip_prefix("*.") {
            Some(domain) => (domain, Self::Below),
            None => (text, Self::Exact),
        };
        let host = Host::parse(name).map_err(|_| HostPatternError)?;
        let plain = host.as_str() == name && !name.contains('*');
        if plain { Ok(wrap(host)) } else { Err(HostPatternError) }
    }

    pub const fn is_wildcard(&self) -> bool {
        matches!(self, Self::Below(_))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => write!(f, "{host}"),
            Self::Below(domain) => write!(f, "*.{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_written_as_hosts_are_compared() {
        assert!(matches!(HostPattern::parse("api.example.com"), Ok(HostPattern::Exact(_))));
        assert!(matches!(HostPattern::parse("*.internal"), Ok(HostPattern::Below(_))));
        for text in
            ["", "*", "*.", "API.example.com", "api.example.com:443", "api.example.com.", "a.*.b", "https://a", "a/b"]
        {
            assert_eq!(HostPattern::parse(text), Err(HostPatternError), "{text:?}");
        }
    }
}
