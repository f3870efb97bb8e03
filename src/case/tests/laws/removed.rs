//! A call that leaves a header out never gets more than one that shows it, but where its very presence is what matters. And
//! none gets more by a header that nobody waits for.
//!
//! The exceptions are what policies are for, or what HTTP is:
//! - a route, rule, floor or custom signal names the header, and so speaks only of calls that show it;
//! - the header says what else the call is: the path or method that is meant, a body or MCP call that it contradicts, scopes
//!   by a name that servers may take for the one that counts;
//! - `x-forwarded-for`, behind a proxy whose word counts: without it the proxy itself calls;
//! - a credential on a route that is open to nobody in particular, or beside another that names the caller as well: who
//!   shows less is judged by what is left, and gets no more than its owner would.
//!
//! What proves something is none of them: without it a call never gets more.

use super::calls::{Attested, Call, Sketch};
use super::policies::{Parts, Sources};
use super::scene::{Scene, scene, verdict};
use crate::context::{CountrySource, Look, Test};
use crate::policy::{HeaderCondition, Policy, Route};
use crate::request::{AskedIn, Peer};
use proptest::prelude::*;

const OVERRIDES: [&str; 5] =
    ["x-original-url", "x-rewrite-url", "x-http-method-override", "x-http-method", "x-method-override"];
const DESCRIBING: [&str; 6] =
    ["content-type", "content-length", "content-encoding", "mcp-method", "mcp-name", "x_scope"];

/// Whether the policy speaks only of calls that show this header.
fn is_named(parts: &Parts, name: &str) -> bool {
    let names = |conditions: &[HeaderCondition]| conditions.iter().any(|condition| *condition.name == *name);
    let fires_on = |test: &Test| matches!(test, Test::Header(test) if *test.name == *name && !matches!(test.looks_for, Look::Absent));
    parts.routes.iter().any(|route| names(&route.selector.headers))
        || parts.floors.iter().any(|floor| names(&floor.selector.headers))
        || parts.rules.iter().any(|rule| names(&rule.when.headers))
        || parts.signals.iter().any(|signal| fires_on(&signal.test))
}

/// Whether the header says what else the call is.
fn is_telling(parts: &Parts, name: &str) -> bool {
    let reads_bodies = parts.routes.iter().any(|route| route.issues.is_some() || route.selector.mcp.is_some())
        || parts.floors.iter().any(|floor| floor.selector.mcp.is_some());
    let where_from = name == "x-forwarded-for" && parts.behind_proxy;
    OVERRIDES.contains(&name) || (reads_bodies && DESCRIBING.contains(&name)) || where_from
}

/// What a caller shows for itself.
const SHOWN: [&str; 3] = ["authorization", "oauth-client-attestation", "dpop"];

/// Whether something is missing without the header: a route asks for it (and may be no laxer than one that does not, or the
/// policy is not loaded), a signal, or what is asked for on an issuing route can't be read.
fn is_waited_for(parts: &Parts, name: &str) -> bool {
    let narrows = |route: &Route| route.selector.headers.iter().any(|condition| *condition.name == *name);
    let told_by = |test: &Test| match test {
        Test::NewCountry(CountrySource::Header(own)) | Test::UntrustedDevice { header: own, .. } => **own == *name,
        Test::Header(test) => *test.name == *name && matches!(test.looks_for, Look::Absent),
        _ => false,
    };
    let asked_in = |route: &Route| match &route.issues {
        Some(AskedIn::Header(own)) => **own == *name,
        Some(AskedIn::Form(_)) => ["content-type", "content-length"].contains(&name),
        _ => false,
    };
    parts.routes.iter().any(|route| narrows(route) || asked_in(route))
        || parts.signals.iter().any(|signal| told_by(&signal.test))
        || (name == "x-forwarded-for" && parts.behind_proxy)
}

/// Whether a call without its bearer, or its certificate, is still somebody's, or nobody need be known.
fn needs_no_other_credential(parts: &Parts, policy: &Policy, call: &Call) -> bool {
    let both = call.peer.certificate.is_some() && call.shows("authorization");
    let still_known = both && matches!(parts.sources, Sources::Both { .. });
    let Ok(facts) = call.facts() else { return false };
    let anonymous = |route: Option<_>| route.and_then(|id| policy.routes.get(id)).is_some_and(|route| route.anonymous);
    still_known || policy.touch(&facts).iter().all(|taken| anonymous(taken.route))
}

proptest! {
    #[test]
    fn a_header_less_never_loosens(Scene { parts, memory, sketch } in scene()) {
        let (policy, call) = (parts.policy(), sketch.call());
        let whole = verdict(&policy, &memory, &call);
        let names = call.headers.iter().map(|(name, _)| name.as_str());
        for name in names.filter(|name| verdict(&policy, &memory, &call.without(name)) < whole) {
            let credential = name == "authorization" && needs_no_other_credential(&parts, &policy, &call);
            prop_assert!(is_named(&parts, name) || is_telling(&parts, name) || credential, "{name}");
        }
    }

    #[test]
    fn a_header_more_never_loosens(Scene { parts, memory, sketch } in scene()) {
        let (policy, call) = (parts.policy(), sketch.call());
        let whole = verdict(&policy, &memory, &call);
        let names = call.headers.iter().map(|(name, _)| name.as_str());
        for name in names.filter(|name| whole < verdict(&policy, &memory, &call.without(name))) {
            prop_assert!(SHOWN.contains(&name) || is_waited_for(&parts, name), "{name}");
        }
    }

    #[test]
    fn a_certificate_less_never_loosens(Scene { parts, memory, sketch } in scene()) {
        let (policy, call) = (parts.policy(), sketch.call());
        let mut without = call.clone();
        without.peer = Peer::default();
        let loosened = verdict(&policy, &memory, &without) < verdict(&policy, &memory, &call);
        prop_assert!(!loosened || needs_no_other_credential(&parts, &policy, &call));
    }

    #[test]
    fn evidence_less_never_loosens(Scene { parts, memory, sketch } in scene()) {
        let (policy, call) = (parts.policy(), sketch.call());
        let bare = call.without("oauth-client-attestation").without("dpop");
        prop_assert!(verdict(&policy, &memory, &bare) >= verdict(&policy, &memory, &call));
    }

    #[test]
    fn older_evidence_never_loosens(scene in scene()) {
        let attested = |attested| Scene { sketch: Sketch { attested, ..scene.sketch.clone() }, ..scene.clone() };
        let ages = [Attested::Fresh, Attested::Aging, Attested::Stale];
        let verdicts = ages.map(|age| attested(age).verdict());
        prop_assert!(verdicts.is_sorted(), "{verdicts:?}");
    }
}
