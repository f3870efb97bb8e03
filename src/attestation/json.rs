//! JSON in which no member stands twice. Readers disagree on which of two counts, and an attacker picks the reader.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

pub type Object = Map<String, Value>;

/// Reads one JSON object in UTF-8, without duplicate members at any depth. `serde_json` bounds the nesting at 128.
pub fn object(bytes: &[u8]) -> Option<Object> {
    match serde_json::from_slice::<Strict>(bytes) {
        Ok(Strict(Value::Object(object))) => Some(object),
        _ => None,
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = map.next_entry::<String, Strict>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate member"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"a":1,"a":1}"#)]
    #[case(r#"{"a":{"b":1,"b":2}}"#)]
    #[case(r#"{"a":[{"b":1,"b":2}]}"#)]
    #[case(r#"{"a":1,"\u0061":2}"#)]
    #[case("[]")]
    #[case("{} {}")]
    #[case("{\"a\":1,}")]
    #[case("")]
    fn what_two_readers_could_read_differently_is_refused(#[case] text: &str) {
        assert_eq!(object(text.as_bytes()), None, "{text}");
    }

    #[rstest]
    #[case::latin_1(b"{\"sub\":\"\xe9\"}")]
    #[case::overlong(b"{\"sub\":\"\xc0\xaf\"}")]
    #[case::half_a_surrogate_pair(b"{\"sub\":\"\\ud800\"}")]
    #[case::utf_16(b"{\0\"\0a\0\"\0:\x001\0}\0")]
    #[case::byte_order_mark(b"\xef\xbb\xbf{\"a\":1}")]
    fn what_is_not_plain_utf_8_is_refused(#[case] bytes: &[u8]) {
        assert_eq!(object(bytes), None);
    }

    #[test]
    fn a_plain_object_is_read_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,1.5,null,true,"x"],"b":{"c":{}}}"#;
        assert_eq!(Value::Object(object(text.as_bytes()).unwrap()), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(object(deep.as_bytes()), None);
    }
}
