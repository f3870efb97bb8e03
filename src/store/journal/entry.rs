//! What a record can be: an object with one member, which is named after its kind.

use super::Forgotten;
use crate::attestation::Thumbprint;
use crate::case::{Reach, Spending};
use crate::revocation::Revocation;
use crate::store::{LearnedRecord, ScopeKey};
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry<'a> {
    /// What the digests of scopes are made with; before all that holds such.
    #[serde(with = "hex")]
    ScopeKey(ScopeKey),
    /// What is not in the file any more.
    Forgotten(Forgotten),
    Revoked(Cow<'a, Revocation>),
    #[serde(with = "Spent")]
    Spent(Spending),
    Learned(Cow<'a, LearnedRecord>),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Spending", deny_unknown_fields)]
struct Spent {
    #[serde(with = "digest")]
    key: Thumbprint,
    until: UnixTime,
    /// It is this process' file.
    #[serde(skip, default = "of_process")]
    reach: Reach,
}

const fn of_process() -> Reach {
    Reach::Process
}

mod digest {
    use crate::attestation::Thumbprint;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::borrow::Cow;

    pub(super) fn serialize<S: Serializer>(digest: &Thumbprint, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(digest)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Thumbprint, D::Error> {
        Thumbprint::parse(&Cow::<str>::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no SHA-256 digest"))
    }
}

mod hex {
    use crate::store::ScopeKey;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::borrow::Cow;

    pub(super) fn serialize<S: Serializer>(key: &ScopeKey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(*key.as_bytes())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ScopeKey, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let fits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let key = u128::from_str_radix(&text, 16).ok().filter(|_| fits);
        // Not with what was read, which is a secret.
        key.map(|key| ScopeKey::from_bytes(key.to_be_bytes())).ok_or_else(|| D::Error::custom("a key is 32 hex digits"))
    }
}
