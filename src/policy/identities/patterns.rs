//! A trie of the segments of patterns: all patterns that match a name, found without asking each.

use super::affixes::Affixes;
use crate::policy::identity::IdentityId;
use crate::policy::pattern::Piece;
use crate::policy::{Glob, NamePattern};
use foldhash::HashMap;
use std::str::Split;

#[derive(Debug, Default)]
pub(super) struct Patterns(Node);

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    globs: Option<Box<Globs>>,
    /// `*`: any segment.
    star: Option<Box<Node>>,
    /// The entry that ends here.
    here: Option<IdentityId>,
    /// The entry whose `**` begins here.
    rest: Option<IdentityId>,
}

/// Globs by the text before the first star, then by the one after the last: only those of which both fit are tried. They
/// are few, since globs that differ only in between tie where they are equally long.
#[derive(Debug, Default)]
struct Globs(Affixes<Affixes<HashMap<Glob, Node>>>);

impl Patterns {
    pub(super) fn insert(&mut self, id: IdentityId, pattern: &NamePattern) {
        let node = pattern.pieces().iter().fold(&mut self.0, Node::child);
        let end = if pattern.is_open() { &mut node.rest } else { &mut node.here };
        *end = Some(id);
    }

    /// Tells every entry whose pattern matches the name, in no order.
    pub(super) fn each(&self, name: &str, found: &mut impl FnMut(IdentityId)) {
        self.0.each(name.split('/'), found);
    }
}

impl Node {
    fn child(&mut self, piece: &Piece) -> &mut Self {
        match piece {
            Piece::Literal(text) => self.literals.entry(text.clone()).or_default(),
            Piece::Glob(glob) if glob.as_str() == "*" => self.star.get_or_insert_default(),
            Piece::Glob(glob) => self.globs.get_or_insert_default().child(glob),
        }
    }

    /// The recursion is as deep as the trie, so at most `NamePattern::MAX_SEGMENTS`; each node is come to once at most.
    fn each(&self, mut segments: Split<'_, char>, found: &mut impl FnMut(IdentityId)) {
        let Some(segment) = segments.next() else {
            self.here.into_iter().for_each(found);
            return;
        };
        self.rest.into_iter().for_each(&mut *found);
        let globs = self.globs.iter().flat_map(|globs| globs.matching(segment));
        for child in self.literals.get(segment).into_iter().chain(globs).chain(self.star.as_deref()) {
            child.each(segments.clone(), found);
        }
    }
}

impl Globs {
    fn child(&mut self, glob: &Glob) -> &mut Node {
        self.0.entry(glob.prefix()).entry(glob.suffix()).entry(glob.clone()).or_default()
    }

    fn matching<'a>(&'a self, segment: &'a str) -> impl Iterator<Item = &'a Node> {
        let fitting = self.0.at_start(segment).flat_map(|globs| globs.at_end(segment)).flatten();
        fitting.filter(|(glob, _)| glob.matches(segment)).map(|(_, node)| node)
    }
}
