//! The ways for a caller to prove itself.

use crate::support::issuers::RESOURCE;

/// What is shown, and whose key it is by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    AttestationDpop,
    AttestationPop,
    WitWpt,
    WitAuthorization,
    JwtDpop,
    JwtCertificate,
    JwtChallenge,
    EarDpop,
    BoundBearer,
    BoundAttested,
}

/// What a token of a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Bearer,
    Attestation,
    Proof,
}

/// Where a call goes.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
}

/// A header that holds a token, and what stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) name: &'static str,
    pub(crate) scheme: &'static str,
}

impl Role {
    pub(crate) const ALL: [Self; 3] = [Self::Bearer, Self::Attestation, Self::Proof];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Attestation => "attestation",
            Self::Proof => "proof",
        }
    }
}

impl Way {
    pub(crate) const ALL: [Self; 10] = [
        Self::AttestationDpop,
        Self::AttestationPop,
        Self::WitWpt,
        Self::WitAuthorization,
        Self::JwtDpop,
        Self::JwtCertificate,
        Self::JwtChallenge,
        Self::EarDpop,
        Self::BoundBearer,
        Self::BoundAttested,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AttestationDpop => "attestation-dpop",
            Self::AttestationPop => "attestation-pop",
            Self::WitWpt => "wit-wpt",
            Self::WitAuthorization => "wit-authorization",
            Self::JwtDpop => "jwt-dpop",
            Self::JwtCertificate => "jwt-certificate",
            Self::JwtChallenge => "jwt-challenge",
            Self::EarDpop => "ear-dpop",
            Self::BoundBearer => "bound-bearer",
            Self::BoundAttested => "bound-attested",
        }
    }

    /// The header of a token, where this way has such a one.
    pub(crate) fn slot(self, role: Role) -> Option<Slot> {
        let (name, scheme) = match role {
            Role::Bearer => ("authorization", self.bearer_scheme()?),
            Role::Attestation => (self.attestation_header()?, ""),
            Role::Proof => self.proof_header()?,
        };
        Some(Slot { name, scheme })
    }

    /// Whether no way before it shows such a token.
    pub(crate) fn is_first_with(self, role: Role) -> bool {
        Self::ALL.into_iter().find(|way| way.slot(role) == self.slot(role)) == Some(self)
    }

    /// Whether the caller is known by its client certificate, and by no token.
    pub(crate) fn is_certified(self) -> bool {
        matches!(self, Self::WitAuthorization | Self::JwtCertificate)
    }

    /// Whether what proves the call passes once.
    pub(crate) fn is_spent(self) -> bool {
        self != Self::JwtCertificate
    }

    pub(crate) fn is_token_bound(self) -> bool {
        matches!(self, Self::BoundBearer | Self::BoundAttested)
    }

    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::BoundBearer => "read",
            Self::JwtChallenge => "transfer",
            way if way.is_certified() => "payout",
            _ => "refund",
        }
    }

    pub(crate) fn target(self) -> Target {
        let (method, path) = match self.route() {
            "read" => ("GET", "/v1/payments/7"),
            "transfer" => ("POST", "/v1/transfers/7"),
            "payout" => ("POST", "/v1/payouts/7"),
            _ => ("POST", "/v1/payments/7/refund"),
        };
        Target { method: method.to_owned(), host: "api.example.com".to_owned(), path: path.to_owned() }
    }

    fn bearer_scheme(self) -> Option<&'static str> {
        match self {
            way if way.is_certified() => None,
            way if way.is_token_bound() => Some("DPoP "),
            _ => Some("Bearer "),
        }
    }

    fn attestation_header(self) -> Option<&'static str> {
        match self {
            Self::AttestationDpop | Self::AttestationPop | Self::BoundAttested => Some("oauth-client-attestation"),
            Self::WitWpt | Self::WitAuthorization => Some("workload-identity-token"),
            Self::JwtDpop | Self::JwtCertificate => Some("x-ci"),
            Self::JwtChallenge => Some("x-statement"),
            Self::EarDpop => Some("x-results"),
            Self::BoundBearer => None,
        }
    }

    fn proof_header(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::AttestationPop => Some(("oauth-client-attestation-pop", "")),
            Self::WitWpt => Some(("workload-proof-token", "")),
            Self::WitAuthorization => Some(("authorization", "WPT ")),
            Self::JwtCertificate | Self::JwtChallenge => None,
            _ => Some(("dpop", "")),
        }
    }
}

impl Target {
    pub(crate) fn url(&self) -> String {
        format!("{RESOURCE}{}", self.path)
    }
}
