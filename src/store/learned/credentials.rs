//! From which networks each credential was shown lately.

use super::ranks::{Key, Memory, Ranks, SETTLED_AFTER};
use super::record::Call;
use super::sights::{Sights, View};
use crate::attestation::Thumbprint;
use crate::context::{LearningTerms, Network};
use crate::store::CacheSize;
use crate::time::Ttl;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Credentials(Ranks<Thumbprint, Sources>);

#[derive(Debug, Default)]
struct Sources {
    /// How often it was shown, as far as that matters for its place.
    shown: u32,
    /// An address that can't be told is a source as well.
    networks: Sights<Option<Network>, { LearningTerms::MOST_SOURCES as usize }>,
}

/// Hygiene of memory: nothing that could count is so old.
const IDLE: Duration = Duration::from_secs(LearningTerms::LONGEST_WINDOW.as_secs());

impl Credentials {
    pub(super) fn new(bytes: u64) -> Self {
        Self(Ranks::new(bytes, Some(IDLE)))
    }

    /// How many networks the credential was shown from, this one included.
    pub(super) fn networks(&self, call: &Call<'_>) -> u32 {
        let Some(credential) = &call.sighting.credential else { return 0 };
        let others = |sources: &Sources| sources.networks.count_others(call.sighting.network, view(call));
        let others = u32::try_from(self.0.read(credential, others).unwrap_or(0)).unwrap_or(u32::MAX);
        others.saturating_add(1).min(LearningTerms::MOST_SOURCES)
    }

    pub(super) fn learn(&self, call: &Call<'_>) {
        let Some(credential) = &call.sighting.credential else { return };
        self.0.change(credential, |sources| {
            sources.shown = (sources.shown + 1).min(SETTLED_AFTER);
            sources.networks.see(call.sighting.network, view(call), Ttl::ZERO);
        });
    }

    pub(super) fn size(&self, cache: &'static str) -> CacheSize {
        let (entries, bytes) = self.0.size();
        CacheSize { cache, entries, bytes }
    }
}

/// One second more, as times are cut to whole ones: what seems 600 s old may be younger.
const fn view(call: &Call<'_>) -> View {
    View { now: call.now, back: call.terms.within.plus(Ttl::from_secs(1)) }
}

impl Key for Thumbprint {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl Memory for Sources {
    fn is_settled(&self) -> bool {
        self.shown >= SETTLED_AFTER
    }

    fn heap_bytes(&self) -> usize {
        self.networks.heap_bytes()
    }
}
