//! Each profile by its standard and nothing else: what proves that an attestation is the caller's own, and what does not.

mod intents;
mod platforms;
mod pop;
mod results;
mod thefts;
mod wimse;

use super::line;
use super::world::{Call, NOW, ORIGIN, REFUND, WEB, World, certificate};
use crate::attestation::Tier;
use crate::identity::PeerCertificate;
use crate::mint::{Jwt, SigningKey, ath};
use crate::policy::{Attestation, AttestationId, ClaimCondition, Name, Possession, Profile, RequiredClaims};
use rstest::rstest;
use serde_json::{Value, json};

const TARGET: &str = "https://api.example.com/v1/payments/7/refund";

/// A world that accepts attestations of this profile, and nothing else.
fn world(profile: Profile, possession: Possession) -> World {
    let mut world = World::new();
    world.policy.attestations = vec![of_profile("only", profile, possession)];
    world
}

fn of_profile(name: &str, profile: Profile, possession: Possession) -> Attestation {
    let header = profile.standard_header().unwrap_or(Attestation::DEFAULT_HEADER);
    let audiences = if profile.holds_its_key() { Vec::new() } else { vec!["stepgate".into()] };
    Attestation {
        name: Name::parse(name).unwrap(),
        profile,
        header: header.to_ascii_lowercase().into(),
        audiences,
        possession,
        ..super::world::attestation()
    }
}

fn level(world: &mut World, change: impl Fn(&mut crate::policy::Assurance)) {
    world.policy.assurance.iter_mut().for_each(change);
}

/// A refund with its bearer and nothing else.
fn refund(world: &World) -> Call {
    let bearer = World::bearer(WEB, "payments:refund").sign(&world.idp).unwrap();
    Call::new("POST", REFUND).with("authorization", format!("Bearer {bearer}"))
}

/// The same by a caller with a client certificate.
fn certified(call: Call) -> Call {
    let mut call = call;
    call.peer.certificate = Some(certificate(WEB).into());
    call
}

fn came_out(world: &World, call: &Call) -> String {
    line(&world.decide(call))
}

fn with_alg(key: &SigningKey) -> Value {
    let mut jwk = key.public().to_json();
    jwk["alg"] = json!("ES256");
    jwk
}

/// The thumbprint of the certificate that a call comes with.
fn certificate_of(call: &Call) -> String {
    PeerCertificate::parse(call.peer.certificate.as_deref().unwrap()).unwrap().thumbprint.to_string()
}
