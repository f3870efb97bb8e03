//! Tokens that somebody else signed, or nobody; and headers that choose how the signature is checked.

use crate::actor::Actor;
use crate::change::{Change, Draft, Kind, encoded};
use crate::claims::{leave_out, places};
use crate::support::Result;
use crate::way::Role;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::fmt;
use std::sync::LazyLock;
use stepgate::mint::{Algorithm, SigningKey, ath, sign_verbatim};

/// The keys of somebody whom nobody trusts.
static THIEF: LazyLock<[SigningKey; 4]> = LazyLock::new(|| {
    [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256].map(|of| SigningKey::generate(of).unwrap())
});

const ALGORITHMS: [&str; 15] = [
    "none", "None", "NONE", "nOnE", "", "HS256", "HS512", "es256", "ES256K", "ES384", "ES512", "RS256", "PS256",
    "EdDSA", "ES256 ",
];
const TYPES: [&str; 14] = [
    "at+jwt",
    "JWT",
    "JOSE",
    "dpop+jwt",
    "oauth-client-attestation+jwt",
    "oauth-client-attestation-pop+jwt",
    "wit+jwt",
    "wpt+jwt",
    "eat+jwt",
    "logout+jwt",
    "id+jwt",
    "",
    "x",
    "application/",
];

/// Parameters that are not there, with their values in JSON.
const BESIDE: [(&str, &str, &str); 15] = [
    ("crit", "of nothing", "[]"),
    ("crit", "of a claim", r#"["exp"]"#),
    ("crit", "of b64", r#"["b64"]"#),
    ("crit", "a text", r#""exp""#),
    ("crit", "null", "null"),
    ("jku", "elsewhere", r#""https://thief.example/jwks.json""#),
    ("x5u", "elsewhere", r#""https://thief.example/cert.pem""#),
    ("x5c", "somebody's", r#"["AA=="]"#),
    ("x5t#S256", "somebody's", r#""AAAA""#),
    ("b64", "false", "false"),
    ("zip", "deflated", r#""DEF""#),
    ("cty", "another token", r#""JWT""#),
    ("x", "anything", "1"),
    ("kid", "another", r#""x""#),
    ("kid", "a file", r#""../../dev/null""#),
];

pub(crate) fn changes(actor: &Actor) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Bearer || actor.way.is_first_with(*role)) {
        let Some(draft) = actor.draft(role)? else { continue };
        changes.extend(by_the_thief(role));
        changes.extend(by_nobody(role));
        changes.extend(of_type(role, &draft));
        changes.extend(with_parameters(role, &draft));
    }
    changes.push(all_by_the_thief());
    Ok(changes)
}

fn change(
    role: Role,
    what: impl fmt::Display,
    forge: impl Fn(&Draft<'_>) -> Result<String> + Send + Sync + 'static,
) -> Change {
    Change::token(Kind::Forgeries, role, what, Box::new(forge))
}

type Forge = fn(&Draft<'_>, &SigningKey) -> Result<String>;

fn by_the_thief(role: Role) -> impl Iterator<Item = Change> {
    THIEF.iter().flat_map(move |thief| {
        let algorithm = thief.algorithm().as_str();
        let forge = move |how: &str, forge: Forge| {
            change(role, format_args!("by the thief with {algorithm}, {how}"), move |draft| {
                forge(&draft.with("alg", algorithm), thief)
            })
        };
        [
            change(role, format_args!("by the thief with {algorithm}, all else as it was"), move |draft| {
                draft.with("alg", algorithm).sign_by(thief)
            }),
            forge("under his name", |draft, thief| draft.with("kid", thief.kid()).sign_by(thief)),
            forge("without a name", |draft, thief| draft.without("kid").sign_by(thief)),
            forge("with his key", |draft, thief| draft.with("jwk", thief.public().to_json()).sign_by(thief)),
            forge("with his key and under his name", |draft, thief| {
                draft.with("jwk", thief.public().to_json()).with("kid", thief.kid()).sign_by(thief)
            }),
            forge("with his key where it can be fetched", |draft, thief| {
                draft.with("jku", "https://thief.example/jwks.json").sign_by(thief)
            }),
            forge("with his certificate", |draft, thief| draft.with("x5c", json!(["AA=="])).sign_by(thief)),
            forge("in the other's algorithm", |draft, thief| draft.with("alg", "ES256").sign_by(thief)),
        ]
    })
}

/// Signed by the right key over another `alg`, by nobody, and by everybody who knows the public key.
fn by_nobody(role: Role) -> impl Iterator<Item = Change> {
    ALGORITHMS.into_iter().flat_map(move |algorithm| {
        [
            change(role, format_args!("alg {algorithm:?}"), move |draft| draft.with("alg", algorithm).sign()),
            change(role, format_args!("alg {algorithm:?}, without signature"), move |draft| {
                let signed = draft.with("alg", algorithm).sign()?;
                Ok(format!("{}.", signed.rsplit_once('.').unwrap().0))
            }),
            change(role, format_args!("alg {algorithm:?}, by the public key"), move |draft| {
                Ok(by_hmac(&draft.with("alg", algorithm).sign()?, &draft.key.public().to_json().to_string()))
            }),
        ]
    })
}

fn by_hmac(token: &str, key: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    format!("{signed}.{}", encoded(hmac::sign(&key, signed.as_bytes())))
}

fn of_type(role: Role, draft: &Draft<'_>) -> impl Iterator<Item = Change> + use<> {
    let own = draft.header["typ"].as_str().unwrap_or_default().to_owned();
    let others = TYPES.into_iter().filter(|typ| *typ != own).map(str::to_owned);
    let others: Vec<_> = others.map(|typ| (format!("{typ:?}"), typ)).collect();
    let written = [
        ("its own in capitals", own.to_uppercase()),
        ("its own in full", format!("application/{own}")),
        ("its own and a parameter", format!("{own};x=y")),
        ("its own and a space", format!("{own} ")),
    ];
    let written = written.into_iter().filter(move |(_, typ)| *typ != own).map(|(what, typ)| (what.to_owned(), typ));
    others.into_iter().chain(written).map(move |(what, typ)| {
        change(role, format_args!("typ {what}"), move |draft| draft.with("typ", typ.clone()).sign())
    })
}

/// Every parameter of the header left out, of another type, or twice, and more of them; signed by the right key.
fn with_parameters(role: Role, draft: &Draft<'_>) -> Vec<Change> {
    let beside = BESIDE.iter().filter(|(name, ..)| draft.header.get(name).is_none());
    let beside = beside.map(|(name, what, json)| {
        let value: Value = serde_json::from_str(json).unwrap();
        change(role, format_args!("{name} {what}"), move |draft| draft.with(name, value.clone()).sign())
    });
    let own_key = change(role, "jwk its signer's", |draft| draft.with("jwk", draft.key.public().to_json()).sign());
    let own_key = Some(own_key).filter(|_| draft.header.get("jwk").is_none());
    let places = places(&draft.header, "");
    let names = draft.header.as_object().into_iter().flatten().map(|(name, _)| name.clone());
    beside
        .chain(own_key)
        .chain(places.iter().flat_map(|place| in_place(role, place)))
        .chain(names.map(|name| twice(role, name)))
        .collect()
}

type EditAt = Box<dyn Fn(&mut Value, &str) + Send + Sync>;

/// A parameter in each other type, and none.
fn in_place(role: Role, place: &str) -> impl Iterator<Item = Change> + use<> {
    let values = [Value::Null, json!(7), json!(["ES256"]), json!({}), json!("x"), json!("")];
    let with = |place: &str, what: String, edit: EditAt| {
        let at = place.to_owned();
        change(role, format_args!("{place} {what}"), move |draft| {
            let mut draft = draft.clone();
            edit(&mut draft.header, &at);
            draft.sign()
        })
    };
    let left_out = with(place, "left out".to_owned(), Box::new(leave_out));
    let others = values.map(|value| {
        with(place, value.to_string(), Box::new(move |header, at| *header.pointer_mut(at).unwrap() = value.clone()))
    });
    others.into_iter().chain([left_out])
}

fn twice(role: Role, name: String) -> Change {
    let what = format!("{name} twice");
    change(role, what, move |draft| {
        let member = format!("{{\"{name}\":{},", draft.header[&name]);
        let header = draft.header.to_string().replacen('{', &member, 1);
        Ok(sign_verbatim(draft.key, &header, &draft.claims.to_string())?)
    })
}

/// Whatever the call shows, made again by the thief for a key of his own.
fn all_by_the_thief() -> Change {
    Change::call(Kind::Forgeries, "all by the thief, for his key", |call, _| {
        for role in Role::ALL {
            let [bearer, attestation] = [Role::Bearer, Role::Attestation].map(|of| Some(ath(call.of(of)?.token())));
            let Some(shown) = call.of_mut(role) else { continue };
            let (mut header, mut claims) = read(shown.token())?;
            let own = THIEF[0].public();
            put(&mut header, "/jwk", Some(own.to_json()));
            put(&mut claims, "/cnf/jwk", Some(own.to_json()));
            put(&mut claims, "/cnf/jkt", Some(own.thumbprint().into()));
            put(&mut claims, "/ath", bearer.map(Value::from));
            put(&mut claims, "/wth", attestation.map(Value::from));
            shown.set_token(&Draft::new(header, claims, &THIEF[0]).sign()?);
        }
        Ok(())
    })
}

fn put(object: &mut Value, place: &str, value: Option<Value>) {
    if let (Some(there), Some(value)) = (object.pointer_mut(place), value) {
        *there = value;
    }
}

fn read(token: &str) -> Result<(Value, Value)> {
    let part = |at: usize| -> Result<Value> {
        let part = token.split('.').nth(at).ok_or("not three parts")?;
        Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?)
    };
    Ok((part(0)?, part(1)?))
}
