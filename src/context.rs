//! How unusual a call looks: what is read out of a request and its surroundings, one thing a file.
//!
//! Nothing here judges: what can't be told is told as that, and what it means is for the signals to say.

pub mod client_address;
pub mod country;
pub mod familiarity;
pub mod geo;
pub mod hours;
pub mod network;
pub mod url_credential;

pub use client_address::client_address;
pub use country::{Country, CountryError};
pub use familiarity::{Familiarity, LearningTerms, Lesson, Seen, Sighting, Standing};
pub use geo::{GeoDatabase, GeoError};
pub use hours::{Day, Hours, HoursError, TimeOfDay, Zone};
pub use network::{Network, NetworkError, NetworkSet};
pub use url_credential::credential_in_url;
