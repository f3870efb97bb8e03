//! Answers that are no keys: whatever the provider says, the last good ones stay.

use crate::provider::{Provider, Says};
use crate::support::Result;
use crate::support::wait::until;
use crate::world::{ATTESTER_FILE, Ground, at, key, token};
use axum::http::StatusCode;
use rstest::rstest;
use serde_json::json;
use stepgate::mint::jwks;

/// What each of them is counted as.
const REFUSED: &str = "refused";
const FAILED: &str = "failed";

fn private_key() -> Says {
    Says::Text(json!({ "keys": [key().unwrap().private_jwk().unwrap()] }).to_string())
}

fn weak_key() -> Says {
    Says::Text(json!({ "keys": [{ "kty": "RSA", "n": "sXchDaQebHnPiGvyDOAT", "e": "AQAB" }] }).to_string())
}

fn shared_secret() -> Says {
    Says::Text(json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }).to_string())
}

fn same_name_twice() -> Says {
    let (one, two) = (key().unwrap().with_kid("a"), key().unwrap().with_kid("a"));
    Says::Text(jwks([&one, &two]).to_string())
}

#[rstest]
#[case::garbage(Says::Text("<html>sign in</html>".into()), REFUSED)]
#[case::nothing(Says::Text(String::new()), REFUSED)]
#[case::no_keys(Says::Text(json!({ "keys": [] }).to_string()), REFUSED)]
#[case::private_key(private_key(), REFUSED)]
#[case::weak_key(weak_key(), REFUSED)]
#[case::shared_secret(shared_secret(), REFUSED)]
#[case::same_name_twice(same_name_twice(), REFUSED)]
#[case::endless(Says::Endless, REFUSED)]
#[case::elsewhere(Says::Redirect("https://127.0.0.1:1/jwks".into()), FAILED)]
#[case::not_over_tls(Says::Redirect("http://localhost:1/jwks".into()), FAILED)]
#[case::round(Says::Redirect("/jwks".into()), FAILED)]
#[case::error(Says::Status(StatusCode::INTERNAL_SERVER_ERROR), FAILED)]
#[case::empty(Says::Status(StatusCode::NO_CONTENT), FAILED)]
#[case::silence(Says::Silence, FAILED)]
#[tokio::test]
async fn what_is_no_key_set_changes_nothing(#[case] says: Says, #[case] outcome: &str) -> Result<()> {
    let ground = Ground::new()?;
    let provider = Provider::start(&ground.authority, &[&ground.issuers.idp]).await?;
    let world = ground.start(&at(&provider.url()), ATTESTER_FILE).await?;
    provider.say(says);
    // A key that nobody knows has the provider asked.
    assert_eq!(world.reason(&token(&key()?)?).await?, "credential_unknown_key");
    until("the look to end", async || world.looks("idp", outcome).await.ok().filter(|count| *count > 0)).await?;
    assert!(world.read(&token(&world.issuers.idp)?).await?.is_allowed());
    assert_eq!((world.keys("idp").await?, world.looks("idp", "updated").await?), (1, 1));
    Ok(())
}
