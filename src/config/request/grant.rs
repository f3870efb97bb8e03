//! `grant` of a request: what an earlier proof, or an operator, still allows the caller.

use super::super::diagnostics::Diagnostics;
use super::super::section::Section;
use super::super::tree::Node;
use super::{read_scopes, read_span, text};
use crate::case::RecordedGrant;
use crate::policy::{Name, ScopeSet};

pub(super) fn read(node: &Node, problems: &mut Diagnostics) -> Option<RecordedGrant> {
    let section = Section::open("`grant`", node, problems)?;
    let [level, age, task, scopes, routes] = section.members(["level", "age", "task", "scopes", "routes"], problems);
    let name = |node: &Node, problems: &mut Diagnostics| node.parse(Name::parse, problems);
    let level = level.optional(problems, name);
    let age = age.optional(problems, read_span);
    let task = task.required(problems, text);
    let scopes = scopes.or(ScopeSet::default(), problems, read_scopes);
    let routes = routes.or(Vec::new(), problems, |node, problems| {
        Node::each(node.list(problems)?, problems, |item, problems| item.parse(Name::parse, problems))
    });
    Some(RecordedGrant { level: level?, age: age?, task: task?, scopes: scopes?, routes: routes? })
}
