//! Digests of a policy's content: one that names it, and one that tells when to read it again.

use super::diagnostics::Diagnostics;
use super::files;
use super::issuers::IssuerDraft;
use aws_lc_rs::digest::{Context, SHA256};
use std::fmt::Write;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// SHA-256.
pub(super) type Digest = [u8; 32];

/// As much as tells policies apart in a log; an accident is out of the question, and nothing is protected by it.
const SHOWN_BYTES: usize = 8;

/// More than any key file has, and than policies that are written by hand. What is larger is not read to see whether it
/// changed: a database of countries has many megabytes, and is looked at every two seconds.
const MAX_COMPARED_BYTES: u64 = 1024 * 1024;

/// What the files of a policy held when they were looked at. It differs when one of them does, came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(Digest);

impl Fingerprint {
    /// Looks at the policy's files and folders, and at the other files that it was made from.
    pub fn of(paths: &[PathBuf], files: &[PathBuf]) -> Self {
        let listed = paths.iter().flat_map(|path| files::list(path).unwrap_or_else(|_| vec![path.clone()]));
        let mut all: Vec<_> = listed.chain(files.iter().cloned()).collect();
        all.sort();
        all.dedup();
        let digests: Vec<_> = all.iter().map(|path| one(path)).collect();
        Self(digest(digests.iter().map(<[u8; 32]>::as_slice)))
    }
}

/// A digest of the content alone: not of the names of files, and not of their order.
pub(super) fn hash(read: &Diagnostics, issuers: &[IssuerDraft], countries: Option<&Digest>) -> Box<str> {
    let policies = read.sources().map(|source| digest([source.text().as_bytes()]));
    let keys = issuers.iter().filter_map(|draft| {
        // With the name, so that two issuers that swap their keys make another policy.
        Some(digest([draft.issuer.name.as_str().as_bytes(), &draft.keys.file?]))
    });
    let countries = countries.map(|file| digest([b"countries".as_slice(), file]));
    let mut all: Vec<Digest> = policies.chain(keys).chain(countries).collect();
    all.sort_unstable();
    let whole = digest(all.iter().map(<[u8; 32]>::as_slice));
    whole
        .iter()
        .take(SHOWN_BYTES)
        .fold(String::new(), |mut hex, byte| {
            // Writing to a `String` can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
        .into()
}

/// Of several parts, each with its length, so that none can pass for the end of the one before.
pub(super) fn digest<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// A file that can't be read counts as another content than any that can.
fn one(path: &Path) -> Digest {
    let name = path.as_os_str().as_encoded_bytes();
    let seen = match fs::metadata(path) {
        Ok(file) if file.len() > MAX_COMPARED_BYTES => Ok(stamp(&file)),
        _ => files::read_bounded(path, MAX_COMPARED_BYTES),
    };
    match seen {
        Ok(seen) => digest([name, &seen]),
        Err(error) => digest([name, b"unreadable", error.to_string().as_bytes()]),
    }
}

/// What changes when a file is written to or another takes its place. Whoever copies a file can give it the old one's time
/// of modification, but not its number on the disk, nor the time at which the system noted a change.
fn stamp(file: &Metadata) -> Vec<u8> {
    let modified = [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()].map(i64::to_be_bytes);
    [file.dev(), file.ino(), file.len()].map(u64::to_be_bytes).into_iter().chain(modified).flatten().collect()
}
