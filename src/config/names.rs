//! The names that a policy defines and refers to.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::source::Place;
use super::suggest::suggestion;
use super::tree::Node;
use std::collections::HashMap;

/// The names of one kind. The place of a name in the order given is what references resolve to.
#[derive(Debug)]
pub(super) struct Names<'t> {
    kind: &'static str,
    order: Vec<&'t str>,
    index: HashMap<&'t str, (usize, Place)>,
    /// Whether every file could be read, so that what is not here is nowhere.
    complete: bool,
}

impl<'t> Names<'t> {
    /// Also those of parts that turn out to be faulty, so that references to them are not reported too.
    /// A name that stands twice is reported.
    pub(super) fn collect(
        kind: &'static str,
        names: impl IntoIterator<Item = (&'t str, Place)>,
        complete: bool,
        problems: &mut Diagnostics,
    ) -> Self {
        let mut all = Self { kind, order: Vec::new(), index: HashMap::new(), complete };
        for (name, place) in names {
            if let Some((_, first)) = all.index.get(name) {
                defined_twice(&format!("the {kind} `{name}`"), place, *first, problems);
            } else {
                all.index.insert(name, (all.order.len(), place));
                all.order.push(name);
            }
        }
        all
    }

    /// What a reference refers to; reported where that is nothing.
    pub(super) fn resolve(&self, node: &Node, problems: &mut Diagnostics) -> Option<usize> {
        let text = node.text(problems)?;
        let found = self.index(text);
        if found.is_none() && self.complete {
            let message = format!("there is no {} `{text}`", self.kind);
            problems.report(Code::UnknownName, node.place, message, suggestion(text, &self.order));
        }
        found
    }

    /// A list of references, at least one, each with its place.
    pub(super) fn resolve_each(&self, node: &Node, problems: &mut Diagnostics) -> Option<Vec<(usize, Place)>> {
        let items = node.filled_list(problems)?;
        Node::each(items, problems, |item, problems| Some((self.resolve(item, problems)?, item.place)))
    }

    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.index.get(name).map(|(index, _)| *index)
    }
}

pub(super) fn defined_twice(what: &str, place: Place, first: Place, problems: &mut Diagnostics) {
    let help = "remove one, or give it another name: which of two counts must not hang on the order of files";
    problems.report(Code::DefinedTwice, place, format!("{what} is defined twice"), help).with(first, "first here");
}
