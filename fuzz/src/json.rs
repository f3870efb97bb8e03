//! JSON objects as tokens and bodies hold them (RFC 8259): read alike by all, or not at all.

use super::reference::json::Json;
use serde_json::Value;
use stepgate::attestation::json::object;

pub fn holds(data: &[u8]) -> bool {
    let Some(read) = object(data) else { return false };
    let Some(expected) = Json::parse_object(data) else { panic!("it is no object without ambiguity") };
    assert!(agree(&Value::Object(read), &expected), "{expected:?}");
    true
}

/// The last digits of a double may be lost.
fn is_about(read: Option<f64>, expected: Option<f64>) -> bool {
    read.zip(expected).is_some_and(|(read, expected)| (read - expected).abs() <= expected.abs() * 1e-15)
}

fn agree(read: &Value, expected: &Json) -> bool {
    match (read, expected) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(read), Json::Bool(expected)) => read == expected,
        (Value::Number(read), Json::Number(_)) => is_about(read.as_f64(), expected.number()),
        (Value::String(read), Json::Text(expected)) => read == expected,
        (Value::Array(read), Json::List(expected)) => {
            read.len() == expected.len() && read.iter().zip(expected).all(|(read, expected)| agree(read, expected))
        }
        (Value::Object(read), Json::Object(expected)) => {
            let same = |(name, value): &(String, Json)| read.get(name).is_some_and(|read| agree(read, value));
            read.len() == expected.len() && expected.iter().all(same)
        }
        _ => false,
    }
}
