//! Attestations and other signed statements: verified without I/O, appraised at a time that is passed in.

pub mod algorithm;
pub mod jose;
pub mod json;
pub mod jwk;
pub mod keys;
pub mod thumbprint;

pub use algorithm::Algorithm;
pub use keys::{KeySet, Keyring};
pub use thumbprint::Thumbprint;

/// Why a token is not believed, whatever it is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenFault {
    Oversize,
    Malformed,
    Algorithm,
    ForbiddenHeader,
}
