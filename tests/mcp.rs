//! The `CheckRequest`s that a real Envoy 1.40 sent behind its `mcp` filter: what is known of the call in each.
#![expect(clippy::unwrap_used, reason = "a test without its data has failed")]

use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use prost::Message;
use std::fs;
use stepgate::ext_authz::facts;
use stepgate::request::McpCall;

const FOLDER: &str = "tests/data/mcp";

/// What is known of the call in each recording. Their `INDEX.txt` says what each is.
const CALLS: [(&str, &str); 48] = [
    ("array_beside", "unclear"),
    ("call", "tools/call of read_file"),
    ("call_2026", "tools/call of read_file"),
    ("call_id_text", "tools/call of read_file"),
    ("call_meta", "tools/call of read_file"),
    ("call_without_id", "tools/call of read_file"),
    ("case_folded", "unclear"),
    ("case_member", "unclear"),
    ("case_method", "unclear"),
    ("case_params", "unclear"),
    ("challenge", "unclear"),
    ("charset_utf7", "unclear"),
    ("chunked", "tools/call of read_file"),
    ("delete_session", "unclear"),
    ("delete_with_body", "unclear"),
    ("empty_member", "unclear"),
    ("get_stream", "unclear"),
    ("gzip_named", "unclear"),
    ("header_name_differs", "unclear"),
    // Nothing but the caller's word: such an Envoy has to send the body too.
    ("headers_call", "tools/call of read_file"),
    ("initialize", "initialize"),
    ("lenient_accept", "unclear"),
    ("lenient_batch_of_one", "unclear"),
    ("lenient_batch_of_two", "unclear"),
    ("lenient_call", "tools/call of read_file"),
    // Without the body and `reject_duplicate_keys` nobody could tell.
    ("lenient_dup_hidden", "tools/call of read_file"),
    ("lenient_dup_method", "tools/call of delete_all"),
    ("lenient_dup_name", "tools/call of delete_all"),
    ("lenient_gzip", "unclear"),
    ("lenient_not_rpc", "unclear"),
    ("lenient_text", "unclear"),
    ("lenient_too_large", "unclear"),
    ("lenient_too_large_front", "unclear"),
    ("lenient_trailing", "unclear"),
    ("lenient_truncated", "unclear"),
    ("list", "tools/list"),
    ("method_case", "Tools/Call"),
    ("name_array", "unclear"),
    ("name_missing", "unclear"),
    ("name_nul", "unclear"),
    ("name_number", "unclear"),
    ("name_object", "unclear"),
    ("noted_dup_name", "unclear"),
    ("notification", "notifications/initialized"),
    ("response", McpCall::RESPONSE),
    ("response_and_call", "unclear"),
    ("single_quotes", "unclear"),
    ("trailing_call", "unclear"),
];

fn call_in(recording: &str) -> String {
    let bytes = fs::read(format!("{FOLDER}/{recording}.bin")).unwrap();
    let facts = facts(CheckRequest::decode(&*bytes).unwrap()).unwrap();
    match McpCall::of(&facts) {
        McpCall::One { method, tool: Some(tool) } => format!("{method} of {tool}"),
        McpCall::One { method, tool: None } => method.to_owned(),
        McpCall::Unclear => "unclear".to_owned(),
    }
}

#[test]
fn each_recorded_call_is_known_or_unclear() {
    for (name, expected) in CALLS {
        assert_eq!(call_in(name), expected, "{name}");
    }
}

#[test]
fn every_recorded_call_is_in_the_table() {
    let files = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let recordings = files.filter(|file| file.extension().is_some_and(|extension| extension == "bin"));
    let mut names: Vec<_> = recordings.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, CALLS.map(|(name, _)| name));
}
