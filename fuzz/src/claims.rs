//! Claims of signed statements (RFC 7519 §4, RFC 7800 §3, RFC 8693 §4, RFC 9068 §2.2).

use super::reference::base64url::digest;
use super::reference::json::Json;
use stepgate::attestation::claims::Purpose;
use stepgate::attestation::json::object;
use stepgate::attestation::{ClaimNames, Claims, Confirmation, Thumbprint};
use stepgate::time::UnixTime;

pub fn holds(data: &[u8]) -> bool {
    let (Some(payload), Some(expected)) = (object(data), Json::parse_object(data)) else { return false };
    let kept = ["groups".into()];
    let names =
        ClaimNames { subject: "sub", scopes: "scope", task: "txn", purpose: Purpose::DelegatedToken, kept: &kept };
    let attestation = ClaimNames { purpose: Purpose::Attestation, ..names };
    if let Ok(claims) = Claims::read(&payload, attestation) {
        assert_eq!(claims.nonces.iter().map(|nonce| &**nonce).collect::<Vec<_>>(), nonces(&expected));
    }
    let Ok(claims) = Claims::read(&payload, names) else { return false };
    let text = |name: &str| expected.get(name).map(|value| value.text().expect(name));
    assert_eq!(claims.issuer.as_deref(), text("iss"));
    assert_eq!(claims.subject.as_deref(), text("sub"));
    assert_eq!(claims.task.as_deref(), text("txn"));
    check_date(claims.expires, expected.get("exp"));
    check_date(claims.not_before, expected.get("nbf"));
    check_date(claims.issued, expected.get("iat"));
    assert_eq!(claims.audiences.iter().map(|audience| &**audience).collect::<Vec<_>>(), texts(expected.get("aud")));
    assert_eq!(claims.scopes.iter().map(|scope| scope.as_str().to_owned()).collect::<Vec<_>>(), scopes(&expected));
    assert_eq!(claims.actors.iter().map(|actor| &**actor).collect::<Vec<_>>(), actors(&expected));
    check_confirmation(claims.confirmation.as_ref(), expected.get("cnf"));
    check_values(&claims, expected.get("groups"));
    true
}

/// RFC 7519 §2: seconds since the epoch, a fraction allowed. The last digits of a double may be lost.
fn check_date(read: Option<UnixTime>, expected: Option<&Json>) {
    assert_eq!(read.is_some(), expected.is_some());
    let (Some(read), Some(expected)) = (read, expected) else { return };
    let seconds = expected.number().expect("a number");
    let whole: f64 = read.as_secs().to_string().parse().expect("a number");
    assert!((-0.001..1.001).contains(&(seconds - whole)), "{read:?} for {seconds}");
}

/// One text, or a list of them.
fn texts(value: Option<&Json>) -> Vec<&str> {
    match value {
        None => Vec::new(),
        Some(Json::Text(one)) => vec![one],
        Some(many) => many.list().expect("a list").iter().map(|one| one.text().expect("a text")).collect(),
    }
}

/// RFC 6749 §3.3: `1*( %x21 / %x23-5B / %x5D-7E )` with single spaces between. They are a set.
fn scopes(payload: &Json) -> Vec<String> {
    let joined = texts(payload.get("scope")).join(" ");
    let mut scopes: Vec<_> = joined.split(' ').filter(|_| !joined.is_empty()).map(str::to_owned).collect();
    for scope in &scopes {
        let allowed = |c: char| ('!'..='~').contains(&c) && c != '"' && c != '\\';
        assert!(!scope.is_empty() && scope.chars().all(allowed), "{scope:?}");
    }
    scopes.sort();
    scopes.dedup();
    scopes
}

/// RFC 9711 §4.1, and the claim that was there before it.
fn nonces(payload: &Json) -> Vec<&str> {
    let plain = payload.get("nonce").map(|nonce| nonce.text().expect("a text"));
    plain.into_iter().chain(texts(payload.get("eat_nonce"))).collect()
}

fn actors(payload: &Json) -> Vec<&str> {
    let acting = payload.get("act").map(|act| {
        assert!(matches!(act, Json::Object(_)));
        act.get("sub")
    });
    let named = [acting.flatten(), payload.get("azp"), payload.get("client_id")];
    named.into_iter().flatten().map(|actor| actor.text().expect("a text")).collect()
}

/// What a caller must prove is exactly what stands there; what is not understood is seen.
fn check_confirmation(read: Option<&Confirmation>, expected: Option<&Json>) {
    assert_eq!(read.is_some(), expected.is_some());
    let (Some(read), Some(expected)) = (read, expected) else { return };
    assert!(matches!(expected, Json::Object(_)));
    let named = |name: &str| Some(Thumbprint::from_bytes(digest(expected.get(name)?.text()?)?));
    if let Some(key) = named("jkt") {
        assert_eq!(read.key, Some(key));
    }
    assert_eq!(read.certificate, named("x5t#S256"));
    assert!(read.key.is_none() || expected.get("jwk").is_some() || expected.get("jkt").is_some());
    let understood = |name: &&str| ["jwk", "jkt", "x5t#S256"].contains(name);
    let members = expected.names();
    assert!(read.unknown || (!members.is_empty() && members.iter().all(understood)), "{members:?}");
    assert!(read.unknown || read.key.is_some() || read.certificate.is_some(), "nothing to prove");
}

/// A policy compares values; none may come from elsewhere than the claim.
fn check_values(claims: &Claims, expected: Option<&Json>) {
    let one = |json: &Json| match json {
        Json::Text(text) => Some(text.clone()),
        Json::Bool(value) => Some(value.to_string()),
        _ => None,
    };
    let expected: Vec<_> = match expected {
        Some(Json::List(many)) => many.iter().collect(),
        one => one.into_iter().collect(),
    };
    let is_number = |value: &str| value.parse::<f64>().is_ok() && expected.iter().any(|json| json.number().is_some());
    for value in claims.values("groups") {
        assert!(is_number(value) || expected.iter().any(|json| one(json).as_deref() == Some(value)), "{value}");
    }
}
