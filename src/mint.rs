//! Mints keys, tokens, attestations and proofs for development and tests. Nothing here is used while serving.
