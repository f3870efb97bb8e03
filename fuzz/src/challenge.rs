//! Challenges that come back, and the file of their keys: of all texts, only the one that was given out passes.

use stepgate::attestation::ProofFault;
use stepgate::challenge::ChallengeKeys;
use stepgate::identity::Principal;
use stepgate::policy::Origin;
use stepgate::time::UnixTime;

const ISSUED: UnixTime = UnixTime::from_secs(1_800_000_000);
const LATER: UnixTime = UnixTime::from_secs(1_800_000_060);
const TOO_LATE: UnixTime = UnixTime::from_secs(1_800_000_121);

pub fn holds(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let keys = ChallengeKeys::single(&[1; ChallengeKeys::KEY_BYTES]);
    let origin = Origin::parse("https://api.example.com").expect("an origin");
    let (own, other) = (Principal::parse("billing").expect("a name"), Principal::parse("thief").expect("a name"));
    let given = keys.issue(ISSUED, [7; 12], &origin, &own);
    let is_given = keys.check(text, LATER, &origin, &own).is_ok();
    if is_given {
        assert_eq!(Some(text), given.as_deref());
        assert_eq!(keys.check(text, LATER, &origin, &other), Err(ProofFault::ChallengeForeign));
        assert_eq!(keys.check(text, TOO_LATE, &origin, &own), Err(ProofFault::ChallengeExpired));
    }
    is_given || is_key_file(text)
}

/// Each line is 64 hex digits, a comment, or empty; at least one is a key.
fn is_key_file(text: &str) -> bool {
    let is_taken = ChallengeKeys::parse(text).is_ok();
    if is_taken {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<_> = lines.collect();
        let is_key = |line: &&str| line.len() == 64 && line.chars().all(|digit| digit.is_ascii_hexdigit());
        assert!(!keys.is_empty() && keys.iter().all(is_key), "{text:?}");
    }
    is_taken
}
