//! The ways for a workload to prove itself: what it shows, in which header, and what proves that this is its own.

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// An attester vouches for our key; a DPoP proof shows that we hold it.
    ClientAttestation,
    /// The same, with the proof of the profile's own.
    ClientAttestationPop,
    /// A workload identity token of our trust domain, with its proof.
    Wimse,
    /// The OIDC token of a GitHub job, made for the challenge.
    Github,
    /// A service account's token, made for the challenge.
    Kubernetes,
    /// The token of a Google machine, made for the challenge.
    Google,
    /// A JWT-SVID, made for the challenge.
    Spiffe,
    /// A service account's token as it lies in its file; our client certificate says who we are.
    Projected,
    /// A statement that is bound to our client certificate.
    Certificate,
    /// What a verifier found of us, bound to our key, with a DPoP proof.
    Ear,
}

/// What proves that we hold our key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Dpop,
    Pop,
    Wpt,
}

impl Way {
    /// The profile, as the policy and the `accept` of a challenge call it.
    pub const fn profile(self) -> &'static str {
        match self {
            Self::ClientAttestation | Self::ClientAttestationPop => "oauth-client-attestation",
            Self::Wimse => "wimse",
            Self::Ear => "ear",
            Self::Github | Self::Kubernetes | Self::Google | Self::Spiffe | Self::Projected | Self::Certificate => {
                "jwt"
            }
        }
    }

    /// The header for the attestation; the policy may name another one in the place of `x-attestation`.
    pub const fn header(self) -> &'static str {
        match self {
            Self::ClientAttestation | Self::ClientAttestationPop => "oauth-client-attestation",
            Self::Wimse => "workload-identity-token",
            _ => "x-attestation",
        }
    }

    pub const fn proof(self) -> Option<Proof> {
        match self {
            Self::ClientAttestation | Self::Ear => Some(Proof::Dpop),
            Self::ClientAttestationPop => Some(Proof::Pop),
            Self::Wimse => Some(Proof::Wpt),
            _ => None,
        }
    }
}

impl Proof {
    pub const fn header(self) -> &'static str {
        match self {
            Self::Dpop => "dpop",
            Self::Pop => "oauth-client-attestation-pop",
            Self::Wpt => "workload-proof-token",
        }
    }
}
