//! What a token says, changed and signed by its own key: nothing but the checks of what it says stands in the way.

use crate::actor::Actor;
use crate::change::{Change, Draft, Kind, members};
use crate::support::{Result, now};
use crate::way::Role;
use serde_json::{Value, json};
use std::fmt;
use stepgate::mint::sign_verbatim;

type Replace = fn(&Value) -> Option<Value>;

/// What stands for a value instead. Nothing where there is no such thing for a value of its type.
#[rustfmt::skip]
const INSTEAD: [(&str, Replace); 32] = [
    ("null", |_| Some(Value::Null)),
    ("true", |_| Some(json!(true))),
    ("0", |_| Some(json!(0))),
    ("-1", |_| Some(json!(-1))),
    ("1.5", |_| Some(json!(1.5))),
    ("1e300", |_| Some(json!(1e300))),
    ("an empty text", |_| Some(json!(""))),
    ("another text: x", |_| Some(json!("x"))),
    ("a list of nothing", |_| Some(json!([]))),
    ("an object of nothing", |_| Some(json!({}))),
    ("in a list", |own| Some(json!([own]))),
    ("in a list of a list", |own| Some(json!([[own]]))),
    ("in an object", |own| Some(json!({ "x": own }))),
    ("twice in a list", |own| Some(json!([own, own]))),
    ("before another in a list", |own| Some(json!([own, "x"]))),
    ("behind another in a list", |own| Some(json!(["x", own]))),
    ("another text: x behind it", |own| Some(json!(format!("{}x", own.as_str()?)))),
    ("another text: x before it", |own| Some(json!(format!("x{}", own.as_str()?)))),
    ("another text: a space behind it", |own| Some(json!(format!("{} ", own.as_str()?)))),
    ("another text: a space before it", |own| Some(json!(format!(" {}", own.as_str()?)))),
    ("another text: a slash behind it", |own| Some(json!(format!("{}/", own.as_str()?)))),
    ("another text: a NUL behind it", |own| Some(json!(format!("{}\0", own.as_str()?)))),
    ("another text: padded", |own| Some(json!(format!("{}=", own.as_str()?)))),
    ("another text: in capitals", |own| Some(json!(own.as_str()?.to_uppercase()))),
    ("another text: in small letters", |own| Some(json!(own.as_str()?.to_lowercase()))),
    ("another text: cut short", |own| Some(json!(own.as_str()?.get(1..)?))),
    ("9 KiB behind it", |own| Some(json!(format!("{}{}", own.as_str()?, "x".repeat(9 * 1024))))),
    ("as text", |own| Some(json!(own.as_i64()?.to_string()))),
    ("as a fraction", |own| Some(json!(own.as_f64()?))),
    ("in milliseconds", |own| Some(json!(own.as_i64()? * 1000))),
    ("a day later", |own| Some(json!(own.as_i64()? + 86_400))),
    ("a day earlier", |own| Some(json!(own.as_i64()? - 86_400))),
];

/// What a token could say beside, where it says nothing of that name.
fn beside(name: &str) -> Vec<(&'static str, Value)> {
    let digest = "A".repeat(43);
    match name {
        "nbf" | "iat" => vec![("in an hour", json!(now() + 3_600)), ("a text", json!("x"))],
        "exp" => vec![("a minute ago", json!(now() - 60)), ("a text", json!("x"))],
        "cnf" => vec![
            ("another key", json!({ "jkt": digest })),
            ("another certificate", json!({ "x5t#S256": digest })),
            ("nothing", json!({})),
            ("a name", json!({ "kid": "k" })),
        ],
        "ath" | "wth" | "tth" => vec![("another", json!(digest)), ("a text", json!("x"))],
        "nonce" | "challenge" | "eat_nonce" => {
            vec![("made up", json!("v1.a.b.c")), ("a text", json!("x")), ("a number", json!(7))]
        }
        "iss" | "aud" | "htm" | "htu" => vec![("another", json!("https://thief.example")), ("a number", json!(7))],
        "oth" => vec![("another token", json!({ "x": digest }))],
        "submods" => vec![("a bad one", json!({ "gpu": { "ear_status": "contraindicated" } }))],
        "ear_status" => vec![("a bad one", json!("contraindicated")), ("a good one", json!("affirming"))],
        "authorization_details" => {
            vec![("another route", json!([{ "type": "stepgate", "actions": ["other"] }])), ("a text", json!("x"))]
        }
        _ => vec![("anything", json!(1))],
    }
}

const BESIDE: [&str; 20] = [
    "nbf",
    "iat",
    "exp",
    "cnf",
    "ath",
    "wth",
    "tth",
    "nonce",
    "challenge",
    "eat_nonce",
    "iss",
    "aud",
    "htm",
    "htu",
    "oth",
    "submods",
    "ear_status",
    "authorization_details",
    "crit",
    "x",
];

pub(crate) fn changes(actor: &Actor) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Bearer || actor.way.is_first_with(*role)) {
        let Some(draft) = actor.draft(role)? else { continue };
        changes.extend(replaced(role, &draft.claims));
        changes.extend(added(role, &draft.claims));
        changes.extend(doubled(role, &draft.claims));
        changes.extend(verbatim(role));
    }
    Ok(changes)
}

fn change(role: Role, what: impl fmt::Display, other: impl Fn(&mut Value) + Send + Sync + 'static) -> Change {
    Change::token(
        Kind::Claims,
        role,
        what,
        Box::new(move |draft| {
            let mut draft = draft.clone();
            other(&mut draft.claims);
            draft.sign()
        }),
    )
}

/// Every value at every depth left out, and another in its place.
fn replaced(role: Role, claims: &Value) -> Vec<Change> {
    let of_place = |place: String| {
        let own = claims.pointer(&place).unwrap_or(&Value::Null).clone();
        let instead = INSTEAD.into_iter().filter(|(_, replace)| replace(&own).is_some_and(|other| other != own));
        let at = place.clone();
        let mut all = vec![change(role, format_args!("{place}: left out"), move |claims| leave_out(claims, &at))];
        all.extend(instead.map(|(what, replace)| {
            let at = place.clone();
            change(role, format_args!("{place}: {what}"), move |claims| {
                let value = claims.pointer_mut(&at).unwrap();
                *value = replace(value).unwrap();
            })
        }));
        all
    };
    places(claims, "").into_iter().flat_map(of_place).collect()
}

/// The JSON pointers to every value (RFC 6901). No name here needs escaping.
pub(crate) fn places(value: &Value, above: &str) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let with_below = |(name, value): (String, &Value)| {
        let place = format!("{above}/{name}");
        [vec![place.clone()], places(value, &place)].concat()
    };
    below.into_iter().flat_map(with_below).collect()
}

pub(crate) fn leave_out(claims: &mut Value, place: &str) {
    let (above, name) = place.rsplit_once('/').unwrap();
    match claims.pointer_mut(above).unwrap() {
        Value::Object(members) => drop(members.remove(name)),
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        _ => {}
    }
}

fn added(role: Role, claims: &Value) -> impl Iterator<Item = Change> + use<> {
    let missing: Vec<_> = BESIDE.into_iter().filter(|name| claims.get(name).is_none()).collect();
    missing.into_iter().flat_map(move |name| {
        beside(name).into_iter().map(move |(what, value)| {
            change(role, format_args!("/{name} beside: {what}"), move |claims| {
                members(claims).insert(name.to_owned(), value.clone());
            })
        })
    })
}

/// A member twice, also under a name that is written in another way.
fn doubled(role: Role, claims: &Value) -> Vec<Change> {
    let names: Vec<_> = claims.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let twice = |name: String| {
        let escaped = format!("\\u{:04x}{}", u32::from(name.chars().next().unwrap()), &name[1..]);
        [("", name.clone()), (" in disguise", escaped)].map(|(how, written)| {
            let (name, what) = (name.clone(), format!("/{name}: twice{how}"));
            Change::token(
                Kind::Claims,
                role,
                what,
                Box::new(move |draft| {
                    let member = format!("\"{written}\":{}", draft.claims[&name]);
                    let claims = draft.claims.to_string().replacen('{', &format!("{{{member},"), 1);
                    to_the_letter(draft, &claims)
                }),
            )
        })
    };
    names.into_iter().flat_map(twice).collect()
}

/// The claims as no minting tool writes them.
fn verbatim(role: Role) -> impl Iterator<Item = Change> {
    type Form = fn(&str) -> String;
    let forms: [(&str, Form); 10] = [
        ("in a list", |claims| format!("[{claims}]")),
        ("as text", |claims| json!(claims).to_string()),
        ("nothing", |_| String::new()),
        ("an object of nothing", |_| "{}".to_owned()),
        ("white space around", |claims| format!(" \n{claims}\t ")),
        ("a byte order mark before", |claims| format!("\u{feff}{claims}")),
        ("something behind", |claims| format!("{claims}{{}}")),
        ("a comma at the end", |claims| format!("{},}}", &claims[..claims.len() - 1])),
        ("a comment", |claims| format!("/* */{claims}")),
        ("too deep", |claims| {
            format!("{},\"x\":{}1{}}}", &claims[..claims.len() - 1], "[".repeat(200), "]".repeat(200))
        }),
    ];
    forms.into_iter().map(move |(what, form)| {
        Change::token(
            Kind::Claims,
            role,
            format_args!("claims: {what}"),
            Box::new(move |draft| to_the_letter(draft, &form(&draft.claims.to_string()))),
        )
    })
}

fn to_the_letter(draft: &Draft<'_>, claims: &str) -> Result<String> {
    Ok(sign_verbatim(draft.key, &draft.header.to_string(), claims)?)
}
