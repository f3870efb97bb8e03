//! What goes with a request that may pass: an `OkHttpResponse`, written as it goes over the wire.

use super::fields::{Fields, Key, SMALL_LEN, delimited_len};
use super::headers::OWN;
use crate::policy::Policy;
use crate::request::Headers;

/// Headers to set on the request, to take off it, and to add to the response.
#[derive(Debug)]
pub struct Passage(Fields);

/// The headers that a policy has taken off every request that passes, written once.
#[derive(Clone, Debug, Default)]
pub struct Removals {
    names: Fields,
    /// Schemes under which `authorization` holds a proof.
    proof_schemes: Box<[&'static str]>,
}

/// Fields of `OkHttpResponse`, `HeaderValueOption` and `HeaderValue`.
mod key {
    use super::Key;
    pub(super) const HEADERS: Key = Key::delimited(2);
    pub(super) const HEADERS_TO_REMOVE: Key = Key::delimited(5);
    pub(super) const RESPONSE_HEADERS_TO_ADD: Key = Key::delimited(6);
    pub(super) const HEADER: Key = Key::delimited(1);
    pub(super) const APPEND_ACTION: Key = Key::varint(3);
    pub(super) const NAME: Key = Key::delimited(1);
    pub(super) const VALUE: Key = Key::delimited(2);
}

/// `OVERWRITE_IF_EXISTS_OR_ADD`: Envoy's default is to append, which would let a client's own value stand beside ours.
const OVERWRITE: u8 = 2;
/// What most answers need, so that the bytes grow once.
const TYPICAL_BYTES: usize = 768;

impl Default for Passage {
    fn default() -> Self {
        Self(Fields::with_capacity(TYPICAL_BYTES))
    }
}

impl Passage {
    /// On the request.
    pub fn set(&mut self, name: &str, value: &str) {
        self.header(key::HEADERS, name, value);
    }

    /// On the response to the client.
    pub fn respond(&mut self, name: &str, value: &str) {
        self.header(key::RESPONSE_HEADERS_TO_ADD, name, value);
    }

    /// Takes off what the policy says, whatever of ours is not set, and whatever the client forged of ours. Envoy removes
    /// after setting, so nothing that is set may be among it.
    pub fn remove(&mut self, removals: &Removals, sent: Option<&Headers>, is_set: impl Fn(&str) -> bool) {
        self.0.append(&removals.names);
        if sent.is_some_and(|sent| removals.take_authorization(sent)) {
            self.0.delimited(key::HEADERS_TO_REMOVE, b"authorization");
        }
        for name in OWN.into_iter().filter(|name| !is_set(name)) {
            self.0.delimited(key::HEADERS_TO_REMOVE, name.as_bytes());
        }
        for name in sent.into_iter().flat_map(super::headers::forged) {
            self.0.delimited(key::HEADERS_TO_REMOVE, name.as_bytes());
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }

    fn header(&mut self, key: Key, name: &str, value: &str) {
        let header = delimited_len(name.len()) + delimited_len(value.len());
        self.0.open(key, delimited_len(header) + SMALL_LEN);
        self.0.open(key::HEADER, header);
        self.0.delimited(key::NAME, name.as_bytes());
        self.0.delimited(key::VALUE, value.as_bytes());
        self.0.small(key::APPEND_ACTION, OVERWRITE);
    }
}

impl Removals {
    pub fn of(policy: &Policy) -> Self {
        let mut fields = Fields::default();
        for name in super::headers::evidence(policy) {
            fields.delimited(key::HEADERS_TO_REMOVE, name.as_bytes());
        }
        Self { names: fields, proof_schemes: super::headers::proof_schemes(policy).collect() }
    }

    fn take_authorization(&self, sent: &Headers) -> bool {
        self.proof_schemes.iter().any(|scheme| sent.authorization(scheme).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
    use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
    use envoy_types::pb::envoy::service::auth::v3::OkHttpResponse;
    use proptest::prelude::*;
    use prost::Message;

    fn option(name: &str, value: &str) -> HeaderValueOption {
        HeaderValueOption {
            header: Some(HeaderValue { key: name.to_owned(), value: value.to_owned(), ..HeaderValue::default() }),
            append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
            ..HeaderValueOption::default()
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_the_message_that_prost_reads(name in ".{0,200}", value in ".{0,300}") {
            let mut passage = Passage::default();
            passage.set(&name, &value);
            passage.respond(&value, &name);
            passage.remove(&Removals::default(), None, |own| own != OWN[0]);
            let expected = OkHttpResponse {
                headers: vec![option(&name, &value)],
                response_headers_to_add: vec![option(&value, &name)],
                headers_to_remove: vec![OWN[0].to_owned()],
                ..OkHttpResponse::default()
            };
            prop_assert_eq!(OkHttpResponse::decode(passage.into_bytes().as_slice()).unwrap(), expected);
        }
    }
}
