use super::*;
use crate::attestation::json;
use crate::mint::{self, Jwt, SigningKey, sign_verbatim};
use crate::policy::Origin;
use crate::request::{Method, RequestPath};
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::LazyLock;

const NOW: u64 = 1_800_000_000;
const ORIGIN: &str = "https://api.example.com";
const URL: &str = "https://api.example.com/v1/payments/7/refund";
const BEARER: &str = "a.bearer.token";
const WIT: &str = "a.workload.identity";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(mint::Algorithm::Es256).unwrap());
static OTHER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(mint::Algorithm::Es256).unwrap());
static RSA: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(mint::Algorithm::Rs256).unwrap());

fn now() -> UnixTime {
    UnixTime::from_secs(NOW)
}

/// A good proof of each kind, before it is signed.
fn good(kind: ProofKind) -> Jwt {
    let jwt = match kind {
        ProofKind::Dpop => Jwt::proof(KEY.public(), "POST", URL).unwrap().claim("iat", NOW),
        ProofKind::Pop => Jwt::pop(ORIGIN, "POST", URL).unwrap().claim("iat", NOW),
        ProofKind::Wpt => Jwt::wpt(WIT, URL).unwrap().claim("exp", NOW + 30),
    };
    jwt.with_token(BEARER)
}

fn object(value: &Value) -> Object {
    json::object(value.to_string().as_bytes()).unwrap()
}

/// The holder's key as an attestation confirms it, for one algorithm.
fn confirmed(key: &SigningKey, algorithm: &str) -> ProofKey {
    let mut jwk = key.public().to_json();
    jwk["alg"] = json!(algorithm);
    ProofKey::of_key(Arc::new(ConfirmedKey::from_jwk(&object(&jwk)).unwrap()))
}

fn verify(kind: ProofKind, jwt: &Jwt) -> Result<Proof, ProofFault> {
    Proof::verify(kind, &jwt.sign(&KEY).unwrap(), &confirmed(&KEY, "ES256"))
}

/// What a proof comes to for the call that it was made for.
fn judged(kind: ProofKind, jwt: &Jwt) -> Result<(), ProofFault> {
    let proof = verify(kind, jwt)?;
    with_call(|call| proof.is_for(call))?;
    proof.is_recent(now(), Ttl::from_secs(10))
}

fn with_call<T>(ask: impl FnOnce(&ProvenCall<'_>) -> T) -> T {
    let (method, origin) = (Method::parse("POST").unwrap(), Origin::parse(ORIGIN).unwrap());
    ask(&ProvenCall {
        method: &method,
        path: &RequestPath::parse("/v1/payments/7/refund", "POST").unwrap(),
        origin: &origin,
        access_token: Some(Thumbprint::of(BEARER.as_bytes())),
        attestation: Some(Thumbprint::of(WIT.as_bytes())),
        transaction_token: None,
    })
}

#[rstest]
fn a_good_proof_of_every_kind_passes(#[values(ProofKind::Dpop, ProofKind::Pop, ProofKind::Wpt)] kind: ProofKind) {
    assert_eq!(judged(kind, &good(kind)), Ok(()));
    let challenged = good(kind).claim(kind.challenge_claim(), "v1.k.c");
    let proof = verify(kind, &challenged).unwrap();
    assert_eq!((proof.kind(), proof.challenge()), (kind, Some("v1.k.c")));
}

#[rstest]
fn a_proof_of_one_kind_is_none_of_another(
    #[values(ProofKind::Dpop, ProofKind::Pop, ProofKind::Wpt)] made: ProofKind,
    #[values(ProofKind::Dpop, ProofKind::Pop, ProofKind::Wpt)] shown: ProofKind,
) {
    if made != shown {
        assert_eq!(verify(shown, &good(made)), Err(ProofFault::Type));
        // The claims of both in one, under either type, still are of one kind: the challenge of the other is not seen.
        let both = good(made).claim("nonce", "n").claim("challenge", "c");
        assert_eq!(verify(made, &both).unwrap().challenge(), Some(if made == ProofKind::Dpop { "n" } else { "c" }));
    }
}

#[rstest]
#[case::none("none")]
#[case::hmac("HS256")]
#[case::another_curve("ES384")]
#[case::another_type("RS256")]
fn no_algorithm_but_the_keys_own_is_tried(
    #[values(ProofKind::Dpop, ProofKind::Pop, ProofKind::Wpt)] kind: ProofKind,
    #[case] algorithm: &str,
) {
    assert_eq!(verify(kind, &good(kind).header("alg", algorithm)), Err(ProofFault::Algorithm));
}

#[test]
fn a_key_that_is_for_one_algorithm_signs_with_no_other() {
    let rs256 = good(ProofKind::Pop).sign(&RSA).unwrap();
    assert!(Proof::verify(ProofKind::Pop, &rs256, &confirmed(&RSA, "RS256")).is_ok());
    assert_eq!(Proof::verify(ProofKind::Pop, &rs256, &confirmed(&RSA, "PS256")), Err(ProofFault::Algorithm));
    let dpop = Jwt::proof(RSA.public(), "POST", URL).unwrap().claim("iat", NOW).sign(&RSA).unwrap();
    assert!(Proof::verify(ProofKind::Dpop, &dpop, &confirmed(&RSA, "RS256")).is_ok());
    assert_eq!(Proof::verify(ProofKind::Dpop, &dpop, &confirmed(&RSA, "PS256")), Err(ProofFault::Algorithm));
}

#[test]
fn a_wpt_needs_a_key_that_names_its_algorithm() {
    let jwk = object(&KEY.public().to_json());
    let unnamed = ProofKey::of_key(Arc::new(ConfirmedKey::from_jwk(&jwk).unwrap()));
    let shown = |kind| Proof::verify(kind, &good(kind).sign(&KEY).unwrap(), &unnamed);
    assert_eq!(shown(ProofKind::Wpt), Err(ProofFault::Algorithm));
    assert!(shown(ProofKind::Pop).is_ok());
}

#[rstest]
fn another_key_signs_nothing(#[values(ProofKind::Dpop, ProofKind::Pop, ProofKind::Wpt)] kind: ProofKind) {
    let signed = good(kind).sign(&OTHER).unwrap();
    assert_eq!(Proof::verify(kind, &signed, &confirmed(&KEY, "ES256")), Err(ProofFault::Signature));
}

#[test]
fn a_proof_that_brings_another_key_is_refused_unchecked() {
    let own = Jwt::proof(OTHER.public(), "POST", URL).unwrap().claim("iat", NOW).sign(&OTHER).unwrap();
    let known = confirmed(&KEY, "ES256");
    assert_eq!(Proof::verify(ProofKind::Dpop, &own, &known), Err(ProofFault::Key));
    assert_eq!(Proof::verify(ProofKind::Dpop, &own, &ProofKey::of_thumbprint(known.thumbprint)), Err(ProofFault::Key));
}

#[rstest]
fn a_key_in_the_header_is_none_of_the_attestations(#[values(ProofKind::Pop, ProofKind::Wpt)] kind: ProofKind) {
    for key in [&KEY, &OTHER] {
        let jwt = good(kind).header("jwk", key.public().to_json());
        assert_eq!(verify(kind, &jwt), Err(ProofFault::ForbiddenHeader));
    }
    let unknown = ProofKey::of_thumbprint(confirmed(&KEY, "ES256").thumbprint);
    assert_eq!(Proof::verify(kind, &good(kind).sign(&KEY).unwrap(), &unknown), Err(ProofFault::Key));
}

#[rstest]
#[case::private("d", json!("AA"), ProofFault::ForbiddenHeader)]
#[case::for_another_algorithm("alg", json!("RS256"), ProofFault::Algorithm)]
#[case::for_an_unknown_algorithm("alg", json!("ES256K"), ProofFault::Algorithm)]
#[case::to_encrypt("use", json!("enc"), ProofFault::ForbiddenHeader)]
fn a_brought_key_is_looked_at_also_where_it_is_known(
    #[case] member: &str,
    #[case] value: Value,
    #[case] fault: ProofFault,
) {
    let mut jwk = KEY.public().to_json();
    jwk[member] = value;
    let token = good(ProofKind::Dpop).header("jwk", jwk).sign(&KEY).unwrap();
    let known = confirmed(&KEY, "ES256");
    assert_eq!(Proof::verify(ProofKind::Dpop, &token, &known), Err(fault));
    assert_eq!(Proof::verify(ProofKind::Dpop, &token, &ProofKey::of_thumbprint(known.thumbprint)), Err(fault));
}

#[rstest]
#[case::crit("crit", json!(["exp"]))]
#[case::jku("jku", json!("https://evil.example/keys"))]
#[case::x5u("x5u", json!("https://evil.example/chain"))]
fn no_header_says_where_the_key_is(
    #[values(ProofKind::Dpop, ProofKind::Pop, ProofKind::Wpt)] kind: ProofKind,
    #[case] name: &str,
    #[case] value: Value,
) {
    assert_eq!(verify(kind, &good(kind).header(name, value)), Err(ProofFault::ForbiddenHeader));
}

#[rstest]
#[case::one_of_many(json!([ORIGIN]), Ok(()))]
#[case::more(json!([ORIGIN, "https://evil.example"]), Err(ProofFault::Target))]
#[case::twice(json!([ORIGIN, ORIGIN]), Err(ProofFault::Target))]
#[case::with_a_path(json!(URL), Err(ProofFault::Target))]
#[case::with_a_slash(json!("https://api.example.com/"), Err(ProofFault::Target))]
#[case::in_capitals(json!("https://API.example.com"), Err(ProofFault::Target))]
#[case::longer(json!("https://api.example.com.evil.example"), Err(ProofFault::Target))]
#[case::nothing(json!([]), Err(ProofFault::Malformed))]
#[case::empty(json!(""), Err(ProofFault::Target))]
#[case::a_number(json!([7]), Err(ProofFault::Malformed))]
#[case::an_object(json!({ "aud": ORIGIN }), Err(ProofFault::Malformed))]
fn a_pop_is_for_this_resource_alone(#[case] aud: Value, #[case] verdict: Result<(), ProofFault>) {
    assert_eq!(judged(ProofKind::Pop, &good(ProofKind::Pop).claim("aud", aud)), verdict);
}

#[rstest]
#[case::more(json!([URL, "https://evil.example/"]), Err(ProofFault::Target))]
#[case::one_of_many(json!([URL]), Ok(()))]
#[case::the_origin(json!(ORIGIN), Err(ProofFault::Target))]
#[case::no_text(json!({}), Err(ProofFault::Malformed))]
fn a_wpt_is_for_this_target_alone(#[case] aud: Value, #[case] verdict: Result<(), ProofFault>) {
    assert_eq!(judged(ProofKind::Wpt, &good(ProofKind::Wpt).claim("aud", aud)), verdict);
}

#[rstest]
#[case::query("https://api.example.com/v1/payments/7/refund?a=/../..", true)]
#[case::fragment("https://api.example.com/v1/payments/7/refund#x", true)]
#[case::default_port("https://api.example.com:443/v1/payments/7/refund", true)]
#[case::host_in_capitals("HTTPS://API.EXAMPLE.COM/v1/payments/7/refund", true)]
#[case::escaped_letter("https://api.example.com/v1/payments/7/%72efund", true)]
#[case::path_in_capitals("https://api.example.com/v1/payments/7/REFUND", false)]
#[case::user("https://api.example.com@evil.example/v1/payments/7/refund", false)]
#[case::user_of_ours("https://evil@api.example.com/v1/payments/7/refund", false)]
#[case::backslash("https://evil.example\\@api.example.com/v1/payments/7/refund", false)]
#[case::other_port("https://api.example.com:8443/v1/payments/7/refund", false)]
#[case::other_scheme("http://api.example.com/v1/payments/7/refund", false)]
#[case::longer_host("https://api.example.com.evil.example/v1/payments/7/refund", false)]
#[case::dot_after_host("https://evil.example/https://api.example.com/v1/payments/7/refund", false)]
#[case::path_in_query("https://api.example.com/?/v1/payments/7/refund", false)]
#[case::escaped_query("https://api.example.com/v1/payments/7/refund%3Fa", false)]
#[case::space(" https://api.example.com/v1/payments/7/refund", false)]
#[case::no_scheme("//api.example.com/v1/payments/7/refund", false)]
#[case::path_alone("/v1/payments/7/refund", false)]
fn no_trick_of_a_url_makes_it_another_target(
    #[values(ProofKind::Dpop, ProofKind::Pop, ProofKind::Wpt)] kind: ProofKind,
    #[case] url: &str,
    #[case] same: bool,
) {
    let claim = if kind == ProofKind::Wpt { "aud" } else { "htu" };
    let verdict = if same { Ok(()) } else { Err(ProofFault::Target) };
    assert_eq!(judged(kind, &good(kind).claim(claim, url)), verdict);
}

#[rstest]
#[case::of_another("wth", json!(mint::ath("another.workload.identity")), ProofFault::Attestation)]
#[case::of_the_bearer("wth", json!(mint::ath(BEARER)), ProofFault::Attestation)]
#[case::no_digest("wth", json!("short"), ProofFault::Attestation)]
#[case::no_text("wth", json!(7), ProofFault::Malformed)]
#[case::another_bearer("ath", json!(mint::ath("another")), ProofFault::Token)]
#[case::no_transaction_came("tth", json!(mint::ath("transaction")), ProofFault::Token)]
#[case::other_tokens("oth", json!({ "x-other": mint::ath("other") }), ProofFault::Token)]
#[case::no_other_tokens("oth", json!({}), ProofFault::Token)]
fn a_wpt_is_for_what_it_is_shown_with(#[case] claim: &str, #[case] value: Value, #[case] fault: ProofFault) {
    assert_eq!(judged(ProofKind::Wpt, &good(ProofKind::Wpt).claim(claim, value)), Err(fault));
}

#[test]
fn a_transaction_token_that_came_along_must_be_named() {
    let digest = Some(Thumbprint::of(b"transaction"));
    let named = verify(ProofKind::Wpt, &good(ProofKind::Wpt).claim("tth", mint::ath("transaction"))).unwrap();
    let unnamed = verify(ProofKind::Wpt, &good(ProofKind::Wpt)).unwrap();
    let with = |proof: &Proof| with_call(|call| proof.is_for(&ProvenCall { transaction_token: digest, ..*call }));
    assert_eq!((with(&named), with(&unnamed)), (Ok(()), Err(ProofFault::Token)));
}

#[rstest]
fn the_bearer_that_came_along_must_be_named_and_no_other(
    #[values(ProofKind::Dpop, ProofKind::Pop, ProofKind::Wpt)] kind: ProofKind,
) {
    assert_eq!(judged(kind, &good(kind).without("ath")), Err(ProofFault::Token));
    let proof = verify(kind, &good(kind)).unwrap();
    let alone = with_call(|call| proof.is_for(&ProvenCall { access_token: None, ..*call }));
    assert_eq!(alone, Err(ProofFault::Token));
}

#[rstest]
#[case(ProofKind::Dpop, &["jti", "htm", "htu", "iat"])]
#[case(ProofKind::Pop, &["jti", "htm", "htu", "iat", "aud"])]
#[case(ProofKind::Wpt, &["jti", "aud", "exp", "wth"])]
fn what_a_proof_must_say_is_missed(#[case] kind: ProofKind, #[case] claims: &[&str]) {
    for claim in claims {
        assert_eq!(verify(kind, &good(kind).without(claim)), Err(ProofFault::Malformed), "{claim}");
        assert_eq!(verify(kind, &good(kind).claim(claim, Value::Null)), Err(ProofFault::Malformed), "{claim}");
    }
}

#[rstest]
#[case::ends_now("exp", json!(NOW), Err(ProofFault::Stale))]
#[case::a_second_left("exp", json!(NOW + 1), Ok(()))]
#[case::as_long_as_may_be("exp", json!(NOW + 70), Ok(()))]
#[case::too_far_ahead("exp", json!(NOW + 71), Err(ProofFault::Stale))]
#[case::next_year("exp", json!(NOW + 31_536_000), Err(ProofFault::Stale))]
#[case::in_1970("exp", json!(0), Err(ProofFault::Stale))]
#[case::before_1970("exp", json!(-1), Err(ProofFault::Malformed))]
#[case::beyond_dates("exp", json!(1e300), Err(ProofFault::Malformed))]
#[case::beyond_integers("exp", json!(u64::MAX), Err(ProofFault::Malformed))]
#[case::as_text("exp", json!("1800000030"), Err(ProofFault::Malformed))]
#[case::made_long_ago("iat", json!(NOW - 61), Err(ProofFault::Stale))]
#[case::not_yet("nbf", json!(NOW + 11), Err(ProofFault::Stale))]
fn a_wpt_lives_a_minute_at_most(#[case] claim: &str, #[case] value: Value, #[case] verdict: Result<(), ProofFault>) {
    assert_eq!(judged(ProofKind::Wpt, &good(ProofKind::Wpt).claim(claim, value)), verdict);
}

#[rstest]
#[case::a_minute_old("iat", json!(NOW - 60), Ok(()))]
#[case::older("iat", json!(NOW - 61), Err(ProofFault::Stale))]
#[case::clock_ahead("iat", json!(NOW + 10), Ok(()))]
#[case::further_ahead("iat", json!(NOW + 11), Err(ProofFault::Stale))]
#[case::negative("iat", json!(-1), Err(ProofFault::Malformed))]
#[case::beyond_dates("iat", json!(1e18), Err(ProofFault::Malformed))]
#[case::ended("exp", json!(NOW), Err(ProofFault::Stale))]
#[case::not_yet("nbf", json!(NOW + 11), Err(ProofFault::Stale))]
#[case::ends_later("exp", json!(NOW + 86_400), Ok(()))]
fn the_others_are_of_the_last_minute(
    #[values(ProofKind::Dpop, ProofKind::Pop)] kind: ProofKind,
    #[case] claim: &str,
    #[case] value: Value,
    #[case] verdict: Result<(), ProofFault>,
) {
    assert_eq!(judged(kind, &good(kind).claim(claim, value)), verdict);
}

/// Whoever remembers a proof until then remembers it long enough.
#[rstest]
fn no_proof_passes_after_it_expires(
    #[values(ProofKind::Dpop, ProofKind::Pop, ProofKind::Wpt)] kind: ProofKind,
    #[values(0, 10, 300)] leeway: u64,
    #[values(None, Some(NOW + 5), Some(NOW + 70))] exp: Option<u64>,
) {
    let jwt = exp.into_iter().fold(good(kind), |jwt, exp| jwt.claim("exp", exp));
    let proof = verify(kind, &jwt).unwrap();
    let passes = |time: &UnixTime| proof.is_recent(*time, Ttl::from_secs(leeway)).is_ok();
    let last = (NOW - 400..NOW + 400).map(UnixTime::from_secs).filter(passes).max();
    assert_eq!(last, Some(proof.expires()));
}

#[rstest]
fn an_identifier_that_would_fill_memory_is_refused(
    #[values(ProofKind::Dpop, ProofKind::Pop, ProofKind::Wpt)] kind: ProofKind,
) {
    assert!(verify(kind, &good(kind).claim("jti", "i".repeat(256))).is_ok());
    for id in ["i".repeat(257), "i".repeat(4_000), String::new()] {
        assert_eq!(verify(kind, &good(kind).claim("jti", id)), Err(ProofFault::Malformed));
    }
    assert_eq!(verify(kind, &good(kind).claim("jti", "i".repeat(80_000))), Err(ProofFault::Oversize));
}

#[rstest]
#[case(r#"{"typ":"wpt+jwt","alg":"ES256","alg":"ES256"}"#, "{}")]
#[case(r#"{"typ":"dpop+jwt","typ":"wpt+jwt","alg":"ES256"}"#, "{}")]
#[case(r#"{"typ":"wpt+jwt","alg":"ES256"}"#, r#"{"jti":"a","jti":"b"}"#)]
#[case(r#"{"typ":"wpt+jwt","alg":"ES256"}"#, r#"{"aud":"a","\u0061ud":"b"}"#)]
fn members_that_stand_twice_are_refused(#[case] header: &str, #[case] claims: &str) {
    let token = sign_verbatim(&KEY, header, claims).unwrap();
    assert_eq!(Proof::verify(ProofKind::Wpt, &token, &confirmed(&KEY, "ES256")), Err(ProofFault::Malformed));
}

#[test]
fn all_kinds_are_counted_together_by_key_and_identifier() {
    let spent = |kind, id: &str| verify(kind, &good(kind).claim("jti", id)).unwrap().spending_key();
    assert_eq!(spent(ProofKind::Dpop, "a"), spent(ProofKind::Wpt, "a"));
    assert_eq!(spent(ProofKind::Dpop, "a"), spent(ProofKind::Pop, "a"));
    assert_ne!(spent(ProofKind::Dpop, "a"), spent(ProofKind::Dpop, "b"));
}
