//! Challenges without memory: a text that only a holder of the key could have made, for this principal, just now.
//!
//! `v1.<kid>.<time and randomness>.<HMAC-SHA256>`, the MAC over key id, time, randomness, resource and principal.

use crate::attestation::ProofFault;
use crate::identity::Principal;
use crate::policy::Origin;
use crate::time::{Ttl, UnixTime};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// How long a challenge may be answered.
pub const CHALLENGE_LIFETIME: Ttl = Ttl::from_secs(120);
/// How far the clock of the replica that issued a challenge may be ahead of ours.
const CLOCK_SKEW: Ttl = Ttl::from_secs(10);
/// How long what was made for a challenge that is good now could pass at most.
pub const LONGEST_LIFE: Ttl = CHALLENGE_LIFETIME.plus(CLOCK_SKEW);
const VERSION: &str = "v1";
/// No challenge is signed by these bytes: each begins with a length.
const RECORDS_LABEL: &[u8] = b"stepgate key of records v1";
const TIME_BYTES: usize = 8;
const RANDOM_BYTES: usize = 12;
/// Longer than any challenge of ours, and a bound on what is decoded.
const MAX_BYTES: usize = 128;
const TAG_BYTES: usize = 32;

/// Fresh random bytes, passed in by whoever has some.
pub type Randomness = [u8; RANDOM_BYTES];

/// The keys that replicas share: the first signs, all verify.
#[derive(Debug)]
pub struct ChallengeKeys(Vec<ChallengeKey>);

struct ChallengeKey {
    id: String,
    mac: hmac::Key,
    /// Derived, so that no challenge can be taken for a record, nor a record for a challenge.
    records: hmac::Key,
}

/// What shows that a record was made by who holds the key of this id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    pub key_id: Box<str>,
    pub tag: Tag,
}

/// An HMAC-SHA256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tag([u8; TAG_BYTES]);

/// Why a record is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    #[error("it is sealed with the key `{0}`, which is not among the challenge keys")]
    UnknownKey(Box<str>),
    #[error("its seal is not ours, or not of this record")]
    Wrong,
}

/// Why a text holds no challenge keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeKeysError {
    #[error("line {line} is no key: write 64 hex digits a line, for example by `stepgate attest challenge-key`")]
    NoKey { line: usize },
    #[error("no key in it: write 64 hex digits a line, for example by `stepgate attest challenge-key`")]
    Empty,
    #[error("line {line} repeats a key")]
    Repeated { line: usize },
}

impl ChallengeKeys {
    pub const KEY_BYTES: usize = 32;

    /// Reads a key file: 64 hex digits a line. Empty lines and lines that begin with `#` are passed over.
    pub fn parse(text: &str) -> Result<Self, ChallengeKeysError> {
        let mut keys: Vec<ChallengeKey> = Vec::new();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line_number = index + 1;
            let key = hex_key(line).ok_or(ChallengeKeysError::NoKey { line: line_number })?;
            let key = ChallengeKey::new(&key);
            if keys.iter().any(|other| other.id == key.id) {
                return Err(ChallengeKeysError::Repeated { line: line_number });
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(ChallengeKeysError::Empty) } else { Ok(Self(keys)) }
    }

    /// One key for the life of the process.
    pub fn single(key: &[u8; Self::KEY_BYTES]) -> Self {
        Self(vec![ChallengeKey::new(key)])
    }

    /// `None` only where there is no key, which no constructor allows.
    pub fn issue(
        &self,
        now: UnixTime,
        randomness: Randomness,
        resource: &Origin,
        principal: &Principal,
    ) -> Option<String> {
        let key = self.0.first()?;
        let nonce = URL_SAFE_NO_PAD.encode([&now.as_secs().to_be_bytes()[..], &randomness].concat());
        let tag = hmac::sign(&key.mac, &signed(&key.id, &nonce, resource, principal));
        Some(format!("{VERSION}.{}.{nonce}.{}", key.id, URL_SAFE_NO_PAD.encode(tag)))
    }

    /// Whether a challenge is ours, for this principal, and not too old.
    pub fn check(
        &self,
        challenge: &str,
        now: UnixTime,
        resource: &Origin,
        principal: &Principal,
    ) -> Result<(), ProofFault> {
        let (key_id, nonce, tag) = parts(challenge).ok_or(ProofFault::ChallengeForeign)?;
        let key = self.0.iter().find(|key| key.id == key_id).ok_or(ProofFault::ChallengeForeign)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| ProofFault::ChallengeForeign)?;
        hmac::verify(&key.mac, &signed(key_id, nonce, resource, principal), &tag)
            .map_err(|_| ProofFault::ChallengeForeign)?;
        let issued = issued_at(nonce).ok_or(ProofFault::ChallengeForeign)?;
        let current = issued <= now.plus(CLOCK_SKEW) && now <= issued.plus(CHALLENGE_LIFETIME);
        if current { Ok(()) } else { Err(ProofFault::ChallengeExpired) }
    }

    /// Seals a record for other replicas and later times. `None` only where there is no key, which no constructor allows.
    pub fn seal(&self, parts: &[&[u8]]) -> Option<Seal> {
        let key = self.0.first()?;
        let tag = hmac::sign(&key.records, &measured(parts.iter().copied()));
        Some(Seal { key_id: key.id.as_str().into(), tag: Tag(tag.as_ref().try_into().ok()?) })
    }

    /// Bytes for one purpose, which all who have the same oldest key find too, so that adding a key changes nothing.
    pub fn shared_secret(&self, purpose: &[u8]) -> Option<[u8; 16]> {
        let tag = hmac::sign(&self.0.last()?.records, purpose);
        tag.as_ref().first_chunk().copied()
    }

    /// Whether one of our keys sealed these very parts.
    pub fn check_seal(&self, parts: &[&[u8]], seal: &Seal) -> Result<(), SealFault> {
        let key = self.0.iter().find(|key| *key.id == *seal.key_id);
        let key = key.ok_or_else(|| SealFault::UnknownKey(seal.key_id.clone()))?;
        let parts = measured(parts.iter().copied());
        hmac::verify(&key.records, &parts, seal.tag.as_bytes()).map_err(|_| SealFault::Wrong)
    }
}

impl Seal {
    /// Longer than the id of any key.
    const MAX_ID_BYTES: usize = 16;

    /// Reads what [`Self::key_id`] and [`Tag`] write.
    pub fn parse(key_id: &str, tag: &str) -> Option<Self> {
        let is_id = (1..=Self::MAX_ID_BYTES).contains(&key_id.len())
            && key_id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        Some(Self { key_id: is_id.then(|| key_id.into())?, tag: Tag::parse(tag)? })
    }
}

impl Tag {
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

impl ChallengeKey {
    /// The id is derived, so that replicas agree on it whatever the order of their keys.
    fn new(key: &[u8; ChallengeKeys::KEY_BYTES]) -> Self {
        let name = digest(&SHA256, &[b"stepgate challenge key id\0".as_slice(), key].concat());
        let id = URL_SAFE_NO_PAD.encode(name.as_ref().get(..6).unwrap_or_default());
        let mac = hmac::Key::new(hmac::HMAC_SHA256, key);
        let records = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&mac, RECORDS_LABEL).as_ref());
        Self { id, mac, records }
    }
}

/// What the MAC is over.
fn signed(key_id: &str, nonce: &str, resource: &Origin, principal: &Principal) -> Vec<u8> {
    measured([VERSION, key_id, nonce, resource.as_str(), principal.as_str()].map(str::as_bytes))
}

/// Each part says how long it is, so that no two sets of parts read the same.
fn measured<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Vec<u8> {
    let mut measured = Vec::with_capacity(256);
    for part in parts {
        measured.extend_from_slice(&(part.len() as u64).to_be_bytes());
        measured.extend_from_slice(part);
    }
    measured
}

fn parts(challenge: &str) -> Option<(&str, &str, &str)> {
    if challenge.len() > MAX_BYTES {
        return None;
    }
    let mut parts = challenge.split('.');
    let (version, key_id, nonce, tag) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (version == VERSION && parts.next().is_none()).then_some((key_id, nonce, tag))
}

fn issued_at(nonce: &str) -> Option<UnixTime> {
    let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
    let (time, randomness) = bytes.split_first_chunk::<TIME_BYTES>()?;
    (randomness.len() == RANDOM_BYTES).then(|| UnixTime::from_secs(u64::from_be_bytes(*time)))
}

fn hex_key(text: &str) -> Option<[u8; ChallengeKeys::KEY_BYTES]> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
    let bytes: Vec<u8> = digits?.chunks(2).filter_map(|pair| Some(pair.first()? * 16 + pair.get(1)?)).collect();
    if text.len() == 2 * bytes.len() { bytes.try_into().ok() } else { None }
}

/// The id, and nothing of the key.
impl fmt::Debug for ChallengeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ChallengeKey").field(&self.id).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn web() -> Principal {
        Principal::parse("spiffe://example.org/web").unwrap()
    }

    fn api() -> Origin {
        Origin::parse("https://api.example.com").unwrap()
    }

    fn keys() -> ChallengeKeys {
        ChallengeKeys::single(&[7; 32])
    }

    fn later(secs: u64) -> UnixTime {
        NOW.plus(Ttl::from_secs(secs))
    }

    #[rstest]
    #[case(0, Ok(()))]
    #[case(120, Ok(()))]
    #[case(121, Err(ProofFault::ChallengeExpired))]
    fn a_challenge_is_good_for_120_seconds(#[case] age: u64, #[case] result: Result<(), ProofFault>) {
        let challenge = keys().issue(NOW, [1; 12], &api(), &web()).unwrap();
        assert_eq!(keys().check(&challenge, later(age), &api(), &web()), result);
    }

    #[test]
    fn a_challenge_is_for_one_principal_and_one_resource() {
        let challenge = keys().issue(NOW, [1; 12], &api(), &web()).unwrap();
        let thief = Principal::parse("spiffe://example.org/thief").unwrap();
        let elsewhere = Origin::parse("https://other.example.com").unwrap();
        assert_eq!(keys().check(&challenge, NOW, &api(), &thief), Err(ProofFault::ChallengeForeign));
        assert_eq!(keys().check(&challenge, NOW, &elsewhere, &web()), Err(ProofFault::ChallengeForeign));
    }

    #[test]
    fn the_first_key_signs_and_all_verify() {
        let (old, new) = ("11".repeat(32), "22".repeat(32));
        let before = ChallengeKeys::parse(&old).unwrap();
        let after = ChallengeKeys::parse(&format!("# rotated\n{new}\n\n{old}\n")).unwrap();
        let issued = |keys: &ChallengeKeys| keys.issue(NOW, [1; 12], &api(), &web()).unwrap();
        assert_eq!(after.check(&issued(&before), NOW, &api(), &web()), Ok(()));
        assert_eq!(before.check(&issued(&after), NOW, &api(), &web()), Err(ProofFault::ChallengeForeign));
    }

    #[rstest]
    #[case("", ChallengeKeysError::Empty)]
    #[case("# nothing", ChallengeKeysError::Empty)]
    #[case("abc", ChallengeKeysError::NoKey { line: 1 })]
    #[case("zz", ChallengeKeysError::NoKey { line: 1 })]
    fn a_bad_key_file_says_where(#[case] text: &str, #[case] why: ChallengeKeysError) {
        assert_eq!(ChallengeKeys::parse(text).unwrap_err(), why);
    }

    #[test]
    fn a_seal_is_of_these_parts_by_one_of_our_keys() {
        let (old, new) = ("11".repeat(32), "22".repeat(32));
        let before = ChallengeKeys::parse(&old).unwrap();
        let after = ChallengeKeys::parse(&format!("{new}\n{old}\n")).unwrap();
        let seal = before.seal(&[b"ab", b"c"]).unwrap();
        assert_eq!(after.check_seal(&[b"ab", b"c"], &seal), Ok(()));
        assert_eq!(after.check_seal(&[b"a", b"bc"], &seal), Err(SealFault::Wrong));
        let newer = after.seal(&[b"ab", b"c"]).unwrap();
        assert_eq!(before.check_seal(&[b"ab", b"c"], &newer), Err(SealFault::UnknownKey(newer.key_id.clone())));
        assert_eq!(Seal::parse(&newer.key_id, &newer.tag.to_string()), Some(newer));
    }

    /// Who gets a challenge for a principal of its choice gets no record sealed.
    #[test]
    fn no_challenge_is_a_seal() {
        let challenge = keys().issue(NOW, [1; 12], &api(), &web()).unwrap();
        let parts: Vec<_> = challenge.split('.').collect();
        let seal = Seal::parse(parts[1], parts[3]).unwrap();
        let (api, web) = (api(), web());
        let signed = ["v1", parts[1], parts[2], api.as_str(), web.as_str()].map(str::as_bytes);
        assert_eq!(keys().check_seal(&signed, &seal), Err(SealFault::Wrong));
    }

    #[test]
    fn debug_shows_no_key() {
        assert!(!format!("{:?}", ChallengeKeys::single(&[0xab; 32])).to_lowercase().contains("abab"));
    }

    proptest! {
        #[test]
        fn no_changed_challenge_passes(at in 0_usize..100, byte in 33_u8..127) {
            let good = keys().issue(NOW, [1; 12], &api(), &web()).unwrap();
            let mut bytes = good.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(keys().check(&changed, NOW, &api(), &web()).is_ok(), changed == good);
        }
    }
}
