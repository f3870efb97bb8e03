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

/// A country that can't be told fires for those who have one.
pub(super) fn fires(circumstances: &Circumstances<'_>) -> bool {
    let declared = circumstances.identity.and_then(|identity| identity.countries.as_deref());
    match (declared, circumstances.learned()) {
        (Some(countries), _) => circumstances.country.is_none_or(|country| !countries.contains(&country)),
        (None, Some(familiarity)) => match familiarity.country {
            Seen::Before => false,
            Seen::Never => true,
            Seen::Untold => familiarity.knows_countries,
        },
        (None, None) => false,
    }
}
