//! Where the shared state is: `redis://` or `rediss://` (over TLS), as operators write it.

use percent_encoding::percent_decode_str;
use redis::RedisConnectionInfo;
use std::fmt;
use std::path::PathBuf;

/// A parsed address. What it says of a password is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct StateUrl {
    pub(super) host: Box<str>,
    pub(super) port: u16,
    pub(super) tls: Option<TlsFiles>,
    user: Option<Box<str>>,
    password: Option<Box<str>>,
    database: u16,
}

/// What a TLS connection is made with, other than the system's certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TlsFiles {
    /// The authorities that may have signed the server's certificate.
    pub ca: Option<PathBuf>,
    /// Our own certificate and its key, for a server that asks for one.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// Why a text is no address of a shared state. It repeats nothing of it, since a password could be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateUrlError {
    #[error(
        "write redis://HOST[:PORT][/DATABASE], or rediss:// for TLS; a user and password go before the host, as USER:PASSWORD@"
    )]
    Form,
    #[error("the database is a number such as 0")]
    Database,
    #[error(
        "a `#` is not allowed: the server's certificate is always verified, by ?ca=FILE if not by the system's authorities; write `%23` in a password"
    )]
    Fragment,
    #[error("after `?`, rediss:// takes ca=FILE, and cert=FILE with key=FILE; redis:// takes nothing")]
    Option,
}

const DEFAULT_PORT: u16 = 6_379;
/// Longer than any host, user, password and paths to files need.
const MAX_BYTES: usize = 4_096;

impl StateUrl {
    pub fn parse(text: &str) -> Result<Self, StateUrlError> {
        let url = Some(text).filter(|text| text.len() <= MAX_BYTES).and_then(redis::parse_redis_url);
        let url = url.ok_or(StateUrlError::Form)?;
        let is_tls = match url.scheme() {
            "redis" => false,
            "rediss" => true,
            _ => return Err(StateUrlError::Form),
        };
        if url.fragment().is_some() {
            return Err(StateUrlError::Fragment);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(StateUrlError::Form)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').into();
        let database = match url.path().trim_start_matches('/') {
            "" => 0,
            number => number.parse().map_err(|_| StateUrlError::Database)?,
        };
        let files = TlsFiles::read(url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())))?;
        let tls = match (is_tls, files) {
            (true, files) => Some(files),
            (false, files) if files == TlsFiles::default() => None,
            (false, _) => return Err(StateUrlError::Option),
        };
        let user = Some(decoded(url.username())?).filter(|user| !user.is_empty());
        let password = url.password().map(decoded).transpose()?;
        Ok(Self { host, port: url.port().unwrap_or(DEFAULT_PORT), tls, user, password, database })
    }

    /// How to introduce oneself there.
    pub(super) fn introduction(&self) -> RedisConnectionInfo {
        let info = RedisConnectionInfo::default().set_db(self.database.into());
        let info = match &self.user {
            Some(user) => info.set_username(user),
            None => info,
        };
        match &self.password {
            Some(password) => info.set_password(password),
            None => info,
        }
    }
}

impl TlsFiles {
    fn read(options: impl Iterator<Item = (String, String)>) -> Result<Self, StateUrlError> {
        let (mut ca, mut cert, mut key) = (None, None, None);
        for (name, value) in options {
            let place = match name.as_str() {
                "ca" => &mut ca,
                "cert" => &mut cert,
                "key" => &mut key,
                _ => return Err(StateUrlError::Option),
            };
            if value.is_empty() || place.replace(PathBuf::from(value)).is_some() {
                return Err(StateUrlError::Option);
            }
        }
        match (cert, key) {
            (Some(cert), Some(key)) => Ok(Self { ca, own: Some((cert, key)) }),
            (None, None) => Ok(Self { ca, own: None }),
            _ => Err(StateUrlError::Option),
        }
    }
}

fn decoded(text: &str) -> Result<Box<str>, StateUrlError> {
    percent_decode_str(text).decode_utf8().map(Into::into).map_err(|_| StateUrlError::Form)
}

/// Without user and password.
impl fmt::Display for StateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "rediss" } else { "redis" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}/{}", self.host, self.port, self.database)
        } else {
            write!(f, "{scheme}://{}:{}/{}", self.host, self.port, self.database)
        }
    }
}

impl fmt::Debug for StateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("redis://valkey", "redis://valkey:6379/0")]
    #[case("redis://valkey:7000/3", "redis://valkey:7000/3")]
    #[case("rediss://us%65r:p%40ss@valkey/", "rediss://valkey:6379/0")]
    #[case("redis://:secret@[::1]:6380", "redis://[::1]:6380/0")]
    #[case("rediss://valkey/1?ca=/etc/ca.pem&cert=/c.pem&key=/k.pem", "rediss://valkey:6379/1")]
    fn an_address_is_shown_without_its_secrets(#[case] text: &str, #[case] shown: &str) {
        let url = StateUrl::parse(text).unwrap();
        assert_eq!((url.to_string(), format!("{url:?}")), (shown.to_owned(), shown.to_owned()));
    }

    #[rstest]
    #[case("", StateUrlError::Form)]
    #[case("valkey:6379", StateUrlError::Form)]
    #[case("http://valkey", StateUrlError::Form)]
    #[case("redis+unix:///run/valkey.sock", StateUrlError::Form)]
    #[case("redis://", StateUrlError::Form)]
    #[case("redis://valkey/one", StateUrlError::Database)]
    #[case("redis://valkey/-1", StateUrlError::Database)]
    #[case("rediss://valkey#insecure", StateUrlError::Fragment)]
    #[case("redis://valkey?ca=/ca.pem", StateUrlError::Option)]
    #[case("rediss://valkey?cert=/c.pem", StateUrlError::Option)]
    #[case("rediss://valkey?ca=", StateUrlError::Option)]
    #[case("rediss://valkey?ca=/a&ca=/b", StateUrlError::Option)]
    #[case("rediss://valkey?insecure=true", StateUrlError::Option)]
    fn anything_else_is_none(#[case] text: &str, #[case] why: StateUrlError) {
        assert_eq!(StateUrl::parse(text), Err(why));
    }

    #[test]
    fn who_it_is_is_decoded() {
        let introduction = StateUrl::parse("redis://us%65r:p%40ss@valkey/2").unwrap().introduction();
        assert_eq!((introduction.username(), introduction.password()), (Some("user"), Some("p@ss")));
        assert_eq!(introduction.db(), 2);
    }
}
