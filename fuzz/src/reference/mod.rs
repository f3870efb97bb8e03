//! Slow and obvious readings, written from the standards alone. They share nothing with what they are compared to.

pub(crate) mod base64url;
pub(crate) mod der;
pub(crate) mod json;
pub(crate) mod pem;
pub(crate) mod spiffe;
pub(crate) mod uri;
