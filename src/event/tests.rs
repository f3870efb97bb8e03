//! The specifications' own examples, and what somebody would send who wants to be believed.

mod attacks;
mod examples;
mod laws;

use super::*;
use crate::attestation::{Algorithm, Thumbprint};
use crate::case::tests::world::{World, key, key_set};
use crate::mint::{Jwt, SigningKey, sign_verbatim};
use crate::policy::{Events, Issuer, IssuerId, NamePattern};
use crate::time::Ttl;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const IDP: &str = "https://idp.example.com";
const OTHER: &str = "https://other.example.com";
const WEB: &str = "billing-web";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

/// A receiver that believes `idp`, and has `other` vouch for callers without believing its events.
struct Gate {
    policy: Policy,
    keyring: Keyring,
    revoked: Revocations,
    idp: SigningKey,
    other: SigningKey,
}

fn issuer(name: &str, iss: &str, subjects: &[&str]) -> Issuer {
    Issuer {
        name: Name::parse(name).unwrap(),
        issuer: Some(iss.into()),
        audiences: Vec::new(),
        algorithms: vec![Algorithm::Es256],
        subjects: subjects.iter().map(|subject| NamePattern::parse(subject).unwrap()).collect(),
    }
}

impl Gate {
    fn new() -> Self {
        Self::believing(IDP, "stepgate", &["billing-*", "spiffe://example.org/**"])
    }

    /// Events of this issuer, for this receiver, of these subjects.
    fn believing(iss: &str, audience: &str, subjects: &[&str]) -> Self {
        let (idp, other) = (key(), key());
        let policy = Policy {
            issuers: vec![issuer("other", OTHER, &[]), issuer("idp", iss, subjects)],
            events: Some(Events { transmitters: vec![IssuerId(1)], audiences: vec![audience.into()] }),
            ..World::new().policy
        };
        let keyring = Keyring::new(vec![key_set(&[&other]), key_set(&[&idp])]);
        Self { policy, keyring, revoked: Revocations::none(Revocations::DEFAULT_KEEP), idp, other }
    }

    fn receive_at(&self, now: u64, token: &str) -> Result<Received, Refused> {
        receive(token, &self.policy, &self.keyring, &self.revoked, UnixTime::from_secs(now))
    }

    fn receive(&self, token: &str) -> Result<Received, Refused> {
        self.receive_at(NOW, token)
    }

    /// What becomes of these claims under the right key and type.
    fn take(&self, claims: &Value) -> Result<Received, Refused> {
        self.receive(&signed(claims, &self.idp))
    }
}

fn signed(claims: &Value, key: &SigningKey) -> String {
    let jwt = Jwt::new("secevent+jwt");
    let jwt = claims.as_object().unwrap().iter().fold(jwt, |jwt, (name, value)| jwt.claim(name, value.clone()));
    jwt.sign(key).unwrap()
}

/// A session of `billing-web` was revoked a minute ago.
fn revoked_session() -> Value {
    json!({
        "iss": IDP, "jti": "one", "iat": NOW - 10, "aud": "stepgate",
        "sub_id": { "format": "iss_sub", "iss": IDP, "sub": WEB },
        "events": { format!("{CAEP}session-revoked"): { "event_timestamp": NOW - 60 } },
    })
}

/// The same with other members; `null` takes one out.
fn with(changes: Value) -> Value {
    let mut claims = revoked_session();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// Who is revoked, in the order in which they stand.
fn names(received: &Received) -> Vec<String> {
    received.revocations.iter().map(|one| one.target.value().unwrap()).collect()
}
