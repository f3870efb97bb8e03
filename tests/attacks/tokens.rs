//! Bearers and attestations that nobody we trust signed, or that say something else than they must.

use crate::forge::Parts;
use crate::support::authz::Ask;
use crate::support::issuers::{attestation, bearer};
use crate::support::verdict::Refusal;
use crate::support::workload::Workload;
use crate::support::{Result, now};
use crate::{NAME, READ, REFUND, SCOPES, Stage};
use rstest::rstest;
use serde_json::{Value, json};
use stepgate::mint::{Algorithm, Jwt, SigningKey};

/// What is forged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bearer,
    Attestation,
}
use Kind::{Attestation, Bearer};

/// A token that would pass, with the key that signs it and the key of somebody else.
struct Good<'k> {
    jwt: Jwt,
    issuer: &'k SigningKey,
    thief: SigningKey,
}

impl Good<'_> {
    fn parts(&self) -> Result<Parts> {
        Parts::of(&self.jwt.sign(self.issuer)?)
    }
}

type Forge = Box<dyn FnOnce(&Good<'_>) -> Result<String>>;

impl Stage {
    fn good(&self, kind: Kind) -> Result<Good<'_>> {
        let (jwt, issuer) = match kind {
            Bearer => (bearer(NAME, SCOPES), &self.gate.issuers.idp),
            Attestation => (attestation(NAME, self.workload.key.public()), &self.gate.issuers.attester),
        };
        Ok(Good { jwt, issuer, thief: SigningKey::generate(Algorithm::Es256)? })
    }

    fn call(&self, kind: Kind, token: &str) -> Result<Ask> {
        Ok(match kind {
            Bearer => Ask::new("GET", READ).header("authorization", format!("Bearer {token}")),
            Attestation => {
                let proof = self.workload.proof("POST", REFUND)?.sign(&self.workload.key)?;
                self.workload.call_with("POST", REFUND, token, &proof)
            }
        })
    }

    async fn refuses_token(&self, kind: Kind, token: &str, fault: &str) -> Result<()> {
        let expected = match (kind, fault) {
            (Bearer, _) => Refusal::new(401, "invalid_token", &format!("credential_{fault}")),
            (Attestation, "expired" | "too_old") => {
                Refusal::new(401, "use_fresh_attestation", &format!("attestation_{fault}"))
            }
            (Attestation, _) => Refusal::new(401, "invalid_client_attestation", &format!("attestation_{fault}")),
        };
        self.refuses(&self.call(kind, token)?, &expected).await
    }
}

async fn attack(kind: Kind, forge: Forge, fault: &str) -> Result<()> {
    let stage = Stage::set().await?;
    let honest = stage.good(kind)?.parts()?.unsigned();
    stage.passes(&stage.call(kind, &honest)?).await?;
    let forged = forge(&stage.good(kind)?)?;
    stage.refuses_token(kind, &forged, fault).await
}

#[rstest]
#[case::alg_none(tampered(|good| Parts { signature: String::new(), ..with_algorithm(good, "none") }), "algorithm_not_allowed")]
#[case::alg_none_with_a_signature(tampered(|good| with_algorithm(good, "none")), "algorithm_not_allowed")]
#[case::alg_none_in_other_letters(tampered(|good| with_algorithm(good, "nOnE")), "algorithm_not_allowed")]
#[case::without_alg(tampered(|good| Parts { header: "{}".to_owned(), ..good }), "algorithm_not_allowed")]
#[case::hs256_with_the_public_key(Box::new(hmac_with_the_public_key), "algorithm_not_allowed")]
#[case::an_algorithm_that_the_issuer_does_not_use(Box::new(by_another_algorithm), "algorithm_not_allowed")]
#[case::signed_by_the_thief(Box::new(by_the_thief), "bad_signature")]
#[case::signed_by_the_thief_under_his_name(Box::new(by_the_thief_under_his_name), "unknown_key")]
#[case::claims_changed_after_signing(tampered(with_other_subject), "bad_signature")]
#[case::without_signature(tampered(|good| Parts { signature: String::new(), ..good }), "bad_signature")]
#[case::signature_of_zeros(tampered(|good| Parts { signature: "A".repeat(86), ..good }), "bad_signature")]
#[case::four_parts(tampered(|good| Parts { signature: format!("{}.e30", good.signature), ..good }), "malformed")]
#[case::padded(tampered(|good| Parts { signature: format!("{}==", good.signature), ..good }), "malformed")]
#[case::with_a_key_of_its_own(Box::new(with_own_jwk), "forbidden_header")]
#[case::jku(header("jku", "https://thief.example/jwks.json"), "forbidden_header")]
#[case::x5u(header("x5u", "https://thief.example/cert.pem"), "forbidden_header")]
#[case::unknown_crit(header("crit", json!(["exp"])), "forbidden_header")]
#[case::crit_that_unencodes_the_payload(header("crit", json!(["b64"])), "forbidden_header")]
#[case::empty_crit(header("crit", json!([])), "forbidden_header")]
#[case::a_header_member_twice(signed(|good| good.with_header_member(r#""alg":"none""#)), "malformed")]
#[case::a_claim_twice(signed(|good| good.with_claim_member(r#""sub":"billing-admin""#)), "malformed")]
#[case::a_claim_twice_in_disguise(signed(|good| good.with_claim_member(r#""\u0073ub":"x""#)), "malformed")]
#[case::claims_that_are_no_object(signed(|good| Parts { claims: "[]".to_owned(), ..good }), "malformed")]
#[case::claims_nested_deeply(signed(nested), "malformed")]
#[case::eighty_kib(claim("x", "x".repeat(80 * 1024)), "oversize")]
#[case::another_issuer(claim("iss", "https://thief.example"), "unknown_issuer")]
#[case::the_issuer_with_a_slash_more(claim("iss", "https://idp.example.com/"), "unknown_issuer")]
#[case::another_audience(claim("aud", "https://other.example.com"), "audience_mismatch")]
#[case::expired(issued(-60, 30), "expired")]
#[case::not_yet_valid(claim("nbf", now() + 60), "not_yet_valid")]
#[case::issued_in_the_future(issued(60, 600), "not_yet_valid")]
#[case::no_expiry(without("exp"), "without_expiry")]
#[case::expiry_as_text(claim("exp", "9999999999"), "malformed")]
#[case::expiry_beyond_all_time(claim("exp", 1e300), "malformed")]
#[case::expiry_before_all_time(claim("exp", -1), "malformed")]
#[tokio::test]
async fn a_forged_token_is_refused(
    #[values(Bearer, Attestation)] kind: Kind,
    #[case] forge: Forge,
    #[case] fault: &str,
) -> Result<()> {
    attack(kind, forge, fault).await
}

#[rstest]
#[case::no_issuer(without("iss"), "unknown_issuer")]
#[case::no_audience(without("aud"), "audience_mismatch")]
#[case::type_of_an_attestation(header("typ", "oauth-client-attestation+jwt"), "wrong_type")]
#[case::type_of_a_proof(header("typ", "dpop+jwt"), "wrong_type")]
#[case::type_of_another_token(header("typ", "application/id+jwt"), "wrong_type")]
#[case::bound_in_a_way_nobody_knows(claim("cnf", json!({ "kid": "k" })), "binding_unproven")]
#[tokio::test]
async fn a_bearer_that_is_something_else_is_refused(#[case] forge: Forge, #[case] fault: &str) -> Result<()> {
    attack(Bearer, forge, fault).await
}

#[rstest]
#[case::type_of_a_bearer(header("typ", "at+jwt"), "wrong_type")]
#[case::type_of_a_proof(header("typ", "dpop+jwt"), "wrong_type")]
#[case::plain_jwt(header("typ", "JWT"), "wrong_type")]
#[case::of_another_workload(claim("sub", "billing-admin"), "subject_mismatch")]
#[case::of_its_name_in_other_letters(claim("sub", "Billing-Web"), "subject_mismatch")]
#[case::of_nobody(without("sub"), "subject_mismatch")]
#[case::without_key(without("cnf"), "unbound")]
#[case::with_a_symmetric_key(claim("cnf", json!({ "jwk": { "kty": "oct", "k": "c2VjcmV0" } })), "malformed")]
#[case::never_issued(without("iat"), "too_old")]
#[case::too_old(issued(-302, 600), "too_old")]
#[tokio::test]
async fn an_attestation_that_is_something_else_is_refused(#[case] forge: Forge, #[case] fault: &str) -> Result<()> {
    attack(Attestation, forge, fault).await
}

#[tokio::test]
async fn a_bearer_is_no_attestation_and_an_attestation_no_bearer() -> Result<()> {
    let stage = Stage::set().await?;
    let attestation = stage.workload.attestation(&stage.gate.issuers)?;
    stage.refuses_token(Attestation, &stage.workload.token, "wrong_type").await?;
    stage.refuses_token(Bearer, &attestation, "wrong_type").await
}

/// The types swapped too: then the issuers differ.
#[tokio::test]
async fn neither_issuer_signs_for_the_other() -> Result<()> {
    let stage = Stage::set().await?;
    let issuers = &stage.gate.issuers;
    let by_attester = bearer(NAME, SCOPES).sign(&issuers.attester)?;
    stage.refuses_token(Bearer, &by_attester, "unknown_key").await?;
    let by_idp = attestation(NAME, stage.workload.key.public()).sign(&issuers.idp)?;
    stage.refuses_token(Attestation, &by_idp, "unknown_key").await
}

#[tokio::test]
async fn the_attestation_of_one_workload_does_not_serve_the_bearer_of_another() -> Result<()> {
    let stage = Stage::set().await?;
    let other = Workload::new(&stage.gate.issuers, "billing-batch", SCOPES)?;
    stage.refuses_token(Attestation, &other.attestation(&stage.gate.issuers)?, "subject_mismatch").await
}

/// What the issuer itself would sign, were it to say something else.
fn saying(change: impl FnOnce(Jwt) -> Jwt + 'static) -> Forge {
    Box::new(|good| Ok(change(good.jwt.clone()).sign(good.issuer)?))
}

fn header(name: &'static str, value: impl Into<Value>) -> Forge {
    let value = value.into();
    saying(move |jwt| jwt.header(name, value))
}

fn claim(name: &'static str, value: impl Into<Value>) -> Forge {
    let value = value.into();
    saying(move |jwt| jwt.claim(name, value))
}

fn without(name: &'static str) -> Forge {
    saying(move |jwt| jwt.without(name))
}

/// So many seconds from now, and good for so many.
fn issued(after: i64, ttl: u64) -> Forge {
    saying(move |jwt| jwt.issued(now().saturating_add_signed(after), ttl))
}

/// Changed after the issuer signed it.
fn tampered(change: impl FnOnce(Parts) -> Parts + 'static) -> Forge {
    Box::new(|good| Ok(change(good.parts()?).unsigned()))
}

/// Changed before the issuer signs it, into what no minting tool writes.
fn signed(change: impl FnOnce(Parts) -> Parts + 'static) -> Forge {
    Box::new(|good| change(good.parts()?).signed_by(good.issuer))
}

fn with_algorithm(good: Parts, algorithm: &str) -> Parts {
    Parts { header: good.header.replace("ES256", algorithm), ..good }
}

fn with_other_subject(good: Parts) -> Parts {
    Parts { claims: good.claims.replace(NAME, "billing-admin"), ..good }
}

fn nested(good: Parts) -> Parts {
    good.with_claim_member(&format!(r#""x":{}1{}"#, "[".repeat(1_000), "]".repeat(1_000)))
}

fn hmac_with_the_public_key(good: &Good<'_>) -> Result<String> {
    Ok(with_algorithm(good.parts()?, "HS256").hmac(&good.issuer.public().to_json().to_string()))
}

fn by_the_thief(good: &Good<'_>) -> Result<String> {
    good.parts()?.signed_by(&good.thief)
}

fn by_the_thief_under_his_name(good: &Good<'_>) -> Result<String> {
    Ok(good.jwt.sign(&good.thief)?)
}

fn by_another_algorithm(good: &Good<'_>) -> Result<String> {
    let kid = good.issuer.kid().to_owned();
    Ok(good.jwt.sign(&SigningKey::generate(Algorithm::EdDsa)?.with_kid(kid))?)
}

fn with_own_jwk(good: &Good<'_>) -> Result<String> {
    Ok(good.jwt.clone().header("jwk", good.thief.public().to_json()).sign(&good.thief)?)
}
