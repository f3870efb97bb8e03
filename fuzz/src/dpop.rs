//! DPoP proofs (RFC 9449 §4.3), in the order of its steps.
//!
//! An input is five lines: the proof's header and payload, then the call's method, target and access token. The proof is
//! signed by a key that everybody has, so that what lies behind the signature is reached.

use super::reference::base64url;
use super::reference::json::Json;
use super::reference::uri;
use std::sync::LazyLock;
use stepgate::attestation::dpop::ProvenCall;
use stepgate::attestation::{DpopProof, Thumbprint};
use stepgate::mint::{SigningKey, sign_verbatim};
use stepgate::policy::Origin;
use stepgate::request::{Method, RequestPath};
use stepgate::time::{Ttl, UnixTime};

/// RFC 8037 A.1.
const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// RFC 8037 A.3.
const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
const ORIGIN: &str = "https://api.example.com";
const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const LEEWAY: Ttl = Ttl::from_secs(10);

static SIGNING_KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    let key = serde_json::from_str(KEY).expect("the key of the RFC");
    SigningKey::from_jwk(&key).expect("the key of the RFC")
});

/// What the input says, and nothing that was made of it.
struct Input<'i> {
    header: &'i str,
    payload: &'i str,
    method: &'i str,
    target: &'i str,
    token: &'i str,
}

pub fn holds(data: &[u8]) -> bool {
    let Some(input) = Input::read(data) else { return false };
    let passes = input.passes() == Some(true);
    let may_pass = || input.may_pass() == Some(true);
    assert!(!passes || may_pass(), "{:?}", [input.header, input.payload, input.method, input.target]);
    passes
}

impl<'i> Input<'i> {
    fn read(data: &'i [u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(data).ok()?.split('\n');
        let mut line = || lines.next();
        Some(Self { header: line()?, payload: line()?, method: line()?, target: line()?, token: line()? })
    }

    /// What stepgate says.
    fn passes(&self) -> Option<bool> {
        let method = Method::parse(self.method).ok()?;
        let path = RequestPath::parse(self.target, self.method).ok()?;
        let origin = Origin::parse(ORIGIN).ok()?;
        let access_token = (!self.token.is_empty()).then(|| Thumbprint::of(self.token.as_bytes()));
        let token = sign_verbatim(&SIGNING_KEY, self.header, self.payload).ok()?;
        let proof = DpopProof::verify(&token, &Thumbprint::parse(THUMBPRINT)?).ok()?;
        let call = ProvenCall { method: &method, path: &path, origin: &origin, access_token };
        Some(proof.is_for(&call).is_ok() && proof.is_recent(NOW, LEEWAY).is_ok())
    }

    /// What RFC 9449 says.
    fn may_pass(&self) -> Option<bool> {
        let header = Json::parse_object(self.header.as_bytes())?;
        let payload = Json::parse_object(self.payload.as_bytes())?;
        let text = |json: &Json, name: &str| Some(json.get(name)?.text()?.to_owned());
        // 3: all that is required is there.
        let (id, method, target) = (text(&payload, "jti")?, text(&payload, "htm")?, text(&payload, "htu")?);
        let issued = payload.get("iat")?.number()?;
        // 4 to 7: typed, signed by an asymmetric algorithm, with the public key that it brings along.
        let media_type = text(&header, "typ")?.to_ascii_lowercase();
        let typed = media_type == "dpop+jwt" || media_type == "application/dpop+jwt";
        let jwk = header.get("jwk")?;
        let keyed = text(jwk, "kty")? == "OKP" && text(jwk, "crv")? == "Ed25519" && text(jwk, "x")? == PUBLIC;
        let signed = text(&header, "alg")? == "EdDSA" && keyed && jwk.get("d").is_none();
        // RFC 7515 §4.1.11: nothing that must be understood.
        let extended = header.get("crit").is_some();
        // 8 and 9: for this call. 11: just now.
        let for_call = method == self.method && is_same_target(&target, self.target) == Some(true);
        let recent = (1_799_999_940.0..1_800_000_011.0).contains(&issued);
        // 12: for this token, and for none where there is none.
        let digest = payload.get("ath").map(|ath| ath.text().and_then(base64url::digest));
        let own = (!self.token.is_empty()).then(|| Some(*Thumbprint::of(self.token.as_bytes()).as_bytes()));
        Some(!id.is_empty() && typed && signed && !extended && for_call && recent && digest == own)
    }
}

/// RFC 9449 §4.3: without query and fragment, in the normal form of RFC 3986 §6.2.2 and §6.2.3.
fn is_same_target(htu: &str, target: &str) -> Option<bool> {
    let without_query = |text: &str| text.split(['?', '#']).next().unwrap_or_default().to_owned();
    let htu = without_query(htu);
    let (scheme, rest) = htu.split_once("://")?;
    let path_at = rest.find(['/', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(path_at)?;
    let authority = authority.to_ascii_lowercase();
    // The name with its final dot is the same name (RFC 1034 §3.1); an empty port is the default (RFC 3986 §6.2.3).
    let authorities =
        ["api.example.com", "api.example.com."].map(|host| [host.into(), format!("{host}:"), format!("{host}:443")]);
    let path = if path.is_empty() { "/" } else { path };
    Some(
        scheme.eq_ignore_ascii_case("https")
            && authorities.as_flattened().contains(&authority)
            && meaning(path)? == meaning(&without_query(target))?,
    )
}

/// A path as its characters, where an escape of one that has a meaning of its own stays what it is.
fn meaning(path: &str) -> Option<Vec<(u8, bool)>> {
    let mut meaning = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let length = if rest.starts_with('%') { 3 } else { rest.chars().next()?.len_utf8() };
        let (one, after) = rest.split_at_checked(length)?;
        let escaped = one.starts_with('%');
        for byte in uri::decoded(one)? {
            meaning.push((byte, escaped && b"/\\;".contains(&byte)));
        }
        rest = after;
    }
    Some(meaning)
}
