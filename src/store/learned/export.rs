//! What was learned of one identity, to be kept over a restart or told to other processes.

use super::ScopeDigest;
use crate::context::{Country, Network};
use crate::identity::Principal;
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All that is remembered of an identity, with the times at which it was seen. It replaces every earlier one of the same
/// identity by the same process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedRecord {
    #[serde(with = "name")]
    pub principal: Principal,
    pub calls: u32,
    pub last_seen: UnixTime,
    pub networks: BTreeMap<Network, UnixTime>,
    pub countries: BTreeMap<Country, UnixTime>,
    pub scopes: BTreeMap<ScopeDigest, UnixTime>,
}

/// A principal as text.
mod name {
    use crate::identity::Principal;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::borrow::Cow;

    pub(super) fn serialize<S: Serializer>(principal: &Principal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(principal.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Principal, D::Error> {
        Principal::parse(&Cow::<str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const WEB: &str = r#"{"principal":"spiffe://example.org/web","calls":7,"last_seen":1800000000,"networks":{"10.20.1.0/24":1800000000,"2001:db8:7::/48":1},"countries":{"DE":1800000000},"scopes":{"00000000000000ff":1800000000}}"#;

    #[test]
    fn a_record_is_read_as_it_is_written() {
        let record: LearnedRecord = serde_json::from_str(WEB).unwrap();
        assert_eq!((record.networks.len(), record.countries.len(), record.scopes.len()), (2, 1, 1));
        assert_eq!(serde_json::to_string(&record).unwrap(), WEB);
    }

    #[rstest]
    #[case::nobody("spiffe://example.org/web", "two words")]
    #[case::an_address("10.20.1.0/24", "10.20.1.4")]
    #[case::a_larger_network("10.20.1.0/24", "10.20.0.0/16")]
    #[case::host_bits("10.20.1.0/24", "10.20.1.4/24")]
    #[case::a_larger_network_of_version_6("2001:db8:7::/48", "2001:db8::/32")]
    #[case::another_spelling("2001:db8:7::/48", "2001:0db8:7::/48")]
    #[case::mapped("2001:db8:7::/48", "::ffff:10.0.0.0/104")]
    #[case::nowhere("DE", "XX")]
    #[case::lower_case("DE", "de")]
    #[case::a_short_digest("00000000000000ff", "ff")]
    #[case::a_signed_digest("00000000000000ff", "+0000000000000ff")]
    #[case::upper_case("00000000000000ff", "00000000000000FF")]
    #[case::negative("\"calls\":7", "\"calls\":-7")]
    #[case::fractional("\"last_seen\":1800000000", "\"last_seen\":1.5")]
    #[case::unknown("\"calls\":7", "\"calls\":7,\"trusted\":true")]
    #[case::twice("\"calls\":7", "\"calls\":7,\"calls\":8")]
    fn what_is_no_record_is_refused(#[case] good: &str, #[case] bad: &str) {
        assert!(WEB.contains(good));
        assert!(serde_json::from_str::<LearnedRecord>(&WEB.replace(good, bad)).is_err());
    }
}
