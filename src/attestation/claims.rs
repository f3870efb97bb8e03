//! What a signed statement says (RFC 7519 §4), read strictly: a claim of another type than the standard's is no claim.

use super::json::Object;
use super::jwk::ConfirmedKey;
use super::{Details, Results, Thumbprint, TokenFault, ear};
use crate::policy::ScopeSet;
use crate::request::JsonPointer;
use crate::time::UnixTime;
use serde_json::Value;
use std::sync::Arc;

/// Which claims name the subject, the scopes and the task; everything else has its name from the standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimNames<'p> {
    pub subject: &'p str,
    pub scopes: &'p str,
    pub task: &'p str,
    pub purpose: Purpose,
    /// Others whose values are kept, by their names, or where a name begins with `/`, by their JSON pointers (RFC 6901).
    pub kept: &'p [Box<str>],
}

/// What a statement is for, and so what else is read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Token,
    /// A token that may be used for somebody else: who acts with it, by `act.sub` (RFC 8693 §4.1), `azp`, `client_id`.
    DelegatedToken,
    /// The challenges that it answers itself, and what it was made for.
    Attestation,
    /// The same, and what a verifier found.
    Results,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    pub issuer: Option<Box<str>>,
    pub subject: Option<Box<str>>,
    pub audiences: Box<[Box<str>]>,
    pub expires: Option<UnixTime>,
    pub not_before: Option<UnixTime>,
    pub issued: Option<UnixTime>,
    pub scopes: ScopeSet,
    pub task: Option<Box<str>>,
    pub confirmation: Option<Confirmation>,
    /// Those who may act with it for the subject.
    pub actors: Box<[Box<str>]>,
    /// The challenges that it answers itself: `nonce`, and `eat_nonce` (RFC 9711 §4.1).
    pub nonces: Box<[Box<str>]>,
    /// What it was made for.
    pub details: Details,
    /// What a verifier found.
    pub results: Option<Results>,
    /// Claims that were asked for, each with its values.
    kept: Box<[Kept]>,
}

/// A claim by its name, and its values as text.
type Kept = (Box<str>, Box<[Box<str>]>);

/// The key or certificate that the bearer of a statement must hold (RFC 7800 §3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// `jwk` or `jkt` (RFC 9449 §6.1).
    pub key: Option<Thumbprint>,
    /// The key itself, where `jwk` spells it out.
    pub jwk: Option<Arc<ConfirmedKey>>,
    /// `x5t#S256` (RFC 8705 §3.1).
    pub certificate: Option<Thumbprint>,
    /// A member that is not understood here, and so can't be proven.
    pub unknown: bool,
}

/// More audiences than any token names, and a bound on what is compared.
const MAX_AUDIENCES: usize = 32;
/// More challenges than one statement answers (RFC 9711 §4.1 has one for each consumer).
const MAX_NONCES: usize = 8;
/// More values than a policy compares a claim with, such as the groups of a caller.
const MAX_VALUES: usize = 256;
/// As long as a SPIFFE ID; no claim that is compared or logged needs more.
const MAX_CLAIM_BYTES: usize = 2_048;
/// What an `Arc` keeps beside its value.
const COUNTED: usize = 2 * size_of::<usize>();

impl Purpose {
    /// A word for each, so that what was read for one is never remembered for another.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::DelegatedToken => "delegated token",
            Self::Attestation => "attestation",
            Self::Results => "results",
        }
    }

    const fn is_attestation(self) -> bool {
        matches!(self, Self::Attestation | Self::Results)
    }
}

impl Claims {
    pub fn read(payload: &Object, names: ClaimNames<'_>) -> Result<Self, TokenFault> {
        Ok(Self {
            issuer: text(payload, "iss")?,
            subject: text(payload, names.subject)?,
            audiences: audiences(payload)?,
            expires: date(payload, "exp")?,
            not_before: date(payload, "nbf")?,
            issued: date(payload, "iat")?,
            scopes: scopes(payload, names.scopes)?,
            task: text(payload, names.task)?,
            confirmation: confirmation(payload)?,
            actors: if names.purpose == Purpose::DelegatedToken { actors(payload)? } else { Box::default() },
            nonces: if names.purpose.is_attestation() { nonces(payload)? } else { Box::default() },
            details: if names.purpose.is_attestation() { Details::read(payload)? } else { Details::default() },
            results: (names.purpose == Purpose::Results).then(|| ear::read(payload)).transpose()?,
            kept: names.kept.iter().filter_map(|name| Some(kept(name, claim(payload, name)?))).collect(),
        })
    }

    /// Those of a token that was verified when its call was recorded, of which only these were; a value stands under the
    /// whole name that asked for it, also where that is a pointer.
    pub fn recorded(subject: Option<Box<str>>, key: Option<Thumbprint>, values: &Object, kept: &[Box<str>]) -> Self {
        Self {
            subject,
            confirmation: key.map(|key| Confirmation { key: Some(key), ..Confirmation::default() }),
            kept: kept.iter().filter_map(|name| Some(self::kept(name, values.get(&**name)?))).collect(),
            ..Self::default()
        }
    }

    /// The values of a claim that was asked for: one, or those of a list.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.kept.iter().filter(move |(own, _)| **own == *name).flat_map(|(_, values)| values);
        values.map(|value| &**value)
    }

    /// What the claims hold outside of themselves, about.
    pub(super) fn heap_bytes(&self) -> usize {
        let texts = [&self.issuer, &self.subject, &self.task].into_iter().flatten().chain(&self.audiences);
        let kept = self.kept.iter().flat_map(|(name, values)| std::iter::once(name).chain(values));
        let texts = texts.chain(&self.actors).chain(&self.nonces).chain(kept);
        let scopes = self.scopes.iter().map(|scope| scope.as_str().len() + 2 * size_of::<&str>());
        let key = self.confirmation.as_ref().and_then(|confirmation| confirmation.jwk.as_ref());
        let key = key.map(|key| COUNTED + size_of::<ConfirmedKey>() + key.heap_bytes());
        let texts = texts.map(|text| text.len() + size_of::<&str>());
        texts.chain(scopes).chain(key).chain([self.details.heap_bytes()]).sum()
    }
}

pub(crate) fn text(payload: &Object, name: &str) -> Result<Option<Box<str>>, TokenFault> {
    match payload.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= MAX_CLAIM_BYTES => Ok(Some(text.as_str().into())),
        Some(_) => Err(TokenFault::Malformed),
    }
}

/// RFC 7519 §2: a number of seconds, which may have a fraction.
pub(crate) fn date(payload: &Object, name: &str) -> Result<Option<UnixTime>, TokenFault> {
    match payload.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            let date = number.as_f64().and_then(UnixTime::from_numeric_date);
            date.map(Some).ok_or(TokenFault::Malformed)
        }
        Some(_) => Err(TokenFault::Malformed),
    }
}

/// RFC 7519 §4.1.3: one text or an array of them.
pub(crate) fn audiences(payload: &Object) -> Result<Box<[Box<str>]>, TokenFault> {
    match payload.get("aud") {
        None => Ok(Box::default()),
        Some(Value::String(one)) => Ok([one.as_str().into()].into()),
        Some(Value::Array(many)) if many.len() <= MAX_AUDIENCES => {
            many.iter().map(|one| one.as_str().map(Into::into).ok_or(TokenFault::Malformed)).collect()
        }
        Some(_) => Err(TokenFault::Malformed),
    }
}

/// One text with spaces between (RFC 8693 §4.2), or an array of scopes as some issuers write it.
fn scopes(payload: &Object, name: &str) -> Result<ScopeSet, TokenFault> {
    let joined = match payload.get(name) {
        None => return Ok(ScopeSet::default()),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(many)) => {
            let texts: Option<Vec<_>> = many.iter().map(Value::as_str).collect();
            texts.ok_or(TokenFault::Malformed)?.join(" ")
        }
        Some(_) => return Err(TokenFault::Malformed),
    };
    ScopeSet::parse(&joined).map_err(|_| TokenFault::Malformed)
}

fn confirmation(payload: &Object) -> Result<Option<Confirmation>, TokenFault> {
    let members = match payload.get("cnf") {
        None => return Ok(None),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(TokenFault::Malformed),
    };
    // An empty `cnf` names nothing that could be proven.
    let mut confirmation = Confirmation { unknown: members.is_empty(), ..Confirmation::default() };
    for (name, value) in members {
        match (name.as_str(), value) {
            ("jwk", Value::Object(jwk)) => {
                let key = ConfirmedKey::from_jwk(jwk).map_err(|_| TokenFault::Malformed)?;
                confirmation.set_key(Some(key.thumbprint()))?;
                confirmation.jwk = Some(Arc::new(key));
            }
            ("jkt", Value::String(digest)) => confirmation.set_key(Thumbprint::parse(digest))?,
            ("x5t#S256", Value::String(digest)) => {
                confirmation.certificate = Some(Thumbprint::parse(digest).ok_or(TokenFault::Malformed)?);
            }
            _ => confirmation.unknown = true,
        }
    }
    Ok(Some(confirmation))
}

/// RFC 8693 §4.1, `OpenID` Connect Core §2, RFC 9068 §2.2.
fn actors(payload: &Object) -> Result<Box<[Box<str>]>, TokenFault> {
    let act = match payload.get("act") {
        None => None,
        Some(Value::Object(act)) => text(act, "sub")?,
        Some(_) => return Err(TokenFault::Malformed),
    };
    let named = [act, text(payload, "azp")?, text(payload, "client_id")?];
    Ok(named.into_iter().flatten().collect())
}

/// `nonce`, as most issuers write it, and `eat_nonce`, which is one text or an array of them (RFC 9711 §4.1).
fn nonces(payload: &Object) -> Result<Box<[Box<str>]>, TokenFault> {
    let of_eat = match payload.get("eat_nonce") {
        Some(Value::Array(many)) if many.len() <= MAX_NONCES => {
            many.iter().map(|one| short(one).ok_or(TokenFault::Malformed)).collect::<Result<Vec<_>, _>>()?
        }
        Some(_) => text(payload, "eat_nonce")?.into_iter().collect(),
        None => Vec::new(),
    };
    Ok(text(payload, "nonce")?.into_iter().chain(of_eat).collect())
}

/// The claim of this name. A pointer goes through objects only: an element of an array has no name that stays its own.
fn claim<'v>(payload: &'v Object, name: &str) -> Option<&'v Value> {
    if name.starts_with('/') { JsonPointer::parse(name).ok()?.find(payload) } else { payload.get(name) }
}

/// A claim's values as text; what is no text, number or boolean has none that a policy could name.
fn kept(name: &str, value: &Value) -> Kept {
    let values = match value {
        Value::Array(many) => many.iter().take(MAX_VALUES).filter_map(plain).collect(),
        one => plain(one).into_iter().collect(),
    };
    (name.into(), values)
}

fn plain(value: &Value) -> Option<Box<str>> {
    match value {
        Value::String(_) => short(value),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string().into()),
        _ => None,
    }
}

fn short(value: &Value) -> Option<Box<str>> {
    value.as_str().filter(|text| text.len() <= MAX_CLAIM_BYTES).map(Into::into)
}

impl Confirmation {
    /// `jwk` and `jkt` together must mean the same key.
    fn set_key(&mut self, key: Option<Thumbprint>) -> Result<(), TokenFault> {
        let key = key.ok_or(TokenFault::Malformed)?;
        match self.key.replace(key) {
            Some(other) if other != key => Err(TokenFault::Malformed),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;
    use rstest::rstest;

    const NAMES: ClaimNames<'_> =
        ClaimNames { subject: "sub", scopes: "scope", task: "txn", purpose: Purpose::Attestation, kept: &[] };

    fn read(payload: &str) -> Result<Claims, TokenFault> {
        Claims::read(&json::object(payload.as_bytes()).unwrap(), NAMES)
    }

    #[rstest]
    #[case(r#"{"exp":"1"}"#)]
    #[case(r#"{"exp":-1}"#)]
    #[case(r#"{"exp":1e300}"#)]
    #[case(r#"{"exp":null}"#)]
    #[case(r#"{"sub":7}"#)]
    #[case(r#"{"aud":{}}"#)]
    #[case(r#"{"aud":["a",7]}"#)]
    #[case(r#"{"scope":7}"#)]
    #[case(r#"{"scope":"a  b"}"#)]
    #[case(r#"{"nonce":["a"]}"#)]
    #[case(r#"{"eat_nonce":7}"#)]
    #[case(r#"{"eat_nonce":null}"#)]
    #[case(r#"{"eat_nonce":["a",7]}"#)]
    #[case(r#"{"eat_nonce":[["a"]]}"#)]
    #[case(r#"{"eat_nonce":["1","2","3","4","5","6","7","8","9"]}"#)]
    #[case(&format!(r#"{{"eat_nonce":["{}"]}}"#, "a".repeat(2_049)))]
    #[case(r#"{"cnf":"x"}"#)]
    #[case(r#"{"cnf":{"jkt":"short"}}"#)]
    #[case(r#"{"cnf":{"jwk":{"kty":"oct","k":"AA"}}}"#)]
    #[case(
        r#"{"cnf":{"jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"AA"}}}"#
    )]
    #[case(r#"{"cnf":{"jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}}"#)]
    fn a_claim_of_another_type_is_malformed(#[case] payload: &str) {
        assert_eq!(read(payload), Err(TokenFault::Malformed), "{payload}");
    }

    #[test]
    fn scopes_come_as_text_or_array() {
        let text = read(r#"{"scope":"b a"}"#).unwrap().scopes;
        assert_eq!((text.to_string().as_str(), &text), ("a b", &read(r#"{"scope":["a","b"]}"#).unwrap().scopes));
    }

    #[test]
    fn a_confirmation_that_is_not_understood_is_seen() {
        assert!(read(r#"{"cnf":{"kid":"x"}}"#).unwrap().confirmation.unwrap().unknown);
        assert!(read(r#"{"cnf":{}}"#).unwrap().confirmation.unwrap().unknown);
        assert_eq!(read("{}").unwrap().confirmation, None);
    }

    #[test]
    fn a_confirmed_key_is_kept_and_counted() {
        let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let claims = read(&format!(r#"{{"cnf":{{"jwk":{key}}}}}"#)).unwrap();
        let confirmation = claims.confirmation.as_ref().unwrap();
        assert_eq!(confirmation.jwk.as_ref().map(|key| key.thumbprint()), confirmation.key);
        assert!(claims.heap_bytes() >= size_of::<ConfirmedKey>() + 32);
        assert_eq!(read("{}").unwrap().heap_bytes(), 0);
    }

    #[test]
    fn an_audience_is_one_or_many() {
        assert_eq!(read(r#"{"aud":"a"}"#).unwrap().audiences, read(r#"{"aud":["a"]}"#).unwrap().audiences);
    }

    #[rstest]
    #[case("{}", &[])]
    #[case(r#"{"nonce":"a"}"#, &["a"])]
    #[case(r#"{"eat_nonce":"a"}"#, &["a"])]
    #[case(r#"{"eat_nonce":["a","b"],"nonce":"c"}"#, &["c", "a", "b"])]
    fn challenges_stand_in_nonce_and_eat_nonce(#[case] payload: &str, #[case] nonces: &[&str]) {
        assert_eq!(read(payload).unwrap().nonces.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), nonces);
    }

    #[test]
    fn challenges_that_are_not_asked_for_are_not_even_looked_at() {
        let payload = json::object(br#"{"nonce":7}"#).unwrap();
        let names = ClaimNames { purpose: Purpose::Token, ..NAMES };
        assert_eq!(Claims::read(&payload, names), Ok(Claims::default()));
    }

    #[rstest]
    #[case("/kubernetes.io/namespace", &["billing"])]
    #[case("/kubernetes.io/groups", &["a", "7", "true"])]
    #[case("kubernetes.io", &[])]
    #[case("/kubernetes.io", &[])]
    #[case("/kubernetes.io/gone", &[])]
    #[case("/kubernetes.io/namespace/deeper", &[])]
    #[case("/kubernetes.io/groups/0", &[])]
    #[case("kubernetes.io/namespace", &["flat"])]
    #[case("/https:~1~1idp.example~1tags/team", &["red"])]
    #[case("/~1flat", &["slashed"])]
    #[case("/flat", &[])]
    #[case("/", &[])]
    fn a_name_that_begins_with_a_slash_is_a_pointer(#[case] name: &str, #[case] values: &[&str]) {
        let payload = r#"{"kubernetes.io":{"namespace":"billing","groups":["a",7,true,{}]},"":"empty","/flat":"slashed",
            "kubernetes.io/namespace":"flat","https://idp.example/tags":{"team":"red"}}"#;
        let kept = [name.into()];
        let claims = Claims::read(&json::object(payload.as_bytes()).unwrap(), ClaimNames { kept: &kept, ..NAMES });
        assert_eq!(claims.unwrap().values(name).collect::<Vec<_>>(), values);
    }

    #[test]
    fn a_recorded_value_stands_under_the_whole_pointer() {
        let values = json::object(br#"{"/a/b":["x"],"a":{"b":"y"}}"#).unwrap();
        let claims = Claims::recorded(None, None, &values, &["/a/b".into()]);
        assert_eq!(claims.values("/a/b").collect::<Vec<_>>(), ["x"]);
    }
}
