//! The key that the holder of an attestation must prove to have (`cnf.jwk`, RFC 7800 §3.2).
//!
//! Many are remembered and each is seldom used, so it is kept in the shortest form: to parse it again costs 1 µs, to keep
//! it parsed 500 bytes.

use super::{JwkError, Material, named_algorithm};
use crate::attestation::json::Object;
use crate::attestation::thumbprint::thumbprint;
use crate::attestation::{Algorithm, Thumbprint};
use std::fmt;

#[derive(Clone, PartialEq, Eq)]
pub struct ConfirmedKey {
    thumbprint: Thumbprint,
    /// Its `alg`, which is then the only one.
    algorithm: Option<Algorithm>,
    material: Material,
}

impl ConfirmedKey {
    /// Refuses what is private, weak, or no key at all.
    pub fn from_jwk(jwk: &Object) -> Result<Self, JwkError> {
        let material = Material::read(jwk)?;
        let algorithm = named_algorithm(jwk)?;
        let key = Self { thumbprint: thumbprint(jwk).ok_or(JwkError::Malformed)?, algorithm, material };
        let fitting = Algorithm::ALL.into_iter().find(|algorithm| key.fits(*algorithm)).ok_or(JwkError::Unsupported)?;
        key.material.parse(fitting)?;
        Ok(key)
    }

    pub const fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    pub const fn named_algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm) && self.material.fits(algorithm)
    }

    pub(in crate::attestation) const fn material(&self) -> &Material {
        &self.material
    }

    /// What it holds outside of itself.
    pub(in crate::attestation) fn heap_bytes(&self) -> usize {
        self.material.heap_bytes()
    }
}

impl fmt::Debug for ConfirmedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfirmedKey")
            .field("thumbprint", &self.thumbprint)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
