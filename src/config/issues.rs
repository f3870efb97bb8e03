//! `issues` of a route: where a request names the scopes that it asks for.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::issuers::text;
use super::matches::header_name;
use super::section::Section;
use super::tree::Node;
use crate::request::{AskedIn, JsonPointer};

pub(super) fn read(node: &Node, problems: &mut Diagnostics) -> Option<AskedIn> {
    let section = Section::open("`issues`", node, problems)?;
    let [scopes] = section.members(["scopes"], problems);
    scopes.required(problems, read_place)
}

fn read_place(node: &Node, problems: &mut Diagnostics) -> Option<AskedIn> {
    let section = Section::open("`scopes`", node, problems)?;
    let [form, json, query, header] = section.members(["form", "json", "query", "header"], problems);
    match [form.node(), json.node(), query.node(), header.node()] {
        [Some(node), None, None, None] => text(node, problems).map(AskedIn::Form),
        [None, Some(node), None, None] => node.parse(JsonPointer::parse, problems).map(AskedIn::Json),
        [None, None, Some(node), None] => text(node, problems).map(AskedIn::Query),
        [None, None, None, Some(node)] => header_name(node.text(problems)?, node.place, problems).map(AskedIn::Header),
        _ => {
            let help =
                "say where requests name the scopes that they ask for, once: such as `form: scope` or `json: /scope`";
            problems.report(Code::InvalidValue, section.title().place, "`scopes` takes exactly one place", help);
            None
        }
    }
}
