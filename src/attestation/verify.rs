//! Is a token signed by an issuer we trust, and what does it say. No time, no caller: what comes out may be remembered.

use super::jose::Compact;
use super::{Algorithm, ClaimNames, Claims, KeySet, Thumbprint, TokenFault, ear};
use crate::policy::{Issuer, Name};

/// What a token is used for; its `typ` must agree, so that none passes for another (RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// An access token (RFC 9068 §2.1), also of issuers that write `JWT` or nothing.
    Bearer,
    /// draft-ietf-oauth-attestation-based-client-auth §5.1.
    OauthClientAttestation,
    /// draft-ietf-wimse-workload-creds §3.1.
    WorkloadIdentityToken,
    /// What a platform signs for its workloads: an ID token, a service account token, a JWT-SVID.
    Jwt,
    /// draft-ietf-rats-ear §3.
    Ear,
}

/// A token whose signature was good, under this key, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    issuer: Name,
    algorithm: Algorithm,
    key: Thumbprint,
    /// Over its bytes. Who remembers the token remembers this along, so that no call has to go over them again.
    digest: Thumbprint,
    claims: Claims,
}

/// An issuer with the keys it has now; none where they are away.
#[derive(Clone, Copy, Debug)]
pub struct Trusted<'p> {
    pub issuer: &'p Issuer,
    pub keys: Option<&'p KeySet>,
}

/// Why a token is not taken as signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverified {
    Fault(TokenFault),
    /// Nobody can tell: an issuer that could have signed it has its keys away.
    KeysAway,
}

/// Signature checks that one token can cause, however many issuers could have signed it.
const MAX_KEYS_TRIED: usize = 4;

impl TokenKind {
    /// A word for each, so that what was verified as one is never remembered as another.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::OauthClientAttestation => "oauth-client-attestation",
            Self::WorkloadIdentityToken => "wit",
            Self::Jwt => "jwt",
            Self::Ear => "ear",
        }
    }

    fn takes(self, media_type: Option<&str>) -> bool {
        match self {
            Self::Bearer => matches!(media_type, None | Some("jwt" | "at+jwt")),
            Self::OauthClientAttestation => media_type == Some("oauth-client-attestation+jwt"),
            Self::WorkloadIdentityToken => media_type == Some("wit+jwt"),
            // JWT-SVID §2.3 knows `JOSE` too.
            Self::Jwt => matches!(media_type, None | Some("jwt" | "jose")),
            // RFC 9782 §6.3; Veraison writes none of its own.
            Self::Ear => matches!(media_type, None | Some("jwt" | "eat+jwt")),
        }
    }
}

/// Verifies a compact JWS under the keys of these issuers.
pub fn verify<'p>(
    token: &str,
    kind: TokenKind,
    names: ClaimNames<'_>,
    trusted: impl Iterator<Item = Trusted<'p>>,
) -> Result<Verified, Unverified> {
    let compact = Compact::parse(token)?;
    if compact.header.key.is_some() {
        return Err(TokenFault::ForbiddenHeader.into());
    }
    if !kind.takes(compact.header.media_type.as_deref()) {
        return Err(TokenFault::Type.into());
    }
    // Its verdict would go unread: what a verifier warns of would pass as a statement like any other.
    if kind == TokenKind::Jwt && ear::is_results(&compact.payload) {
        return Err(TokenFault::Type.into());
    }
    let claims = Claims::read(&compact.payload, names)?;
    let (issuer, key) = signer(&compact, kind, &claims, trusted)?;
    let digest = Thumbprint::of(token.as_bytes());
    Ok(Verified { issuer, algorithm: compact.header.algorithm, key, digest, claims })
}

/// Finds the issuer whose key made the signature. The fault is that of the issuer that came closest. One whose keys are
/// away could have made it, whatever the others say.
fn signer<'p>(
    compact: &Compact<'_>,
    kind: TokenKind,
    claims: &Claims,
    trusted: impl Iterator<Item = Trusted<'p>>,
) -> Result<(Name, Thumbprint), Unverified> {
    let (algorithm, key_id) = (compact.header.algorithm, compact.header.key_id.as_deref());
    let subject = claims.subject.as_deref();
    let mut closest = TokenFault::Type;
    let mut away = false;
    let mut tried = 0;
    for candidate in trusted {
        let key = match may_sign(candidate, kind, claims, algorithm) {
            Ok(Some(keys)) => keys.find(key_id, algorithm, subject).ok_or(TokenFault::Key),
            Ok(None) => {
                away = true;
                continue;
            }
            Err(fault) => Err(fault),
        };
        match key {
            Ok(key) if tried < MAX_KEYS_TRIED => {
                tried += 1;
                if key.verifies(algorithm, compact.signing_input().as_bytes(), compact.signature()) {
                    return Ok((candidate.issuer.name.clone(), key.thumbprint));
                }
                closest = closest.max(TokenFault::Signature);
            }
            Ok(_) => closest = closest.max(TokenFault::Signature),
            Err(fault) => closest = closest.max(fault),
        }
    }
    Err(match closest {
        _ if away => Unverified::KeysAway,
        TokenFault::Type => TokenFault::Issuer.into(),
        closest => closest.into(),
    })
}

fn may_sign<'p>(
    candidate: Trusted<'p>,
    kind: TokenKind,
    claims: &Claims,
    algorithm: Algorithm,
) -> Result<Option<&'p KeySet>, TokenFault> {
    check_issuer(candidate.issuer, kind, claims)?;
    if candidate.issuer.algorithms.contains(&algorithm) { Ok(candidate.keys) } else { Err(TokenFault::Algorithm) }
}

/// The exact `iss`: a bearer must carry it, an attestation may come without.
fn check_issuer(issuer: &Issuer, kind: TokenKind, claims: &Claims) -> Result<(), TokenFault> {
    let agrees = match (&issuer.issuer, &claims.issuer) {
        (Some(expected), Some(actual)) => expected == actual,
        _ => kind != TokenKind::Bearer,
    };
    if agrees { Ok(()) } else { Err(TokenFault::Issuer) }
}

impl Verified {
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// What the `ath` of a proof beside it must be (RFC 9449 §4.2).
    pub const fn digest(&self) -> Thumbprint {
        self.digest
    }

    pub const fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// The key that signed it.
    pub const fn key(&self) -> Thumbprint {
        self.key
    }

    /// What it holds outside of itself, for whoever bounds memory.
    pub fn heap_bytes(&self) -> usize {
        self.claims.heap_bytes()
    }

    /// Asks again, of the policy and keys of this moment, what was true when the signature was checked: a remembered
    /// token outlives neither its key, nor its algorithm, nor its issuer.
    pub fn still_holds<'p>(
        &self,
        kind: TokenKind,
        mut trusted: impl Iterator<Item = Trusted<'p>>,
    ) -> Result<&'p Issuer, Unverified> {
        let own = trusted.find(|t| t.issuer.name == self.issuer).ok_or(TokenFault::Issuer)?;
        let keys = may_sign(own, kind, &self.claims, self.algorithm)?.ok_or(Unverified::KeysAway)?;
        let holds = keys.holds(&self.key, self.algorithm, self.claims.subject.as_deref());
        if holds { Ok(own.issuer) } else { Err(TokenFault::Key.into()) }
    }
}

impl From<TokenFault> for Unverified {
    fn from(fault: TokenFault) -> Self {
        Self::Fault(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::TokenKind::{Bearer, Ear, Jwt, OauthClientAttestation, WorkloadIdentityToken};
    use super::*;
    use rstest::rstest;

    /// An untyped token is told apart by its issuer and its audience alone (RFC 8725 §3.12).
    #[rstest]
    #[case::none(None, &[Bearer, Jwt, Ear])]
    #[case::any(Some("jwt"), &[Bearer, Jwt, Ear])]
    #[case::access_token(Some("at+jwt"), &[Bearer])]
    #[case::client_attestation(Some("oauth-client-attestation+jwt"), &[OauthClientAttestation])]
    #[case::workload_identity(Some("wit+jwt"), &[WorkloadIdentityToken])]
    #[case::svid(Some("jose"), &[Jwt])]
    #[case::result(Some("eat+jwt"), &[Ear])]
    #[case::dpop(Some("dpop+jwt"), &[])]
    #[case::pop(Some("oauth-client-attestation-pop+jwt"), &[])]
    #[case::wpt(Some("wpt+jwt"), &[])]
    #[case::security_event(Some("secevent+jwt"), &[])]
    #[case::id_token(Some("id+jwt"), &[])]
    #[case::empty(Some(""), &[])]
    fn each_kind_takes_its_own_types_and_no_others(#[case] media_type: Option<&str>, #[case] kinds: &[TokenKind]) {
        let takes = |kind: &TokenKind| kind.takes(media_type);
        let all = [Bearer, OauthClientAttestation, WorkloadIdentityToken, Jwt, Ear];
        assert_eq!(all.into_iter().filter(takes).collect::<Vec<_>>(), kinds);
    }
}
