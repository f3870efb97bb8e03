//! The kinds of problems that a policy can have, each with a code that never changes its meaning.

use std::fmt;

/// One kind of problem. The number is what people search for and what editors and CI filter by: it is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Code {
    Unreadable = 1,
    NoFile = 2,
    TooLarge = 3,
    Syntax = 4,
    DuplicateKey = 5,
    Version = 6,
    UnknownKey = 7,
    MissingKey = 8,
    WrongType = 9,
    InvalidValue = 10,
    DefinedTwice = 12,
    UnknownName = 13,
    ReservedName = 14,
    ForbiddenAlgorithm = 15,
    UnreadableKeys = 16,
    UnusableKeys = 17,
    NoFittingKey = 18,
    NoCredentials = 19,
    IdentitySource = 20,
    BearerIssuer = 21,
    SharedIssuer = 22,
    SameSelector = 23,
    LaxerNarrowing = 24,
    AnonymousSensitive = 25,
    NoResource = 26,
    LaxerLevel = 27,
    RuleEffect = 28,
    NoCondition = 29,
    UnreachedScope = 30,
    PrincipalWithoutCertificate = 31,
    UnboundedIssuer = 32,
    IdentityTie = 33,
    AliasOfPattern = 34,
    AliasTaken = 35,
    ForwardedCertificate = 40,
    TooManySignals = 41,
    CredentialSignal = 42,
    GeoDatabase = 43,
    ForeignSection = 45,
    OutsideSpace = 46,
    OverlappingSpaces = 47,
    AnomalyAlone = 48,
    AnomalyRefuses = 49,
    AnomalyDecides = 50,
    NoSuchRoute = 51,
    BelowFloor = 52,
    GrantWithoutTask = 53,
    AttestationAudience = 60,
    UnprovableAttestation = 61,
    ReusableProof = 62,
    Transmitter = 63,
    UnboundedTransmitter = 64,
}

/// Whether a policy with this problem is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Warning,
    Error,
}

impl Code {
    pub const ALL: [Self; 52] = [
        Self::Unreadable,
        Self::NoFile,
        Self::TooLarge,
        Self::Syntax,
        Self::DuplicateKey,
        Self::Version,
        Self::UnknownKey,
        Self::MissingKey,
        Self::WrongType,
        Self::InvalidValue,
        Self::DefinedTwice,
        Self::UnknownName,
        Self::ReservedName,
        Self::ForbiddenAlgorithm,
        Self::UnreadableKeys,
        Self::UnusableKeys,
        Self::NoFittingKey,
        Self::NoCredentials,
        Self::IdentitySource,
        Self::BearerIssuer,
        Self::SharedIssuer,
        Self::SameSelector,
        Self::LaxerNarrowing,
        Self::AnonymousSensitive,
        Self::NoResource,
        Self::LaxerLevel,
        Self::RuleEffect,
        Self::NoCondition,
        Self::UnreachedScope,
        Self::PrincipalWithoutCertificate,
        Self::UnboundedIssuer,
        Self::IdentityTie,
        Self::AliasOfPattern,
        Self::AliasTaken,
        Self::ForwardedCertificate,
        Self::TooManySignals,
        Self::CredentialSignal,
        Self::GeoDatabase,
        Self::ForeignSection,
        Self::OutsideSpace,
        Self::OverlappingSpaces,
        Self::AnomalyAlone,
        Self::AnomalyRefuses,
        Self::AnomalyDecides,
        Self::NoSuchRoute,
        Self::BelowFloor,
        Self::GrantWithoutTask,
        Self::AttestationAudience,
        Self::UnprovableAttestation,
        Self::ReusableProof,
        Self::Transmitter,
        Self::UnboundedTransmitter,
    ];

    /// What every problem of this kind has in common.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Unreadable => "a policy file or folder can't be read",
            Self::NoFile => "a folder holds no policy file",
            Self::TooLarge => "a policy file is too large",
            Self::Syntax => "a policy file is not YAML, or not one document of it",
            Self::DuplicateKey => "a key stands twice in one map",
            Self::Version => "a policy file does not say which version of the schema it follows",
            Self::UnknownKey => "the schema has no such key",
            Self::MissingKey => "a required key is missing",
            Self::WrongType => "a value has another type than its key asks for",
            Self::InvalidValue => "a value is not one that its key takes",
            Self::DefinedTwice => "a name, or a section that stands once, is defined twice",
            Self::UnknownName => "a name refers to nothing",
            Self::ReservedName => "a name already means something else",
            Self::ForbiddenAlgorithm => "an algorithm proves nothing: `none`, or one with a shared secret",
            Self::UnreadableKeys => "a file of keys or of CA certificates can't be read",
            Self::UnusableKeys => {
                "a key set is malformed, weak, or holds private keys; or a CA file holds no certificates"
            }
            Self::NoFittingKey => "an issuer has no key for any of its algorithms",
            Self::NoCredentials => "no source says who is calling",
            Self::IdentitySource => "`identity` names a source that is not configured, or leaves one out",
            Self::BearerIssuer => "an issuer of bearer tokens lacks what they are checked by",
            Self::SharedIssuer => "one issuer vouches for bearers and attestations under the same audiences",
            Self::SameSelector => "two routes take the same requests",
            Self::LaxerNarrowing => "a route that differs only by headers is laxer than the one it narrows",
            Self::AnonymousSensitive => "a sensitive or issuing route lets callers without a principal in",
            Self::NoResource => "without `resource`, a proof made for another service would pass",
            Self::LaxerLevel => "an assurance level is laxer than the one before it",
            Self::RuleEffect => "a rule has no effect, or two",
            Self::NoCondition => "a rule has no condition",
            Self::UnreachedScope => "an elevated scope leads to no rule",
            Self::PrincipalWithoutCertificate => "a principal counts without its certificate",
            Self::UnboundedIssuer => "one of several who name callers may name anybody",
            Self::IdentityTie => "two identities could describe one name, and neither is more specific",
            Self::AliasOfPattern => "an identity with `*` in its `match` has aliases",
            Self::AliasTaken => "an alias is a name that another identity has, or stands twice",
            Self::ForwardedCertificate => "a caller counts as whom `x-forwarded-client-cert` names",
            Self::TooManySignals => "there are more signals than a policy may have",
            Self::CredentialSignal => "a signal looks at a header that carries credentials",
            Self::GeoDatabase => "a database of countries can't be read, or is none",
            Self::ForeignSection => "a team's file holds what only the core policy may",
            Self::OutsideSpace => "a team's route or floor lies outside of what the team may name",
            Self::OverlappingSpaces => "two teams may name the same requests",
            Self::AnomalyAlone => "a rule looks only at what is unusual",
            Self::AnomalyRefuses => "a rule refuses for what is unusual",
            Self::AnomalyDecides => "a rule that looks at what is unusual holds for every request",
            Self::NoSuchRoute => "a rule names routes of which there are none",
            Self::BelowFloor => "a floor always raises a route",
            Self::GrantWithoutTask => "a level remembers grants and asks for no task that ends them",
            Self::AttestationAudience => "an attestation that was made for somebody else would pass",
            Self::UnprovableAttestation => "a level accepts an attestation in a way that nobody can meet",
            Self::ReusableProof => "a proof may pass once in each replica where it opens the most",
            Self::Transmitter => "a transmitter of events lacks what they are checked by",
            Self::UnboundedTransmitter => "a transmitter of events may revoke anybody",
        }
    }

    /// Whether what is missing may stand in a file that could not be read.
    pub(super) const fn hides_a_file(self) -> bool {
        matches!(self, Self::Unreadable | Self::NoFile | Self::TooLarge | Self::Syntax)
    }

    pub const fn severity(self) -> Severity {
        match self {
            Self::UnreachedScope
            | Self::PrincipalWithoutCertificate
            | Self::ForwardedCertificate
            | Self::AnomalyDecides
            | Self::NoSuchRoute
            | Self::BelowFloor
            | Self::UnprovableAttestation
            | Self::ReusableProof
            | Self::UnboundedTransmitter => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SG{:04}", *self as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_in_the_table_each_once_and_in_order() {
        let numbers = Code::ALL.map(|code| code as u16);
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
        assert_eq!(Code::Syntax.to_string(), "SG0004");
    }
}
