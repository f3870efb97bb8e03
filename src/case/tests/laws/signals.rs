//! Some of all signals, with points of any size.

use super::{one_of, some_of};
use crate::context::{Anomaly, CountrySource, HeaderTest, Look, Signal, Test};
use crate::policy::{Glob, Name};
use crate::time::Ttl;
use proptest::prelude::*;

fn test(name: &str) -> Test {
    let header = |name: &str, looks_for| Test::Header(HeaderTest { name: name.into(), looks_for });
    match name {
        "new_network" => Test::NewNetwork,
        "new_country" => Test::NewCountry(CountrySource::Header("x-geo-country".into())),
        "outside_hours" => Test::OutsideHours,
        "scope_jump" => Test::ScopeJump,
        "long_lived_credential" => Test::LongLivedCredential { lifetime: Ttl::from_secs(3_600) },
        "shared_credential" => Test::SharedCredential { sources: 2 },
        "dormant_identity" => Test::DormantIdentity { after: Ttl::from_secs(30 * 86_400) },
        "untrusted_device" => Test::UntrustedDevice { header: "x-device".into(), trusted: ["managed".into()].into() },
        "credential_in_url" => Test::CredentialInUrl,
        "extra-there" => header("x-extra", Look::Present),
        "extra-missing" => header("x-extra", Look::Absent),
        "kind-one" => header("x-kind", Look::Values(["1".into()].into())),
        _ => header("user-agent", Look::Matches(Glob::parse("curl/*").unwrap())),
    }
}

const NAMES: [&str; 13] = [
    "new_network",
    "new_country",
    "outside_hours",
    "scope_jump",
    "long_lived_credential",
    "shared_credential",
    "dormant_identity",
    "untrusted_device",
    "credential_in_url",
    "extra-there",
    "extra-missing",
    "kind-one",
    "odd-client",
];

pub(super) fn signal(name: &str, points: u8) -> Signal {
    Signal { name: Name::parse(name).unwrap(), points: Anomaly::new(points).unwrap(), test: test(name) }
}

pub(super) fn signals() -> impl Strategy<Value = Vec<Signal>> {
    let points = prop::collection::vec(one_of(&[0, 10, 30, 60, 100]), NAMES.len());
    (some_of(&NAMES), points)
        .prop_map(|(names, points)| names.iter().zip(points).map(|(name, points)| signal(name, points)).collect())
}
