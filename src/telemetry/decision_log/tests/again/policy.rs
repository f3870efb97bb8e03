//! A policy that looks at all that a policy can look at.

use crate::case::tests::world::{WEB, World};
use crate::context::{
    Anomaly, Context, Country, CountrySource, HeaderTest, LearningTerms, Look, NetworkSet, Signal, SignalId, Signals,
    Test,
};
use crate::identity::Principal;
use crate::policy::{
    ClaimCondition, Effect, Floor, Floors, Glob, HeaderCondition, Identities, Identity, LevelId, McpCondition, Mode,
    Name, NamePattern, PathTemplate, Route, RouteTable, Rule, ScopePatterns, Selector, Sensitivity, Status, Undeclared,
    When,
};
use crate::request::AskedIn;
use crate::time::Ttl;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn identity(pattern: &str, networks: Option<&str>, status: Status) -> Identity {
    let networks = networks.map(|network| [network.parse().unwrap()].into_iter().collect::<NetworkSet>());
    Identity {
        pattern: NamePattern::parse(pattern).unwrap(),
        aliases: if pattern == WEB { vec![Principal::parse("billing-web").unwrap()] } else { Vec::new() },
        kind: None,
        owner: None,
        baseline: networks.is_some().then(|| ScopePatterns::new(["payments:read"]).unwrap()),
        countries: networks.is_some().then(|| [Country::parse("DE").unwrap()].into()),
        networks,
        hours: None,
        status,
        review_by: None,
    }
}

fn signals() -> Signals {
    let header = |name: &str, looks_for| Test::Header(HeaderTest { name: name.into(), looks_for });
    let tests = [
        ("new_network", Test::NewNetwork),
        ("new_country", Test::NewCountry(CountrySource::Header("x-geo-country".into()))),
        ("scope_jump", Test::ScopeJump),
        ("long_lived_credential", Test::LongLivedCredential { lifetime: Ttl::from_secs(700) }),
        ("shared_credential", Test::SharedCredential { sources: 3 }),
        ("dormant_identity", Test::DormantIdentity { after: Ttl::from_secs(3_600) }),
        ("untrusted_device", Test::UntrustedDevice { header: "x-device".into(), trusted: ["managed".into()].into() }),
        ("credential_in_url", Test::CredentialInUrl),
        ("break-glass", header("x-break-glass", Look::Present)),
        ("no-trace", header("x-trace", Look::Absent)),
        ("test-key", header("x-api-key", Look::Values(["test".into()].into()))),
        ("odd-key", header("x-api-key", Look::Matches(Glob::parse("odd-*").unwrap()))),
        ("odd-client", header("user-agent", Look::Matches(Glob::parse("curl/*").unwrap()))),
    ];
    let signal = |(own, test)| Signal { name: name(own), points: Anomaly::new(10).unwrap(), test };
    Signals::new(tests.map(signal).into()).unwrap()
}

fn condition(name: &str, value: &str) -> HeaderCondition {
    HeaderCondition { name: name.into(), values: vec![value.into()] }
}

fn routes(world: &World) -> RouteTable {
    let mut routes: Vec<_> = world.policy.routes.iter().map(|(_, route)| route.clone()).collect();
    let like = |own: &str, at: usize, selector: Selector| Route { name: name(own), selector, ..routes[at].clone() };
    let call = |tool: &str| McpCondition { method: "tools/call".into(), tools: [Glob::parse(tool).unwrap()].into() };
    let mcp = |tool| Selector {
        path: PathTemplate::parse("/mcp").unwrap(),
        mcp: Some(call(tool)),
        ..routes[1].selector.clone()
    };
    let narrowed = Selector { headers: vec![condition("x-api-version", "2")], ..routes[0].selector.clone() };
    let issuing = Selector { path: PathTemplate::parse("/token").unwrap(), ..routes[1].selector.clone() };
    let added = [
        like("read-v2", 0, narrowed),
        like("delete-tool", 1, mcp("delete_*")),
        like("read-tool", 0, mcp("read_*")),
        Route { issues: Some(AskedIn::Form("scope".into())), ..like("token", 0, issuing) },
    ];
    routes.extend(added);
    RouteTable::new(routes, false)
}

fn rules() -> Vec<Rule> {
    let rule = |own: &str, when, effect| Rule {
        name: name(own),
        owner: None,
        when,
        effect,
        mode: Mode::Enforce,
        controls: Vec::new(),
    };
    let least = |sensitivity| When { sensitivity: Some(sensitivity), ..When::default() };
    let (moderate, high) = (least(Sensitivity::Moderate), least(Sensitivity::High));
    let unusual = moderate.join(Anomaly::new(40), None).unwrap();
    let seen = moderate.join(None, Some([SignalId::at(7).unwrap(), SignalId::at(10).unwrap()].into_iter().collect()));
    let claims = vec![ClaimCondition { name: "team".into(), values: vec!["red".into()] }];
    let headers = vec![condition("x-tier", "gold")];
    vec![
        rule("unusual", moderate.clone(), Effect::RequireIf(unusual, LevelId(0))),
        Rule { mode: Mode::Shadow, ..rule("seen", moderate.clone(), Effect::RequireIf(seen.unwrap(), LevelId(1))) },
        rule("red", When { claims, ..high.clone() }, Effect::Require(LevelId(1))),
        rule("gold", When { headers, ..moderate }, Effect::Deny(name("no_gold"))),
        Rule { mode: Mode::Shadow, ..rule("watched", high, Effect::Require(LevelId(1))) },
    ]
}

/// The usual world under that policy.
pub(super) fn world(mode: Mode) -> World {
    let mut world = World::new();
    world.policy.mode = mode;
    world.policy.routes = routes(&world);
    world.policy.rules.extend(rules());
    world.policy.identities = Identities::new(
        vec![
            identity(WEB, Some("10.20.0.0/16"), Status::Active),
            identity("spiffe://example.org/ns/agents/**", None, Status::Active),
            identity(super::sketch::GONE, None, Status::Offboarded),
        ],
        Undeclared::default(),
    );
    let floor = Selector {
        path: PathTemplate::parse("/v1/{*rest}").unwrap(),
        ..world.policy.routes.iter().next().unwrap().1.selector.clone()
    };
    world.policy.floors = Floors::new(vec![Floor { owner: None, selector: floor, sensitivity: Sensitivity::High }]);
    world.policy.credentials.claims = ["team".into()].into();
    world.policy.credentials.bearer.as_mut().unwrap().delegated = true;
    world.policy.context = Context {
        learning: LearningTerms { after: 1, ..LearningTerms::default() },
        signals: signals(),
        ..Context::default()
    };
    world
}
