//! The signals, one file each: what each looks at, and when it fires.
//!
//! What a signal needs and a call does not give has a stated effect in its file. Learned signals are silent until enough
//! was seen of an identity.

mod credential_in_url;
mod dormant_identity;
mod header;
mod long_lived_credential;
mod new_country;
mod new_network;
mod outside_hours;
mod scope_jump;
mod shared_credential;
#[cfg(test)]
mod situation;
mod untrusted_device;

pub use header::{HeaderTest, Look};
pub use new_country::CountrySource;

use super::{Country, Familiarity, LearningTerms};
use crate::policy::Identity;
use crate::request::RequestFacts;
use crate::time::{Ttl, UnixTime};
use std::net::IpAddr;

/// What a signal looks for.
#[derive(Clone, Debug)]
pub enum Test {
    /// Outside the identity's networks; without them, a network never seen of it.
    NewNetwork,
    /// Outside the identity's countries; without them, a country never seen of it.
    NewCountry(CountrySource),
    /// Outside the identity's hours.
    OutsideHours,
    /// Scopes that the identity has not used before.
    ScopeJump,
    /// A credential that lives longer than this.
    LongLivedCredential { lifetime: Ttl },
    /// One credential from so many networks.
    SharedCredential { sources: u32 },
    /// An identity that was silent for this long.
    DormantIdentity { after: Ttl },
    /// No header that says the device is one of the trusted.
    UntrustedDevice { header: Box<str>, trusted: Box<[Box<str>]> },
    /// A token or key in the query string.
    CredentialInUrl,
    /// A header of the policy's own choice.
    Header(HeaderTest),
}

/// What signals look at.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    pub now: UnixTime,
    pub facts: &'a RequestFacts,
    pub learning: LearningTerms,
    /// Where the call really comes from, as far as that can be told.
    pub client: Option<IpAddr>,
    pub country: Option<Country>,
    /// The entry that describes the caller.
    pub identity: Option<&'a Identity>,
    pub lifetime: Lifetime,
    /// Whether the scopes that the call asks for can't be told.
    pub scopes_untold: bool,
    /// Nothing for a caller who is nobody, and where no signal learns.
    pub familiarity: Option<&'a Familiarity>,
}

/// How long what the caller shows may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// The caller shows nothing.
    #[default]
    None,
    /// The longest of what it shows.
    Told(Ttl),
    /// It shows something of which no end can be read.
    Untold,
}

impl Test {
    pub fn fires(&self, circumstances: &Circumstances<'_>) -> bool {
        match self {
            Self::NewNetwork => new_network::fires(circumstances),
            Self::NewCountry(_) => new_country::fires(circumstances),
            Self::OutsideHours => outside_hours::fires(circumstances),
            Self::ScopeJump => scope_jump::fires(circumstances),
            Self::LongLivedCredential { lifetime } => long_lived_credential::fires(*lifetime, circumstances),
            Self::SharedCredential { sources } => shared_credential::fires(*sources, circumstances),
            Self::DormantIdentity { after } => dormant_identity::fires(*after, circumstances),
            Self::UntrustedDevice { header, trusted } => untrusted_device::fires(header, trusted, circumstances),
            Self::CredentialInUrl => credential_in_url::fires(circumstances),
            Self::Header(test) => test.fires(&circumstances.facts.headers),
        }
    }

    /// Whether it is held against what was seen of an identity before, so that a call on which it fires teaches nothing.
    pub const fn learns(&self) -> bool {
        matches!(
            self,
            Self::NewNetwork
                | Self::NewCountry(_)
                | Self::ScopeJump
                | Self::DormantIdentity { .. }
                | Self::SharedCredential { .. }
        )
    }

    /// Whether it needs to know what was seen of this identity before.
    pub const fn asks_memory(&self, identity: Option<&Identity>) -> bool {
        match (self, identity) {
            (Self::NewNetwork, Some(identity)) => identity.networks.is_none(),
            (Self::NewCountry(_), Some(identity)) => identity.countries.is_none(),
            _ => self.learns(),
        }
    }

    /// Whether it needs to know where else the credential was shown; only then is all of it digested.
    pub const fn asks_credential(&self) -> bool {
        matches!(self, Self::SharedCredential { .. })
    }

    /// Whether what it looks for can be missing where a call is recorded: what only memory knows, and what may hold a
    /// credential. That it fired is then recorded instead.
    pub const fn leaves_record(&self, identity: Option<&Identity>) -> bool {
        matches!(self, Self::CredentialInUrl | Self::UntrustedDevice { .. } | Self::Header(_))
            || self.asks_memory(identity)
    }
}

impl<'a> Circumstances<'a> {
    /// What is known of the identity, once enough calls of it were seen for learned signals to speak.
    fn learned(&self) -> Option<&'a Familiarity> {
        self.familiarity.filter(|familiarity| familiarity.calls >= self.learning.after)
    }
}

impl Lifetime {
    /// Of two things shown, the longer.
    #[must_use]
    pub fn longer(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, only) | (only, Self::None) => only,
            (Self::Untold, _) | (_, Self::Untold) => Self::Untold,
            (Self::Told(one), Self::Told(two)) => Self::Told(one.max(two)),
        }
    }

    /// From the date of issue to the end; what has no end, or whose beginning is not told, can't be told.
    pub fn between(issued: Option<UnixTime>, expires: Option<UnixTime>) -> Self {
        match (issued, expires) {
            (Some(issued), Some(expires)) => Self::Told(expires.since(issued)),
            _ => Self::Untold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::situation::entry;
    use super::*;
    use crate::context::NetworkSet;
    use rstest::rstest;

    fn country() -> Test {
        Test::NewCountry(CountrySource::Header("x-geo-country".into()))
    }

    fn header() -> Test {
        Test::Header(HeaderTest { name: "x-custom".into(), looks_for: Look::Present })
    }

    fn device() -> Test {
        Test::UntrustedDevice { header: "x-device".into(), trusted: Box::default() }
    }

    #[rstest]
    #[case(Test::NewNetwork, true)]
    #[case(country(), true)]
    #[case(Test::ScopeJump, true)]
    #[case(Test::DormantIdentity { after: Ttl::ZERO }, true)]
    #[case(Test::SharedCredential { sources: 3 }, true)]
    #[case(Test::OutsideHours, false)]
    #[case(Test::LongLivedCredential { lifetime: Ttl::ZERO }, false)]
    #[case(device(), false)]
    #[case(Test::CredentialInUrl, false)]
    #[case(header(), false)]
    fn memory_is_asked_for_what_is_learned(#[case] test: Test, #[case] learns: bool) {
        assert_eq!((test.learns(), test.asks_memory(None), test.asks_memory(Some(&entry()))), (learns, learns, learns));
    }

    #[test]
    fn what_is_declared_needs_no_memory() {
        let networks = Identity { networks: Some(NetworkSet::default()), ..entry() };
        let countries = Identity { countries: Some(Box::default()), ..entry() };
        assert!(!Test::NewNetwork.asks_memory(Some(&networks)) && Test::NewNetwork.asks_memory(Some(&countries)));
        assert!(!country().asks_memory(Some(&countries)) && country().asks_memory(Some(&networks)));
        assert!(Test::ScopeJump.asks_memory(Some(&networks)));
    }
}
