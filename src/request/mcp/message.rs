//! A JSON-RPC message read as strictly as any server reads it: what two servers could read differently is not read.

use super::McpCall;
use crate::attestation::json::{self, Object};

pub(super) const TOOLS_CALL: &str = "tools/call";

/// All members that a message has (JSON-RPC 2.0 §4 and §5). Any other could be one of these in other letters.
const MEMBERS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

/// Whether a body is one message, nothing else, and for every server the one that was told.
pub(super) fn is_only(body: &[u8], method: &str, tool: Option<&str>) -> bool {
    let Some(message) = json::object(body) else { return false };
    let known = message.keys().all(|member| MEMBERS.contains(&member.as_str()));
    known && message.get("jsonrpc").is_some_and(|version| version == "2.0") && is_what_was_told(&message, method, tool)
}

fn is_what_was_told(message: &Object, method: &str, tool: Option<&str>) -> bool {
    let answers = message.contains_key("result") || message.contains_key("error");
    match message.get("method") {
        None => method == McpCall::RESPONSE && answers && !message.contains_key("params"),
        Some(own) => own == method && !answers && tool.is_none_or(|tool| names_only(message, tool)),
    }
}

fn names_only(message: &Object, tool: &str) -> bool {
    let params = message.get("params").and_then(|params| params.as_object());
    params.is_some_and(|params| {
        params.get("name").is_some_and(|name| name == tool)
            && params.keys().all(|member| member == "name" || !is_read_as_name(member))
    })
}

/// Whether a server that is lenient about case and marks could take a member for `name`. Beyond ASCII are letters that case
/// folding or normalization makes ASCII.
fn is_read_as_name(member: &str) -> bool {
    let letters = member.bytes().filter(u8::is_ascii_alphanumeric);
    !member.is_ascii() || letters.map(|b| b.to_ascii_lowercase()).eq(*b"name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"}}"#;

    fn is_call(body: &str) -> bool {
        is_only(body.as_bytes(), TOOLS_CALL, Some("read_file"))
    }

    #[rstest]
    #[case(CALL)]
    #[case(r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read_file"}}"#)]
    #[case(r#" {"params":{"_meta":{"Name":"x"},"arguments":{"name":"x"},"name":"read_file"},"method":"tools/call","id":"a","jsonrpc":"2.0"} "#)]
    #[case(r#"{"jsonrpc":"2.0","id":1,"method":"tools\/call","params":{"n\u0061me":"read\u005ffile"}}"#)]
    fn one_call_is_one_however_it_is_written(#[case] body: &str) {
        assert!(is_call(body), "{body}");
    }

    #[rstest]
    #[case::batch(r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"}}]"#)]
    #[case::second_call(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"}}{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_all"}}"#)]
    #[case::trailing_byte(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"}}x"#)]
    #[case::two_names(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","":{},"name":"delete_all"}}"#
    )]
    #[case::two_names_escaped(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","n\u0061me":"delete_all"}}"#
    )]
    #[case::two_params(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"},"params":[{"name":"delete_all"}]}"#)]
    #[case::name_in_capitals(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","Name":"delete_all"}}"#
    )]
    #[case::name_with_nul(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","name\u0000":"delete_all"}}"#
    )]
    #[case::name_with_mark(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","-na_me ":"delete_all"}}"#
    )]
    #[case::name_in_wide_letters(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","ｎame":"delete_all"}}"#
    )]
    #[case::params_in_capitals(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"},"PARAMS":{"name":"delete_all"}}"#)]
    #[case::params_with_long_s(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"},"paramſ":{"name":"delete_all"}}"#)]
    #[case::method_in_capitals(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","Method":"tools/call","params":{"name":"read_file"}}"#
    )]
    #[case::unknown_member(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","x":1,"params":{"name":"read_file"}}"#)]
    #[case::response(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"},"result":null}"#)]
    #[case::other_version(r#"{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"read_file"}}"#)]
    #[case::no_version(r#"{"id":1,"method":"tools/call","params":{"name":"read_file"}}"#)]
    #[case::other_method(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"name":"read_file"}}"#)]
    #[case::other_tool(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_all"}}"#)]
    #[case::name_in_array(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["read_file"]}}"#)]
    #[case::params_in_array(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["read_file"]}"#)]
    #[case::no_params(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#)]
    #[case::single_quotes("{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'read_file'}}")]
    #[case::trailing_comma(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"},}"#)]
    #[case::byte_order_mark(
        "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"read_file\"}}"
    )]
    #[case::nothing("")]
    #[case::null("null")]
    fn what_a_server_could_take_for_another_call_is_not_the_one_that_was_told(#[case] body: &str) {
        assert!(!is_call(body), "{body}");
    }

    #[test]
    fn a_call_without_a_tool_is_compared_by_its_method() {
        let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}"#;
        assert!(is_only(list.as_bytes(), "tools/list", None));
        assert!(!is_only(list.as_bytes(), "initialize", None));
        assert!(!is_only(CALL.as_bytes(), "tools/list", None));
    }

    #[rstest]
    #[case(r#"{"jsonrpc":"2.0","id":1,"result":{"a":1}}"#, true)]
    #[case(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}}"#, true)]
    #[case(r#"{"jsonrpc":"2.0","id":1,"result":{},"method":"tools/call","params":{"name":"delete_all"}}"#, false)]
    #[case(r#"{"jsonrpc":"2.0","id":1,"result":{},"Method":"tools/call","params":{"name":"delete_all"}}"#, false)]
    #[case(r#"{"jsonrpc":"2.0","id":1,"result":{},"params":{"name":"delete_all"}}"#, false)]
    #[case(r#"{"jsonrpc":"2.0","id":1,"method":"__jsonrpc_response","result":{}}"#, false)]
    #[case(r#"{"jsonrpc":"2.0","id":1}"#, false)]
    fn a_response_is_one_only_where_nothing_is_called(#[case] body: &str, #[case] expected: bool) {
        assert_eq!(is_only(body.as_bytes(), McpCall::RESPONSE, None), expected, "{body}");
    }

    proptest! {
        /// Whatever is added, no body is taken for a call of a tool that it doesn't name.
        #[test]
        fn no_body_is_a_call_of_a_tool_that_another_reader_does_not_find(
            member in "(name|Name|NAME|n_ame|nam\u{117}|params|Params|param\u{17f}|method|x|)",
            value in r#"("delete_all"|7|null|\[\]|\{\}|\{"name":"delete_all"\})"#,
            inside in any::<bool>(),
        ) {
            let (inner, outer) = if inside { (format!(",\"{member}\":{value}"), String::new()) }
                else { (String::new(), format!(",\"{member}\":{value}")) };
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"read_file"{inner}}}{outer}}}"#
            );
            // What a reader finds that knows no case and takes the last of two.
            let lenient = lenient_name(&body);
            prop_assert!(!is_call(&body) || lenient.as_deref() == Some("read_file"), "{}", body);
        }
    }

    fn lenient_name(body: &str) -> Option<String> {
        let lower = body.replace('\u{17f}', "s").to_lowercase();
        let message: serde_json::Value = serde_json::from_str(&lower).ok()?;
        Some(message.get("params")?.get("name")?.as_str()?.to_owned())
    }
}
