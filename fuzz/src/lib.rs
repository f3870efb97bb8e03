//! The laws that hold for every input of every parser of outside bytes: none panics, and none takes what a slow and obvious
//! reading of its standard refuses.
//!
//! The fuzzers call them, and so does `tests/seeds`, which includes this file: with every seed, and with mutations of them.

pub mod certificate;
pub mod challenge;
pub mod check_request;
pub mod claims;
pub mod details;
pub mod ear;
pub mod event;
pub mod form;
pub mod jose;
pub mod json;
pub mod jwk;
pub mod path;
pub mod policy;
pub mod proof;
mod reference;
pub mod xfcc;

/// Panics where a parser breaks its law on these bytes. Says whether it took them.
pub type Law = fn(&[u8]) -> bool;

/// All of them, by the name of their target and of their folder of seeds.
pub const LAWS: &[(&str, Law)] = &[
    ("certificate", certificate::holds),
    ("challenge", challenge::holds),
    ("check_request", check_request::holds),
    ("claims", claims::holds),
    ("details", details::holds),
    ("dpop", proof::dpop),
    ("ear", ear::holds),
    ("event", event::holds),
    ("form", form::holds),
    ("jose", jose::holds),
    ("json", json::holds),
    ("jwk", jwk::holds),
    ("path", path::holds),
    ("policy", policy::holds),
    ("pop", proof::pop),
    ("wpt", proof::wpt),
    ("xfcc", xfcc::holds),
];
