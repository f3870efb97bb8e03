//! Whom an event is about: `sub_id` (RFC 9493, SSF 1.0 §3), as the principals that callers are known by here.

use super::Refused;
use crate::attestation::claims::text;
use crate::attestation::json::Object;
use crate::identity::Principal;
use crate::policy::Policy;
use serde_json::Value;

/// The members of a complex subject that can call.
const CALLERS: [&str; 3] = ["user", "application", "device"];
/// Those that narrow it down, or name many at once. Nobody is narrowed down here: a caller is revoked in all its sessions.
const OTHERS: [&str; 4] = ["session", "tenant", "org_unit", "group"];

/// Each of them once; at least one.
pub(super) fn principals(payload: &Object, policy: &Policy) -> Result<Vec<Principal>, Refused> {
    let Some(Value::Object(subject)) = payload.get("sub_id") else { return Err(Refused::Subject) };
    if *format(subject)? == *"complex" { complex(subject, policy) } else { Ok(vec![simple(subject, policy)?]) }
}

/// SSF 1.0 §3.3: one subject by several of its names. It is revoked under each name that a caller may have; where it has none
/// of these, under what else it is called.
fn complex(subject: &Object, policy: &Policy) -> Result<Vec<Principal>, Refused> {
    let names = if CALLERS.iter().any(|name| subject.contains_key(*name)) { &CALLERS[..] } else { &OTHERS[..] };
    let mut principals = Vec::new();
    for member in names.iter().filter_map(|name| subject.get(*name)) {
        let Value::Object(member) = member else { return Err(Refused::Subject) };
        let principal = simple(member, policy)?;
        if !principals.contains(&principal) {
            principals.push(principal);
        }
    }
    if principals.is_empty() { Err(Refused::Subject) } else { Ok(principals) }
}

/// RFC 9493 §3.2.3, §3.2.4, §3.2.7. Other formats name nobody that a caller could be held against.
fn simple(subject: &Object, policy: &Policy) -> Result<Principal, Refused> {
    let name = match &*format(subject)? {
        "iss_sub" => {
            let issuer = member(subject, "iss")?;
            // Whoever nobody here vouches for can't call here; who is called the same is somebody else.
            if !policy.issuers.iter().any(|own| own.issuer.as_ref() == Some(&issuer)) {
                return Err(Refused::NotTheirs);
            }
            member(subject, "sub")?
        }
        "uri" => member(subject, "uri")?,
        "opaque" => member(subject, "id")?,
        _ => return Err(Refused::Subject),
    };
    Principal::parse(&name).map_err(|_| Refused::Subject)
}

fn format(subject: &Object) -> Result<Box<str>, Refused> {
    member(subject, "format")
}

fn member(subject: &Object, name: &str) -> Result<Box<str>, Refused> {
    text(subject, name).ok().flatten().ok_or(Refused::Subject)
}
