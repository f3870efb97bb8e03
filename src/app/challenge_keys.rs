//! The keys that challenges are made with: from a file that replicas share, followed by its content; without one, random
//! for the life of the process.

use super::Failure;
use super::secret_file::{SecretFile, Secrets};
use crate::challenge::{ChallengeKeys, ChallengeKeysError};
use crate::store::NoRandomness;
use arc_swap::ArcSwap;
use std::path::Path;
use std::sync::Arc;

impl Secrets for ChallengeKeys {
    const NAME: &'static str = "challenge keys";
    type Error = ChallengeKeysError;

    fn parse(text: &str) -> Result<Self, ChallengeKeysError> {
        Self::parse(text)
    }
}

/// The file that is to be followed, if there is one.
pub(super) fn open(path: Option<&Path>) -> Result<Option<SecretFile<ChallengeKeys>>, Failure> {
    path.map(SecretFile::open).transpose()
}

/// Where those of this moment always are.
pub(super) fn in_force(file: Option<&SecretFile<ChallengeKeys>>) -> Result<Arc<ArcSwap<ChallengeKeys>>, Failure> {
    let Some(file) = file else {
        let mut key = [0; ChallengeKeys::KEY_BYTES];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| NoRandomness)?;
        return Ok(Arc::new(ArcSwap::from_pointee(ChallengeKeys::single(&key))));
    };
    Ok(file.in_force())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Principal;
    use crate::policy::Origin;
    use crate::time::UnixTime;
    use std::fs;

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
        let mut file = open(Some(&path)).unwrap().unwrap();
        let keys = in_force(Some(&file)).unwrap();
        let before = issued(&keys.load());

        fs::write(&path, format!("{new}\n{old}\n")).unwrap();
        file.look();
        let after = issued(&keys.load());
        assert!(knows(&keys.load(), &before) && knows(&keys.load(), &after));
        assert_ne!(before.split('.').nth(1), after.split('.').nth(1), "the first key signs");

        fs::write(&path, "no key").unwrap();
        file.look();
        assert!(knows(&keys.load(), &after));
        fs::remove_file(&path).unwrap();
        file.look();
        assert!(knows(&keys.load(), &after));

        fs::write(&path, &new).unwrap();
        file.look();
        assert!(knows(&keys.load(), &after) && !knows(&keys.load(), &before));
    }
}
