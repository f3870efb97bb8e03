//! `google.protobuf.Struct` as JSON: any object.

use envoy_types::pb::envoy::config::core::v3::Metadata as MetadataContext;
use envoy_types::pb::google::protobuf::{ListValue, Struct, Value, value::Kind};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metadata {
    #[serde(alias = "filterMetadata")]
    filter_metadata: Option<HashMap<String, Map<String, Json>>>,
    /// Nothing looks at it.
    #[serde(rename = "typed_filter_metadata", alias = "typedFilterMetadata")]
    _typed: Option<IgnoredAny>,
}

impl From<Metadata> for MetadataContext {
    fn from(raw: Metadata) -> Self {
        let namespaces = raw.filter_metadata.unwrap_or_default().into_iter();
        let filter_metadata = namespaces.map(|(name, members)| (name, fields(members))).collect();
        Self { filter_metadata, ..Self::default() }
    }
}

fn fields(members: Map<String, Json>) -> Struct {
    Struct { fields: members.into_iter().map(|(name, json)| (name, value(json))).collect() }
}

/// A number that no double has is none, as everywhere in a `Struct`.
fn value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Some(Kind::NullValue(0)),
        Json::Bool(value) => Some(Kind::BoolValue(value)),
        Json::Number(number) => number.as_f64().map(Kind::NumberValue),
        Json::String(text) => Some(Kind::StringValue(text)),
        Json::Array(items) => Some(Kind::ListValue(ListValue { values: items.into_iter().map(value).collect() })),
        Json::Object(members) => Some(Kind::StructValue(fields(members))),
    };
    Value { kind }
}
