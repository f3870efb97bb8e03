//! `stepgate attest` from outside: what it prints, what it writes and how it ends.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use assert_cmd::Command;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use stepgate::attestation::ear::{self, Tier};

fn attest(dir: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepgate"));
    command.current_dir(dir).arg("attest").args(arguments.split_whitespace());
    command
}

fn minted(dir: &Path, arguments: &str) -> String {
    let assert = attest(dir, arguments).assert().success().stderr("");
    String::from_utf8(assert.get_output().stdout.clone()).unwrap().trim().to_owned()
}

fn part(token: &str, index: usize) -> Value {
    let json = URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap();
    serde_json::from_slice(&json).unwrap()
}

fn lowest(claims: &Value) -> Tier {
    ear::read(claims.as_object().unwrap()).unwrap().lowest()
}

#[test]
fn a_key_file_is_for_its_owner_only_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(minted(dir.path(), "key --out a.jwk"), "");
    let file = dir.path().join("a.jwk");
    let first = fs::read(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let again = attest(dir.path(), "key --out a.jwk").assert().code(1).stdout("");
    let message = String::from_utf8(again.get_output().stderr.clone()).unwrap();
    assert!(message.starts_with("stepgate attest: `a.jwk`: "), "{message}");
    assert_eq!(fs::read(&file).unwrap(), first);
}

#[test]
fn a_set_publishes_the_public_halves_under_their_names() {
    let dir = tempfile::tempdir().unwrap();
    minted(dir.path(), "key --out a.jwk --kid 2026-11");
    minted(dir.path(), "key --out b.jwk --algorithm EdDSA");
    let set: Value = serde_json::from_str(&minted(dir.path(), "jwks a.jwk b.jwk")).unwrap();
    assert_eq!(set["keys"][0]["kid"], "2026-11");
    assert_eq!(set["keys"][1]["alg"], "EdDSA");
    assert!(!set.to_string().contains("\"d\""), "{set}");
}

#[test]
fn a_token_an_attestation_and_a_proof_say_what_they_were_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for name in ["idp.jwk", "attester.jwk", "instance.jwk"] {
        minted(dir, &format!("key --out {name}"));
    }
    let told = "--issuer https://idp.example.com --subject web --audience https://api.example.com --scope a";
    let more = "--holder instance.jwk --claim azp=portal --claim level=3";
    let token = minted(dir, &format!("token --key idp.jwk {told} {more}"));
    let claims = part(&token, 1);
    assert_eq!((&claims["scope"], &claims["azp"], &claims["level"]), (&"a".into(), &"portal".into(), &3.into()));
    assert!(claims["cnf"]["jkt"].is_string());

    let told = "--subject web --holder instance.jwk --age 10m --ttl 1h --task run-8841";
    let attestation = minted(dir, &format!("attestation --key attester.jwk {told}"));
    let claims = part(&attestation, 1);
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    assert_eq!(claims["txn"], "run-8841");

    let url = "https://api.example.com/v1/payments/7/refund";
    let told = format!("--method POST --url {url} --token {token} --challenge v1.k.c");
    let proof = minted(dir, &format!("proof --key instance.jwk {told}"));
    assert_eq!(part(&proof, 0)["jwk"], claims["cnf"]["jwk"]);
    assert_eq!(part(&proof, 1)["htu"], url);
    assert_eq!(part(&proof, 1)["nonce"], "v1.k.c");
}

#[test]
fn a_verifiers_results_have_a_status_for_each_submodule_in_either_spelling() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for name in ["verifier.jwk", "instance.jwk"] {
        minted(dir, &format!("key --out {name}"));
    }
    let told = "--key verifier.jwk --subject web --holder instance.jwk --challenge v1.k.c";
    let results = minted(dir, &format!("ear {told} --tier warning --submodule cpu0 --submodule gpu0=contraindicated"));
    let claims = part(&results, 1);
    assert_eq!(part(&results, 0)["typ"], "eat+jwt");
    assert_eq!(claims["submods"]["cpu0"]["ear_status"], "warning");
    assert_eq!(claims["submods"]["gpu0"]["ear_status"], "contraindicated");
    assert_eq!(claims["eat_nonce"], "v1.k.c");
    assert_eq!(lowest(&claims), Tier::Contraindicated);
    assert!(claims["cnf"]["jwk"]["x"].is_string());

    let results = minted(dir, &format!("ear {told} --dotted --thumbprint --certificate AAAA --audience a"));
    let claims = part(&results, 1);
    assert_eq!(claims["submods"]["workload"]["ear.status"], "affirming");
    assert_eq!(lowest(&claims), Tier::Affirming);
    assert_eq!((&claims["cnf"]["x5t#S256"], &claims["aud"][0]), (&"AAAA".into(), &"a".into()));
    assert!(claims["cnf"]["jkt"].is_string() && claims["cnf"]["jwk"].is_null(), "{claims}");

    let bare = part(&minted(dir, "ear --key verifier.jwk"), 1);
    assert!(bare["cnf"].is_null() && bare["aud"].is_null() && bare["eat_nonce"].is_null(), "{bare}");
}

#[test]
fn every_kind_of_proof_names_its_call_and_what_it_is_shown_with() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    minted(dir, "key --out identity-server.jwk");
    minted(dir, "key --out instance.jwk --algorithm EdDSA");
    let wit = minted(dir, "wit --key identity-server.jwk --subject spiffe://example.com/web --holder instance.jwk");
    assert_eq!((&part(&wit, 0)["typ"], &part(&wit, 1)["cnf"]["jwk"]["alg"]), (&"wit+jwt".into(), &"EdDSA".into()));

    let call = "--url https://api.example.com/v1/refund?a=1 --token t.o.k --challenge v1.k.c";
    let wpt = minted(dir, &format!("wpt --key instance.jwk --wit {wit} {call} --ttl 30s"));
    let claims = part(&wpt, 1);
    assert_eq!(part(&wpt, 0)["typ"], "wpt+jwt");
    assert_eq!(claims["aud"], "https://api.example.com/v1/refund");
    assert_eq!(claims["challenge"], "v1.k.c");
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 30);
    assert!(["jti", "wth", "ath"].iter().all(|name| claims[name].is_string()), "{claims}");

    let pop = minted(dir, &format!("pop --key instance.jwk --method POST {call}"));
    let claims = part(&pop, 1);
    assert_eq!(part(&pop, 0)["typ"], "oauth-client-attestation-pop+jwt");
    assert_eq!((&claims["aud"], &claims["htm"]), (&"https://api.example.com".into(), &"POST".into()));
    assert_eq!(claims["htu"], "https://api.example.com/v1/refund");
    assert_eq!(claims["challenge"], "v1.k.c");
}

#[test]
fn what_goes_wrong_is_said_on_stderr_with_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("public.jwk"), r#"{"kty":"OKP","crv":"Ed25519","x":"eA"}"#).unwrap();
    minted(dir.path(), "key --out pair.jwk");
    fs::write(dir.path().join("no.jwk"), "PEM").unwrap();
    let cases = [
        ("jwks gone.jwk", 1, "`gone.jwk`: No such file"),
        ("jwks no.jwk", 1, "`no.jwk` is not JSON"),
        ("jwks public.jwk", 1, "`d` is missing"),
        ("jwks", 2, "required"),
        ("ear --key k --thumbprint", 2, "--holder"),
        ("ear --key k --tier good", 2, "contraindicated"),
        ("pop --key pair.jwk --method GET --url here", 1, "can't tell the audience from the URL"),
        ("proof --key k --method GET --url u --claim x", 2, "expected `name=value`"),
    ];
    for (arguments, code, message) in cases {
        let failed = attest(dir.path(), arguments).assert().code(code).stdout("");
        let stderr = String::from_utf8(failed.get_output().stderr.clone()).unwrap();
        assert!(stderr.contains(message), "{arguments}: {stderr}");
    }
}

#[test]
fn a_challenge_key_is_one_line_of_64_hex_digits() {
    let line = minted(Path::new("."), "challenge-key");
    assert!(line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
}
