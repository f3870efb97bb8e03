//! One request as the decision sees it: facts, each checked once, whoever brought them.

pub mod asked;
pub mod body;
pub mod headers;
pub mod hints;
pub mod host;
pub mod mcp;
pub mod metadata;
pub mod path;
pub mod readings;

pub use asked::{Asked, AskedIn, JsonPointer};
pub use body::Body;
pub use headers::{Headers, Occurrence};
pub use hints::Hints;
pub use host::Host;
pub use mcp::McpCall;
pub use metadata::Metadata;
pub use path::{PathFault, RequestPath};
pub use readings::Readings;

use crate::identity::PeerCertificate;
use std::net::IpAddr;
use std::sync::Arc;

/// What is known of a request before anything is judged.
#[derive(Clone, Debug)]
pub struct RequestFacts {
    pub layer: Layer,
    pub method: Method,
    pub path: RequestPath,
    /// What servers may take the request for, beside method and path.
    pub readings: Readings,
    pub host: Host,
    pub headers: Headers,
    pub body: Body,
    /// What it asks for on a route that issues privilege, where that was read before; else it is read from the request.
    pub asked: Option<Asked>,
    /// The direct peer, never what a header says.
    pub source: Option<IpAddr>,
    pub peer: Peer,
    /// What Envoy's other filters say.
    pub metadata: Metadata,
    /// What Envoy's configuration says.
    pub hints: Hints,
}

/// What Envoy asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// One HTTP request.
    Http,
    /// A connection, by Envoy's network filter: no HTTP is seen, and nobody could answer a challenge.
    Network,
}

/// What the connection proves of the caller.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// The client certificate as Envoy forwards it: URL-encoded PEM.
    pub certificate: Option<Box<str>>,
    /// What Envoy makes of the certificate's names: weaker, since it takes a DNS SAN too.
    pub principal: Option<Box<str>>,
}

/// What was read out of [`Peer::certificate`].
pub type CertificateReading = Result<Arc<PeerCertificate>, crate::identity::certificate::CertificateError>;

/// An HTTP method (RFC 9110 §9.1): a token, compared as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(Box<str>);

/// Why a request can't be judged at all. It is refused with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    #[error("the method is no token")]
    Method,
    #[error("the host is no host name or address")]
    Host,
    #[error("{0}")]
    Path(PathFault),
    #[error("a header that overrides the method or path stands twice, or is no text")]
    Override,
    #[error("more than one authorization header")]
    RepeatedAuthorization,
}

impl RequestFacts {
    /// A connection as if it were a tunnel: `CONNECT` is the method that has no path (RFC 9110 §9.3.6).
    pub fn of_connection(source: Option<IpAddr>, peer: Peer, metadata: Metadata, hints: Hints, host: Host) -> Self {
        Self {
            layer: Layer::Network,
            method: Method::connect(),
            path: RequestPath::none(),
            readings: Readings::default(),
            host,
            headers: Headers::default(),
            body: Body::Absent,
            asked: None,
            source,
            peer,
            metadata,
            hints,
        }
    }
}

impl Method {
    /// The longest registered method has 17 bytes (`UPDATEREDIRECTREF`).
    const MAX_BYTES: usize = 32;

    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let fits = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(allowed);
        if fits { Ok(Self(text.into())) } else { Err(Malformed::Method) }
    }

    fn connect() -> Self {
        Self("CONNECT".into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same method in upper case, where it is not.
    pub fn in_upper_case(&self) -> Option<Self> {
        self.0.bytes().any(|b| b.is_ascii_lowercase()).then(|| Self(self.0.to_ascii_uppercase().into()))
    }
}

impl Malformed {
    pub const ALL: [Self; 7] = [
        Self::Method,
        Self::Host,
        Self::Path(PathFault::Malformed),
        Self::Path(PathFault::Ambiguous),
        Self::Path(PathFault::TooManyReadings),
        Self::Override,
        Self::RepeatedAuthorization,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "malformed_method",
            Self::Host => "malformed_host",
            Self::Path(PathFault::Malformed) => "malformed_path",
            Self::Path(PathFault::Ambiguous) => "ambiguous_path",
            Self::Path(PathFault::TooManyReadings) => "too_many_readings",
            Self::Override => "malformed_override",
            Self::RepeatedAuthorization => "repeated_authorization",
        }
    }
}
