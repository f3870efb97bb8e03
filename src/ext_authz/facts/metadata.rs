//! Protobuf's `Struct` to JSON. Namespaces that are too deep or too large to be meant well are left out whole: a part of
//! one could say the contrary of it.

use crate::attestation::json::Object;
use crate::request::Metadata;
use envoy_types::pb::envoy::config::core::v3::Metadata as MetadataContext;
use envoy_types::pb::google::protobuf::{Struct, Value, value::Kind};
use serde_json::{Number, Value as Json};

/// More than Envoy has filters that write metadata.
const MAX_NAMESPACES: usize = 64;
/// Claims and tool calls have some five levels; decoding itself stops at a hundred.
const MAX_DEPTH: usize = 32;
/// Values in one namespace, with those inside of others.
const MAX_VALUES: usize = 4096;
/// Text in one namespace: more than a token in a header can hold.
const MAX_TEXT_BYTES: usize = 64 * 1024;
/// Up to here each whole number is one double (2^53).
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// The namespaces that can be read.
pub(super) fn metadata(context: Option<MetadataContext>) -> Metadata {
    let namespaces = context.unwrap_or_default().filter_metadata;
    if namespaces.is_empty() || namespaces.len() > MAX_NAMESPACES {
        return Metadata::default();
    }
    let read = |(name, fields): (String, Struct)| Some((name.into_boxed_str(), Budget::default().object(fields, 0)?));
    namespaces.into_iter().filter_map(read).collect()
}

/// What one namespace may still use.
struct Budget {
    values: usize,
    text: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { values: MAX_VALUES, text: MAX_TEXT_BYTES }
    }
}

impl Budget {
    fn object(&mut self, fields: Struct, depth: usize) -> Option<Object> {
        let members = fields.fields.into_iter();
        members.map(|(name, value)| Some((self.text(name)?, self.value(value, depth + 1)?))).collect()
    }

    /// `None` also for what JSON has no word for: a number that is none, a value without a kind.
    fn value(&mut self, value: Value, depth: usize) -> Option<Json> {
        self.values = self.values.checked_sub(1)?;
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match value.kind? {
            Kind::NullValue(_) => Json::Null,
            Kind::BoolValue(value) => Json::Bool(value),
            Kind::NumberValue(number) => Json::Number(self::number(number)?),
            Kind::StringValue(text) => Json::String(self.text(text)?),
            Kind::StructValue(fields) => Json::Object(self.object(fields, depth)?),
            Kind::ListValue(list) => {
                let items = list.values.into_iter().map(|item| self.value(item, depth + 1));
                Json::Array(items.collect::<Option<_>>()?)
            }
        })
    }

    fn text(&mut self, text: String) -> Option<String> {
        self.text = self.text.checked_sub(text.len())?;
        Some(text)
    }
}

/// A `Struct` has only doubles; `exp` and its like were whole numbers before.
fn number(double: f64) -> Option<Number> {
    if double.fract() == 0.0 && double.abs() <= MAX_WHOLE {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number that an `i64` has exactly")]
        let whole = double as i64;
        return Some(whole.into());
    }
    Number::from_f64(double)
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoy_types::pb::google::protobuf::ListValue;
    use rstest::rstest;
    use serde_json::json;

    fn kind(kind: Kind) -> Value {
        Value { kind: Some(kind) }
    }

    fn text(text: &str) -> Value {
        kind(Kind::StringValue(text.into()))
    }

    fn fields(members: impl IntoIterator<Item = (String, Value)>) -> Struct {
        Struct { fields: members.into_iter().collect() }
    }

    fn list(values: Vec<Value>) -> Value {
        kind(Kind::ListValue(ListValue { values }))
    }

    fn nested(depth: usize) -> Value {
        (1..depth).fold(text("x"), |inner, _| list(vec![inner]))
    }

    /// What is read where one namespace is good and the other holds `value`.
    fn read_beside(value: Value) -> Option<Json> {
        let context = MetadataContext {
            filter_metadata: [
                ("good".to_owned(), fields([("a".to_owned(), text("b"))])),
                ("other".to_owned(), fields([("c".to_owned(), value)])),
            ]
            .into(),
            ..MetadataContext::default()
        };
        let metadata = metadata(Some(context));
        assert_eq!(metadata.namespace("good").unwrap()["a"], json!("b"));
        metadata.namespace("other").map(|object| object["c"].clone())
    }

    #[test]
    fn values_of_every_kind_are_json() {
        let values = vec![
            kind(Kind::NullValue(0)),
            kind(Kind::BoolValue(true)),
            kind(Kind::NumberValue(1.5)),
            text("x"),
            kind(Kind::StructValue(fields([("d".to_owned(), text("e"))]))),
            list(Vec::new()),
        ];
        assert_eq!(read_beside(list(values)), Some(json!([null, true, 1.5, "x", {"d": "e"}, []])));
    }

    #[rstest]
    #[case(1_790_000_000.0, json!(1_790_000_000))]
    #[case(-1.0, json!(-1))]
    #[case(-0.0, json!(0))]
    #[case(9_007_199_254_740_992.0, json!(9_007_199_254_740_992_i64))]
    #[case(1e300, json!(1e300))]
    #[case(0.5, json!(0.5))]
    fn whole_numbers_are_whole_again(#[case] double: f64, #[case] read: Json) {
        assert_eq!(read_beside(kind(Kind::NumberValue(double))), Some(read));
    }

    #[rstest]
    #[case(kind(Kind::NumberValue(f64::NAN)))]
    #[case(kind(Kind::NumberValue(f64::INFINITY)))]
    #[case(Value { kind: None })]
    #[case(nested(MAX_DEPTH + 1))]
    #[case(list(vec![text(""); MAX_VALUES]))]
    #[case(text(&"x".repeat(MAX_TEXT_BYTES)))]
    #[case(list(vec![text(&"x".repeat(MAX_TEXT_BYTES / 2)); 2]))]
    fn what_cannot_be_read_is_absent_with_all_beside_it(#[case] value: Value) {
        assert_eq!(read_beside(value), None);
    }

    #[test]
    fn what_just_fits_is_read() {
        assert!(read_beside(nested(MAX_DEPTH)).is_some());
        assert!(read_beside(list(vec![text(""); MAX_VALUES - 1])).is_some());
        assert!(read_beside(text(&"x".repeat(MAX_TEXT_BYTES - 1))).is_some());
    }

    #[test]
    fn too_many_namespaces_are_none() {
        let many = |count: usize| (0..count).map(|n| (n.to_string(), Struct::default())).collect();
        let of = |count| metadata(Some(MetadataContext { filter_metadata: many(count), ..MetadataContext::default() }));
        assert!(of(MAX_NAMESPACES).namespace("0").is_some());
        assert!(of(MAX_NAMESPACES + 1).namespace("0").is_none());
        assert_eq!(metadata(None), Metadata::default());
    }
}
