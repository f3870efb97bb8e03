//! What is called, and with which certificate: another method, host or path than that of the proof.

use crate::Scene;
use crate::change::{Call, Change, Kind};
use crate::support::Result;
use crate::support::certificates::{Authority, dns};
use std::fmt;

const METHODS: [&str; 14] = [
    "GET", "PUT", "POST", "post", "Post", "get", "HEAD", "DELETE", "OPTIONS", "CONNECT", "", "POST ", "POST /v1",
    "PO\0ST",
];
const HOSTS: [&str; 14] = [
    "",
    "other.example.com",
    "api.example.com:443",
    "api.example.com:8443",
    "api.example.com.",
    "API.EXAMPLE.COM",
    "api.example.com..",
    "user@api.example.com",
    "api.example.com/",
    "api.example.com@thief.example",
    "example.com",
    "xapi.example.com",
    "api.example.com,other.example.com",
    " api.example.com",
];
/// Headers by which some servers take a request for another one.
const OVERRIDES: [(&str, &str); 7] = [
    ("x-http-method-override", "DELETE"),
    ("x-http-method", "PATCH"),
    ("x-method-override", "PUT"),
    ("x-original-url", "/v1/payments/8/refund"),
    ("x-original-url", "/other"),
    ("x-rewrite-url", "/v1/payouts/8"),
    ("x-forwarded-host", "other.example.com"),
];

pub(crate) fn changes(sample: &Call) -> Vec<Change> {
    let (method, host, path) = (&sample.target.method, &sample.target.host, &sample.target.path);
    let methods = METHODS.into_iter().filter(|other| other != method).map(|other| {
        change(format!("method {other:?}"), move |call, _| {
            other.clone_into(&mut call.target.method);
            Ok(())
        })
    });
    let hosts = HOSTS.into_iter().map(str::to_owned).chain(one_other_letter(host)).map(|other| {
        change(format!("host {other:?}"), move |call, _| {
            call.target.host.clone_from(&other);
            Ok(())
        })
    });
    let paths = other_paths(path).into_iter().chain(one_other_letter(path)).map(|other| {
        change(format!("path {other:?}"), move |call, _| {
            call.target.path.clone_from(&other);
            Ok(())
        })
    });
    let overrides = OVERRIDES.into_iter().map(|(name, value)| {
        change(format_args!("{name}: {value}"), move |call, _| {
            call.add(name, value);
            Ok(())
        })
    });
    methods.chain(hosts).chain(paths).chain(overrides).chain(certificates(sample)).collect()
}

fn change(what: impl fmt::Display, alter: impl Fn(&mut Call, &Scene) -> Result<()> + Send + Sync + 'static) -> Change {
    Change::call(Kind::Targets, what, alter)
}

fn one_other_letter(text: &str) -> impl Iterator<Item = String> + use<> {
    let text = text.to_owned();
    (0..text.len()).map(move |at| {
        let mut other = text.clone().into_bytes();
        other[at] = if other[at] == b'x' { b'y' } else { b'x' };
        String::from_utf8(other).unwrap()
    })
}

/// What servers may read as the same path, and what they don't.
fn other_paths(path: &str) -> Vec<String> {
    let (above, last) = path.rsplit_once('/').unwrap();
    vec![
        path.replacen('7', "8", 1),
        path.replacen('7', "%37", 1),
        path.replacen('7', "%38", 1),
        path.replacen('7', "%2537", 1),
        path.replacen("v1", "v1/x/..", 1),
        path.replacen("v1", "v1/.", 1),
        path.replacen("v1", "%76%31", 1),
        path.replacen("/v1", "//v1", 1),
        path.replacen("v1/", "v1%2f", 1),
        path.replacen("v1/", "v1\\", 1),
        path.replacen('7', "7;x=y", 1),
        path.replacen('7', "7%00", 1),
        path.to_uppercase(),
        format!("{path}/"),
        format!("{path}//"),
        format!("{path}/x"),
        format!("{path}/.."),
        format!("{path}%20"),
        format!("{path}%"),
        format!("{path}#x"),
        format!("{path}?x=y"),
        format!("{path}?"),
        format!("{path}\0"),
        format!("{path} HTTP/1.1"),
        format!("https://api.example.com{path}"),
        path[1..].to_owned(),
        above.to_owned(),
        format!("{above}/"),
        format!("/{last}"),
        String::new(),
        "*".to_owned(),
        "/".to_owned(),
    ]
}

fn certificates(sample: &Call) -> Vec<Change> {
    let with = |what: &str, other: fn(&Scene) -> Result<Option<String>>| {
        change(format_args!("certificate {what}"), move |call, scene| {
            call.certificate = other(scene)?;
            Ok(())
        })
    };
    let dropped = sample.certificate.as_ref().map(|_| with("dropped", |_| Ok(None)));
    let others = [
        with("another of the same name", |scene| Ok(Some(scene.actor.renewed.clone()))),
        with("another caller's", |scene| Ok(Some(scene.other.certificate().to_owned()))),
        with("nobody's", |_| Ok(Some(Authority::new()?.client(vec![dns("thief.example")?])?.certificate))),
        with("no certificate", |_| Ok(Some("thief".to_owned()))),
        with("another caller's before its own", |scene| {
            Ok(Some(format!("{}{}", scene.other.certificate(), scene.actor.certificate())))
        }),
        with("its own before another caller's", |scene| {
            Ok(Some(format!("{}{}", scene.actor.certificate(), scene.other.certificate())))
        }),
    ];
    others.into_iter().chain(dropped).collect()
}
