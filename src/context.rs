//! How unusual a call is: signals that fire or stay silent, and the points that they add up to.
//!
//! Anomaly is an input and never the judge: nothing here can ask for proof or refuse, and a rule that looks at it must
//! look at more ([`crate::policy::When::join`]).

pub mod anomaly;
pub mod client_address;
pub mod country;
pub mod familiarity;
pub mod geo;
pub mod hours;
pub mod network;
pub mod signal;
pub mod signals;
pub mod url_credential;

pub use anomaly::{Anomaly, Unusual};
pub use country::Country;
pub use familiarity::{Familiarity, LearningTerms, Lesson, Seen, Sighting, Standing};
pub use geo::GeoDatabase;
pub use hours::Hours;
pub use network::{Network, NetworkSet};
pub use signal::{Signal, SignalId, SignalSet};
pub use signals::{Circumstances, CountrySource, HeaderTest, Lifetime, Look, Test};

/// The part of a policy that says what is unusual.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Whose word on the client's address is believed.
    pub trusted_proxies: NetworkSet,
    pub learning: LearningTerms,
    pub signals: Signals,
}

/// The signals of a policy, in its order.
#[derive(Clone, Debug, Default)]
pub struct Signals(Box<[Signal]>);

impl Signals {
    /// As many as a set has room for; a policy has nine of ours, and seldom more than a handful of its own.
    pub const MAX: usize = 64;

    /// `None`: there are too many.
    pub fn new(signals: Vec<Signal>) -> Option<Self> {
        (signals.len() <= Self::MAX).then(|| Self(signals.into()))
    }

    pub fn get(&self, id: SignalId) -> Option<&Signal> {
        self.0.get(id.index())
    }

    pub fn iter(&self) -> impl Iterator<Item = (SignalId, &Signal)> {
        self.0.iter().enumerate().filter_map(|(index, signal)| Some((SignalId::at(index)?, signal)))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that fire, and what they add up to.
    pub fn fired(&self, circumstances: &Circumstances<'_>) -> Unusual {
        let fired = self.iter().filter(|(_, signal)| signal.test.fires(circumstances));
        fired.fold(Unusual::default(), |unusual, (id, signal)| unusual.with(id, signal.points))
    }

    /// Whether any of these fired that learns from calls.
    pub fn any_learned(&self, fired: SignalSet) -> bool {
        self.iter().any(|(id, signal)| fired.contains(id) && signal.test.learns())
    }
}
