//! What is granted by hand, and how grants are shown.

use super::*;
use crate::attestation::{Details, Thumbprint};
use crate::case::tests::world::World;
use crate::grant::AttestedBasis;
use crate::policy::{Identities, Identity, NamePattern};
use crate::revocation::{Issued, Revocations, Target};
use rstest::rstest;
use serde_json::{Value, json};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const WEB: &str = "spiffe://example.org/web";

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn operator() -> Operator {
    Operator { name: name("alice"), role: crate::admin::Role::Admin }
}

fn request(change: impl Fn(&mut Value)) -> Sent {
    let mut body = json!({ "principal": WEB, "routes": ["refund"], "reason": "the attester is down", "ttl": "30m" });
    change(&mut body);
    serde_json::from_value(body).unwrap()
}

fn read(change: impl Fn(&mut Value)) -> Result<BreakGlass, Unclear> {
    request(change).read(&World::new().policy)
}

fn given() -> Grant {
    let id = RevocationId::parse("4711").unwrap();
    read(|_| ()).unwrap().grant(id, name("alice"), NOW)
}

fn attested() -> Grant {
    let basis = AttestedBasis {
        level: name("fresh"),
        definition: Thumbprint::of(b"definition"),
        attestation: name("workload"),
        attester: name("attester"),
        subject: "web".into(),
        signer: Thumbprint::of(b"signer"),
        keys: vec![Thumbprint::of(b"key")],
        details: Details::default(),
    };
    Grant {
        holder: Holder::Key(Thumbprint::of(b"key")),
        basis: Basis::Attested(basis),
        scopes: ScopeSet::parse("payments:refund payments:read").unwrap(),
        task: "run-7".into(),
        issued: NOW.plus(Ttl::from_secs(5)),
        ..given()
    }
}

#[test]
fn a_grant_by_hand_is_for_any_certificate_of_the_principal_and_ends() {
    let grant = given();
    assert_eq!((grant.principal.as_str(), grant.holder, &*grant.task), (WEB, Holder::Certified, "break-glass:4711"));
    assert_eq!((grant.routes.as_slice(), grant.scopes.is_empty()), ([name("refund")].as_slice(), true));
    assert_eq!((grant.issued, grant.expires), (NOW, NOW.plus(Ttl::from_secs(1_800))));
    let (by, reason) = (name("alice"), Note::parse("the attester is down").unwrap());
    assert_eq!(grant.basis, Basis::BreakGlass { by, reason });
}

#[rstest]
#[case("1s")]
#[case("1h")]
#[case("60m")]
#[case("3600s")]
fn an_hour_is_as_long_as_it_may_last(#[case] ttl: &str) {
    assert!(read(|body| body["ttl"] = ttl.into()).is_ok());
}

#[rstest]
#[case::nothing("0s")]
#[case::a_second_more("3601s")]
#[case::a_minute_more("61m")]
#[case::a_day("1d")]
fn neither_nothing_nor_more_than_an_hour_is_granted(#[case] ttl: &str) {
    assert_eq!(read(|body| body["ttl"] = ttl.into()), Err(Unclear::TtlOutOfRange));
}

#[rstest]
#[case("")]
#[case("30")]
#[case("30 m")]
#[case("-30m")]
#[case("0.5h")]
#[case("PT30M")]
#[case("99999999999999999999s")]
fn a_time_that_can_be_misread_is_not_read(#[case] ttl: &str) {
    assert!(matches!(read(|body| body["ttl"] = ttl.into()), Err(Unclear::Ttl(_))));
}

#[rstest]
#[case::principal("principal", json!("two words"), "`principal` is none: a principal is 1 to 2048 visible ASCII characters.")]
#[case::reason("reason", json!(""), "`reason` is none: a reason is one line of 1 to 512 bytes.")]
#[case::lines("reason", json!("down\n\u{1b}[2J"), "`reason` is none: a reason is one line of 1 to 512 bytes.")]
#[case::no_route("routes", json!([]), "`routes` names 1 to 64 routes of the policy.")]
#[case::many_routes("routes", json!(vec!["refund"; 65]), "`routes` names 1 to 64 routes of the policy.")]
#[case::route_twice("routes", json!(["refund", "status", "refund"]), "`routes` names `refund` twice.")]
#[case::typo("routes", json!(["refnud"]), "The policy has no route `refnud`: did you mean `refund`?")]
#[case::all_routes("routes", json!(["*"]), "The policy has no route `*`: use one of ")]
#[case::ttl("ttl", json!("2h"), "`ttl` is more than nothing, and at most 1h.")]
fn what_is_wrong_is_said(#[case] member: &str, #[case] value: Value, #[case] says: &str) {
    let why = read(|body| body[member] = value.clone()).unwrap_err();
    let said = bad_request(&why).detail;
    assert!(said.starts_with(says), "{said}");
}

#[test]
fn a_name_that_is_far_too_long_for_a_route_is_not_told_back() {
    let why = read(|body| body["routes"] = json!(["x".repeat(60_000)])).unwrap_err();
    assert!(why.to_string().len() < 2_000);
}

/// Whom the policy refuses, in words as the entries of a policy: the name and its status.
#[rstest]
#[case("spiffe://example.org/web", Status::Active, Undeclared::Refuse, false)]
#[case("spiffe://example.org/*", Status::Active, Undeclared::Refuse, false)]
#[case("spiffe://example.org/web", Status::Suspended, Undeclared::default(), true)]
#[case("spiffe://example.org/*", Status::Offboarded, Undeclared::default(), true)]
#[case("other", Status::Active, Undeclared::Refuse, true)]
#[case("other", Status::Suspended, Undeclared::default(), false)]
fn nothing_is_granted_to_whom_the_policy_refuses(
    #[case] pattern: &str,
    #[case] status: Status,
    #[case] undeclared: Undeclared,
    #[case] refused: bool,
) {
    let entry = Identity {
        pattern: NamePattern::parse(pattern).unwrap(),
        aliases: Vec::new(),
        networks: None,
        countries: None,
        hours: None,
        kind: None,
        owner: None,
        baseline: None,
        status,
        review_by: None,
    };
    let identities = Identities::new(vec![entry], undeclared);
    let policy = Policy { identities, ..World::new().policy };
    assert_eq!(is_refused(&Principal::parse(WEB).unwrap(), &policy), refused);
}

#[test]
fn a_grant_that_was_ended_stays_so_also_where_the_attesters_clock_is_ahead() {
    for grant in [given(), attested()] {
        let names = [grant.principal.clone()];
        let [end] = <[Revocation; 1]>::try_from(ends_of(&grant, &names, &operator(), NOW)).unwrap();
        let mut revocations = Revocations::none(Revocations::DEFAULT_KEEP);
        revocations.add(&end);
        assert!(!grant.is_live(NOW, &revocations) && !grant.is_live(NOW.plus(Ttl::from_secs(9)), &revocations));
        assert_eq!((end.source, end.reason.as_ref().map(Note::as_str)), (Source::GrantEnded, Some("ended by alice")));
        assert!(matches!(end.target, Target::Task { of: Some(_), .. }), "nobody else's task of this name");
        assert_eq!(end.id, ends_of(&grant, &names, &operator(), NOW.plus(Ttl::from_secs(1)))[0].id);
    }
}

/// What it was made from could be shown by another name, and leave another grant of that task.
#[test]
fn a_grant_is_ended_by_every_name_of_its_holder() {
    let grant = attested();
    let names = [WEB, "web-2"].map(|name| Principal::parse(name).unwrap());
    let ends = ends_of(&grant, &names, &operator(), NOW);
    let mut revocations = Revocations::none(Revocations::DEFAULT_KEEP);
    for end in &ends {
        revocations.add(end);
    }
    let attester = name("attester");
    let by = |principal: &str| {
        let (at, principals) = (Some(grant.issued), [principal]);
        let what =
            Issued { at, principals: &principals, attester: Some(&attester), task: Some(&grant.task), keys: &[] };
        revocations.is_void(&what, NOW.plus(Ttl::from_secs(9)))
    };
    assert!(by(WEB) && by("web-2") && !by("web-3"));
    assert_ne!(ends[0].id, ends[1].id);
}

#[test]
fn grants_are_shown_by_what_they_hold() {
    let shown = |grant: &Grant| serde_json::to_value(Listed::from(grant)).unwrap();
    assert_eq!(
        shown(&given()),
        json!({
            "id": "4711", "kind": "break_glass", "principal": WEB, "holder": "certified", "bound_to": null,
            "assurance": null, "task": "break-glass:4711", "attester": null, "attestation": null, "scopes": [],
            "routes": ["refund"], "issued_at": "2027-01-15T08:00:00Z", "expires_at": "2027-01-15T08:30:00Z",
            "reason": "the attester is down", "by": "alice",
        })
    );
    assert_eq!(
        shown(&attested()),
        json!({
            "id": "4711", "kind": "attested", "principal": WEB, "holder": "key",
            "bound_to": Thumbprint::of(b"key").to_string(), "assurance": "fresh", "task": "run-7",
            "attester": "attester", "attestation": "workload", "scopes": ["payments:read", "payments:refund"],
            "routes": ["refund"], "issued_at": "2027-01-15T08:00:05Z", "expires_at": "2027-01-15T08:30:00Z",
            "reason": null, "by": null,
        })
    );
}

#[test]
fn what_could_not_be_shared_counts_here_and_is_no_success() {
    let grant = given();
    assert_eq!(
        (tell(&grant, Ok(())).status(), tell(&grant, Err(NotKept)).status()),
        (201.try_into().unwrap(), StatusCode::SERVICE_UNAVAILABLE)
    );
    assert_eq!(
        (tell_end(&grant.id, Ok(())).status(), tell_end(&grant.id, Err(NotKept)).status()),
        (StatusCode::NO_CONTENT, StatusCode::SERVICE_UNAVAILABLE)
    );
}
