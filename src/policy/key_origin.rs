//! Where the keys of an issuer come from. To fetch them is the business of `keys`.

use super::Origin;
use crate::attestation::KeySet;
use crate::time::Ttl;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum KeyOrigin {
    /// The policy and its files: the keys change only with it.
    Given(Arc<KeySet>),
    /// Somewhere else: the keys change when they like.
    Remote(RemoteKeys),
}

/// What is followed while it is served by. Where it is the same in a changed policy, what was fetched stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteKeys {
    Url {
        url: KeyUrl,
        refresh: Ttl,
        /// Certificates in PEM, the only ones that the server's may hang on; nothing: those that the system trusts.
        ca: Option<Arc<[u8]>>,
    },
    /// The JWT bundles of the SPIFFE Workload API on this Unix socket.
    Spiffe { socket: PathBuf },
}

/// A URL that keys can be fetched from. An instance is always valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUrl {
    text: Box<str>,
    loopback: bool,
}

/// Why a text is no URL of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyUrlError {
    #[error("write the https:// URL of a JWK set, without user, fragment and spaces")]
    Malformed,
    #[error(
        "use https://: whoever can change the answer on its way could sign tokens; http:// is only for this machine"
    )]
    Plain,
}

/// Longer than any real one.
const MAX_URL_BYTES: usize = 2_048;

impl KeyOrigin {
    /// Whether what one signs could be signed by the other, as far as that can be told and nothing is fetched.
    pub fn shares_a_key_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Given(own), Self::Given(other)) => own.shares_a_key_with(other),
            (Self::Remote(own), Self::Remote(other)) => own.is_where(other),
            _ => false,
        }
    }
}

impl RemoteKeys {
    /// Whether both are at one place, however they are fetched there.
    fn is_where(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Url { url: own, .. }, Self::Url { url: other, .. }) => own == other,
            (Self::Spiffe { socket: own }, Self::Spiffe { socket: other }) => own == other,
            _ => false,
        }
    }
}

impl KeyUrl {
    pub fn parse(text: &str) -> Result<Self, KeyUrlError> {
        let readable = text.len() <= MAX_URL_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !readable || text.contains(['#', '\\']) {
            return Err(KeyUrlError::Malformed);
        }
        let (origin, _) = Origin::split_from(text).map_err(|_| KeyUrlError::Malformed)?;
        let loopback = is_loopback(&origin);
        if origin.as_str().starts_with("https://") || loopback {
            Ok(Self { text: text.into(), loopback })
        } else {
            Err(KeyUrlError::Plain)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it names this machine.
    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }
}

fn is_loopback(origin: &Origin) -> bool {
    let authority = origin.as_str().split_once("://").map_or("", |(_, authority)| authority);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    host.is_some_and(|host| host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()))
}

impl fmt::Display for KeyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, .. } => url.fmt(f),
            Self::Spiffe { socket } => write!(f, "unix:{}", socket.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://idp.example.com/jwks")]
    #[case("https://idp.example.com")]
    #[case("https://idp.example.com:8443/jwks?tenant=7")]
    #[case("http://127.0.0.1:8080/jwks")]
    #[case("http://[::1]/jwks")]
    #[case("http://localhost:80/jwks")]
    fn keys_come_over_tls_or_from_this_machine(#[case] url: &str) {
        assert_eq!(KeyUrl::parse(url).unwrap().as_str(), url);
    }

    #[rstest]
    #[case("http://idp.example.com/jwks", KeyUrlError::Plain)]
    #[case("http://localhost.example.com/jwks", KeyUrlError::Plain)]
    #[case("http://127.0.0.1.example.com/jwks", KeyUrlError::Plain)]
    #[case("http://0.0.0.0/jwks", KeyUrlError::Plain)]
    #[case("http://localhost@idp.example.com/jwks", KeyUrlError::Malformed)]
    #[case("https://user:secret@idp.example.com/jwks", KeyUrlError::Malformed)]
    #[case("https://idp.example.com/jwks#keys", KeyUrlError::Malformed)]
    #[case("https://idp.example.com\\@evil.example.com/jwks", KeyUrlError::Malformed)]
    #[case("https://idp.example.com/a b", KeyUrlError::Malformed)]
    #[case("file:///etc/keys", KeyUrlError::Malformed)]
    #[case("idp.example.com/jwks", KeyUrlError::Malformed)]
    #[case("", KeyUrlError::Malformed)]
    fn any_other_url_is_refused(#[case] url: &str, #[case] why: KeyUrlError) {
        assert_eq!(KeyUrl::parse(url), Err(why));
    }
}
