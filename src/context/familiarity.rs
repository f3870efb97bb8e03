//! What a call shows of an identity, held against what is remembered of it. Who remembers, and how much, is the world's
//! business; what an unfamiliar call means is the signals'.

use super::{Country, Network};
use crate::attestation::Thumbprint;
use crate::identity::Principal;
use crate::policy::ScopeSet;
use crate::time::{Ttl, UnixTime};

/// What a call shows of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    pub principal: Principal,
    pub standing: Standing,
    /// `None`: the address can't be told.
    pub network: Option<Network>,
    /// `None`: the country can't be told.
    pub country: Option<Country>,
    /// What the call exercises.
    pub scopes: ScopeSet,
    /// What the caller was recognised by: a certificate or a token.
    pub credential: Option<Thumbprint>,
}

/// How the policy knows an identity, which decides whose places in memory it competes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// An entry names exactly this identity.
    Named,
    /// A pattern of an entry matches it.
    Patterned,
    /// No entry speaks of it.
    Undeclared,
}

/// How a call compares with what is remembered of the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Familiarity {
    /// The calls that were learned from. They outlive the sights, so that nobody is a stranger again after a pause.
    pub calls: u32,
    pub network: Seen,
    pub country: Seen,
    /// Whether all the scopes were used before; `Untold` where the call exercises none.
    pub scopes: Seen,
    /// Whether any network was ever learned. It outlives the sights, so that silence makes nothing usual.
    pub knows_networks: bool,
    /// Whether any country was ever learned.
    pub knows_countries: bool,
    /// When one was last learned from, a little early at times and never late. It outlives the sights, too.
    pub last_seen: Option<UnixTime>,
    /// From how many networks the credential was shown within the window, this one included. An address that can't be
    /// told counts as a network of its own. At most [`LearningTerms::MOST_SOURCES`]; 0 where there is no credential.
    pub credential_networks: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Before,
    /// Never, or so long ago that it is forgotten.
    Never,
    /// The call doesn't say.
    Untold,
}

/// What may be learned from a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// Nothing of the identity, or a thief could teach; that the credential was shown from there is a fact all the same.
    CredentialOnly,
    /// It was allowed and looked familiar, or good evidence came with it.
    All,
}

/// The policy's terms of learning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearningTerms {
    /// Calls to learn from before learned signals may fire.
    pub after: u32,
    /// How long a sight is remembered.
    pub remember: Ttl,
    /// How far back the networks of a credential count.
    pub within: Ttl,
}

impl Default for LearningTerms {
    fn default() -> Self {
        Self { after: 50, remember: Ttl::from_secs(30 * 24 * 3_600), within: Ttl::from_secs(600) }
    }
}

impl LearningTerms {
    /// What `sources` can ask for at most, as no more networks of one credential are remembered. A credential that is
    /// shown from so many within minutes has left its owner long before.
    pub const MOST_SOURCES: u32 = 16;
    /// What `within` can be at most; a credential that was not shown for so long is not remembered.
    pub const LONGEST_WINDOW: Ttl = Ttl::from_secs(86_400);
}
