use super::*;
use crate::ext_authz::facts;
use prost::Message;
use rstest::rstest;
use serde_json::json;
use std::fs;

#[test]
fn what_a_real_envoy_sent_is_the_same_in_json() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/checkrequests");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let jsons: Vec<_> = files.filter(|file| file.extension().is_some_and(|extension| extension == "json")).collect();
    assert!(jsons.len() >= 12, "{jsons:?}");
    for file in jsons {
        let sent = CheckRequest::decode(&*fs::read(file.with_extension("bin")).unwrap()).unwrap();
        let written = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(check_request(written).unwrap(), sent, "{}", file.display());
    }
}

#[test]
fn names_may_be_in_camel_case_and_what_is_null_is_not_there() {
    let json = json!({ "attributes": {
        "source": { "address": { "socketAddress": { "address": "10.0.0.1", "portValue": 1 } }, "principal": null },
        "contextExtensions": { "stepgate.sensitivity": "high" },
        "request": { "http": {
            "method": "POST", "path": "/a", "host": "h",
            "headerMap": { "headers": [{ "key": "x-a", "rawValue": "_-8" }, { "key": "x-b", "rawValue": "aGk=" }] },
            "rawBody": "aGk", "size": 2
        } },
        "metadataContext": { "filterMetadata": { "jwt": { "exp": 1_790_000_000, "groups": ["a", true, null] } } }
    } });
    let facts = facts(check_request(json).unwrap()).unwrap();
    assert_eq!((facts.source.map(|ip| ip.to_string()).as_deref(), facts.peer.principal), (Some("10.0.0.1"), None));
    assert_eq!((facts.headers.only("x-a"), facts.headers.only("x-b")), (None, Some("hi")));
    assert_eq!(facts.metadata.namespace("jwt").unwrap()["groups"], json!(["a", true, null]));
    assert_eq!(format!("{:?}", facts.body), "Whole(2 bytes)");
}

#[rstest]
#[case(json!({ "attributes": { "sorce": {} } }), "unknown field `sorce`")]
#[case(json!({ "attributes": { "request": { "http": { "header": {} } } } }), "unknown field `header`")]
#[case(json!({ "attributes": { "request": { "time": "yesterday" } } }), "digit")]
#[case(json!({ "attributes": { "request": { "http": { "raw_body": "%" } } } }), "Invalid symbol")]
#[case(json!({ "attributes": { "request": { "http": { "headers": { "a": ["b"] } } } } }), "invalid type")]
#[case(json!({ "attribute": {} }), "unknown field `attribute`")]
fn what_is_no_check_request_is_said(#[case] json: Value, #[case] why: &str) {
    let said = check_request(json).unwrap_err().to_string();
    assert!(said.starts_with("it is no CheckRequest: ") && said.contains(why), "{said}");
}
