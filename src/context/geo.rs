//! Countries by address, out of an `.mmdb` database that is held in memory. Reading its file is the caller's business.

use super::Country;
use jiff::Timestamp;
use maxminddb::{MaxMindDbError, PathElement, Reader, WithinOptions};
use std::fmt;
use std::net::IpAddr;

/// A database with the country of each network: `GeoLite2-Country`, `GeoIP2-City` or what is laid out like them.
pub struct GeoDatabase(Reader<Vec<u8>>);

/// Why a file is no country database.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    #[error("the file is no whole MaxMind database: {0}")]
    Unreadable(#[from] MaxMindDbError),
    #[error("a database of type `{0}` holds no countries: take one such as GeoLite2-Country")]
    NoCountries(String),
}

/// Where such databases have the code. What a place is registered or represented as says nothing of where it is.
const CODE: [PathElement<'static>; 2] = [PathElement::Key("country"), PathElement::Key("iso_code")];

/// Some networks have no country (anycast, satellites), but in a country database most have one.
const NETWORKS_LOOKED_AT: usize = 1_000;

impl GeoDatabase {
    /// Takes the content of an `.mmdb` file. Its form is checked, and that it holds countries, but not every record: one that
    /// is damaged has no country.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, GeoError> {
        let database = Self(Reader::from_source(bytes)?);
        if database.holds_countries()? {
            Ok(database)
        } else {
            Err(GeoError::NoCountries(database.0.metadata().database_type.chars().take(MAX_SHOWN_CHARS).collect()))
        }
    }

    /// The country that an address is in; `None` where the database can't tell.
    pub fn country(&self, address: IpAddr) -> Option<Country> {
        let record = self.0.lookup(address.to_canonical()).ok()?;
        let code: &str = record.decode_path(&CODE).ok()??;
        Country::parse(code).ok()
    }

    fn holds_countries(&self) -> Result<bool, MaxMindDbError> {
        for network in self.0.networks(WithinOptions::default())?.take(NETWORKS_LOOKED_AT) {
            let code: Option<&str> = network?.decode_path(&CODE).unwrap_or_default();
            if code.is_some_and(|code| Country::parse(code).is_ok()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

const MAX_SHOWN_CHARS: usize = 64;

/// Type and date of build: enough to see which one is loaded.
impl fmt::Debug for GeoDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = self.0.metadata();
        let built = i64::try_from(about.build_epoch).ok().and_then(|secs| Timestamp::from_second(secs).ok());
        let date = built.map(|built| built.strftime("%F").to_string()).unwrap_or_default();
        f.debug_struct("GeoDatabase").field("type", &about.database_type).field("built", &date).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const COUNTRIES: &[u8] = include_bytes!("../../tests/data/geo/GeoLite2-Country-Test.mmdb");
    const OTHER: &[u8] = include_bytes!("../../tests/data/geo/MaxMind-DB-test-ipv4-24.mmdb");

    fn database() -> GeoDatabase {
        GeoDatabase::from_bytes(COUNTRIES.to_vec()).unwrap()
    }

    #[rstest]
    #[case("2.125.160.216", Some("GB"))]
    #[case("::ffff:2.125.160.216", Some("GB"))]
    #[case("89.160.20.112", Some("SE"))]
    #[case("2001:218::1", Some("JP"))]
    #[case("10.0.0.1", None)]
    #[case("::1", None)]
    fn an_address_has_the_country_of_its_network(#[case] address: &str, #[case] country: Option<&str>) {
        let found = database().country(address.parse().unwrap());
        assert_eq!(found.map(|country| country.to_string()).as_deref(), country);
    }

    #[test]
    fn a_database_without_countries_is_refused_by_its_name() {
        let refused = GeoDatabase::from_bytes(OTHER.to_vec()).unwrap_err();
        assert!(matches!(&refused, GeoError::NoCountries(kind) if kind == "Test"), "{refused}");
    }

    #[rstest]
    #[case(&[])]
    #[case(b"no database")]
    #[case(&COUNTRIES[..COUNTRIES.len() - 1])]
    #[case(&COUNTRIES[..COUNTRIES.len() / 2])]
    fn what_is_no_whole_database_is_refused(#[case] bytes: &[u8]) {
        assert!(matches!(GeoDatabase::from_bytes(bytes.to_vec()), Err(GeoError::Unreadable(_))));
    }

    #[test]
    fn debug_shows_type_and_date_of_build_only() {
        let shown = format!("{:?}", database());
        let (name, date) = shown.split_once("built: ").unwrap();
        assert_eq!(name, r#"GeoDatabase { type: "GeoLite2-Country", "#);
        assert_eq!(date.len(), r#""2026-01-01" }"#.len(), "{date}");
    }

    proptest! {
        #[test]
        fn a_damaged_database_answers_or_does_not_but_never_panics(
            damage in prop::collection::vec((0..COUNTRIES.len(), any::<u8>()), 1..64),
            addresses in prop::collection::vec(any::<IpAddr>(), 8),
        ) {
            let mut bytes = COUNTRIES.to_vec();
            for (at, byte) in damage {
                bytes[at] = byte;
            }
            if let Ok(database) = GeoDatabase::from_bytes(bytes) {
                let _: Vec<_> = addresses.into_iter().map(|address| database.country(address)).collect();
            }
        }
    }
}
