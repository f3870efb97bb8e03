//! The headers that hold the tokens: how often, where, and in what words.

use crate::change::{Call, Change, Edit, Kind, Shown};
use crate::letters::with_other_signature;
use crate::support::Result;
use crate::way::Role;
use envoy_types::pb::envoy::config::core::v3::{HeaderMap, HeaderValue};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use std::fmt;

/// All that tokens come in.
const NAMES: [&str; 11] = [
    "authorization",
    "dpop",
    "oauth-client-attestation",
    "oauth-client-attestation-pop",
    "workload-identity-token",
    "workload-proof-token",
    "x-ci",
    "x-results",
    "x-statement",
    "txn-token",
    "proxy-authorization",
];
const SCHEMES: [&str; 14] = [
    "Bearer ",
    "bearer ",
    "BEARER ",
    "DPoP ",
    "dpop ",
    "WPT ",
    "wpt ",
    "Basic ",
    "",
    "Bearer",
    "Bearer\t",
    "Bearer:",
    "Bearer\u{a0}",
    "GNAP ",
];
const NOT_A_TOKEN: &str = "x.y.z";

pub(crate) fn changes(sample: &Call) -> Vec<Change> {
    let own = sample.roles().flat_map(|role| {
        let written =
            [counted(role), worded(role), schemed(role, sample), renamed(role, sample), on_wire(role, sample)];
        written.into_iter().flatten().chain([again(role)])
    });
    own.chain(added(sample)).collect()
}

fn change(
    what: impl fmt::Display,
    alter: impl Fn(&mut Call, &crate::Scene) -> Result<()> + Send + Sync + 'static,
) -> Change {
    Change::call(Kind::Headers, what, alter)
}

/// Of one header, by what it holds.
fn of(role: Role, what: impl fmt::Display, other: impl Fn(&str) -> String + Send + Sync + 'static) -> Change {
    change(format_args!("{} {what}", role.name()), move |call, _| {
        let shown = call.of_mut(role).ok_or("not shown")?;
        shown.value = other(&shown.value);
        Ok(())
    })
}

fn counted(role: Role) -> Vec<Change> {
    let apart = |what: &str, beside: fn(&Shown) -> (String, String), before: bool| {
        change(format_args!("{} {what}, apart", role.name()), move |call, _| {
            let (name, value) = beside(call.of(role).ok_or("not shown")?);
            let beside = Shown { role: None, name, value };
            call.shown.insert(if before { 0 } else { call.shown.len() }, beside);
            call.apart = true;
            Ok(())
        })
    };
    let dropped = change(format_args!("{} dropped", role.name()), move |call, _| {
        call.shown.retain(|shown| shown.role != Some(role));
        Ok(())
    });
    vec![
        dropped,
        of(role, "twice", |value| format!("{value},{value}")),
        of(role, "twice with a space", |value| format!("{value}, {value}")),
        of(role, "three times", |value| format!("{value},{value},{value}")),
        of(role, "and nothing", |value| format!("{value},")),
        of(role, "behind nothing", |value| format!(",{value}")),
        of(role, "and something", |value| format!("{value},{NOT_A_TOKEN}")),
        of(role, "behind something", |value| format!("{NOT_A_TOKEN},{value}")),
        apart("twice", |shown| (shown.name.clone(), shown.value.clone()), false),
        apart("twice under another case", |shown| (shown.name.to_uppercase(), shown.value.clone()), false),
        apart("before something", |shown| (shown.name.clone(), NOT_A_TOKEN.to_owned()), false),
        apart("behind something", |shown| (shown.name.clone(), NOT_A_TOKEN.to_owned()), true),
        apart("before nothing", |shown| (shown.name.clone(), String::new()), false),
        apart("behind nothing", |shown| (shown.name.clone(), String::new()), true),
    ]
}

fn worded(role: Role) -> Vec<Change> {
    vec![
        of(role, "empty", |_| String::new()),
        of(role, "a space", |_| " ".to_owned()),
        of(role, "with a space before", |value| format!(" {value}")),
        of(role, "with a space behind", |value| format!("{value} ")),
        of(role, "with a tab before", |value| format!("\t{value}")),
        of(role, "with a tab behind", |value| format!("{value}\t")),
        of(role, "with a parameter", |value| format!("{value};x=y")),
        of(role, "quoted", |value| format!("\"{value}\"")),
        of(role, "with what was no text", |value| format!("{value}!")),
        of(role, "without its last character", |value| value[..value.len() - 1].to_owned()),
        of(role, "made longer than any", |value| format!("{value}{}", "A".repeat(9 * 1024))),
    ]
}

/// In `authorization`, other schemes, and other cases of the same.
fn schemed(role: Role, sample: &Call) -> Vec<Change> {
    let in_authorization = sample.of(role).filter(|shown| shown.name == "authorization");
    let Some(own) = in_authorization.and_then(|shown| shown.value.split_inclusive(' ').next()) else {
        return Vec::new();
    };
    let written = own.trim_end().to_owned();
    let spaced = of(role, "two spaces behind the scheme", move |value| value.replacen(' ', "  ", 1));
    let doubled = of(role, "the scheme twice", move |value| format!("{written} {value}"));
    let schemes = SCHEMES.into_iter().filter(|scheme| *scheme != own);
    let others = schemes.map(|scheme| {
        of(role, format_args!("under the scheme {scheme:?}"), move |value| {
            format!("{scheme}{}", value.split(' ').next_back().unwrap_or_default())
        })
    });
    others.chain([spaced, doubled]).collect()
}

/// In the header of something else, instead of what that holds, and under a name that only looks alike.
fn renamed(role: Role, sample: &Call) -> Vec<Change> {
    let into = move |name: &'static str| {
        change(format_args!("{} in {name}", role.name()), move |call, _| {
            let shown = call.of(role).ok_or("not shown")?.clone();
            call.shown.retain(|other| other.role != Some(role) && other.name != name);
            call.add(name, shown.token());
            Ok(())
        })
    };
    let alike = |what: &'static str, rename: fn(&str) -> String| {
        change(format_args!("{} {what}", role.name()), move |call, _| {
            let shown = call.of_mut(role).ok_or("not shown")?;
            shown.name = rename(&shown.name);
            Ok(())
        })
    };
    let alike = [
        alike("in a name with underscores", |name| format!("{}_", name.replace('-', "_"))),
        alike("in a name with a prefix", |name| format!("x-{name}")),
        alike("in a name with a space", |name| format!("{name} ")),
    ];
    let others = NAMES.into_iter().filter(|name| sample.of(role).is_some_and(|own| own.name != *name));
    others.map(into).chain(alike).collect()
}

/// What only a broken or a hostile Envoy tells.
fn on_wire(role: Role, sample: &Call) -> Vec<Change> {
    let Some(name) = sample.of(role).map(|shown| shown.name.clone()) else { return Vec::new() };
    let wire = |what: &str, alter: fn(&mut HttpRequest, &str)| {
        let name = name.clone();
        let on_wire = Box::new(move |http: &mut HttpRequest| alter(http, &name));
        Change { kind: Kind::Headers, what: format!("{} {what}", role.name()), edit: Edit::Wire(on_wire) }
    };
    vec![
        wire("in both forms", |http, name| {
            let raw_value = http.headers.get(name).cloned().unwrap_or_default().into_bytes();
            let own = HeaderValue { key: name.to_owned(), raw_value, ..HeaderValue::default() };
            http.header_map = Some(HeaderMap { headers: vec![own] });
        }),
        wire("no text", |http, name| {
            let mut raw_value = http.headers.remove(name).unwrap_or_default().into_bytes();
            raw_value.push(0xff);
            let own = HeaderValue { key: name.to_owned(), raw_value, ..HeaderValue::default() };
            http.header_map = Some(HeaderMap { headers: vec![own] });
        }),
        wire("with a value in each form", |http, name| {
            let value = http.headers.remove(name).unwrap_or_default();
            let own = HeaderValue { key: name.to_owned(), raw_value: b"x.y.z".to_vec(), value };
            http.header_map = Some(HeaderMap { headers: vec![own] });
        }),
    ]
}

/// Under the other signature that ECDSA has for the same, after all that speaks of it was made.
fn again(role: Role) -> Change {
    change(format_args!("{} under its other signature, on the way", role.name()), move |call, _| {
        let shown = call.of_mut(role).ok_or("not shown")?;
        let other = with_other_signature(shown.token());
        shown.set_token(&other);
        Ok(())
    })
}

/// Headers of other ways beside those of this one.
fn added(sample: &Call) -> Vec<Change> {
    let own: Vec<_> = sample.shown.iter().map(|shown| shown.name.clone()).collect();
    let missing: Vec<_> = NAMES.into_iter().filter(|name| !own.iter().any(|own| own == name)).collect();
    let beside = |what: &'static str, times: usize, value: &'static str| {
        missing.clone().into_iter().map(move |name| {
            change(format_args!("{name} beside: {what}"), move |call, _| {
                (0..times).for_each(|_| call.add(name, value));
                call.apart = times > 1;
                Ok(())
            })
        })
    };
    let nothing = beside("nothing", 1, "");
    let something = beside("something", 1, NOT_A_TOKEN);
    let twice = beside("something twice, apart", 2, NOT_A_TOKEN);
    let no_text = beside("what was no text", 1, "caf!!");
    nothing.chain(something).chain(twice).chain(no_text).collect()
}
