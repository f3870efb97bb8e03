//! SPIFFE IDs and trust domains (SPIFFE-ID, §2). An instance is always valid.

use std::fmt;
use std::sync::Arc;

/// The authority that vouches for a set of workloads (SPIFFE-ID §2.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrustDomain(Arc<str>);

/// The name of a workload in a trust domain, such as `spiffe://example.org/ns/billing/sa/web`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    text: Arc<str>,
    domain_end: usize,
}

/// Why a text is no SPIFFE ID or trust domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpiffeIdError {
    #[error("a SPIFFE ID begins with spiffe://")]
    Scheme,
    #[error("a SPIFFE ID has at most 2,048 bytes")]
    TooLong,
    #[error("a trust domain is 1 to 255 of a-z, 0-9, dot, hyphen and underscore, without scheme, port or path")]
    TrustDomain,
    #[error(
        "the path of a SPIFFE ID is /-separated segments of letters, digits, dot, hyphen and underscore, none of them empty, . or .."
    )]
    Path,
}

const SCHEME: &str = "spiffe://";
/// SPIFFE-ID §2.3.
const MAX_ID_BYTES: usize = 2_048;
/// SPIFFE-ID §2.1.
const MAX_DOMAIN_BYTES: usize = 255;

impl TrustDomain {
    pub fn parse(name: &str) -> Result<Self, SpiffeIdError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
        if (1..=MAX_DOMAIN_BYTES).contains(&name.len()) && name.bytes().all(allowed) {
            Ok(Self(name.into()))
        } else {
            Err(SpiffeIdError::TrustDomain)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SpiffeId {
    pub fn parse(text: &str) -> Result<Self, SpiffeIdError> {
        if text.len() > MAX_ID_BYTES {
            return Err(SpiffeIdError::TooLong);
        }
        let rest = text.strip_prefix(SCHEME).ok_or(SpiffeIdError::Scheme)?;
        let (domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        TrustDomain::parse(domain)?;
        check_path(path)?;
        Ok(Self { text: text.into(), domain_end: SCHEME.len() + domain.len() })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn is_member_of(&self, domain: &TrustDomain) -> bool {
        self.text.get(SCHEME.len()..self.domain_end) == Some(domain.as_str())
    }
}

/// SPIFFE-ID §2.2: absent, or non-empty segments without dot segments; percent-encoding is not allowed.
fn check_path(path: &str) -> Result<(), SpiffeIdError> {
    let Some(segments) = path.strip_prefix('/') else {
        return Ok(());
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let good = |s: &str| !matches!(s, "" | "." | "..") && s.bytes().all(allowed);
    if segments.split('/').all(good) { Ok(()) } else { Err(SpiffeIdError::Path) }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://example.org/a", SpiffeIdError::Scheme)]
    #[case("SPIFFE://example.org/a", SpiffeIdError::Scheme)]
    #[case("spiffe://", SpiffeIdError::TrustDomain)]
    #[case("spiffe:///a", SpiffeIdError::TrustDomain)]
    #[case("spiffe://Example.org/a", SpiffeIdError::TrustDomain)]
    #[case("spiffe://example.org:80/a", SpiffeIdError::TrustDomain)]
    #[case("spiffe://u@example.org/a", SpiffeIdError::TrustDomain)]
    #[case("spiffe://example.org/", SpiffeIdError::Path)]
    #[case("spiffe://example.org/a/", SpiffeIdError::Path)]
    #[case("spiffe://example.org//a", SpiffeIdError::Path)]
    #[case("spiffe://example.org/a/../b", SpiffeIdError::Path)]
    #[case("spiffe://example.org/%61", SpiffeIdError::Path)]
    #[case("spiffe://example.org/a?b", SpiffeIdError::Path)]
    fn what_the_standard_forbids_is_no_spiffe_id(#[case] text: &str, #[case] why: SpiffeIdError) {
        assert_eq!(SpiffeId::parse(text), Err(why));
    }

    #[test]
    fn membership_is_exact() {
        let id = SpiffeId::parse("spiffe://example.org/ns/a").unwrap();
        assert!(id.is_member_of(&TrustDomain::parse("example.org").unwrap()));
        assert!(!id.is_member_of(&TrustDomain::parse("example.or").unwrap()));
        assert!(!id.is_member_of(&TrustDomain::parse("sub.example.org").unwrap()));
    }

    #[test]
    fn an_id_over_2048_bytes_is_refused() {
        let long = format!("spiffe://example.org/{}", "a".repeat(2_048));
        assert_eq!(SpiffeId::parse(&long), Err(SpiffeIdError::TooLong));
    }
}
