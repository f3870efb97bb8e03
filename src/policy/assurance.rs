//! What counts as proof: the attestations that are known, and levels of assurance that ask for them.

use super::{ClaimCondition, Issuer, IssuerId, Name};
use crate::attestation::{ClaimNames, Claims, ProofKind, Purpose, Thumbprint, Tier, TokenKind};
use crate::time::Ttl;

/// The place of an attestation in its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttestationId(pub usize);

/// The place of a level in its policy: the later, the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LevelId(pub usize);

/// One way for a caller to prove itself.
#[derive(Clone, Debug)]
pub struct Attestation {
    pub name: Name,
    pub profile: Profile,
    pub issuers: Vec<IssuerId>,
    /// The header that it comes in, in lower case.
    pub header: Box<str>,
    /// Whether its headers stay on the request to the upstream.
    pub forward: bool,
    /// The claim that names the workload.
    pub subject: Box<str>,
    /// The claim that names the task.
    pub task_claim: Box<str>,
    /// The claim that names the scopes it covers.
    pub scope_claim: Box<str>,
    /// Of which it must name one; none: those of its issuer.
    pub audiences: Vec<Box<str>>,
    pub possession: Possession,
    pub claims: RequiredClaims,
}

/// The standard that an attestation follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// draft-ietf-oauth-attestation-based-client-auth.
    OauthClientAttestation,
    /// draft-ietf-wimse-workload-creds and draft-ietf-wimse-wpt.
    Wimse,
    /// A signed JWT of a platform: GitHub, Kubernetes, a cloud's OIDC token, a JWT-SVID.
    Jwt,
    /// draft-ietf-rats-ear, every submodule at least of this tier.
    Ear(Tier),
}

/// What must come with an attestation, to show that it is the caller's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Possession {
    /// Whatever proves what it is bound to.
    #[default]
    Any,
    Dpop,
    /// The profile's own proof token.
    Pop,
    /// The client certificate.
    Mtls,
    /// Nothing, where it is bound to nothing.
    None,
}

/// Claims that an attestation must have, each with one of some values.
#[derive(Clone, Debug, Default)]
pub struct RequiredClaims {
    names: Box<[Box<str>]>,
    conditions: Vec<ClaimCondition>,
}

/// A level of assurance: how fresh, by whom, and bound to what.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the policy that stands by itself")]
pub struct Assurance {
    pub name: Name,
    pub max_age: Ttl,
    pub accept: Vec<AttestationId>,
    /// Whether the proof must carry a challenge that stepgate issued.
    pub challenge_required: bool,
    /// Whether each proof passes once in all replicas together.
    pub single_use: bool,
    /// Whether the attestation must name the elevated scopes of the call.
    pub scoped: bool,
    /// Whether it must name a task.
    pub task_required: bool,
    pub carry: Carry,
    pub on_state_loss: OnStateLoss,
}

/// Which calls of a task have to attest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carry {
    #[default]
    EveryCall,
    /// The first one leaves a grant for the others.
    FirstCall,
}

/// What single use means while the state that replicas share is away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStateLoss {
    /// Nobody can tell whether a proof was used, so that none passes.
    #[default]
    Deny,
    /// Each replica counts by itself.
    Local,
}

impl Profile {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OauthClientAttestation => "oauth-client-attestation",
            Self::Wimse => "wimse",
            Self::Jwt => "jwt",
            Self::Ear(_) => "ear",
        }
    }

    /// What its attestations are verified as.
    pub const fn kind(self) -> TokenKind {
        match self {
            Self::OauthClientAttestation => TokenKind::OauthClientAttestation,
            Self::Wimse => TokenKind::WorkloadIdentityToken,
            Self::Jwt => TokenKind::Jwt,
            Self::Ear(_) => TokenKind::Ear,
        }
    }

    const fn purpose(self) -> Purpose {
        if matches!(self, Self::Ear(_)) { Purpose::Results } else { Purpose::Attestation }
    }

    /// The header of its standard, as that writes it; nothing where the policy chooses.
    pub const fn standard_header(self) -> Option<&'static str> {
        match self {
            Self::OauthClientAttestation => Some("OAuth-Client-Attestation"),
            Self::Wimse => Some("Workload-Identity-Token"),
            Self::Jwt | Self::Ear(_) => None,
        }
    }

    /// Whether its standard binds every attestation to a key that it holds in full.
    pub const fn holds_its_key(self) -> bool {
        matches!(self, Self::OauthClientAttestation | Self::Wimse)
    }

    /// What may be asked of it to prove that it is the caller's own.
    pub const fn possessions(self) -> &'static [Possession] {
        match self {
            Self::OauthClientAttestation => &[Possession::Any, Possession::Dpop, Possession::Pop],
            Self::Wimse => &[Possession::Any, Possession::Pop],
            Self::Jwt | Self::Ear(_) => &[Possession::Any, Possession::Dpop, Possession::Mtls, Possession::None],
        }
    }
}

impl Possession {
    pub const ALL: [Self; 5] = [Self::Any, Self::Dpop, Self::Pop, Self::Mtls, Self::None];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Dpop => "dpop",
            Self::Pop => "pop",
            Self::Mtls => "mtls",
            Self::None => "none",
        }
    }
}

impl Assurance {
    /// All that this level means, in one digest: whatever is said otherwise of it, or of what it accepts, makes another. It
    /// is not the same under another version of this program, which costs no more than an attestation.
    pub fn definition(&self, attestations: &[Attestation], issuers: &[Issuer]) -> Thumbprint {
        let mut all = format!("{:?}", Self { accept: Vec::new(), ..self.clone() });
        for accepted in self.accept.iter().filter_map(|id| attestations.get(id.0)) {
            let issuers: Vec<_> = accepted.issuers.iter().filter_map(|id| issuers.get(id.0)).collect();
            // Places in the policy say nothing.
            let accepted = Attestation { issuers: Vec::new(), ..accepted.clone() };
            all.push_str(&format!(" {accepted:?} {issuers:?}"));
        }
        Thumbprint::of(all.as_bytes())
    }

    /// Whether an attestation that is bound to nothing can be its own proof: made for a challenge of ours, and good once.
    pub const fn takes_statements(&self) -> bool {
        self.challenge_required && self.single_use
    }
}

impl Attestation {
    pub const DEFAULT_HEADER: &'static str = "x-attestation";
    pub const DEFAULT_SUBJECT: &'static str = "sub";
    pub const DEFAULT_TASK_CLAIM: &'static str = "txn";
    pub const DEFAULT_SCOPE_CLAIM: &'static str = "scope";

    /// The claims that are read of it.
    pub fn claim_names(&self) -> ClaimNames<'_> {
        ClaimNames {
            subject: &self.subject,
            scopes: &self.scope_claim,
            task: &self.task_claim,
            purpose: self.profile.purpose(),
            kept: self.claims.names(),
        }
    }

    /// The tokens that prove its key, the one that counts where several come first.
    pub const fn key_proofs(&self) -> &'static [ProofKind] {
        match (self.profile, self.possession) {
            (Profile::OauthClientAttestation, Possession::Any) => &[ProofKind::Pop, ProofKind::Dpop],
            (Profile::OauthClientAttestation, Possession::Pop) => &[ProofKind::Pop],
            (Profile::Wimse, Possession::Any | Possession::Pop) => &[ProofKind::Wpt],
            (_, Possession::Any | Possession::Dpop | Possession::None) => &[ProofKind::Dpop],
            (_, Possession::Pop | Possession::Mtls) => &[],
        }
    }

    /// The headers that it and its proofs come in, in lower case.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.header).chain(self.key_proofs().iter().map(|kind| kind.header()))
    }

    /// Whether a client certificate alone proves one that is bound to it.
    pub const fn takes_certificate(&self) -> bool {
        match self.possession {
            Possession::Any | Possession::Mtls | Possession::None => !self.profile.holds_its_key(),
            Possession::Dpop | Possession::Pop => false,
        }
    }

    /// Whether it may come without any proof, where it is bound to nothing.
    pub const fn may_be_unbound(&self) -> bool {
        matches!(self.possession, Possession::None)
    }

    /// Whether an audience of a statement is one of those that this attestation must name.
    pub fn is_named(&self, audience: &str, issuer: &Issuer) -> bool {
        let own = if self.audiences.is_empty() { &issuer.audiences } else { &self.audiences };
        own.iter().any(|named| **named == *audience)
    }

    /// Whether those that it must name are written down.
    pub const fn has_audiences(&self, issuer: &Issuer) -> bool {
        !self.audiences.is_empty() || !issuer.audiences.is_empty()
    }
}

impl RequiredClaims {
    pub fn new(conditions: Vec<ClaimCondition>) -> Self {
        Self { names: conditions.iter().map(|condition| condition.name.clone()).collect(), conditions }
    }

    pub const fn names(&self) -> &[Box<str>] {
        &self.names
    }

    pub fn are_met_by(&self, claims: &Claims) -> bool {
        self.conditions.iter().all(|condition| condition.holds(Some(claims)))
    }
}
