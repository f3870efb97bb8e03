//! `new_country`: a call from where this identity does not call from.

use super::Circumstances;
use crate::context::{Country, GeoDatabase, Seen};
use crate::request::Headers;
use std::net::IpAddr;
use std::sync::Arc;

/// Who says which country a call comes from.
#[derive(Clone, Debug)]
pub enum CountrySource {
    /// A header, in lower case, that the proxy in front sets.
    Header(Box<str>),
    Database(Arc<GeoDatabase>),
}

impl CountrySource {
    /// `None`: it can't be told.
    pub fn country(&self, headers: &Headers, client: Option<IpAddr>) -> Option<Country> {
        match self {
            Self::Header(name) => headers.only(name).and_then(|value| Country::parse(value.trim()).ok()),
            Self::Database(database) => database.country(client?),
        }
    }
}

/// A country that can't be told fires for those who have one. Of whom none was ever learned nothing is unusual: countries
/// begin to be told when a proxy sets the header, and that is no news of the caller.
pub(super) fn fires(circumstances: &Circumstances<'_>) -> bool {
    let declared = circumstances.identity.and_then(|identity| identity.countries.as_deref());
    match (declared, circumstances.learned()) {
        (Some(countries), _) => circumstances.country.is_none_or(|country| !countries.contains(&country)),
        (None, Some(familiarity)) => familiarity.country != Seen::Before && familiarity.knows_countries,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Familiarity;
    use crate::context::signals::Test;
    use crate::context::signals::situation::{Situation, entry, familiar, still_learning};
    use crate::policy::Identity;
    use rstest::rstest;
    use std::collections::HashMap;

    const HEADER: &str = "x-geo-country";

    fn source() -> CountrySource {
        CountrySource::Header(HEADER.into())
    }

    fn test() -> Test {
        Test::NewCountry(source())
    }

    #[rstest]
    #[case::one_of_them(Some("NL"), false)]
    #[case::another(Some("FR"), true)]
    #[case::one_that_cannot_be_told(None, true)]
    fn declared_countries_are_held_against_the_calls(#[case] country: Option<&'static str>, #[case] fires: bool) {
        let countries = ["DE", "NL"].map(|code| Country::parse(code).unwrap());
        let identity = Some(Identity { countries: Some(countries.into()), ..entry() });
        for familiarity in [None, Some(familiar()), Some(Familiarity { country: Seen::Never, ..familiar() })] {
            let situation = Situation { country, identity: identity.clone(), familiarity, ..Situation::usual() };
            assert_eq!(situation.fires(&test()), fires, "{familiarity:?}");
        }
    }

    #[rstest]
    #[case(Seen::Before, true, false)]
    #[case(Seen::Never, true, true)]
    #[case(Seen::Untold, true, true)]
    // Of whom no country was ever learned, none is new.
    #[case(Seen::Never, false, false)]
    #[case(Seen::Untold, false, false)]
    fn without_declared_countries_those_that_were_seen_count(
        #[case] country: Seen,
        #[case] knows_countries: bool,
        #[case] fires: bool,
        #[values(None, Some(entry()))] identity: Option<Identity>,
    ) {
        let familiarity = Familiarity { country, knows_countries, ..familiar() };
        let situation = Situation { identity, familiarity: Some(familiarity), ..Situation::usual() };
        assert_eq!(situation.fires(&test()), fires);
        let learning = Situation { familiarity: Some(still_learning(familiarity)), ..situation.clone() };
        assert!(!learning.fires(&test()), "it is silent until enough was seen");
        let nobody = Situation { familiarity: None, ..situation };
        assert!(!nobody.fires(&test()));
    }

    #[rstest]
    #[case(&[Some("DE")], Some("DE"))]
    #[case(&[Some(" de ")], Some("DE"))]
    #[case(&[], None)]
    #[case(&[Some("")], None)]
    #[case(&[Some("XX")], None)]
    #[case(&[Some("DE,NL")], None)]
    #[case(&[Some("DE"), Some("DE")], None)]
    #[case(&[None], None)]
    fn a_header_that_says_no_country_tells_none(#[case] values: &[Option<&str>], #[case] country: Option<&str>) {
        let pairs = values.iter().map(|value| (HEADER.to_owned(), value.map(str::to_owned)));
        let headers = Headers::apart(pairs.collect(), HashMap::new());
        let told = source().country(&headers, Some("203.0.113.5".parse().unwrap()));
        assert_eq!(told, country.map(|code| Country::parse(code).unwrap()));
    }
}
