//! The keys that challenges are made with: from a file that replicas share, followed by its content; without one, random
//! for the life of the process.

use super::Failure;
use crate::attestation::Thumbprint;
use crate::challenge::{ChallengeKeys, ChallengeKeysError};
use crate::store::NoRandomness;
use arc_swap::ArcSwap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A key file, and what it held when it was last looked at.
#[derive(Debug)]
pub(super) struct ChallengeKeyFile {
    path: PathBuf,
    /// Over the content; nothing where it could not be read.
    seen: Option<Thumbprint>,
}

/// Why a key file is not taken.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("can't read it: {0}")]
    Unreadable(#[from] io::Error),
    #[error(transparent)]
    Keys(#[from] ChallengeKeysError),
}

/// The keys, and the file that is to be followed.
pub(super) fn open(path: Option<&Path>) -> Result<(ChallengeKeys, Option<ChallengeKeyFile>), Failure> {
    let Some(path) = path else {
        let mut key = [0; ChallengeKeys::KEY_BYTES];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| NoRandomness)?;
        return Ok((ChallengeKeys::single(&key), None));
    };
    warn_if_open_to_others(path);
    let text = fs::read_to_string(path);
    let text = text.map_err(|source| Failure::ChallengeKeyFile { path: path.to_owned(), source })?;
    let keys =
        ChallengeKeys::parse(&text).map_err(|source| Failure::ChallengeKeys { path: path.to_owned(), source })?;
    Ok((keys, Some(ChallengeKeyFile { path: path.to_owned(), seen: Some(Thumbprint::of(text.as_bytes())) })))
}

impl ChallengeKeyFile {
    /// Takes what the file holds now, where that is new and good. What is not is said once, and the last good keys stay.
    pub(super) fn look(&mut self, keys: &ArcSwap<ChallengeKeys>) {
        let text = fs::read_to_string(&self.path);
        let seen = text.as_ref().ok().map(|text| Thumbprint::of(text.as_bytes()));
        if seen == self.seen {
            return;
        }
        self.seen = seen;
        match text.map_err(Unusable::from).and_then(|text| Ok(ChallengeKeys::parse(&text)?)) {
            Ok(new) => {
                warn_if_open_to_others(&self.path);
                keys.store(Arc::new(new));
                tracing::info!(file = %self.path.display(), "challenge keys reloaded");
            }
            Err(why) => {
                let file = self.path.display();
                tracing::error!(%file, "challenge keys refused, the last good ones stay: {why}");
            }
        }
    }
}

/// Whoever reads the keys can make challenges of his own.
fn warn_if_open_to_others(path: &Path) {
    if fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o007 != 0) {
        tracing::warn!(file = %path.display(), "others may read the challenge keys; make the file 0600, or 0640 for a group");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Principal;
    use crate::policy::Origin;
    use crate::time::UnixTime;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn issued(keys: &ChallengeKeys) -> String {
        let (api, web) = (Origin::parse("https://api.example.com").unwrap(), Principal::parse("web").unwrap());
        keys.issue(NOW, [1; 12], &api, &web).unwrap()
    }

    fn knows(keys: &ChallengeKeys, challenge: &str) -> bool {
        let (api, web) = (Origin::parse("https://api.example.com").unwrap(), Principal::parse("web").unwrap());
        keys.check(challenge, NOW, &api, &web).is_ok()
    }

    #[test]
    fn keys_are_rotated_without_a_restart_and_a_broken_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("challenge.keys");
        let (old, new) = ("11".repeat(32), "22".repeat(32));
        fs::write(&path, &old).unwrap();
        let (keys, file) = open(Some(&path)).unwrap();
        let (keys, mut file) = (ArcSwap::from_pointee(keys), file.unwrap());
        let before = issued(&keys.load());

        fs::write(&path, format!("{new}\n{old}\n")).unwrap();
        file.look(&keys);
        let after = issued(&keys.load());
        assert!(knows(&keys.load(), &before) && knows(&keys.load(), &after));
        assert_ne!(before.split('.').nth(1), after.split('.').nth(1), "the first key signs");

        fs::write(&path, "no key").unwrap();
        file.look(&keys);
        assert!(knows(&keys.load(), &after));
        fs::remove_file(&path).unwrap();
        file.look(&keys);
        assert!(knows(&keys.load(), &after));

        fs::write(&path, &new).unwrap();
        file.look(&keys);
        assert!(knows(&keys.load(), &after) && !knows(&keys.load(), &before));
    }
}
