//! The origin that proofs are made for.

use crate::request::Host;
use std::fmt;

/// Scheme, host and port (RFC 6454 §4), without a default port: what a proof's `htu` begins with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Box<str>);

/// Why a text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an origin is https:// or http:// and a host, with a port where it is not the default, and nothing after it")]
pub struct OriginError;

impl Origin {
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (origin, rest) = Self::split_from(text)?;
        if rest.is_empty() { Ok(origin) } else { Err(OriginError) }
    }

    /// What a request to this host is proven for where the policy names no `resource`.
    pub fn of_host(host: &Host) -> Self {
        Self(format!("https://{host}").into())
    }

    /// Reads an origin off the front of a URL; the rest begins with `/`, `?` or `#`, or is empty.
    pub fn split_from(url: &str) -> Result<(Self, &str), OriginError> {
        let (scheme, after) = url.split_once("://").ok_or(OriginError)?;
        let (authority, rest) = after.split_at(after.find(['/', '?', '#', '\\']).unwrap_or(after.len()));
        let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => ("https", "443"),
            "http" => ("http", "80"),
            _ => return Err(OriginError),
        };
        let host = Host::parse(authority).map_err(|_| OriginError)?;
        let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
        let origin = match port {
            Some(port) if !port.is_empty() && port != default_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        };
        Ok((Self(origin.into()), rest))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://API.example.com", "https://api.example.com")]
    #[case("HTTPS://api.example.com:443", "https://api.example.com")]
    #[case("http://api.example.com:443", "http://api.example.com:443")]
    #[case("https://[::1]:8443", "https://[::1]:8443")]
    #[case("https://[::1]", "https://[::1]")]
    fn an_origin_has_one_form(#[case] text: &str, #[case] origin: &str) {
        assert_eq!(Origin::parse(text).unwrap().as_str(), origin);
    }

    #[rstest]
    #[case("api.example.com")]
    #[case("ftp://api.example.com")]
    #[case("https://")]
    #[case("https://api.example.com/")]
    #[case("https://api.example.com?x")]
    #[case("https://user@api.example.com")]
    #[case("https://api.example.com\\evil")]
    fn anything_else_is_no_origin(#[case] text: &str) {
        assert_eq!(Origin::parse(text), Err(OriginError), "{text}");
    }
}
