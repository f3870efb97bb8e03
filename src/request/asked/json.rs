//! Scopes in a JSON body.

use super::JsonPointer;
use super::names::is_harmless;
use crate::attestation::json::{Object, object};
use crate::policy::{Scope, ScopeSet};
use serde_json::Value;

/// The scopes at a pointer, where on the way there no member could be taken for another.
pub(super) fn scopes(text: &str, pointer: &JsonPointer) -> Option<ScopeSet> {
    let document = object(text.as_bytes())?;
    let found =
        pointer.then().try_fold(only(&document, pointer.first())?, |value, name| only(value.as_object()?, name));
    match found? {
        Value::String(text) => ScopeSet::parse(text).ok(),
        Value::Array(items) => list(items),
        _ => None,
    }
}

/// Whether a document has no member that could be taken for a field of this name.
pub(super) fn is_silent_on(text: &str, field: &str) -> bool {
    object(text.as_bytes()).is_some_and(|members| members.keys().all(|name| is_harmless(name, field)))
}

fn only<'v>(members: &'v Object, name: &str) -> Option<&'v Value> {
    let alone = members.keys().all(|other| other == name || is_harmless(other, name));
    members.get(name).filter(|_| alone)
}

fn list(items: &[Value]) -> Option<ScopeSet> {
    let scopes = items.iter().map(|item| Scope::parse(item.as_str()?).ok());
    ScopeSet::bounded(scopes.collect::<Option<_>>()?).ok()
}
