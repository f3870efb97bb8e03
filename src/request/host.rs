//! The host of a request, in the one form in which hosts are compared.

use super::Malformed;
use std::borrow::Borrow;
use std::fmt;
use std::net::IpAddr;

/// A host name or address: lower case, without port and trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(Box<str>);

/// RFC 1035 §2.3.4.
const MAX_BYTES: usize = 255;
/// A name that nobody can have (RFC 6761 §6.4).
const UNKNOWN: &str = "unknown.invalid";

impl Host {
    /// Reads an authority (RFC 3986 §3.2) without user information.
    pub fn parse(authority: &str) -> Result<Self, Malformed> {
        let name = without_port(authority).ok_or(Malformed::Host)?;
        let name = name.strip_suffix('.').unwrap_or(name);
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=[]:%".contains(&b);
        if !(1..=MAX_BYTES).contains(&name.len()) || !name.bytes().all(allowed) || has_empty_label(name) {
            return Err(Malformed::Host);
        }
        Ok(Self(name.to_ascii_lowercase().into()))
    }

    /// An address as an authority writes it (RFC 3986 §3.2.2).
    pub fn of_address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self(address.to_string().into()),
            IpAddr::V6(address) => Self(format!("[{address}]").into()),
        }
    }

    /// The host of a connection that says nothing of where it goes.
    pub fn unknown() -> Self {
        Self(UNKNOWN.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domains that this name is below, the nearest first.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(parent(&self.0), |name| parent(name))
    }
}

fn parent(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, domain)| domain)
}

fn has_empty_label(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('.') || name.contains("..")
}

/// `None` where what follows the colon is no port, or a bracket does not close.
fn without_port(authority: &str) -> Option<&str> {
    let end_of_name = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (name, port) = authority.split_at_checked(end_of_name)?;
    match port.strip_prefix(':') {
        None if port.is_empty() => Some(name),
        Some(digits) if digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()) => Some(name),
        _ => None,
    }
}

impl Borrow<str> for Host {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("api.example.com", "api.example.com")]
    #[case("API.Example.COM:443", "api.example.com")]
    #[case("api.example.com.", "api.example.com")]
    #[case("api.example.com.:443", "api.example.com")]
    #[case("[::1]:8080", "[::1]")]
    #[case("10.0.0.1:80", "10.0.0.1")]
    #[case("localhost:", "localhost")]
    fn a_host_has_one_form(#[case] authority: &str, #[case] host: &str) {
        assert_eq!(Host::parse(authority).unwrap().as_str(), host);
    }

    #[rstest]
    #[case("")]
    #[case(".")]
    #[case("a..b")]
    #[case(".a")]
    #[case("user@host")]
    #[case("a/b")]
    #[case("a\\b")]
    #[case("a b")]
    #[case("a#b")]
    #[case("a:b")]
    #[case("a:123456")]
    #[case("a:80:80")]
    #[case("[::1")]
    #[case("[::1]x")]
    #[case("caf\u{e9}.example")]
    fn what_is_no_host_is_malformed(#[case] authority: &str) {
        assert_eq!(Host::parse(authority), Err(Malformed::Host), "{authority}");
    }

    #[rstest]
    #[case(Host::of_address([10, 0, 0, 1].into()), "10.0.0.1")]
    #[case(Host::of_address("2001:DB8::1".parse::<IpAddr>().unwrap()), "[2001:db8::1]")]
    #[case(Host::unknown(), "unknown.invalid")]
    fn what_is_no_authority_has_the_same_form(#[case] host: Host, #[case] authority: &str) {
        assert_eq!(Host::parse(authority), Ok(host));
    }

    #[test]
    fn domains_go_from_the_nearest_up() {
        let host = Host::parse("a.b.internal").unwrap();
        assert_eq!(host.domains().collect::<Vec<_>>(), ["b.internal", "internal"]);
        assert_eq!(Host::parse("internal").unwrap().domains().count(), 0);
    }
}
