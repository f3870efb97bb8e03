//! Where Envoy connects.

use crate::chassis::{BindError, Listener};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// An address as the command line writes it: `127.0.0.1:9191` or `unix:/run/stepgate/authz.sock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// Why a text is no address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write an address and port such as 127.0.0.1:9191, or unix:/run/stepgate/authz.sock")]
pub struct ListenError;

impl Listen {
    pub async fn bind(&self) -> Result<Listener, BindError> {
        match self {
            Self::Tcp(address) => Listener::bind_tcp(*address).await,
            Self::Unix(path) => Listener::bind_unix(path),
        }
    }

    /// The address that was really bound: port 0 becomes the port that the system chose.
    pub fn bound(&self, listener: &Listener) -> String {
        listener.tcp_address().map_or_else(|| self.to_string(), |address| address.to_string())
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        match text.strip_prefix("unix:") {
            Some("") => Err(ListenError),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| ListenError),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_tcp_or_a_unix_socket() {
        for text in ["127.0.0.1:9191", "[::1]:0", "unix:/run/stepgate/authz.sock"] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
        for text in ["", "9191", "localhost", "unix:", "/run/stepgate/authz.sock", "tcp://127.0.0.1:9191"] {
            assert_eq!(text.parse::<Listen>(), Err(ListenError), "{text}");
        }
    }
}
