//! What a request for privilege asks for: in a form (WHATWG URL §5.1), a query of the same kind, or JSON.
//!
//! An input is the body, read in each of these ways.

use super::reference::json::Json;
use super::reference::uri;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use std::collections::BTreeSet;
use stepgate::ext_authz::facts;
use stepgate::request::{Asked, AskedIn, JsonPointer};

pub fn holds(data: &[u8]) -> bool {
    let text = std::str::from_utf8(data).ok();
    let form = asked(&AskedIn::Form("scope".into()), "/token", "application/x-www-form-urlencoded", data);
    let target = format!("/token?{}", text.unwrap_or_default());
    let query = asked(&AskedIn::Query("scope".into()), &target, "", &[]);
    let pointer = JsonPointer::parse("/scope").expect("a pointer");
    let json = asked(&AskedIn::Json(pointer), "/token", "application/json", data);
    assert!(form.is_none() || form == text.and_then(of_form), "{text:?} as a form");
    assert!(query.is_none() || query == text.and_then(of_form), "{text:?} as a query");
    assert!(json.is_none() || json == of_json(data), "{text:?} as JSON");
    form.is_some() || query.is_some() || json.is_some()
}

type Scopes = BTreeSet<String>;

/// What stepgate reads.
fn asked(place: &AskedIn, target: &str, content_type: &str, body: &[u8]) -> Option<Scopes> {
    let described = [("content-type", content_type.to_owned()), ("content-length", body.len().to_string())];
    let headers = described.into_iter().filter(|_| !body.is_empty()).map(|(name, value)| (name.to_owned(), value));
    let http = HttpRequest {
        method: "POST".into(),
        host: "api.example.com".into(),
        path: target.into(),
        headers: headers.collect(),
        raw_body: body.to_vec(),
        ..HttpRequest::default()
    };
    let request = Some(Request { http: Some(http), ..Request::default() });
    let check = CheckRequest { attributes: Some(AttributeContext { request, ..AttributeContext::default() }) };
    match place.read(&facts(check).ok()?) {
        Asked::Scopes(scopes) => Some(scopes.iter().map(|scope| scope.as_str().to_owned()).collect()),
        Asked::Unreadable => None,
    }
}

/// The scopes of the one field of this name.
fn of_form(text: &str) -> Option<Scopes> {
    let mut values = Vec::new();
    for sequence in text.split('&').filter(|sequence| !sequence.is_empty()) {
        let (name, value) = sequence.split_once('=').unwrap_or((sequence, ""));
        if uri::decoded_leniently(&name.replace('+', " ")) == "scope" {
            values.push(uri::decoded_leniently(&value.replace('+', " ")));
        }
    }
    values.pop().filter(|_| values.is_empty()).map(|value| scopes(&value))
}

fn of_json(body: &[u8]) -> Option<Scopes> {
    match Json::parse_object(body)?.get("scope")? {
        Json::Text(text) => Some(scopes(text)),
        Json::List(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// RFC 6749 §3.3.
fn scopes(text: &str) -> Scopes {
    text.split(' ').map(str::to_owned).collect()
}
