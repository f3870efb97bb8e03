//! Proofs of possession: DPoP (RFC 9449 §4.3, in the order of its steps), the proof of a client's attestation
//! (draft-ietf-oauth-attestation-based-client-auth-10 §5.1 and §7.2), workload proof tokens (draft-ietf-wimse-wpt-01 §2).
//!
//! An input is seven lines: the proof's header and payload; the call's method and target; what came with it as access
//! token, attestation and transaction token, each empty where none did. The proof is signed by a key that everybody has,
//! so that what lies behind the signature is reached.

use super::reference::base64url;
use super::reference::json::Json;
use super::reference::uri;
use std::sync::{Arc, LazyLock};
use stepgate::attestation::jwk::ConfirmedKey;
use stepgate::attestation::proof::{Proof, ProofKey, ProofKind, ProvenCall};
use stepgate::attestation::{Thumbprint, json};
use stepgate::mint::{SigningKey, sign_verbatim};
use stepgate::policy::Origin;
use stepgate::request::{Method, RequestPath};
use stepgate::time::{Ttl, UnixTime};

/// RFC 8037 A.1.
const PRIVATE: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// RFC 8037 A.3.
const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
const ORIGIN: &str = "https://api.example.com";
const NOW: u32 = 1_800_000_000;
const LEEWAY: u32 = 10;
/// How long a proof may pass. The standards leave it to whoever reads it.
const LIFETIME: u32 = 60;

static SIGNING_KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    let key = serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "d": PRIVATE, "x": PUBLIC });
    SigningKey::from_jwk(&key).expect("the key of the RFC")
});
static CONFIRMED_KEY: LazyLock<ProofKey> = LazyLock::new(|| {
    let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"{PUBLIC}"}}"#);
    let jwk = json::object(jwk.as_bytes()).expect("the key of the RFC");
    ProofKey::of_key(Arc::new(ConfirmedKey::from_jwk(&jwk).expect("the key of the RFC")))
});

pub fn dpop(data: &[u8]) -> bool {
    holds(ProofKind::Dpop, data)
}

pub fn pop(data: &[u8]) -> bool {
    holds(ProofKind::Pop, data)
}

pub fn wpt(data: &[u8]) -> bool {
    holds(ProofKind::Wpt, data)
}

/// What the input says, and nothing that was made of it.
#[derive(Debug)]
struct Input<'i> {
    header: &'i str,
    payload: &'i str,
    method: &'i str,
    target: &'i str,
    access_token: &'i str,
    attestation: &'i str,
    transaction_token: &'i str,
}

fn holds(kind: ProofKind, data: &[u8]) -> bool {
    let Some(input) = Input::read(data) else { return false };
    let passes = input.passes(kind) == Some(true);
    assert!(!passes || input.may_pass(kind) == Some(true), "{input:?}");
    passes
}

impl<'i> Input<'i> {
    fn read(data: &'i [u8]) -> Option<Self> {
        let lines: Vec<_> = std::str::from_utf8(data).ok()?.split('\n').collect();
        let [header, payload, method, target, access_token, attestation, transaction_token] = lines.try_into().ok()?;
        Some(Self { header, payload, method, target, access_token, attestation, transaction_token })
    }

    /// What stepgate says.
    fn passes(&self, kind: ProofKind) -> Option<bool> {
        let digest = |text: &str| (!text.is_empty()).then(|| Thumbprint::of(text.as_bytes()));
        let method = Method::parse(self.method).ok()?;
        let path = RequestPath::parse(self.target, self.method).ok()?;
        let origin = Origin::parse(ORIGIN).ok()?;
        let token = sign_verbatim(&SIGNING_KEY, self.header, self.payload).ok()?;
        let by_thumbprint = ProofKey::of_thumbprint(Thumbprint::parse(THUMBPRINT)?);
        let key = if kind == ProofKind::Dpop { &by_thumbprint } else { &*CONFIRMED_KEY };
        let proof = Proof::verify(kind, &token, key).ok()?;
        let call = ProvenCall {
            method: &method,
            path: &path,
            origin: &origin,
            access_token: digest(self.access_token),
            attestation: digest(self.attestation),
            transaction_token: digest(self.transaction_token),
        };
        let now = UnixTime::from_secs(NOW.into());
        Some(proof.is_for(&call).is_ok() && proof.is_recent(now, Ttl::from_secs(LEEWAY.into())).is_ok())
    }

    /// What the standards say.
    fn may_pass(&self, kind: ProofKind) -> Option<bool> {
        let header = Json::parse_object(self.header.as_bytes())?;
        let payload = Json::parse_object(self.payload.as_bytes())?;
        let alike = is_signed(&header, kind)?
            && !payload.get("jti")?.text()?.is_empty()
            && is_recent(&payload, kind)?
            && names(&payload, "ath", self.access_token);
        Some(
            alike
                && match kind {
                    ProofKind::Dpop => self.is_named_by(&payload)?,
                    ProofKind::Pop => audience(&payload)? == ORIGIN && self.is_named_by(&payload)?,
                    ProofKind::Wpt => {
                        is_same_target(audience(&payload)?, self.target)?
                            && !self.attestation.is_empty()
                            && names(&payload, "wth", self.attestation)
                            && names(&payload, "tth", self.transaction_token)
                            && payload.get("oth").is_none()
                    }
                },
        )
    }

    /// RFC 9449 §4.3, 8 and 9.
    fn is_named_by(&self, payload: &Json) -> Option<bool> {
        let method = payload.get("htm")?.text()?;
        Some(method == self.method && is_same_target(payload.get("htu")?.text()?, self.target)?)
    }
}

/// RFC 9449 §4.3, 4 to 7: typed, and signed by an asymmetric algorithm, with the public key that DPoP brings along and the
/// others leave to the attestation. RFC 7515 §4.1.11: nothing that must be understood.
fn is_signed(header: &Json, kind: ProofKind) -> Option<bool> {
    let typ = match kind {
        ProofKind::Dpop => "dpop+jwt",
        ProofKind::Pop => "oauth-client-attestation-pop+jwt",
        ProofKind::Wpt => "wpt+jwt",
    };
    let media_type = header.get("typ")?.text()?.to_ascii_lowercase();
    let typed = media_type == typ || media_type == format!("application/{typ}");
    let keyed = match (kind, header.get("jwk")) {
        (ProofKind::Dpop, Some(jwk)) => {
            let is = |name: &str, text: &str| jwk.get(name).and_then(Json::text) == Some(text);
            is("kty", "OKP") && is("crv", "Ed25519") && is("x", PUBLIC) && jwk.get("d").is_none()
        }
        (ProofKind::Dpop, None) => false,
        (_, jwk) => jwk.is_none(),
    };
    Some(typed && keyed && header.get("alg")?.text()? == "EdDSA" && header.get("crit").is_none())
}

/// RFC 9449 §4.3, 11, and RFC 7519 §4.1.4 and §4.1.5, with a clock that may be ahead of ours. Fractions are cut off.
fn is_recent(payload: &Json, kind: ProofKind) -> Option<bool> {
    let now = f64::from(NOW);
    let latest = f64::from(NOW + LEEWAY + 1);
    let date = |name: &str| payload.get(name).map(|date| date.number().unwrap_or(f64::NAN));
    let made = |date: f64| (now - f64::from(LIFETIME)..latest).contains(&date);
    let stands = if kind == ProofKind::Wpt { date("exp")? < latest + f64::from(LIFETIME) } else { made(date("iat")?) };
    let begun = date("iat").is_none_or(made) && date("nbf").is_none_or(|begins| begins < latest);
    Some(stands && begun && date("exp").is_none_or(|ends| ends > now))
}

/// RFC 9449 §4.3, 12, and what the WPT says of other tokens: the digest of what came, and none where nothing did.
fn names(payload: &Json, claim: &str, token: &str) -> bool {
    let digest = payload.get(claim).map(|digest| digest.text().and_then(base64url::digest));
    digest == (!token.is_empty()).then(|| Some(*Thumbprint::of(token.as_bytes()).as_bytes()))
}

/// RFC 7519 §4.1.3: a text, or an array of it.
fn audience(payload: &Json) -> Option<&str> {
    match payload.get("aud")? {
        Json::List(one) if one.len() == 1 => one.first()?.text(),
        one => one.text(),
    }
}

/// RFC 9449 §4.3: without query and fragment, in the normal form of RFC 3986 §6.2.2 and §6.2.3.
fn is_same_target(named: &str, target: &str) -> Option<bool> {
    let without_query = |text: &str| text.split(['?', '#']).next().unwrap_or_default().to_owned();
    let named = without_query(named);
    let (scheme, rest) = named.split_once("://")?;
    let (authority, path) = rest.split_at_checked(rest.find(['/', '\\']).unwrap_or(rest.len()))?;
    // The name with its final dot is the same name (RFC 1034 §3.1); an empty port is the default (RFC 3986 §6.2.3).
    let hosts = ["api.example.com", "api.example.com."];
    let ports = ["", ":", ":443"];
    let same = |host: &str| ports.iter().any(|port| authority.eq_ignore_ascii_case(&format!("{host}{port}")));
    let path = if path.is_empty() { "/" } else { path };
    let paths = meaning(path)? == meaning(&without_query(target))?;
    Some(scheme.eq_ignore_ascii_case("https") && hosts.into_iter().any(same) && paths)
}

/// A path as its bytes, where an escape of one that has a meaning of its own stays what it is.
fn meaning(path: &str) -> Option<Vec<(u8, bool)>> {
    let mut meaning = Vec::new();
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        let escaped = first == '%';
        let (one, after) = rest.split_at_checked(if escaped { 3 } else { first.len_utf8() })?;
        meaning.extend(uri::decoded(one)?.into_iter().map(|byte| (byte, escaped && b"/\\;".contains(&byte))));
        rest = after;
    }
    Some(meaning)
}
