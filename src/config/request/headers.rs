//! `headers` of a request: a text, several where it stands more than once, and `null` for what is no text.

use super::super::diagnostics::Diagnostics;
use super::super::matches::header_name;
use super::super::tree::{Entry, Node, Value};
use crate::inputs::GivenHeader;

pub(super) fn read(node: &Node, problems: &mut Diagnostics) -> Option<Vec<GivenHeader>> {
    let read: Vec<_> = node.entries(problems)?.iter().map(|entry| read_header(entry, problems)).collect();
    Some(read.into_iter().collect::<Option<Vec<_>>>()?.concat())
}

fn read_header(entry: &Entry, problems: &mut Diagnostics) -> Option<Vec<GivenHeader>> {
    let name = header_name(&entry.key, entry.key_place, problems);
    let values = match &entry.node.value {
        Value::List(_) => Node::each(entry.node.filled_list(problems)?, problems, value),
        _ => value(&entry.node, problems).map(|value| vec![value]),
    };
    let name = name?;
    Some(values?.into_iter().map(|value| (name.clone(), value)).collect())
}

#[expect(clippy::option_option, reason = "whether it can be read, and whether it is a text")]
fn value(node: &Node, problems: &mut Diagnostics) -> Option<Option<Box<str>>> {
    match &node.value {
        Value::Null => Some(None),
        _ => node.text(problems).map(|text| Some(text.into())),
    }
}
