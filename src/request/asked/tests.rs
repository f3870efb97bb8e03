//! One plain reading, and what an attacker writes so that another server reads something else.

use super::*;
use crate::request::{Hints, Host, Layer, Metadata, Method, Peer, Readings, RequestPath};
use proptest::prelude::*;
use rstest::rstest;
use std::collections::HashMap;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// A request in the making.
struct Ask {
    method: &'static str,
    target: String,
    headers: Vec<(String, Option<String>)>,
    body: Body,
}

impl Ask {
    fn new(method: &'static str, target: &str) -> Self {
        Self { method, target: target.into(), headers: Vec::new(), body: Body::Absent }
    }

    fn post(kind: &str, body: impl AsRef<[u8]>) -> Self {
        Self::new("POST", "/token").with("content-type", kind).body(Body::Whole(body.as_ref().into()))
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    fn at(mut self, target: &str) -> Self {
        self.target = target.into();
        self
    }

    fn facts(self) -> RequestFacts {
        let headers = Headers::apart(self.headers, HashMap::new());
        let path = RequestPath::parse(&self.target, self.method).unwrap();
        let method = Method::parse(self.method).unwrap();
        RequestFacts {
            layer: Layer::Http,
            readings: Readings::of(&method, &path, &headers).unwrap(),
            method,
            path,
            host: Host::parse("idp.example.com").unwrap(),
            headers,
            body: self.body,
            asked: None,
            source: None,
            peer: Peer::default(),
            metadata: Metadata::default(),
            hints: Hints::default(),
        }
    }

    fn read(self, asked_in: &AskedIn) -> Asked {
        asked_in.read(&self.facts())
    }
}

fn form() -> AskedIn {
    AskedIn::Form("scope".into())
}

fn json() -> AskedIn {
    AskedIn::Json(JsonPointer::parse("/scope").unwrap())
}

fn query() -> AskedIn {
    AskedIn::Query("scope".into())
}

fn header() -> AskedIn {
    AskedIn::Header("x-scope".into())
}

fn scopes(text: &str) -> Asked {
    Asked::Scopes(ScopeSet::parse(text).unwrap())
}

#[rstest]
#[case("scope=read", "read")]
#[case("grant_type=client_credentials&scope=read+write", "read write")]
#[case("scope=read%20write&client_id=a", "read write")]
#[case("scope=payments%3Arefund", "payments:refund")]
#[case("scope=payments:refund", "payments:refund")]
#[case("sc%6Fpe=re%61d", "read")]
#[case("scope=a%2Bb", "a+b")]
#[case("scope=a%3Db", "a=b")]
#[case("&scope=read&&", "read")]
#[case("scope=read&resource=https%3A%2F%2Fa%2F%3Fb%3Dc%26d&resource=x&items[]=1", "read")]
#[case("scope=read&scopes=no&scope2=no&client_secret=caf%C3%A9", "read")]
fn a_plain_form_has_one_reading(#[case] body: &str, #[case] read: &str) {
    assert_eq!(Ask::post(FORM, body).read(&form()), scopes(read), "{body}");
}

/// What is one scope to us, and none of the catalogue, is two to a server that splits at more than spaces.
#[rstest]
#[case::comma("read,admin:wipe")]
#[case::semicolon("read;admin:wipe")]
#[case::bar("read|admin:wipe")]
#[case::comma_beside_a_space("write read,admin:wipe")]
fn marks_that_servers_split_scopes_at_are_unreadable(#[case] text: &str) {
    let escaped = text.replace(',', "%2C").replace(';', "%3B").replace('|', "%7C").replace(' ', "+");
    let asks = [
        (form(), Ask::post(FORM, format!("scope={escaped}"))),
        (json(), Ask::post(JSON, format!(r#"{{"scope":"{text}"}}"#))),
        (json(), Ask::post(JSON, format!(r#"{{"scope":["{}"]}}"#, text.replace(' ', "\",\"")))),
        (query(), Ask::new("POST", &format!("/token?scope={escaped}"))),
        (header(), Ask::new("POST", "/token").with("x-scope", text)),
    ];
    for (place, ask) in asks {
        assert_eq!(ask.read(&place), Asked::Unreadable, "{place:?}");
    }
}

#[rstest]
#[case::nothing("")]
#[case::not_named("grant_type=client_credentials")]
#[case::empty("scope=")]
#[case::no_value("scope")]
#[case::twice("scope=read&scope=read")]
#[case::twice_without_value("scope=read&scope")]
#[case::escaped_name("scope=read&sc%6fpe=admin")]
#[case::only_in_other_case("Scope=read")]
#[case::other_case("scope=read&SCOPE=admin")]
#[case::php_array("scope=read&scope[]=admin")]
#[case::php_array_alone("scope[]=admin")]
#[case::escaped_array("scope=read&scope%5B0%5D=admin")]
#[case::unclosed_bracket("scope=read&scope[=admin")]
#[case::rack_leading_bracket("scope=read&[scope]=admin")]
#[case::php_leading_space("scope=read&+scope=admin")]
#[case::dotted("scope=read&scope.0=admin")]
#[case::null_ends_the_name("scope=read&scope%00x=admin")]
#[case::null_in_a_value("scope=read&x=%00")]
#[case::tab_in_the_name("scope=read&scope%09=admin")]
#[case::long_s("scope=read&%C5%BFcope=admin")]
#[case::full_width("scope=read&%EF%BD%93cope=admin")]
#[case::semicolon("scope=read;scope=admin")]
#[case::semicolon_in_another_value("scope=read&x=1;scope=admin")]
#[case::second_equals("scope=a=b")]
#[case::second_equals_elsewhere("scope=read&x=scope=admin")]
#[case::no_escape("scope=read&x=%")]
#[case::half_an_escape("scope=read&x=%2")]
#[case::no_hex("scope=read&x=%zz")]
#[case::sign_in_an_escape("scope=read&x=%+1")]
#[case::microsoft_escape("scope=read&%u0073cope=admin")]
#[case::overlong_ampersand("scope=read&x=%C0%A6scope=admin")]
#[case::not_utf8("scope=read&x=%FF")]
#[case::byte_order_mark("\u{feff}scope=read")]
#[case::not_escaped("scope=read&x=caf\u{e9}")]
#[case::space("scope=read write")]
#[case::newline("scope=read\n")]
#[case::question_mark("?scope=read&scope=read")]
#[case::json("{\"scope\":\"read\"}")]
#[case::two_spaces("scope=read++write")]
#[case::leading_space("scope=+read")]
#[case::trailing_space("scope=read+")]
#[case::tab("scope=read%09write")]
#[case::line("scope=read%0Awrite")]
#[case::no_break_space("scope=read%C2%A0write")]
#[case::quote("scope=%22read%22")]
#[case::details("scope=read&authorization_details=%5B%5D")]
#[case::details_in_other_case("scope=read&Authorization-Details=%5B%5D")]
#[case::pushed("scope=read&request_uri=urn:x")]
#[case::request_object("scope=read&request=eyJ")]
#[case::request_object_without_value("scope=read&request")]
fn a_form_that_some_server_reads_otherwise_is_unreadable(#[case] body: &str) {
    assert_eq!(Ask::post(FORM, body).read(&form()), Asked::Unreadable, "{body}");
}

#[test]
fn a_form_beyond_its_bounds_is_unreadable() {
    let fields = |count| Ask::post(FORM, format!("scope=read{}", "&a=b".repeat(count))).read(&form());
    assert_eq!((fields(127), fields(128)), (scopes("read"), Asked::Unreadable));
    let long = |count| Ask::post(FORM, format!("scope=read&a={}", "x".repeat(count))).read(&form());
    let beside = "scope=read&a=".len();
    assert_eq!((long(MAX_BYTES - beside), long(MAX_BYTES - beside + 1)), (scopes("read"), Asked::Unreadable));
    let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join("+");
    let named = |count| Ask::post(FORM, format!("scope={}", many(count))).read(&form());
    assert!(matches!(named(ScopeSet::MAX_SCOPES), Asked::Scopes(_)));
    assert_eq!(named(ScopeSet::MAX_SCOPES + 1), Asked::Unreadable);
    assert_eq!(Ask::post(FORM, format!("scope={}", "x".repeat(257))).read(&form()), Asked::Unreadable);
}

#[rstest]
#[case("application/x-www-form-urlencoded")]
#[case("Application/X-WWW-Form-Urlencoded")]
#[case("application/x-www-form-urlencoded;charset=utf-8")]
#[case("application/x-www-form-urlencoded ; Charset=\"UTF-8\"")]
fn a_form_may_say_that_it_is_utf8(#[case] kind: &str) {
    assert_eq!(Ask::post(kind, "scope=read").read(&form()), scopes("read"), "{kind}");
}

#[rstest]
#[case("")]
#[case("application/x-www-form-urlencoded;")]
#[case("application/x-www-form-urlencoded;charset")]
#[case("application/x-www-form-urlencoded;charset=ibm037")]
#[case("application/x-www-form-urlencoded;charset=utf-16")]
#[case("application/x-www-form-urlencoded;charset=utf-8;charset=utf-16")]
#[case("application/x-www-form-urlencoded;boundary=x")]
#[case("application/x-www-form-urlencoded,application/json")]
#[case("application/x-www-form-urlencoded, application/x-www-form-urlencoded")]
#[case("application/json")]
#[case("multipart/form-data; boundary=x")]
#[case("text/plain")]
#[case("application/x-www-form-urlencoded\u{a0}")]
fn another_content_type_is_unreadable(#[case] kind: &str) {
    assert_eq!(Ask::post(kind, "scope=read").read(&form()), Asked::Unreadable, "{kind}");
}

#[rstest]
#[case("content-type", FORM)]
#[case("content_type", JSON)]
#[case("content-encoding", "gzip")]
#[case("content-encoding", "identity, gzip")]
#[case("content-encoding", "")]
#[case("content_encoding", "gzip")]
#[case("content_length", "5")]
#[case("transfer-encoding", "chunked")]
#[case("transfer-encoding", "identity")]
#[case("Transfer_Encoding", "chunked")]
#[case("x-http-method-override", "GET")]
#[case("x-original-url", "/token?scope=admin")]
#[case("x-rewrite-url", "/token")]
#[case("x_original_url", "/token?scope=admin")]
fn a_header_that_changes_how_the_body_is_read_makes_it_unreadable(#[case] name: &str, #[case] value: &str) {
    assert_eq!(Ask::post(FORM, "scope=read").with(name, value).read(&form()), Asked::Unreadable, "{name}: {value}");
    let body = r#"{"scope":"read"}"#;
    assert_eq!(Ask::post(JSON, body).with(name, value).read(&json()), Asked::Unreadable, "{name}: {value}");
}

#[test]
fn no_content_type_or_one_that_is_no_text_is_unreadable() {
    let mut ask = Ask::post(FORM, "scope=read");
    ask.headers = Vec::new();
    assert_eq!(ask.read(&form()), Asked::Unreadable);
    let mut ask = Ask::post(FORM, "scope=read");
    ask.headers = vec![("content-type".into(), None)];
    assert_eq!(ask.read(&form()), Asked::Unreadable);
}

#[test]
fn a_body_that_is_not_compressed_may_say_so() {
    let ask = Ask::post(FORM, "scope=read").with("content-encoding", "Identity").with("content-length", "10");
    assert_eq!(ask.read(&form()), scopes("read"));
}

#[rstest]
#[case(Body::Absent)]
#[case(Body::Truncated)]
#[case(Body::Altered)]
#[case(Body::Whole(b"scope=read&x=\xff".as_slice().into()))]
fn a_body_that_is_not_whole_text_is_unreadable(#[case] body: Body) {
    assert_eq!(Ask::post(FORM, "").body(body.clone()).read(&form()), Asked::Unreadable);
    assert_eq!(Ask::post(JSON, "").body(body).read(&json()), Asked::Unreadable);
}

/// For other methods most servers read no body, and then grant what they like.
#[rstest]
#[case("POST", true)]
#[case("PUT", true)]
#[case("PATCH", true)]
#[case("GET", false)]
#[case("DELETE", false)]
#[case("post", false)]
fn a_body_counts_where_servers_read_one(#[case] method: &'static str, #[case] counts: bool) {
    let ask = Ask { method, ..Ask::post(FORM, "scope=read") };
    assert_eq!(ask.read(&form()), if counts { scopes("read") } else { Asked::Unreadable });
}

#[rstest]
#[case("/token?scope=read", false)]
#[case("/token?Scope[]=read", false)]
#[case("/token?request_uri=urn:x", false)]
#[case("/token?x=%zz", false)]
#[case("/token?a=b;c=d", false)]
#[case("/token?", true)]
#[case("/token?tenant=acme", true)]
fn what_the_query_says_is_merged_with_the_body(#[case] target: &str, #[case] readable: bool) {
    let read = if readable { scopes("read") } else { Asked::Unreadable };
    assert_eq!(Ask::post(FORM, "scope=read").at(target).read(&form()), read, "{target}");
    assert_eq!(Ask::post(JSON, r#"{"scope":"read"}"#).at(target).read(&json()), read, "{target}");
}

#[rstest]
#[case(r#"{"scope":"read"}"#, "read")]
#[case(r#" { "grant" : 1, "scope" : "read write" } "#, "read write")]
#[case(r#"{"scope":["write","read"]}"#, "read write")]
#[case(r#"{"sc\u006fpe":"re\u0061d"}"#, "read")]
#[case(r#"{"scope":"read","nested":{"scope":"no","gr\u00f6\u00dfe":1}}"#, "read")]
fn a_plain_document_has_one_reading(#[case] body: &str, #[case] read: &str) {
    assert_eq!(Ask::post(JSON, body).read(&json()), scopes(read), "{body}");
    assert_eq!(Ask::post("application/json; charset=utf-8", body).read(&json()), scopes(read), "{body}");
}

#[rstest]
#[case::nothing("")]
#[case::not_named("{}")]
#[case::empty(r#"{"scope":""}"#)]
#[case::empty_list(r#"{"scope":[]}"#)]
#[case::null(r#"{"scope":null}"#)]
#[case::number(r#"{"scope":1}"#)]
#[case::object(r#"{"scope":{"read":true}}"#)]
#[case::list_with_null(r#"{"scope":["read",null]}"#)]
#[case::list_of_lists(r#"{"scope":[["read"]]}"#)]
#[case::list_with_two_in_one(r#"{"scope":["read write"]}"#)]
#[case::twice(r#"{"scope":"read","scope":"read"}"#)]
#[case::twice_escaped(r#"{"scope":"read","\u0073cope":"admin"}"#)]
#[case::twice_elsewhere(r#"{"scope":"read","a":[{"b":1,"b":2}]}"#)]
#[case::other_case(r#"{"scope":"read","Scope":"admin"}"#)]
#[case::only_in_other_case(r#"{"Scope":"read"}"#)]
#[case::long_s("{\"scope\":\"read\",\"\u{17f}cope\":\"admin\"}")]
#[case::long_s_escaped(r#"{"scope":"read","\u017fcope":"admin"}"#)]
#[case::kelvin("{\"scope\":\"read\",\"to\u{212a}en\":1}")]
#[case::underscored(r#"{"scope":"read","_scope":"admin"}"#)]
#[case::dashed(r#"{"scope":"read","sco-pe":"admin"}"#)]
#[case::bracketed(r#"{"scope":"read","scope[]":["admin"]}"#)]
#[case::null_ends_the_name(r#"{"scope":"read","scope\u0000":"admin"}"#)]
#[case::byte_order_mark("\u{feff}{\"scope\":\"read\"}")]
#[case::array(r#"[{"scope":"read"}]"#)]
#[case::two_documents(r#"{"scope":"read"}{"scope":"admin"}"#)]
#[case::comment(r#"{"scope":"read"/*,"scope":"admin"*/}"#)]
#[case::trailing_comma(r#"{"scope":"read",}"#)]
#[case::lone_surrogate(r#"{"scope":"read","x":"\ud800"}"#)]
#[case::not_a_number(r#"{"scope":"read","x":NaN}"#)]
#[case::tab(r#"{"scope":"read\twrite"}"#)]
#[case::two_spaces(r#"{"scope":"read  write"}"#)]
#[case::details(r#"{"scope":"read","authorization_details":[]}"#)]
#[case::details_in_camel_case(r#"{"scope":"read","authorizationDetails":[]}"#)]
#[case::pushed(r#"{"scope":"read","request_uri":"urn:x"}"#)]
#[case::request_object(r#"{"scope":"read","request":null}"#)]
#[case::form("scope=read")]
fn a_document_that_some_server_reads_otherwise_is_unreadable(#[case] body: &str) {
    assert_eq!(Ask::post(JSON, body).read(&json()), Asked::Unreadable, "{body}");
}

#[test]
fn a_document_beyond_its_bounds_is_unreadable() {
    let deep = format!(r#"{{"scope":"read","x":{}1{}}}"#, "[".repeat(1000), "]".repeat(1000));
    assert_eq!(Ask::post(JSON, deep).read(&json()), Asked::Unreadable);
    let long = format!(r#"{{"scope":"read","x":"{}"}}"#, "x".repeat(MAX_BYTES));
    assert_eq!(Ask::post(JSON, long).read(&json()), Asked::Unreadable);
    let many: Vec<_> = (0..=ScopeSet::MAX_SCOPES).map(|n| n.to_string()).collect();
    let many = serde_json::json!({ "scope": many }).to_string();
    assert_eq!(Ask::post(JSON, many).read(&json()), Asked::Unreadable);
}

#[rstest]
#[case(r#"{"request":{"token":{"scope":"read"}}}"#, true)]
#[case(r#"{"request":{"token":{"scope":"read"}},"scope":"no"}"#, true)]
#[case(r#"{"request":{"token":{"scope":"read"}},"Request":{}}"#, false)]
#[case(r#"{"request":{"token":{"scope":"read"},"TOKEN":{}}}"#, false)]
#[case(r#"{"request":{"token":{"scope":"read","authorization_details":[]}}}"#, false)]
#[case(r#"{"request":{"token":[{"scope":"read"}]}}"#, false)]
#[case(r#"{"request":"token"}"#, false)]
fn a_pointer_goes_through_objects_with_no_twin_on_the_way(#[case] body: &str, #[case] readable: bool) {
    let pointer = AskedIn::Json(JsonPointer::parse("/request/token/scope").unwrap());
    let read = if readable { scopes("read") } else { Asked::Unreadable };
    assert_eq!(Ask::post(JSON, body).read(&pointer), read, "{body}");
}

#[test]
fn an_element_of_an_array_is_not_the_only_one() {
    let pointer = AskedIn::Json(JsonPointer::parse("/items/0/scope").unwrap());
    let body = r#"{"items":[{"scope":"read"},{"scope":"admin"}]}"#;
    assert_eq!(Ask::post(JSON, body).read(&pointer), Asked::Unreadable);
}

#[rstest]
#[case("/authorize?scope=read", "read")]
#[case("/authorize?response_type=code&scope=read+write&redirect_uri=https://app/cb", "read write")]
#[case("/authorize?scope=read%20write", "read write")]
fn a_plain_query_has_one_reading(#[case] target: &str, #[case] read: &str) {
    assert_eq!(Ask::new("GET", target).read(&query()), scopes(read), "{target}");
    assert_eq!(Ask::new("POST", target).with("content-length", "0").read(&query()), scopes(read), "{target}");
    let form = Ask::post(FORM, "client_id=a").at(target);
    assert_eq!(form.read(&query()), scopes(read), "{target}");
    assert_eq!(Ask::post(JSON, r#"{"a":{"scope":1}}"#).at(target).read(&query()), scopes(read), "{target}");
}

#[rstest]
#[case("/authorize")]
#[case("/authorize?")]
#[case("/authorize?scope")]
#[case("/authorize?scope=")]
#[case("/authorize?scope=read&scope=read")]
#[case("/authorize?scope=read&Scope=admin")]
#[case("/authorize?scope=read&scope[]=admin")]
#[case("/authorize?scope=read;scope=admin")]
#[case("/authorize?scope=read?scope=admin")]
#[case("/authorize?scope=read&x=%")]
#[case("/authorize?scope=read&x=%00")]
#[case("/authorize?scope=read%0Aadmin")]
#[case("/authorize?scope=read&request=eyJ")]
#[case("/authorize?scope=read&request_uri=urn:x")]
#[case("/authorize?scope=read&authorization_details=%5B%5D")]
fn a_query_that_some_server_reads_otherwise_is_unreadable(#[case] target: &str) {
    assert_eq!(Ask::new("GET", target).read(&query()), Asked::Unreadable, "{target}");
}

#[rstest]
#[case::form(Ask::post(FORM, "scope=admin"))]
#[case::form_array(Ask::post(FORM, "scope[]=admin"))]
#[case::form_request(Ask::post(FORM, "request=eyJ"))]
#[case::form_that_cannot_be_read(Ask::post(FORM, "a;b"))]
#[case::json(Ask::post(JSON, r#"{"scope":"admin"}"#))]
#[case::json_in_other_case(Ask::post(JSON, r#"{"SCOPE":"admin"}"#))]
#[case::json_that_cannot_be_read(Ask::post(JSON, "[]"))]
#[case::unknown(Ask::post("multipart/form-data; boundary=x", "scope"))]
#[case::compressed(Ask::post(FORM, "a=b").with("content-encoding", "gzip"))]
#[case::truncated(Ask::post(FORM, "").body(Body::Truncated))]
#[case::altered(Ask::post(FORM, "").body(Body::Altered))]
#[case::not_buffered(Ask::new("POST", "/").with("content-length", "11"))]
#[case::not_buffered_and_chunked(Ask::new("POST", "/").with("transfer-encoding", "chunked"))]
#[case::not_buffered_and_streamed(Ask::new("GET", "/").with("content-type", FORM))]
#[case::not_buffered_for_an_upgrade(Ask::new("POST", "/").with("upgrade", "websocket"))]
#[case::two_lengths(Ask::new("POST", "/").with("content-length", "0").with("content-length", "11"))]
#[case::overridden(Ask::new("GET", "/").with("x-original-url", "/authorize?scope=admin"))]
fn a_body_that_may_name_it_too_makes_a_query_unreadable(#[case] ask: Ask) {
    assert_eq!(ask.at("/authorize?scope=read").read(&query()), Asked::Unreadable);
}

#[test]
fn a_header_that_stands_once_is_read() {
    assert_eq!(Ask::new("POST", "/").with("x-scope", "read write").read(&header()), scopes("read write"));
}

#[rstest]
#[case(&[])]
#[case(&[("x-scope", "")])]
#[case(&[("x-scope", "read"), ("x-scope", "read")])]
#[case(&[("x-scope", "read"), ("X-Scope", "admin")])]
#[case(&[("x-scope", "read"), ("x_scope", "admin")])]
#[case(&[("x_scope", "read")])]
#[case(&[("x-scope", "read,admin")])]
#[case(&[("x-scope", "read, admin")])]
#[case(&[("x-scope", "read  admin")])]
#[case(&[("x-scope", "read\tadmin")])]
#[case(&[("x-scope", " read")])]
#[case(&[("x-scope", "re\u{e4}d")])]
fn a_header_that_some_server_reads_otherwise_is_unreadable(#[case] headers: &[(&str, &str)]) {
    let ask = headers.iter().fold(Ask::new("POST", "/"), |ask, (name, value)| ask.with(name, value));
    assert_eq!(ask.read(&header()), Asked::Unreadable, "{headers:?}");
}

#[test]
fn a_joined_header_may_have_had_bytes_that_are_no_text() {
    let mut facts = Ask::new("POST", "/").facts();
    facts.headers = Headers::joined([("x-scope".to_owned(), "read!".to_owned())].into());
    assert_eq!(header().read(&facts), Asked::Unreadable);
}

/// A form as the WHATWG says that it is read: every value of the field, whatever else stands there.
fn every_value(form: &str, field: &str) -> Vec<String> {
    let decoded =
        |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = form.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(name, _)| decoded(name) == field).map(|(_, value)| decoded(value)).collect()
}

/// Forms by those who mean well and others.
const FORMS: &str = "(&?(scope|scope|a|b|Scope|sc%6fpe|scope\\[\\]|request)(=(|b|read|read\\+write|read%20a|%41|%|%00|=|;|%26scope=x)){0,1}){0,4}";
/// Fields that say nothing of scopes.
const OTHERS: &str = "(&?[a-c]=[a-z]{0,3}){0,3}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_is_read_in_a_form_is_what_the_standard_reads(body in FORMS) {
        if let Asked::Scopes(read) = Ask::post(FORM, &body).read(&form()) {
            let values = every_value(&body, "scope");
            prop_assert_eq!(values.len(), 1, "{}", body);
            prop_assert_eq!(read, ScopeSet::parse(&values[0]).unwrap(), "{}", body);
        }
    }

    #[test]
    fn a_second_mention_in_a_form_is_never_read(
        body in OTHERS,
        first in "scope=(read|write)(\\+[a-z:]{1,9})?",
        second in "(scope|SCOPE|sCope|scope\\[\\]|scope%5B%5D|scope\\[[a-z0-9]{0,3}\\]|\\[scope\\]|scope\\.[a-z]|s%63ope|_scope|request|request_uri|authorization_details|%C5%BFcope)",
        value in "(=[a-z]{0,5})?",
        before in any::<bool>(),
    ) {
        let mention = format!("{second}{value}");
        let both = if before { format!("{mention}&{first}&{body}") } else { format!("{body}&{first}&{mention}") };
        prop_assert_eq!(Ask::post(FORM, &both).read(&form()), Asked::Unreadable, "{}", both);
        let apart = Ask::post(FORM, &first).at(&format!("/token?{mention}"));
        prop_assert_eq!(apart.read(&form()), Asked::Unreadable, "{}", mention);
        let swapped = Ask::post(FORM, &mention).at(&format!("/authorize?{first}"));
        prop_assert_eq!(swapped.read(&query()), Asked::Unreadable, "{}", mention);
    }

    #[test]
    fn what_is_written_as_a_form_is_read_back(granted in prop::collection::btree_set("[!-~&&[^\"\\\\,;|]]{1,12}", 1..6)) {
        let text = granted.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let escaped = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        let read = Ask::post(FORM, format!("scope={escaped}")).read(&form());
        prop_assert_eq!(&read, &scopes(&text));
        let document = serde_json::json!({ "scope": granted }).to_string();
        prop_assert_eq!(Ask::post(JSON, document).read(&json()), read);
    }

    #[test]
    fn a_second_mention_in_a_document_is_never_read(
        name in "([sS\u{17f}]_?[cC]-?[oO][pP][eE]|scope\\[\\]|request|requestUri|authorization_details)",
        before in any::<bool>(),
    ) {
        let members = [r#""scope":"read""#.to_owned(), format!(r#""{name}":"admin""#)];
        let [one, other] = if before { [&members[1], &members[0]] } else { [&members[0], &members[1]] };
        let body = format!("{{{one},{other}}}");
        prop_assert_eq!(Ask::post(JSON, &body).read(&json()), Asked::Unreadable, "{}", body);
    }

    #[test]
    fn no_bytes_and_no_headers_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200), kind in "[ -~]{0,60}") {
        for asked_in in [form(), json(), query(), header()] {
            Ask::post(&kind, &body).read(&asked_in);
            Ask::post(FORM, &body).read(&asked_in);
            Ask::post(JSON, &body).at("/?scope=read").read(&asked_in);
        }
    }
}
