//! The examples of the standards themselves, as they print them. Those of RFC 7638 §3.1 and RFC 8037 appendix A stand
//! with the thumbprint and the keys.

use super::claims::{ClaimNames, Claims, Purpose};
use super::jose::Compact;
use super::json;
use super::jwk::{ConfirmedKey, VerifyingKey};
use super::{Proof, ProofFault, ProofKey, ProofKind, ProvenCall, Thumbprint, TokenFault};
use crate::policy::Origin;
use crate::request::{Method, RequestPath};
use crate::time::{Ttl, UnixTime};
use rstest::rstest;
use std::sync::Arc;

const TOKEN_REQUEST: &str = include_str!("vectors/rfc9449-token-request.jwt");
const PROTECTED_RESOURCE: &str = include_str!("vectors/rfc9449-protected-resource.jwt");
const ATTESTATION: &str = include_str!("vectors/attestation.jwt");
const POP: &str = include_str!("vectors/attestation-pop.jwt");
const COMBINED_DPOP_KEY: &str = include_str!("vectors/attestation-dpop.jwk");
const WIT: &str = include_str!("vectors/wimse-wit.jwt");
const WPT: &str = include_str!("vectors/wimse-wpt.jwt");
const IDENTITY_SERVER: &str = include_str!("vectors/wimse-identity-server.jwk");
const NAMES: ClaimNames<'_> =
    ClaimNames { subject: "sub", scopes: "scope", task: "txn", purpose: Purpose::Token, kept: &[] };

/// A call with nothing beside it.
struct Call {
    method: Method,
    path: RequestPath,
    origin: Origin,
}

impl Call {
    fn new(method: &str, origin: &str, path: &str) -> Self {
        Self {
            method: Method::parse(method).unwrap(),
            path: RequestPath::parse(path, method).unwrap(),
            origin: Origin::parse(origin).unwrap(),
        }
    }

    fn plain(&self) -> ProvenCall<'_> {
        ProvenCall {
            method: &self.method,
            path: &self.path,
            origin: &self.origin,
            access_token: None,
            attestation: None,
            transaction_token: None,
        }
    }
}

fn key(jwk: &str) -> VerifyingKey {
    VerifyingKey::from_jwk(&json::object(jwk.as_bytes()).unwrap()).unwrap()
}

fn confirmed(attestation: &str) -> Arc<ConfirmedKey> {
    let claims = Claims::read(&Compact::parse(attestation).unwrap().payload, NAMES).unwrap();
    claims.confirmation.unwrap().jwk.unwrap()
}

/// RFC 9449 §6.1: its example key.
fn dpop_key() -> ProofKey {
    ProofKey::of_thumbprint(Thumbprint::parse("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I").unwrap())
}

#[rstest]
#[case::a_2(include_str!("vectors/rfc7515-a2-rs256.jwt"), include_str!("vectors/rfc7515-a2.jwk"))]
#[case::a_3(include_str!("vectors/rfc7515-a3-es256.jwt"), include_str!("vectors/rfc7515-a3.jwk"))]
fn rfc_7515_a_passes_the_gate_and_its_signature_is_good(#[case] token: &str, #[case] jwk: &str) {
    let compact = Compact::parse(token).unwrap();
    let signed = compact.signing_input().as_bytes();
    assert!(key(jwk).verifies(compact.header.algorithm, signed, compact.signature()));
}

#[rstest]
#[case::a_1_hs256(include_str!("vectors/rfc7515-a1-hs256.jwt"))]
#[case::a_4_es512(include_str!("vectors/rfc7515-a4-es512.jwt"))]
#[case::a_5_none(include_str!("vectors/rfc7515-a5-none.jwt"))]
fn rfc_7515_a_with_an_algorithm_that_has_no_name_here_is_refused(#[case] token: &str) {
    assert_eq!(Compact::parse(token).unwrap_err(), TokenFault::Algorithm);
}

#[test]
fn rfc_9449_4_1_proves_its_token_request() {
    let proof = Proof::verify(ProofKind::Dpop, TOKEN_REQUEST, &dpop_key()).unwrap();
    let call = Call::new("POST", "https://server.example.com", "/token");
    assert_eq!(proof.is_for(&call.plain()), Ok(()));
    assert_eq!(proof.is_recent(UnixTime::from_secs(1_562_262_616), Ttl::ZERO), Ok(()));
    assert_eq!(proof.challenge(), None);
    let elsewhere = Call::new("POST", "https://resource.example.org", "/token");
    assert_eq!(proof.is_for(&elsewhere.plain()), Err(ProofFault::Target));
}

#[test]
fn rfc_9449_7_1_proves_its_access_token() {
    let proof = Proof::verify(ProofKind::Dpop, PROTECTED_RESOURCE, &dpop_key()).unwrap();
    let call = Call::new("GET", "https://resource.example.org", "/protectedresource");
    let token = Thumbprint::of(b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
    assert_eq!(proof.is_for(&ProvenCall { access_token: Some(token), ..call.plain() }), Ok(()));
    assert_eq!(proof.is_for(&call.plain()), Err(ProofFault::Token));
}

#[test]
fn wimse_workload_creds_02_5_1_its_token_is_signed_by_its_server_and_names_its_key() {
    let compact = Compact::parse(WIT).unwrap();
    assert_eq!(compact.header.media_type.as_deref(), Some("wit+jwt"));
    let (server, signed) = (key(IDENTITY_SERVER), compact.signing_input().as_bytes());
    assert_eq!(server.key_id.as_deref(), compact.header.key_id.as_deref());
    assert!(server.verifies(compact.header.algorithm, signed, compact.signature()));
    let claims = Claims::read(&compact.payload, NAMES).unwrap();
    assert_eq!(claims.subject.as_deref(), Some("wimse://example.com/specific-workload"));
    assert_eq!(confirmed(WIT).named_algorithm().map(super::Algorithm::as_str), Some("EdDSA"));
}

#[test]
fn wimse_wpt_01_2_proves_its_request() {
    let proof = Proof::verify(ProofKind::Wpt, WPT, &ProofKey::of_key(confirmed(WIT))).unwrap();
    let call = Call::new("POST", "https://workload.example.com", "/path");
    let with_tokens = ProvenCall {
        access_token: Some(Thumbprint::of(b"16_mAd0GiwaZokU26_0902100")),
        attestation: Some(Thumbprint::of(WIT.as_bytes())),
        ..call.plain()
    };
    assert_eq!(proof.is_for(&with_tokens), Ok(()));
    assert_eq!(proof.is_for(&ProvenCall { access_token: None, ..with_tokens }), Err(ProofFault::Token));
    assert_eq!(proof.is_for(&ProvenCall { attestation: None, ..with_tokens }), Err(ProofFault::Attestation));
    let expires = UnixTime::from_secs(1_745_510_016);
    assert_eq!(proof.is_recent(expires.minus(Ttl::from_secs(60)), Ttl::ZERO), Ok(()));
    // The draft's server issued the token 18 minutes before the proof ends: at that time it ends too far ahead for us.
    assert_eq!(proof.is_recent(UnixTime::from_secs(1_745_508_910), Ttl::ZERO), Err(ProofFault::Stale));
    assert_eq!(proof.is_recent(expires, Ttl::from_secs(10)), Err(ProofFault::Stale));
}

/// The draft prints no key of the attester, so that the attestation's own signature can't be checked.
#[test]
fn attestation_based_client_auth_10_4_names_the_key_that_signs_its_proof_of_5_1() {
    let attestation = Compact::parse(ATTESTATION).unwrap();
    assert_eq!(attestation.header.media_type.as_deref(), Some("oauth-client-attestation+jwt"));
    let proof = Compact::parse(POP).unwrap();
    let signed = proof.signing_input().as_bytes();
    assert!(confirmed(ATTESTATION).material().verifies(proof.header.algorithm, signed, proof.signature()));
}

#[test]
fn attestation_based_client_auth_10_5_1_is_refused_here_since_it_names_no_call() {
    let key = ProofKey::of_key(confirmed(ATTESTATION));
    assert_eq!(Proof::verify(ProofKind::Pop, POP, &key), Err(ProofFault::Malformed));
}

/// §5.2 prints header and claims of a proof, but no signature; its key is not that of the draft's attestation.
#[test]
fn attestation_based_client_auth_10_5_2_prints_a_key() {
    let combined = ConfirmedKey::from_jwk(&json::object(COMBINED_DPOP_KEY.as_bytes()).unwrap()).unwrap();
    assert_ne!(combined.thumbprint(), confirmed(ATTESTATION).thumbprint());
}
