//! Grants that count now, how one is ended, and how one is given by hand on the day that nobody can attest.

use super::asked::{Asked, bad_request};
use super::control::{Control, random_id, rfc_3339};
use super::listing::{Length, list};
use super::problems::{
    BAD_LIST_LIMIT, JUST_REVOKED, NO_GRANT, NO_RANDOMNESS, NO_ROOM, PRINCIPAL_REFUSED, STATE_AWAY, created, refuse,
};
use super::tokens::Operator;
use crate::config::suggest::suggestion;
use crate::grant::{Basis, Grant, Holder, LONGEST_BREAK_GLASS};
use crate::identity::{Principal, PrincipalError};
use crate::policy::{Name, Policy, ScopeSet, Status, Undeclared};
use crate::revocation::{Note, NoteError, Revocation, RevocationId, Source};
use crate::store::NotKept;
use crate::time::{Ttl, TtlError, UnixTime};
use axum::Extension;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::sync::Arc;

/// What is to be granted, as it is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    principal: String,
    routes: Vec<String>,
    reason: String,
    ttl: String,
}

#[derive(Debug, PartialEq, Eq)]
struct BreakGlass {
    principal: Principal,
    routes: Vec<Name>,
    reason: Note,
    ttl: Ttl,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Unclear {
    #[error("`principal` is none: {0}")]
    Principal(#[from] PrincipalError),
    #[error("`routes` names 1 to {MOST_ROUTES} routes of the policy")]
    Routes,
    #[error("`routes` names `{0}` twice")]
    RepeatedRoute(Name),
    #[error("the policy has no route `{0}`: {1}")]
    UnknownRoute(String, String),
    #[error("`reason` is none: {0}")]
    Reason(#[from] NoteError),
    #[error("`ttl` is none: {0}")]
    Ttl(#[from] TtlError),
    #[error("`ttl` is more than nothing, and at most {LONGEST_BREAK_GLASS}")]
    TtlOutOfRange,
}

/// A grant, as it is listed.
#[derive(Serialize)]
struct Listed {
    id: String,
    kind: &'static str,
    principal: String,
    holder: &'static str,
    bound_to: Option<String>,
    assurance: Option<String>,
    task: String,
    attester: Option<String>,
    attestation: Option<String>,
    scopes: Vec<String>,
    routes: Vec<String>,
    issued_at: String,
    expires_at: String,
    reason: Option<String>,
    by: Option<String>,
}

/// What came of it.
#[derive(Serialize)]
struct Made<'a> {
    id: &'a str,
    expires_at: String,
}

/// Whoever needs more at once needs another policy.
const MOST_ROUTES: usize = 64;

/// The newest first.
pub(super) async fn grants(State(control): State<Control>, length: Result<Query<Length>, QueryRejection>) -> Response {
    let Ok(Query(length)) = length else { return refuse(&BAD_LIST_LIMIT) };
    let mut grants = control.ledger.live_grants(control.clock.now()).await;
    grants.sort_by(|one, other| (Reverse(one.issued), &one.id).cmp(&(Reverse(other.issued), &other.id)));
    list("grants", grants.into_iter().take(length.limit()).map(|grant| Listed::from(&*grant)))
}

/// Ends the task that it was given for, so that what it was made from brings it back nowhere.
pub(super) async fn end_grant(
    State(control): State<Control>,
    Extension(operator): Extension<Operator>,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let now = control.clock.now();
    let Ok(Path(id)) = id else { return refuse(&NO_GRANT) };
    let Some(grant) = find(&control, &id, now).await else { return refuse(&NO_GRANT) };
    tracing::info!(operator = %operator.name, id = %grant.id, principal = %grant.principal, "grant ended");
    let names = control.snapshot.load().policy.identities.names_of(&grant.principal);
    tell_end(&grant.id, control.revoke(ends_of(&grant, &names, &operator, now)).await)
}

fn tell_end(id: &RevocationId, shared: Result<(), NotKept>) -> Response {
    match shared {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(NotKept) => refuse(&STATE_AWAY.saying(format!(
            "Grant {id} has ended in this process, and its end will be shared when the state is back."
        ))),
    }
}

pub(super) async fn break_glass(
    State(control): State<Control>,
    Extension(operator): Extension<Operator>,
    Asked(sent): Asked<Sent>,
) -> Response {
    let policy = Arc::clone(&control.snapshot.load().policy);
    let wanted = match sent.read(&policy) {
        Ok(wanted) => wanted,
        Err(why) => return refuse(&bad_request(&why)),
    };
    if is_refused(&wanted.principal, &policy) {
        return refuse(&PRINCIPAL_REFUSED);
    }
    let Ok(id) = random_id() else { return refuse(&NO_RANDOMNESS) };
    let now = control.clock.now();
    let grant = Arc::new(wanted.grant(id, operator.name, now));
    if !grant.is_live(now, &control.ledger.revocations()) {
        return refuse(&JUST_REVOKED);
    }
    give(&control, grant, now).await
}

async fn give(control: &Control, grant: Arc<Grant>, now: UnixTime) -> Response {
    let (ledger, kept) = (Arc::clone(&control.ledger), Arc::clone(&grant));
    let keeping = tokio::spawn(async move { ledger.keep_grant(kept, now).await });
    let shared = keeping.await.unwrap_or(Err(NotKept));
    if find(control, grant.id.as_str(), now).await.is_none() {
        // Or somebody revoked it in the meantime.
        let is_live = grant.is_live(now, &control.ledger.revocations());
        return if is_live { refuse(&NO_ROOM) } else { refuse(&JUST_REVOKED) };
    }
    journal(&grant);
    tell(&grant, shared)
}

fn tell(grant: &Grant, shared: Result<(), NotKept>) -> Response {
    let (id, expires_at) = (grant.id.as_str(), rfc_3339(grant.expires));
    match shared {
        Ok(()) => created(&Made { id, expires_at }),
        Err(NotKept) => refuse(&STATE_AWAY.saying(format!(
            "Grant {id} counts in this process alone until {expires_at}. Grant again once the state is back."
        ))),
    }
}

/// Somebody should look: this is a way around every attestation.
fn journal(grant: &Grant) {
    let Basis::BreakGlass { by, reason } = &grant.basis else { return };
    let Grant { id, principal, routes, expires, .. } = grant;
    let (reason, expires) = (reason.as_str(), rfc_3339(*expires));
    tracing::warn!(operator = %by, %id, %principal, ?routes, reason, expires, "break-glass grant");
}

async fn find(control: &Control, id: &str, now: UnixTime) -> Option<Arc<Grant>> {
    control.ledger.live_grants(now).await.into_iter().find(|grant| grant.id.as_str() == id)
}

/// A record for each name of its holder's, the same however often it is ended. An attester whose clock is ahead may have
/// issued it later than now.
fn ends_of(grant: &Grant, names: &[Principal], operator: &Operator, now: UnixTime) -> Vec<Revocation> {
    let end = |name: &Principal| {
        let parts = [Source::GrantEnded.as_str(), grant.id.as_str(), name.as_str()].map(str::as_bytes);
        Revocation {
            id: RevocationId::derived(&parts),
            target: Grant { principal: name.clone(), ..grant.clone() }.end(),
            not_before: now.max(grant.issued),
            source: Source::GrantEnded,
            reason: Note::parse(&format!("ended by {}", operator.name)).ok(),
        }
    };
    names.iter().map(end).collect()
}

/// Whether the policy lets nobody of this name call.
fn is_refused(principal: &Principal, policy: &Policy) -> bool {
    let found = policy.identities.find(principal.as_str());
    let is_unwanted = found.described.is_none() && *policy.identities.undeclared() == Undeclared::Refuse;
    found.status != Status::Active || is_unwanted
}

impl Sent {
    fn read(self, policy: &Policy) -> Result<BreakGlass, Unclear> {
        let Self { principal, routes, reason, ttl } = self;
        let ttl: Ttl = ttl.parse()?;
        if ttl == Ttl::ZERO || ttl > LONGEST_BREAK_GLASS {
            return Err(Unclear::TtlOutOfRange);
        }
        Ok(BreakGlass {
            principal: Principal::parse(&principal)?,
            routes: read_routes(&routes, policy)?,
            reason: Note::parse(&reason)?,
            ttl,
        })
    }
}

fn read_routes(routes: &[String], policy: &Policy) -> Result<Vec<Name>, Unclear> {
    if !(1..=MOST_ROUTES).contains(&routes.len()) {
        return Err(Unclear::Routes);
    }
    let known: Vec<_> = policy.routes.iter().map(|(_, route)| &route.name).collect();
    let mut read: Vec<Name> = Vec::with_capacity(routes.len());
    for text in routes {
        let Some(name) = known.iter().find(|name| name.as_str() == text) else {
            return Err(unknown_route(text, &known));
        };
        if read.contains(name) {
            return Err(Unclear::RepeatedRoute((*name).clone()));
        }
        read.push((*name).clone());
    }
    Ok(read)
}

fn unknown_route(text: &str, known: &[&Name]) -> Unclear {
    // What is longer than a name can be is like none.
    let shown: String = text.chars().take(Name::MAX_BYTES).collect();
    let known: Vec<_> = known.iter().map(|name| name.as_str()).collect();
    let hint = suggestion(&shown, &known);
    Unclear::UnknownRoute(shown, hint)
}

impl BreakGlass {
    fn grant(self, id: RevocationId, by: Name, now: UnixTime) -> Grant {
        let Self { principal, routes, reason, ttl } = self;
        Grant {
            task: format!("break-glass:{id}").into(),
            id,
            principal,
            holder: Holder::Certified,
            basis: Basis::BreakGlass { by, reason },
            scopes: ScopeSet::default(),
            routes,
            issued: now,
            expires: now.plus(ttl),
        }
    }
}

impl From<&Grant> for Listed {
    fn from(grant: &Grant) -> Self {
        let Grant { id, principal, holder, basis, scopes, routes, task, issued, expires } = grant;
        let (attested, given) = match basis {
            Basis::Attested(basis) => (Some(basis), None),
            Basis::BreakGlass { by, reason } => (None, Some((by, reason))),
        };
        Self {
            id: id.to_string(),
            kind: if attested.is_some() { "attested" } else { "break_glass" },
            principal: principal.to_string(),
            holder: holder.kind(),
            bound_to: holder.key().map(|key| key.to_string()),
            assurance: attested.map(|basis| basis.level.to_string()),
            task: task.to_string(),
            attester: attested.map(|basis| basis.attester.to_string()),
            attestation: attested.map(|basis| basis.attestation.to_string()),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            routes: routes.iter().map(ToString::to_string).collect(),
            issued_at: rfc_3339(*issued),
            expires_at: rfc_3339(*expires),
            reason: given.map(|(_, reason)| reason.as_str().to_owned()),
            by: given.map(|(by, _)| by.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
