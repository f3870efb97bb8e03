//! A file of secrets, followed by its content: what is new and good in it is in force at once, what is not is said once,
//! and the last good secrets stay. What stands in the file is never shown.

use super::Failure;
use crate::attestation::Thumbprint;
use arc_swap::ArcSwap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What can stand in such a file.
pub(super) trait Secrets: Sized {
    /// What people call them.
    const NAME: &'static str;
    type Error: Error + Send + Sync + 'static;

    fn parse(text: &str) -> Result<Self, Self::Error>;
}

/// A file, and what it held when it was last looked at.
#[derive(Debug)]
pub(super) struct SecretFile<S> {
    path: PathBuf,
    /// Over the content; nothing where it could not be read.
    seen: Option<Thumbprint>,
    in_force: Arc<ArcSwap<S>>,
}

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("can't read it: {0}")]
    Unreadable(#[from] io::Error),
    #[error(transparent)]
    Bad(Box<dyn Error + Send + Sync>),
}

/// Keys and tokens are short; a file beyond this is another one.
const MAX_BYTES: u64 = 1024 * 1024;

impl<S: Secrets> SecretFile<S> {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let refuse = |source| Failure::Secrets { name: S::NAME, path: path.to_owned(), source };
        warn_if_open_to_others::<S>(path);
        let text = read(path).map_err(|error| refuse(error.into()))?;
        let in_force = Arc::new(ArcSwap::from_pointee(parse(&text).map_err(refuse)?));
        Ok(Self { path: path.to_owned(), seen: Some(Thumbprint::of(text.as_bytes())), in_force })
    }

    /// Where those of this moment always are.
    pub(super) fn in_force(&self) -> Arc<ArcSwap<S>> {
        Arc::clone(&self.in_force)
    }

    /// Takes what the file holds now, where that is new and good.
    pub(super) fn look(&mut self) {
        let text = read(&self.path);
        let seen = text.as_ref().ok().map(|text| Thumbprint::of(text.as_bytes()));
        if seen == self.seen {
            return;
        }
        self.seen = seen;
        let file = self.path.display();
        match text.map_err(Unusable::from).and_then(|text| parse(&text)) {
            Ok(new) => {
                warn_if_open_to_others::<S>(&self.path);
                self.in_force.store(Arc::new(new));
                tracing::info!(%file, "{} reloaded", S::NAME);
            }
            Err(why) => tracing::error!(%file, "{} refused, the last good ones stay: {why}", S::NAME),
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

fn parse<S: Secrets>(text: &str) -> Result<S, Unusable> {
    S::parse(text).map_err(|error| Unusable::Bad(error.into()))
}

/// Whoever reads them can use them.
fn warn_if_open_to_others<S: Secrets>(path: &Path) {
    if fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o007 != 0) {
        let file = path.display();
        tracing::warn!(%file, "others may read the {}; make the file 0600, or 0640 for a group", S::NAME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::AdminTokens;

    const OLD: &str = "alice admin 0123456789abcdef0123456789abcdef";
    const NEW: &str = "alice admin fedcba9876543210fedcba9876543210";

    fn is_good(tokens: &ArcSwap<AdminTokens>, line: &str) -> bool {
        tokens.load().operator(line.rsplit(' ').next().unwrap()).is_some()
    }

    #[test]
    fn what_is_taken_out_is_void_and_a_broken_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.tokens");
        fs::write(&path, OLD).unwrap();
        let mut file = SecretFile::<AdminTokens>::open(&path).unwrap();
        let tokens = file.in_force();
        assert!(is_good(&tokens, OLD));

        fs::write(&path, NEW).unwrap();
        file.look();
        assert!(is_good(&tokens, NEW) && !is_good(&tokens, OLD));

        for broken in [Vec::new(), b"alice admin short".to_vec(), vec![b'\n'; 1024 * 1024 + 1], b"\xff\xfe".to_vec()] {
            fs::write(&path, &broken).unwrap();
            file.look();
            assert_eq!(is_good(&tokens, NEW), !broken.is_empty(), "only an empty file is a good one");
            fs::write(&path, NEW).unwrap();
            file.look();
        }
        fs::remove_file(&path).unwrap();
        file.look();
        assert!(is_good(&tokens, NEW));
    }

    #[test]
    fn a_file_that_never_ends_is_refused() {
        assert!(SecretFile::<AdminTokens>::open(Path::new("/dev/zero")).is_err());
    }
}
