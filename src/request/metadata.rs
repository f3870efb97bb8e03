//! What Envoy's other filters say of a request: one JSON object a filter, under the filter's namespace.

use crate::attestation::json::Object;
use std::fmt;

/// Envoy's dynamic metadata, as far as it can be read. What could not be is not here: it counts as absent.
#[derive(Clone, Default, PartialEq)]
pub struct Metadata(Box<[(Box<str>, Object)]>);

impl Metadata {
    pub fn namespace(&self, name: &str) -> Option<&Object> {
        self.0.iter().find(|(namespace, _)| &**namespace == name).map(|(_, object)| object)
    }
}

impl FromIterator<(Box<str>, Object)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (Box<str>, Object)>>(namespaces: I) -> Self {
        Self(namespaces.into_iter().collect())
    }
}

/// Names only: values hold the claims of tokens.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(namespace, _)| namespace)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_found_by_its_whole_name() {
        let object = Object::from_iter([("sub".to_owned(), "secret".into())]);
        let metadata = Metadata::from_iter([("jwt".into(), object.clone())]);
        assert_eq!(metadata.namespace("jwt"), Some(&object));
        assert_eq!(metadata.namespace("JWT"), None);
        assert_eq!(metadata.namespace(""), None);
        assert_eq!(format!("{metadata:?}"), r#"{"jwt"}"#);
    }
}
