//! The policy from files: found, decoded to trees with places, read, checked, and put together.
//!
//! Whatever is wrong is reported, all of it at once; a policy comes out only where nothing is.

mod assurance;
mod attestations;
mod challenges;
mod checks;
pub mod code;
mod context;
mod credentials;
mod decode;
pub mod diagnostics;
mod digest;
mod document;
mod draft;
mod events;
mod files;
mod floors;
mod identities;
mod issuers;
mod issues;
mod json;
mod keys;
mod matches;
mod names;
mod owners;
mod paths;
mod policy_tests;
mod read;
pub mod render;
mod request;
mod routes;
mod rules;
mod scopes;
mod secrecy;
mod section;
pub mod source;
pub(crate) mod suggest;
mod tree;
mod when;

pub use code::{Code, Severity};
pub use diagnostics::{Diagnostic, Diagnostics};
pub use digest::Fingerprint;
pub use policy_tests::{Expectation, Expected, Field, PolicyTest, moment};

use crate::attestation::Keyring;
use crate::policy::{KeyOrigin, Name, Policy};
use draft::Draft;
use source::Place;
use std::path::PathBuf;
use std::sync::Arc;

/// A policy that is good, and what it was made from.
#[derive(Debug)]
pub struct Loaded {
    pub policy: Policy,
    /// The keys that it gives itself; those from elsewhere are away.
    pub keyring: Keyring,
    /// Where the keys of each issuer come from, in the policy's order.
    pub keys: Vec<KeyOrigin>,
    /// The policy's own, in the order of the files.
    pub tests: Vec<PolicyTest>,
    pub warnings: Diagnostics,
    /// The policy files that were read, and the files that they name.
    pub files: Vec<PathBuf>,
}

impl Loaded {
    /// The name of each issuer with where its keys come from.
    pub fn issuer_keys(&self) -> Vec<(Name, KeyOrigin)> {
        self.policy.issuers.iter().map(|issuer| issuer.name.clone()).zip(self.keys.iter().cloned()).collect()
    }
}

/// Loads the policy that these files and folders hold together. `Err` says everything that is wrong with it.
pub fn load(paths: &[PathBuf]) -> Result<Loaded, Diagnostics> {
    let mut problems = Diagnostics::default();
    let sources = files::read(paths, &mut problems);
    let trees: Vec<_> = sources.iter().filter_map(|source| decode::tree(*source, &mut problems)).collect();
    let Some(first) = trees.first() else {
        return Err(problems);
    };
    let complete = !problems.iter().any(|problem| problem.code.hides_a_file());
    let start = Place::start_of(first.place.source);

    let document = document::Document::merge(&trees, &mut problems);
    if document.credentials.is_none() && complete {
        credentials::none(start, &mut problems);
    }
    let draft = Draft::read(document, complete, &mut problems);
    checks::check(&draft, &mut problems);

    problems.sort();
    let hash = digest::hash(&problems, &draft.issuers, draft.context.database.as_ref());
    let finished = if problems.has_errors() { None } else { draft.finish(hash) };
    match finished {
        Some((policy, keys, tests)) => {
            let keyring = given(&keys);
            Ok(Loaded { policy, keyring, keys, tests, files: problems.files(), warnings: problems })
        }
        None => Err(problems),
    }
}

fn given(keys: &[KeyOrigin]) -> Keyring {
    let sets = keys.iter().map(|origin| match origin {
        KeyOrigin::Given(set) => Some(Arc::clone(set)),
        KeyOrigin::Remote(_) => None,
    });
    Keyring::of_moment(sets.collect(), 0)
}
