//! What can be wrong with a token or a proof. The words end up in logs and metrics, never in an answer to a caller.

/// Declares an enum of faults, each with its word after the prefix of every statement that can have it.
macro_rules! faults {
    ($(#[$doc:meta])* $name:ident $list:tt as $($prefix:literal for $method:ident),+) => {
        faults!(@enum { $(#[$doc])* } $name $list);
        $(faults!(@words $name $method $prefix $list);)+
    };
    (@enum { $($doc:tt)* } $name:ident { $($(#[$note:meta])* $fault:ident => $word:literal,)+ }) => {
        $($doc)*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$note])* $fault,)+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$fault,)+];
        }
    };
    (@words $name:ident $method:ident $prefix:literal { $($(#[$note:meta])* $fault:ident => $word:literal,)+ }) => {
        impl $name {
            pub const fn $method(self) -> &'static str {
                match self { $(Self::$fault => concat!($prefix, $word),)+ }
            }
        }
    };
}

faults! {
    /// Why a bearer token or an attestation is not believed, in the order in which it is looked at.
    TokenFault {
        Repeated => "repeated",
        Oversize => "oversize",
        Malformed => "malformed",
        /// `crit`, `jku`, `x5u`, or a `jwk` where none belongs.
        ForbiddenHeader => "forbidden_header",
        Type => "wrong_type",
        Algorithm => "algorithm_not_allowed",
        Issuer => "unknown_issuer",
        Key => "unknown_key",
        Signature => "bad_signature",
        NoExpiry => "without_expiry",
        Expired => "expired",
        NotYetValid => "not_yet_valid",
        /// Older than the level allows, or without `iat`.
        TooOld => "too_old",
        Audience => "audience_mismatch",
        Subject => "subject_mismatch",
        /// An attestation without `cnf.jwk`.
        Unbound => "unbound",
        /// Bound to a key or certificate that the caller did not show, or in a way that the policy does not take.
        Binding => "binding_unproven",
        /// A claim that the policy requires is missing, or has another value.
        Claims => "claim_mismatch",
        /// Some part of the workload is below the tier that the policy asks for.
        Tier => "tier_too_low",
        /// Its verifier says that some part of the workload is not what it should be.
        Contraindicated => "contraindicated",
        /// It does not name all elevated scopes of the call.
        Scope => "scope_mismatch",
        /// It was made for other routes or hosts.
        Intent => "intent_mismatch",
        /// It names no task.
        Task => "without_task",
        /// It was issued before something that it is known by was revoked, or so long ago that nobody could tell.
        Revoked => "revoked",
    } as "credential_" for credential_word, "attestation_" for attestation_word
}

faults! {
    /// Why a proof of possession is not believed, in the order in which it is looked at.
    ProofFault {
        Missing => "missing",
        Repeated => "repeated",
        Oversize => "oversize",
        Malformed => "malformed",
        ForbiddenHeader => "forbidden_header",
        Type => "wrong_type",
        Algorithm => "algorithm_not_allowed",
        /// Not signed by the key that the attestation or the token names.
        Key => "key_mismatch",
        Signature => "bad_signature",
        Method => "method_mismatch",
        Target => "target_mismatch",
        /// `wth` is not the digest of the attestation.
        Attestation => "attestation_mismatch",
        /// `ath` is not the digest of the bearer token, or is missing beside one; so too `tth` of a transaction token.
        /// Or `oth` names tokens that are not looked at here.
        Token => "token_mismatch",
        /// `iat` or `exp` further from now than a proof may live.
        Stale => "stale",
        ChallengeMissing => "challenge_missing",
        ChallengeForeign => "challenge_foreign",
        ChallengeExpired => "challenge_expired",
        /// It was made before its key was revoked.
        Revoked => "revoked",
        Replayed => "replayed",
    } as "proof_" for word
}

impl ProofFault {
    /// Whether the caller only has to take a new challenge.
    pub const fn wants_challenge(self) -> bool {
        matches!(self, Self::ChallengeMissing | Self::ChallengeForeign | Self::ChallengeExpired)
    }
}

/// The gate says the same of a proof as of any other token.
impl From<TokenFault> for ProofFault {
    fn from(fault: TokenFault) -> Self {
        match fault {
            TokenFault::Oversize => Self::Oversize,
            TokenFault::Algorithm => Self::Algorithm,
            TokenFault::ForbiddenHeader => Self::ForbiddenHeader,
            _ => Self::Malformed,
        }
    }
}
