//! Why a token is not taken, and the word of RFC 8935 §2.4 for it. Nothing of the token is repeated.

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("no events are received here: the policy has no `events`")]
    Off,
    #[error("the keys of this issuer can't be had at the moment: send it again later")]
    KeysAway,
    #[error("this is no signed token in compact form, says something twice, or is too long")]
    Malformed,
    #[error("a header with `crit`, `jku`, `x5u` or `jwk` is never taken")]
    ForbiddenHeader,
    #[error("the header must have the `typ` `secevent+jwt`")]
    Type,
    #[error("`iss` names no transmitter that is known here")]
    Issuer,
    #[error("this issuer's events are not signed with this algorithm")]
    Algorithm,
    #[error("this issuer has no such key, or it was revoked")]
    Key,
    #[error("the signature is wrong")]
    Signature,
    #[error("`aud` names somebody else")]
    Audience,
    #[error("an event has no `exp`")]
    Expiry,
    #[error("an event has no `sub`: write `sub_id`")]
    PlainSubject,
    #[error("`jti` must be a text")]
    Id,
    #[error("`iat` must be a time that is not in the future")]
    IssuedAt,
    #[error("`events` must have 1 to 16 members, each a URI with an object")]
    Events,
    #[error("`event_timestamp` must be in seconds since 1970")]
    Timestamp,
    #[error("`sub_id` must have the format `iss_sub`, `uri`, `opaque`, or `complex` of these")]
    Subject,
    #[error("this transmitter may not speak for this subject")]
    NotTheirs,
}

impl Refused {
    /// The word for it; nothing where the token is not at fault.
    pub const fn code(self) -> Option<&'static str> {
        match self {
            Self::Off | Self::KeysAway => None,
            Self::Issuer => Some("invalid_issuer"),
            Self::Algorithm | Self::Key | Self::Signature => Some("invalid_key"),
            Self::Audience => Some("invalid_audience"),
            Self::NotTheirs => Some("access_denied"),
            Self::Malformed
            | Self::ForbiddenHeader
            | Self::Type
            | Self::Expiry
            | Self::PlainSubject
            | Self::Id
            | Self::IssuedAt
            | Self::Events
            | Self::Timestamp
            | Self::Subject => Some("invalid_request"),
        }
    }
}
