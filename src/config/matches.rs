//! `match` of routes and floors: which requests they take. Methods and headers are written so in rules too.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::issuers::text;
use super::section::{Member, Section};
use super::source::Place;
use super::tree::{Entry, Node};
use crate::policy::{Glob, HeaderCondition, HostPattern, McpCondition, PathTemplate, Selector};
use crate::request::Method;

/// A selector, with the places that checks point at.
#[derive(Debug)]
pub(super) struct SelectorDraft {
    pub selector: Selector,
    /// Of its hosts; of the whole where it names none.
    pub hosts_place: Place,
    pub path_place: Place,
}

/// Of a route.
pub(super) fn read(node: &Node, problems: &mut Diagnostics) -> Option<SelectorDraft> {
    let section = Section::open("`match`", node, problems)?;
    let [mcp, shared @ ..] = section.members(["mcp", "hosts", "methods", "path", "headers"], problems);
    let mcp = mcp.optional(problems, read_mcp);
    let draft = read_shared(&shared, problems)?;
    Some(SelectorDraft { selector: Selector { mcp: mcp?, ..draft.selector }, ..draft })
}

/// Of a floor: what MCP calls do, their routes say.
pub(super) fn read_of_floor(node: &Node, problems: &mut Diagnostics) -> Option<SelectorDraft> {
    let section = Section::open("`match`", node, problems)?;
    read_shared(&section.members(["hosts", "methods", "path", "headers"], problems), problems)
}

fn read_shared(members: &[Member<'_>; 4], problems: &mut Diagnostics) -> Option<SelectorDraft> {
    let [hosts, methods, path, headers] = *members;
    let hosts_place = hosts.place().unwrap_or(hosts.title().place);
    let path_place = path.node().map(|node| node.place);
    let hosts = hosts.or(Vec::new(), problems, read_hosts);
    let methods = methods.or(Vec::new(), problems, read_methods);
    let path = path.required(problems, read_path);
    let headers = headers.or(Vec::new(), problems, read_headers);
    let selector = Selector { hosts: hosts?, methods: methods?, path: path?, headers: headers?, mcp: None };
    Some(SelectorDraft { selector, hosts_place, path_place: path_place? })
}

pub(super) fn read_hosts(node: &Node, problems: &mut Diagnostics) -> Option<Vec<HostPattern>> {
    sorted(node, problems, |node, problems| node.parse(HostPattern::parse, problems))
}

pub(super) fn read_path(node: &Node, problems: &mut Diagnostics) -> Option<PathTemplate> {
    node.parse(PathTemplate::parse, problems)
}

fn read_mcp(node: &Node, problems: &mut Diagnostics) -> Option<McpCondition> {
    let section = Section::open("`mcp`", node, problems)?;
    let [method, tools] = section.members(["method", "tools"], problems);
    let method = method.required(problems, text);
    if let (Some(method), Some(place)) = (&method, tools.place())
        && **method != *McpCondition::TOOLS_CALL
    {
        let help = format!("take `tools` away, or write `method: {}`", McpCondition::TOOLS_CALL);
        problems.report(Code::InvalidValue, place, format!("a call of `{method}` names no tool"), help);
    }
    let tools = tools.or(Vec::new(), problems, read_globs);
    Some(McpCondition { method: method?, tools: tools?.into() })
}

fn read_globs(node: &Node, problems: &mut Diagnostics) -> Option<Vec<Glob>> {
    sorted(node, problems, |node, problems| node.parse(Glob::parse, problems))
}

/// A list of at least one in one order, each item once.
pub(super) fn sorted<T: Ord>(
    node: &Node,
    problems: &mut Diagnostics,
    read: impl FnMut(&Node, &mut Diagnostics) -> Option<T>,
) -> Option<Vec<T>> {
    let items = node.filled_list(problems)?;
    let mut read = Node::each(items, problems, read)?;
    read.sort_unstable();
    read.dedup();
    Some(read)
}

pub(super) fn read_methods(node: &Node, problems: &mut Diagnostics) -> Option<Vec<Method>> {
    sorted(node, problems, read_method)
}

/// Methods are compared as written (RFC 9110 §9.1), and those in use have no lower case.
fn read_method(node: &Node, problems: &mut Diagnostics) -> Option<Method> {
    let text = node.text(problems)?;
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        let help = format!("methods are compared as written: write `{}`", text.to_ascii_uppercase());
        node.invalid(text, help, problems);
        return None;
    }
    node.parse(Method::parse, problems)
}

pub(super) fn read_headers(node: &Node, problems: &mut Diagnostics) -> Option<Vec<HeaderCondition>> {
    let read: Vec<_> = node.entries(problems)?.iter().map(|entry| read_header(entry, problems)).collect();
    let mut conditions = read.into_iter().collect::<Option<Vec<HeaderCondition>>>()?;
    conditions.sort_unstable();
    if conditions.is_sorted_by(|a, b| a.name < b.name) {
        return Some(conditions);
    }
    let help = "names of headers have no case: put all values that will do into one list";
    problems.report(Code::DuplicateKey, node.place, "one header is named twice", help);
    None
}

fn read_header(entry: &Entry, problems: &mut Diagnostics) -> Option<HeaderCondition> {
    let name = header_name(&entry.key, entry.key_place, problems);
    let values = sorted(&entry.node, problems, header_value);
    Some(HeaderCondition { name: name?, values: values? })
}

/// A field name (RFC 9110 §5.1), in lower case.
pub(super) fn header_name(text: &str, place: Place, problems: &mut Diagnostics) -> Option<Box<str>> {
    let name = http::HeaderName::from_bytes(text.as_bytes());
    if name.is_err() {
        let help = "write the name of an HTTP header, such as `x-api-version`";
        problems.report(Code::InvalidValue, place, format!("`{text}` is no name of a header"), help);
    }
    name.ok().map(|name| name.as_str().into())
}

pub(super) fn header_value(node: &Node, problems: &mut Diagnostics) -> Option<Box<str>> {
    let visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    node.parse(
        |text| {
            let good = !text.is_empty() && text.trim() == text && text.bytes().all(visible);
            if good { Ok(text.into()) } else { Err("write a text of visible ASCII without space around it") }
        },
        problems,
    )
}
