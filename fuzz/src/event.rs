//! Security Event Tokens (RFC 8417, RFC 9493, CAEP 1.0, SSF 1.0).
//!
//! An input is a header and the claims in two lines, which are signed by a transmitter that is believed; or claims alone.

use super::reference::json::Json;
use std::sync::LazyLock;
use stepgate::attestation::{KeySet, Keyring};
use stepgate::config;
use stepgate::event::{Received, receive};
use stepgate::mint::{Algorithm, SigningKey, jwks, sign_verbatim};
use stepgate::policy::Policy;
use stepgate::revocation::Revocations;
use stepgate::time::UnixTime;

const ISSUER: &str = "https://idp.example.com";
const AUDIENCE: &str = "stepgate";
const NOW: u64 = 1_800_000_000;
/// What a policy has where it does not say.
const LEEWAY: f64 = 10.0;
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

struct World {
    policy: Policy,
    keyring: Keyring,
    idp: SigningKey,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let idp = SigningKey::generate(Algorithm::EdDsa).expect("a key");
    let keys = jwks([&idp]).to_string();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("idp.json"), &keys).expect("a file");
    let policy = format!(
        "version: 1\nresource: https://api.example.com\nissuers:\n  idp: {{ issuer: {ISSUER}, audiences: [a], algorithms: [EdDSA], \
         subjects: [\"billing-*\"], keys: {{ file: idp.json }} }}\ncredentials: {{ bearer: {{ issuers: [idp] }} }}\n\
         routes:\n  - {{ name: a, match: {{ path: /a }}, sensitivity: low }}\n\
         events: {{ transmitters: [idp], audiences: [{AUDIENCE}] }}\n"
    );
    std::fs::write(folder.path().join("policy.yaml"), policy).expect("a file");
    let loaded = config::load(&[folder.path().join("policy.yaml")]).expect("a good policy");
    let set = KeySet::parse(keys.as_bytes()).expect("a key set");
    World { policy: loaded.policy, keyring: Keyring::new(vec![set.into()]), idp }
});

pub fn holds(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let (header, claims) = text.split_once('\n').unwrap_or((r#"{"alg":"EdDSA","typ":"secevent+jwt"}"#, text));
    let world = &*WORLD;
    let token = sign_verbatim(&world.idp, header, claims).expect("a signature");
    let revoked = Revocations::none(Revocations::DEFAULT_KEEP);
    let receive = || receive(&token, &world.policy, &world.keyring, &revoked, UnixTime::from_secs(NOW));
    let Ok(received) = receive() else { return false };
    assert_eq!(Ok(&received), receive().as_ref(), "the same once more is another");
    assert!(is_read(header, claims, &received) == Some(true), "{claims}: {received:?}");
    true
}

/// Whether the standards let it be read so.
fn is_read(header: &str, claims: &str, received: &Received) -> Option<bool> {
    let (header, claims) = (Json::parse_object(header.as_bytes())?, Json::parse_object(claims.as_bytes())?);
    let typ = header.get("typ")?.text()?.to_ascii_lowercase();
    let issued = claims.get("iat")?.number()?;
    let Json::Object(events) = claims.get("events")? else { return None };
    let well_formed = events.iter().all(|(_, event)| matches!(event, Json::Object(_)));
    let named = match claims.get("aud")? {
        Json::List(many) => many.iter().any(|one| one.text() == Some(AUDIENCE)),
        one => one.text() == Some(AUDIENCE),
    };
    let worse: Vec<_> = events.iter().filter(|(uri, event)| got_worse(uri, event)).collect();
    let epoch = worse.iter().map(|(_, event)| event.get("event_timestamp").and_then(Json::number).unwrap_or(issued));
    let epoch = epoch.fold(0.0, f64::max).min(issued).min(1_800_000_000.0);
    let mut names = if worse.is_empty() { Vec::new() } else { subjects(claims.get("sub_id")?)? };
    names.sort_unstable();
    names.dedup();
    let mut revoked: Vec<_> = received.revocations.iter().filter_map(|one| one.target.value()).collect();
    revoked.sort_unstable();
    // The last digits of a double may be lost.
    let dated = |one: &stepgate::revocation::Revocation| {
        let seconds: f64 = one.not_before.as_secs().to_string().parse().unwrap_or(f64::NAN);
        (-0.001..1.001).contains(&(epoch - seconds))
    };
    Some(
        matches!(typ.as_str(), "secevent+jwt" | "application/secevent+jwt")
            && claims.get("iss")?.text()? == ISSUER
            && !claims.get("jti")?.text()?.is_empty()
            && issued <= 1_800_000_000.0 + LEEWAY + 1.0
            && claims.get("exp").is_none()
            && claims.get("sub").is_none()
            && named
            && well_formed
            && !events.is_empty()
            && received.events.len() == events.len()
            && revoked == names
            && names.iter().all(|name| name.starts_with("billing-") && !name.contains('/'))
            && received.revocations.iter().all(dated),
    )
}

/// CAEP 1.0 §3.
fn got_worse(uri: &str, event: &Json) -> bool {
    let says = |name: &str, word: &str| event.get(name).and_then(Json::text) == Some(word);
    match uri.strip_prefix(CAEP) {
        Some("session-revoked" | "token-claims-change") => true,
        Some("credential-change") => !says("change_type", "create") && !says("change_type", "update"),
        Some("assurance-level-change") => !says("change_direction", "increase"),
        Some("device-compliance-change") => !says("current_status", "compliant"),
        Some("risk-level-change") => !says("current_level", "LOW") && !says("current_level", "MEDIUM"),
        _ => false,
    }
}

/// RFC 9493 §3, SSF 1.0 §3.3.
fn subjects(subject: &Json) -> Option<Vec<String>> {
    let one = |subject: &Json| {
        let name = match subject.get("format")?.text()? {
            "iss_sub" if subject.get("iss")?.text()? == ISSUER => subject.get("sub"),
            "uri" => subject.get("uri"),
            "opaque" => subject.get("id"),
            _ => None,
        };
        Some(name?.text()?.to_owned())
    };
    if subject.get("format")?.text()? != "complex" {
        return Some(vec![one(subject)?]);
    }
    let members = |names: &[&str]| names.iter().filter_map(|name| subject.get(name)).collect::<Vec<_>>();
    let callers = members(&["user", "device", "application"]);
    let named = if callers.is_empty() { members(&["session", "tenant", "org_unit", "group"]) } else { callers };
    named.into_iter().map(one).collect()
}
