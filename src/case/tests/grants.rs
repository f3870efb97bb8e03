//! Grants: what one proof opens for the other calls of its task, and everything that ends or exceeds it.

use super::line;
use super::remembered::looks_for;
use super::world::{Call, NOW, ORIGIN, REFUND, THIEF, WEB, World, certificate, key, key_set};
use crate::attestation::Thumbprint;
use crate::case::{Answer, Case, GrantSource, Ground, Need, Step};
use crate::context::Test;
use crate::decision::Outcome;
use crate::grant::{Basis, Grant, Holder};
use crate::identity::Principal;
use crate::mint::{Jwt, SigningKey, ath};
use crate::policy::{
    Attestation, Carry, LevelId, Mode, Name, PathTemplate, Possession, Profile, Route, RouteTable, ScopeSet, Selector,
};
use crate::revocation::{Note, RevocationId, Target, TaskOwner};
use crate::time::{Ttl, UnixTime};
use rstest::rstest;
use serde_json::json;
use std::sync::Arc;

const TASK: &str = "run-7";

/// A world whose levels remember grants.
fn world() -> World {
    let mut world = World::new();
    for level in &mut world.policy.assurance {
        level.carry = Carry::FirstCall;
        level.task_required = true;
    }
    world
}

fn attestation(world: &World) -> Jwt {
    World::attestation(WEB, &world.web).claim("txn", TASK)
}

/// The call by the workload with a token that is bound to its key, and a proof for it.
fn bound(world: &World, path: &'static str, at: u64, id: &str) -> Call {
    let bearer = World::bearer(WEB, "payments:refund payments:read")
        .claim("cnf", json!({ "jkt": world.web.public().thumbprint() }))
        .sign(&world.idp)
        .unwrap();
    let proof = proof(world, path, &bearer, at).claim("jti", id).claim("nonce", world.challenge(WEB, at));
    Call::new("POST", path)
        .at(at)
        .with("authorization", format!("DPoP {bearer}"))
        .with("dpop", proof.sign(&world.web).unwrap())
}

fn proof(world: &World, path: &str, bearer: &str, at: u64) -> Jwt {
    let url = format!("{ORIGIN}{path}");
    Jwt::proof(world.web.public(), "POST", &url).unwrap().claim("iat", at).with_token(bearer)
}

fn attested(world: &World, call: Call) -> Call {
    call.with("oauth-client-attestation", attestation(world).sign(&world.attester).unwrap())
}

/// The first call of the task.
fn first(world: &World) -> Call {
    attested(world, bound(world, REFUND, NOW, "first"))
}

/// A later call of the task, without any attestation.
fn later(world: &World, at: u64) -> Call {
    bound(world, REFUND, at, &format!("later {at}"))
}

fn came_out(world: &World, call: &Call) -> String {
    line(&world.decide(call))
}

const GRANTED: &str = "verified granted";
const BY_HAND: &str = "verified break_glass";
const CHALLENGED: &str = "step_up attestation_missing";

#[test]
fn the_calls_of_a_task_attest_once() {
    let world = world();
    assert_eq!(came_out(&world, &later(&world, NOW)), CHALLENGED);
    assert_eq!(came_out(&world, &first(&world)), "verified attested");
    let granted = world.decide(&later(&world, NOW + 1));
    assert_eq!((line(&granted).as_str(), granted.task()), (GRANTED, Some(TASK)));
    assert!(granted.hands_out_challenge() && granted.earned().is_none());
    assert_eq!(granted.findings.answered, None, "who only uses a grant answered no challenge");
}

#[test]
fn where_each_call_has_to_attest_nothing_is_left_behind() {
    let world = World::new();
    assert_eq!(came_out(&world, &first(&world)), "verified attested");
    assert_eq!(came_out(&world, &later(&world, NOW)), CHALLENGED);
}

#[test]
fn a_grant_needs_the_proof_of_its_key_every_time() {
    let world = world();
    assert_eq!(came_out(&world, &first(&world)), "verified attested");
    let call = later(&world, NOW);
    assert_eq!(came_out(&world, &call.clone().without("dpop")), "deny credential_binding_unproven");
    assert_eq!(came_out(&world, &call), GRANTED);
    assert_eq!(came_out(&world, &call), "deny proof_replayed");
    let bearer = call.header("authorization").strip_prefix("DPoP ").unwrap();
    let url = format!("{ORIGIN}{REFUND}");
    let theirs = Jwt::proof(world.thief.public(), "POST", &url).unwrap().claim("iat", NOW).with_token(bearer);
    assert_eq!(
        came_out(&world, &call.clone().with("dpop", theirs.sign(&world.thief).unwrap())),
        "deny proof_key_mismatch"
    );
}

/// A thief has the bearer token and no key: his own token, bound to his own key, finds no grant.
#[test]
fn another_key_finds_no_grant() {
    let world = world();
    assert_eq!(came_out(&world, &first(&world)), "verified attested");
    let bearer = World::bearer(WEB, "payments:refund")
        .claim("cnf", json!({ "jkt": world.thief.public().thumbprint() }))
        .sign(&world.idp)
        .unwrap();
    let url = format!("{ORIGIN}{REFUND}");
    let proof = Jwt::proof(world.thief.public(), "POST", &url).unwrap().claim("iat", NOW).with_token(&bearer);
    let proof = proof.claim("nonce", world.challenge(WEB, NOW)).sign(&world.thief).unwrap();
    let call = Call::new("POST", REFUND).with("authorization", format!("DPoP {bearer}")).with("dpop", proof);
    assert_eq!(came_out(&world, &call), CHALLENGED);
    let plain = World::bearer(WEB, "payments:refund").sign(&world.idp).unwrap();
    let stolen = Call::new("POST", REFUND).with("authorization", format!("Bearer {plain}"));
    assert_eq!(came_out(&world, &stolen), CHALLENGED);
}

#[test]
fn who_shows_neither_certificate_nor_bound_token_attests_on_every_call() {
    let world = world();
    let call = world.refund();
    let call = call.with("oauth-client-attestation", attestation(&world).sign(&world.attester).unwrap());
    assert_eq!(came_out(&world, &call), "verified attested");
    assert_eq!(came_out(&world, &call.without("oauth-client-attestation").without("dpop")), CHALLENGED);
}

#[test]
fn with_a_certificate_the_certificate_is_the_proof() {
    let world = world();
    let pem = certificate(WEB);
    let with_certificate = |mut call: Call, pem: &str| {
        call.peer.certificate = Some(pem.into());
        call
    };
    let proven = world.refund().with("oauth-client-attestation", attestation(&world).sign(&world.attester).unwrap());
    assert_eq!(came_out(&world, &with_certificate(proven.clone(), &pem)), "verified attested");
    let plain = proven.without("oauth-client-attestation").without("dpop");
    assert_eq!(came_out(&world, &with_certificate(plain.clone(), &pem)), GRANTED);
    assert_eq!(
        came_out(&world, &with_certificate(plain.clone(), &certificate(WEB))),
        CHALLENGED,
        "another certificate"
    );
    assert_eq!(came_out(&world, &plain), CHALLENGED, "no certificate");
}

#[test]
fn a_grant_covers_the_scopes_that_were_attested_and_no_others() {
    let mut world = world();
    let refund = world.policy.routes.iter().find(|(_, route)| route.name.as_str() == "refund").unwrap().1.clone();
    let route = |name: &str, path: &str, scopes: &str| Route {
        name: Name::parse(name).unwrap(),
        selector: Selector { path: PathTemplate::parse(path).unwrap(), ..refund.selector.clone() },
        scopes: ScopeSet::parse(scopes).unwrap(),
        elevated: ScopeSet::parse(scopes).unwrap().filtered(|scope| world.policy.elevated.contains_in_any_case(scope)),
        ..refund.clone()
    };
    let routes = vec![
        refund.clone(),
        route("refund-all", "/v1/all-refunds", "payments:refund"),
        route("wipe", "/v1/wipe", "payments:refund admin:wipe"),
        route("bare", "/v1/bare", ""),
    ];
    world.policy.routes = RouteTable::new(routes, false);
    world.policy.rules.iter_mut().for_each(|rule| rule.when.privilege = None);
    let scopes = "payments:refund payments:read admin:wipe";
    let call = |path: &'static str, id: &str| {
        let bearer = World::bearer(WEB, scopes).claim("cnf", json!({ "jkt": world.web.public().thumbprint() }));
        let bearer = bearer.sign(&world.idp).unwrap();
        let proof = proof(&world, path, &bearer, NOW).claim("jti", id).claim("nonce", world.challenge(WEB, NOW));
        let call = Call::new("POST", path).with("authorization", format!("DPoP {bearer}"));
        call.with("dpop", proof.sign(&world.web).unwrap())
    };
    assert_eq!(came_out(&world, &attested(&world, call(REFUND, "1"))), "verified attested");
    assert_eq!(came_out(&world, &call("/v1/all-refunds", "2")), GRANTED, "the same scopes elsewhere");
    assert_eq!(came_out(&world, &call("/v1/wipe", "3")), CHALLENGED, "one scope more");
    assert_eq!(came_out(&world, &call("/v1/bare", "4")), CHALLENGED, "a route without scopes that was not attested");
    assert_eq!(came_out(&world, &attested(&world, call("/v1/bare", "5"))), "verified attested");
    assert_eq!(came_out(&world, &call("/v1/bare", "6")), GRANTED);
    assert_eq!(came_out(&world, &call("/v1/nowhere", "7")), CHALLENGED, "a route that nobody knows");
}

#[test]
fn a_grant_keeps_the_intent_of_its_attestation() {
    let world = world();
    let details = json!([{ "type": "stepgate", "locations": ["api.example.com"] }]);
    let limited = attestation(&world).claim("authorization_details", details).sign(&world.attester).unwrap();
    let call = bound(&world, REFUND, NOW, "1").with("oauth-client-attestation", limited);
    assert_eq!(came_out(&world, &call), "verified attested");
    assert_eq!(came_out(&world, &later(&world, NOW)), GRANTED);
    let mut elsewhere = later(&world, NOW + 1);
    elsewhere.host = "other.example.com";
    assert_eq!(came_out(&world, &elsewhere), CHALLENGED);
}

/// The level lives 300 s, the attestation and the token 600 s.
#[rstest]
#[case::level(600, 600, 299, 300)]
#[case::attestation(100, 600, 99, 100)]
#[case::token(600, 120, 119, 120)]
fn a_grant_ends_with_the_first_of_what_is_behind_it(
    #[case] attestation_life: u64,
    #[case] token_life: u64,
    #[case] last: u64,
    #[case] ended: u64,
) {
    let mut world = world();
    world.policy.credentials.leeway = Ttl::from_secs(30);
    let call = |at: u64, life: u64| {
        let bearer = World::bearer(WEB, "payments:refund").issued(NOW, life);
        let bearer = bearer.claim("cnf", json!({ "jkt": world.web.public().thumbprint() })).sign(&world.idp).unwrap();
        let proof =
            proof(&world, REFUND, &bearer, at).claim("jti", format!("{at}")).claim("nonce", world.challenge(WEB, at));
        let call = Call::new("POST", REFUND).at(at).with("authorization", format!("DPoP {bearer}"));
        call.with("dpop", proof.sign(&world.web).unwrap())
    };
    let statement = attestation(&world).issued(NOW, attestation_life).sign(&world.attester).unwrap();
    let opened = call(NOW, token_life).with("oauth-client-attestation", statement);
    assert_eq!(came_out(&world, &opened), "verified attested");
    assert_eq!(came_out(&world, &call(NOW + last, token_life)), GRANTED);
    assert_eq!(came_out(&world, &call(NOW + ended, token_life)), CHALLENGED);
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn web() -> Principal {
    Principal::parse(WEB).unwrap()
}

fn task(task: &str, of: Option<(&str, &str)>) -> Target {
    let of = of.map(|(who, by)| TaskOwner { principal: Principal::parse(who).unwrap(), attester: name(by) });
    Target::Task { task: task.into(), of }
}

/// Of what voids the grant alone, the token stays; what voids both refuses the caller.
#[rstest]
#[case::its_task(task(TASK, Some((WEB, "attester"))), CHALLENGED)]
#[case::any_task_of_the_name(task(TASK, None), CHALLENGED)]
#[case::its_attester(Target::Attester(name("attester")), CHALLENGED)]
#[case::the_principal(Target::Principal(web()), "deny credential_revoked")]
#[case::everything(Target::All, "deny credential_revoked")]
#[case::the_issuer(Target::Attester(name("idp")), "deny credential_revoked")]
#[case::another_task(task("run-8", None), GRANTED)]
#[case::a_strangers_task(task(TASK, Some((THIEF, "attester"))), GRANTED)]
#[case::a_strangers_attester(task(TASK, Some((WEB, "idp"))), GRANTED)]
#[case::a_stranger(Target::Principal(Principal::parse(THIEF).unwrap()), GRANTED)]
fn a_revocation_ends_it_at_once(#[case] target: Target, #[case] then: &str) {
    let world = world();
    assert_eq!(came_out(&world, &first(&world)), "verified attested");
    assert_eq!(came_out(&world, &later(&world, NOW)), GRANTED);
    world.revoke(target, NOW + 5);
    assert_eq!(came_out(&world, &later(&world, NOW + 6)), then);
}

#[test]
fn a_revoked_key_ends_what_is_bound_to_it_and_what_it_signed() {
    let ended_by = |key: fn(&World) -> &SigningKey| {
        let world = world();
        assert_eq!(came_out(&world, &first(&world)), "verified attested");
        world.revoke(Target::Key(Thumbprint::parse(&key(&world).public().thumbprint()).unwrap()), NOW + 5);
        came_out(&world, &later(&world, NOW + 6))
    };
    assert_eq!(ended_by(|world| &world.web), "deny credential_revoked");
    assert_eq!(ended_by(|world| &world.idp), "deny credential_revoked");
    assert_eq!(ended_by(|world| &world.attester), CHALLENGED);
    assert_eq!(ended_by(|world| &world.thief), GRANTED);
}

#[test]
fn a_key_that_left_its_set_takes_the_grants_along() {
    let mut world = world();
    assert_eq!(came_out(&world, &first(&world)), "verified attested");
    let other = key();
    world.keyring = crate::attestation::Keyring::new(vec![key_set(&[&world.idp]), key_set(&[&other])]);
    assert_eq!(came_out(&world, &later(&world, NOW)), CHALLENGED);
}

/// Whatever is said otherwise of a level, or of whom it accepts, makes it another.
#[rstest]
#[case::every_call(|world: &mut World| world.policy.assurance[0].carry = Carry::EveryCall)]
#[case::fresher(|world: &mut World| world.policy.assurance[0].max_age = Ttl::from_secs(299))]
#[case::renamed(|world: &mut World| world.policy.assurance[0].name = Name::parse("other").unwrap())]
#[case::other_attestation(|world: &mut World| world.policy.attestations[0].task_claim = "task".into())]
#[case::other_issuer(|world: &mut World| world.policy.issuers[1].audiences = vec!["x".into()])]
#[case::stricter_rule(|world: &mut World| world.policy.rules[1].effect = crate::policy::Effect::Require(LevelId(1)))]
fn a_policy_that_no_longer_grants_it_ends_it(#[case] change: fn(&mut World)) {
    let mut world = world();
    assert_eq!(came_out(&world, &first(&world)), "verified attested");
    let grants = std::mem::take(&mut world.grants);
    let mut changed = World { grants, ..self::world() };
    (changed.idp, changed.attester, changed.web, changed.keyring) =
        (world.idp, world.attester, world.web, world.keyring);
    assert_eq!(came_out(&changed, &later(&changed, NOW)), GRANTED, "the same policy again");
    change(&mut changed);
    changed.policy.definitions = crate::policy::Definitions::default();
    assert_eq!(came_out(&changed, &later(&changed, NOW + 1)), CHALLENGED);
}

#[test]
fn an_offboarded_caller_is_refused_whatever_was_granted() {
    let mut world = world();
    assert_eq!(came_out(&world, &first(&world)), "verified attested");
    world.policy.identities = super::standing::identities(&["WEB!offboarded"]);
    assert_eq!(came_out(&world, &later(&world, NOW)), "deny offboarded");
}

/// A grant for the stricter level does for the laxer one, and never the other way round.
#[test]
fn a_grant_counts_for_its_own_level_and_for_laxer_ones() {
    let mut world = world();
    world.policy.rules[1].effect = crate::policy::Effect::Require(LevelId(1));
    assert_eq!(came_out(&world, &first(&world)), "verified attested");
    world.policy.rules[1].effect = crate::policy::Effect::Require(LevelId(0));
    assert_eq!(came_out(&world, &later(&world, NOW)), GRANTED);
}

#[test]
fn bad_evidence_beside_a_live_grant_changes_nothing_and_a_warning_of_the_verifier_does() {
    let mut world = world();
    assert_eq!(came_out(&world, &first(&world)), "verified attested");
    let stale = attestation(&world).issued(NOW - 400, 900).sign(&world.attester).unwrap();
    assert_eq!(came_out(&world, &later(&world, NOW).with("oauth-client-attestation", stale)), GRANTED);
    let ear = Attestation {
        name: name("tee"),
        profile: Profile::Ear(crate::attestation::Tier::Affirming),
        header: "x-attestation".into(),
        audiences: vec!["stepgate".into()],
        possession: Possession::Any,
        ..super::world::attestation()
    };
    world.policy.attestations.push(ear);
    world.policy.assurance.iter_mut().for_each(|level| level.accept.push(crate::policy::AttestationId(1)));
    world.policy.definitions = crate::policy::Definitions::default();
    assert_eq!(came_out(&world, &attested(&world, later(&world, NOW + 1))), "verified attested");
    let results = Jwt::new("JWT").claim("sub", WEB).claim("aud", "stepgate").issued(NOW, 600);
    let results = results.claim("eat_profile", "tag:github.com,2023:veraison/ear");
    let results = results.claim("cnf", json!({ "jkt": world.web.public().thumbprint() }));
    let results = results.claim("submods", json!({ "kernel": { "ear.status": "contraindicated" } }));
    let call = later(&world, NOW + 2).with("x-attestation", results.sign(&world.attester).unwrap());
    assert_eq!(came_out(&world, &call), "deny attestation_contraindicated");
}

fn break_glass(routes: &[&str], secs: u64) -> Grant {
    Grant {
        id: RevocationId::derived(&[b"glass"]),
        principal: web(),
        holder: Holder::Certified,
        basis: Basis::BreakGlass { by: name("alice"), reason: Note::parse("attester down").unwrap() },
        scopes: ScopeSet::default(),
        routes: routes.iter().map(|route| name(route)).collect(),
        task: "break-glass:1".into(),
        issued: UnixTime::from_secs(NOW),
        expires: UnixTime::from_secs(NOW + secs),
    }
}

#[test]
fn break_glass_opens_its_routes_to_the_certificate_of_its_principal_for_its_time() {
    let world = World::new();
    world.grants.keep(Arc::new(break_glass(&["refund"], 60)), UnixTime::from_secs(NOW));
    let bearer = World::bearer(WEB, "payments:refund").sign(&world.idp).unwrap();
    let plain = |at| Call::new("POST", REFUND).at(at).with("authorization", format!("Bearer {bearer}"));
    let certified = |at| {
        let mut call = plain(at);
        call.peer.certificate = Some(certificate(WEB).into());
        call
    };
    assert_eq!(came_out(&world, &certified(NOW + 59)), BY_HAND);
    assert_eq!(came_out(&world, &certified(NOW + 60)), CHALLENGED);
    assert_eq!(came_out(&world, &plain(NOW)), CHALLENGED, "a stolen bearer");
    world.revoke(break_glass(&[], 1).end(), NOW);
    assert_eq!(came_out(&world, &certified(NOW + 1)), CHALLENGED);
}

#[test]
fn break_glass_opens_no_other_route() {
    let world = World::new();
    world.grants.keep(Arc::new(break_glass(&["read-payment"], 60)), UnixTime::from_secs(NOW));
    let mut call = world.refund().without("oauth-client-attestation").without("dpop");
    call.peer.certificate = Some(certificate(WEB).into());
    assert_eq!(came_out(&world, &call), CHALLENGED);
}

/// A state that is slow must not make a call late that would not ask it, were it not for a rule that is only watched.
#[test]
fn what_is_only_watched_waits_for_no_grants_of_other_replicas() {
    let mut world = world();
    world.policy.rules.iter_mut().for_each(|rule| rule.mode = Mode::Shadow);
    let facts = later(&world, NOW).facts();
    let ground = Ground { policy: &world.policy, keyring: &world.keyring, challenges: &world.challenges };
    let (mut case, mut asked) = (Case::open(ground, &facts), Vec::new());
    let decision = loop {
        match world.step(&mut case, NOW) {
            Step::Needs(Need::Grants(wanted)) => {
                asked.push(wanted.from);
                case.supply(Answer::Grants(wanted.from, Vec::new()));
            }
            Step::Needs(need) => case.supply(world.answer(need, NOW)),
            Step::Decided(decision) => break decision,
        }
    };
    assert_eq!(asked, [GrantSource::Here]);
    assert!(matches!((decision.outcome, decision.shadow), (Outcome::Allow(_), Some(Outcome::StepUp(_)))));
}

/// Whoever has the certificate on that day must not make his place a usual one.
#[test]
fn what_is_granted_by_hand_makes_nothing_unusual_usual() {
    let mut world = World::new();
    looks_for(&mut world, Test::NewNetwork);
    world.grants.keep(Arc::new(break_glass(&["refund"], 60)), UnixTime::from_secs(NOW));
    let bearer = World::bearer(WEB, "payments:refund").sign(&world.idp).unwrap();
    let mut call = Call::new("POST", REFUND).with("authorization", format!("Bearer {bearer}"));
    call.peer.certificate = Some(certificate(WEB).into());
    let is_unusual = |source: &str| {
        let decision = world.decide(&call.clone().from(source));
        assert_eq!(line(&decision), BY_HAND);
        !decision.findings.unusual.signals.is_empty()
    };
    assert!((0..3).all(|_| !is_unusual("10.20.1.4")));
    assert!(is_unusual("66.6.6.6") && is_unusual("66.6.6.6") && !is_unusual("10.20.1.4"));
}

#[test]
fn ath_of_the_token_is_what_the_proof_names() {
    let world = world();
    assert_eq!(came_out(&world, &first(&world)), "verified attested");
    let call = later(&world, NOW);
    let bearer = call.header("authorization").strip_prefix("DPoP ").unwrap();
    let other = proof(&world, REFUND, bearer, NOW).claim("ath", ath("another")).sign(&world.web).unwrap();
    assert_eq!(came_out(&world, &call.with("dpop", other)), "deny proof_token_mismatch");
}
