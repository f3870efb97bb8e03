//! The metadata here is what Envoy 1.40 wrote, member by member.

use super::*;
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::HashMap;

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"}}"#;

fn metadata(value: Value) -> Object {
    let Value::Object(object) = value else { unreachable!("{value} is no object") };
    object
}

fn of_call() -> Object {
    metadata(json!({
        "id": 1, "is_mcp_request": true, "jsonrpc": "2.0", "method": "tools/call", "params": { "name": "read_file" },
        "status": "mcp_ok",
    }))
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
    Headers::apart(pairs.collect(), HashMap::new())
}

fn whole(body: &str) -> Body {
    Body::Whole(body.as_bytes().into())
}

fn with_headers(pairs: &[(&str, &str)]) -> bool {
    McpCall::read(Some(&of_call()), &headers(pairs), &Body::Absent) != McpCall::Unclear
}

fn without_body(value: Value) -> Option<(String, Option<String>)> {
    match McpCall::read(Some(&metadata(value)), &headers(&[]), &Body::Absent) {
        McpCall::One { method, tool } => Some((method.to_owned(), tool.map(str::to_owned))),
        McpCall::Unclear => None,
    }
}

#[rstest]
#[case(json!({ "id": 1, "is_mcp_request": true, "jsonrpc": "2.0", "method": "tools/call", "params": { "name": "read_file" }, "status": "mcp_ok" }), "tools/call", Some("read_file"))]
#[case(json!({ "is_mcp_request": true, "jsonrpc": "2.0", "method": "tools/call", "params": { "name": "read_file" }, "status": "mcp_ok" }), "tools/call", Some("read_file"))]
#[case(json!({ "id": "a-1", "is_mcp_request": true, "jsonrpc": "2.0", "method": "tools/call", "params": { "_meta": { "progressToken": "t" }, "name": "a.b-c/D:1" }, "status": "mcp_ok" }), "tools/call", Some("a.b-c/D:1"))]
#[case(json!({ "id": 2, "is_mcp_request": true, "jsonrpc": "2.0", "method": "tools/list", "status": "mcp_ok" }), "tools/list", None)]
#[case(json!({ "id": 0, "is_mcp_request": true, "jsonrpc": "2.0", "method": "initialize", "params": { "clientInfo": { "name": "probe" }, "protocolVersion": "2025-06-18" }, "status": "mcp_ok" }), "initialize", None)]
#[case(json!({ "id": 3, "is_mcp_request": true, "jsonrpc": "2.0", "method": "prompts/get", "params": { "name": "read_file" }, "status": "mcp_ok" }), "prompts/get", None)]
#[case(json!({ "is_mcp_request": true, "jsonrpc": "2.0", "method": "notifications/initialized", "status": "mcp_ok" }), "notifications/initialized", None)]
fn exactly_one_call_is_told(#[case] value: Value, #[case] method: &str, #[case] tool: Option<&str>) {
    assert_eq!(without_body(value), Some((method.to_owned(), tool.map(str::to_owned))));
}

#[test]
fn no_metadata_is_unclear() {
    assert_eq!(McpCall::read(None, &headers(&[]), &Body::Absent), McpCall::Unclear);
    assert_eq!(McpCall::read(None, &headers(&[]), &whole(CALL)), McpCall::Unclear);
    assert_eq!(without_body(json!({})), None);
}

#[rstest]
#[case::too_large("passthrough_reason", json!("mcp_body_too_large"))]
#[case::too_large("is_exceeding_limit", json!(true))]
#[case::compressed_or_cut("passthrough_reason", json!("mcp_parse_error"))]
#[case::trailing_bytes("passthrough_reason", json!("mcp_not_jsonrpc"))]
#[case::duplicates("passthrough_reason", json!("mcp_duplicate_keys"))]
#[case::any_other_reason("passthrough_reason", json!(null))]
#[case::no_call("is_mcp_request", json!(false))]
#[case::no_call("is_mcp_request", json!("true"))]
#[case::not_good("status", json!("mcp_parse_error"))]
#[case::other_version("jsonrpc", json!("1.0"))]
#[case::other_version("jsonrpc", json!(2.0))]
#[case::method("method", json!(""))]
#[case::method("method", json!(null))]
#[case::method("method", json!(["tools/call"]))]
#[case::method("method", json!(" tools/call"))]
#[case::method("method", json!("tools/call\0"))]
#[case::method("method", json!("tools/c\u{430}ll"))]
#[case::response("method", json!("__jsonrpc_response"))]
#[case::params("params", json!("read_file"))]
#[case::params("params", json!(["read_file"]))]
#[case::name("params", json!({}))]
#[case::name("params", json!({ "name": 7 }))]
#[case::name("params", json!({ "name": null }))]
#[case::name("params", json!({ "name": ["read_file"] }))]
#[case::name("params", json!({ "name": { "a": "read_file" } }))]
#[case::name("params", json!({ "name": "" }))]
#[case::name("params", json!({ "name": "read_file\0" }))]
#[case::name("params", json!({ "name": "read_file " }))]
#[case::name("params", json!({ "name": "read_file\n" }))]
#[case::name("params", json!({ "name": "read_f\u{131}le" }))]
#[case::name("params", json!({ "Name": "read_file" }))]
#[case::name("params", json!({ "name": "a".repeat(129) }))]
fn what_is_not_exactly_one_plain_call_is_unclear(#[case] member: &str, #[case] value: Value) {
    let mut filter = of_call();
    filter.insert(member.to_owned(), value);
    assert_eq!(McpCall::read(Some(&filter), &headers(&[]), &Body::Absent), McpCall::Unclear, "{filter:?}");
}

#[test]
fn a_tool_call_without_params_is_unclear() {
    let mut filter = of_call();
    filter.remove("params");
    assert_eq!(McpCall::read(Some(&filter), &headers(&[]), &Body::Absent), McpCall::Unclear);
}

#[rstest]
#[case(&[])]
#[case(&[("content-type", "application/json")])]
#[case(&[("content-type", "application/json; charset=utf-8")])]
#[case(&[("content-type", "application/json;charset=\"UTF-8\"")])]
#[case(&[("content-encoding", "identity")])]
#[case(&[("mcp-method", "tools/call"), ("mcp-name", "read_file"), ("mcp-protocol-version", "2026-07-28")])]
fn headers_that_agree_leave_a_call_clear(#[case] pairs: &[(&str, &str)]) {
    assert!(with_headers(pairs), "{pairs:?}");
}

#[rstest]
#[case(&[("content-type", "application/json; charset=utf-7")])]
#[case(&[("content-type", "application/json; charset=utf-8; charset=utf-7")])]
#[case(&[("content-type", "application/json"), ("content-type", "application/json")])]
#[case(&[("content-type", "text/plain")])]
#[case(&[("content-type", "application/jsonx")])]
#[case(&[("content-encoding", "gzip")])]
#[case(&[("content-encoding", "identity, br")])]
#[case(&[("mcp-method", "tools/list")])]
#[case(&[("mcp-name", "delete_all")])]
#[case(&[("mcp-name", "=?base64?cmVhZF9maWxl?=")])]
#[case(&[("mcp-name", "read_file"), ("mcp-name", "delete_all")])]
fn headers_by_which_a_server_may_see_another_call_make_it_unclear(#[case] pairs: &[(&str, &str)]) {
    assert!(!with_headers(pairs), "{pairs:?}");
}

#[test]
fn the_name_in_a_header_counts_only_for_tools() {
    let read = metadata(json!({ "method": "resources/read", "params": { "uri": "file:///a" } }));
    let call = McpCall::read(Some(&read), &headers(&[("mcp-name", "file:///a")]), &Body::Absent);
    assert_eq!(call, McpCall::One { method: "resources/read", tool: None });
}

#[test]
fn a_body_has_to_be_the_call_that_was_told() {
    let filter = of_call();
    let read = |body: &Body| McpCall::read(Some(&filter), &headers(&[]), body);
    let one = McpCall::One { method: "tools/call", tool: Some("read_file") };
    assert_eq!(read(&whole(CALL)), one);
    assert_eq!(read(&whole(&CALL.replace("read_file", "delete_all"))), McpCall::Unclear);
    assert_eq!(read(&whole(&CALL.replace("\"id\"", "\"Params\":{\"name\":\"delete_all\"},\"id\""))), McpCall::Unclear);
    assert_eq!(read(&Body::Truncated), McpCall::Unclear);
    assert_eq!(read(&Body::Altered), McpCall::Unclear);
}

#[test]
fn a_response_is_known_only_by_its_body() {
    let filter = metadata(json!({ "id": 1, "is_mcp_request": true, "jsonrpc": "2.0", "method": "__jsonrpc_response" }));
    let read = |body: &Body| McpCall::read(Some(&filter), &headers(&[]), body);
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    assert_eq!(read(&whole(response)), McpCall::One { method: McpCall::RESPONSE, tool: None });
    assert_eq!(read(&whole(&response.replace("\"id\"", "\"method\":\"tools/call\",\"id\""))), McpCall::Unclear);
    assert_eq!(read(&Body::Absent), McpCall::Unclear);
}
