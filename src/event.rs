//! Security Event Tokens (RFC 8417): what an issuer says has happened to those it vouches for, with the events of CAEP 1.0
//! and the verification of SSF 1.0, as far as they end what was issued.
//!
//! A token means the same whenever it comes: what follows from it are revocations as of when its event happened, under names
//! that follow from the token. Once more is harmless. How tokens arrive, and where revocations are kept, is not known here.

mod kind;
mod refused;
mod signed;
mod subject;

pub use kind::EventType;
pub use refused::Refused;
pub use signed::MAX_TOKEN_BYTES;

use crate::attestation::Keyring;
use crate::attestation::claims::{audiences, date, text};
use crate::attestation::json::Object;
use crate::identity::Principal;
use crate::policy::{Name, Policy};
use crate::revocation::{Note, Revocation, RevocationId, Revocations, Source, Target};
use crate::time::UnixTime;
use serde_json::Value;
use signed::Signed;

/// A token that is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The issuer's name in the policy.
    pub transmitter: Name,
    /// `jti`: unique among its issuer's tokens.
    pub id: Box<str>,
    pub events: Vec<EventType>,
    /// One for each name of each subject; none where nothing got worse.
    pub revocations: Vec<Revocation>,
}

/// One event of a token, and what is said about it.
struct Event<'t> {
    kind: EventType,
    payload: &'t Object,
}

/// SSF 1.0 §4.2.1 has one, or the same one by several names.
const MAX_EVENTS: usize = 16;

/// Takes a token from a transmitter of the policy, or says what is wrong with it. All of it counts, or nothing does.
pub fn receive(
    token: &str,
    policy: &Policy,
    keyring: &Keyring,
    revoked: &Revocations,
    now: UnixTime,
) -> Result<Received, Refused> {
    let receiver = policy.events.as_ref().ok_or(Refused::Off)?;
    let signed = Signed::open(token, policy, receiver, keyring, revoked)?;
    let named = audiences(&signed.payload).map_err(|_| Refused::Malformed)?;
    if !named.iter().any(|audience| receiver.is_named(audience)) {
        return Err(Refused::Audience);
    }
    let id = id(&signed.payload)?;
    let issued = issued(&signed.payload, policy, now)?;
    let events = events(&signed.payload)?;
    let revocations = match epoch(&events, issued, now)? {
        Some(epoch) => revocations(&signed, policy, &id, &events, epoch)?,
        None => Vec::new(),
    };
    let events = events.into_iter().map(|event| event.kind).collect();
    Ok(Received { transmitter: signed.transmitter.name.clone(), id, events, revocations })
}

/// RFC 8417 §2.2. SSF 1.0 §4.1.2, §4.1.6: what an ID token or an access token has, an event has not.
fn id(payload: &Object) -> Result<Box<str>, Refused> {
    for (name, refused) in [("exp", Refused::Expiry), ("sub", Refused::PlainSubject)] {
        if payload.contains_key(name) {
            return Err(refused);
        }
    }
    let id = text(payload, "jti").map_err(|_| Refused::Id)?;
    id.filter(|id| !id.is_empty()).ok_or(Refused::Id)
}

fn issued(payload: &Object, policy: &Policy, now: UnixTime) -> Result<UnixTime, Refused> {
    let issued = date(payload, "iat").ok().flatten().ok_or(Refused::IssuedAt)?;
    if issued <= now.plus(policy.credentials.leeway) { Ok(issued) } else { Err(Refused::IssuedAt) }
}

/// RFC 8417 §2.2: one or more, each by its URI with an object.
fn events<'t>(payload: &'t Object) -> Result<Vec<Event<'t>>, Refused> {
    let Some(Value::Object(events)) = payload.get("events") else { return Err(Refused::Events) };
    let read = |(uri, payload): (&String, &'t Value)| {
        let kind = EventType::parse(uri).ok_or(Refused::Events)?;
        let Value::Object(payload) = payload else { return Err(Refused::Events) };
        Ok(Event { kind, payload })
    };
    let events: Vec<_> = events.iter().map(read).collect::<Result<_, _>>()?;
    if (1..=MAX_EVENTS).contains(&events.len()) { Ok(events) } else { Err(Refused::Events) }
}

/// As of when the subject is revoked: the latest of what got worse; nothing where nothing did.
///
/// No event happens after the token that tells of it. Held to that, and not only to the present, an old token that is sent
/// again can't end what was issued since.
fn epoch(events: &[Event<'_>], issued: UnixTime, now: UnixTime) -> Result<Option<UnixTime>, Refused> {
    let mut latest = None;
    for event in events {
        let happened = event.happened()?.unwrap_or(issued).min(issued).min(now);
        if event.kind.revokes(event.payload) {
            latest = latest.max(Some(happened));
        }
    }
    Ok(latest)
}

impl Event<'_> {
    /// CAEP 1.0 §2. What is later than any date is still later than all others.
    fn happened(&self) -> Result<Option<UnixTime>, Refused> {
        let Some(value) = self.payload.get("event_timestamp") else { return Ok(None) };
        let seconds = value.as_f64().filter(|seconds| *seconds >= 0.0).ok_or(Refused::Timestamp)?;
        Ok(Some(UnixTime::from_numeric_date(seconds).unwrap_or(UnixTime::LATEST)))
    }
}

fn revocations(
    signed: &Signed<'_>,
    policy: &Policy,
    id: &str,
    events: &[Event<'_>],
    epoch: UnixTime,
) -> Result<Vec<Revocation>, Refused> {
    let mut principals = subject::principals(&signed.payload, policy)?;
    let is_theirs = |principal: &Principal| signed.transmitter.may_speak_for(principal.as_str());
    if !principals.iter().all(is_theirs) {
        return Err(Refused::NotTheirs);
    }
    // Whoever calls by several names is revoked by each of them that the transmitter may speak for.
    let others: Vec<_> = principals.iter().flat_map(|principal| policy.identities.names_of(principal)).collect();
    for other in others.into_iter().filter(is_theirs) {
        if !principals.contains(&other) {
            principals.push(other);
        }
    }
    let reason = reason(&signed.transmitter.name, events);
    // By whom it ends too: an identifier that is used twice must not hide the second of two.
    let named = |principal: &Principal| {
        RevocationId::derived(&[b"event", signed.issuer.as_bytes(), id.as_bytes(), principal.as_str().as_bytes()])
    };
    let revocation = |principal: Principal| Revocation {
        id: named(&principal),
        target: Target::Principal(principal),
        not_before: epoch,
        source: Source::Event,
        reason: reason.clone(),
    };
    Ok(principals.into_iter().map(revocation).collect())
}

/// For people who look at the list; what the token says of its reasons is not repeated.
fn reason(transmitter: &Name, events: &[Event<'_>]) -> Option<Note> {
    let worse = events.iter().find(|event| event.kind.revokes(event.payload))?;
    Note::parse(&format!("{} from {transmitter}", worse.kind.as_str())).ok()
}

#[cfg(test)]
mod tests;
