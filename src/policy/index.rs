//! What a request selects, found by host and path: a trie of path segments for each host, so that a look-up costs the
//! length of the path and not the number of selectors.
//!
//! Candidates come in order of precedence and fall through: whoever looks says of each whether it fits.

use super::{HostPattern, Segment, Selector};
use crate::request::Host;
use foldhash::HashMap;
use std::borrow::Cow;
use std::str::Split;

/// Selectors by the numbers that they were put in under.
#[derive(Debug, Default)]
pub(super) struct Index {
    exact: HashMap<Host, Trie>,
    below: HashMap<Host, Trie>,
    any: Trie,
    /// Whether upper and lower case in paths are the same.
    folded: bool,
}

#[derive(Debug, Default)]
struct Trie {
    literals: HashMap<Box<str>, Trie>,
    parameter: Option<Box<Trie>>,
    /// Selectors that end here, narrowest first.
    here: Vec<usize>,
    /// Selectors whose `{*rest}` begins here, narrowest first.
    rest: Vec<usize>,
}

impl Index {
    /// Puts them in by their places. Where host and path are equal, `rank` says which comes first.
    pub(super) fn new<'s, K: Ord>(
        selectors: impl IntoIterator<Item = &'s Selector>,
        folded: bool,
        rank: impl Fn(usize) -> K,
    ) -> Self {
        let mut index = Self { folded, ..Self::default() };
        for (id, selector) in selectors.into_iter().enumerate() {
            index.insert(id, selector);
        }
        for trie in index.exact.values_mut().chain(index.below.values_mut()).chain([&mut index.any]) {
            trie.sort(&rank);
        }
        index
    }

    /// The first that fits: the exact host before wildcards from the narrowest to the widest before any; then literal
    /// before parameter before rest, segment by segment.
    pub(super) fn find(&self, host: &Host, path: &str, fits: &mut impl FnMut(usize) -> bool) -> Option<usize> {
        let path = path.strip_prefix('/')?;
        let path = if self.folded { lower_case(path) } else { Cow::Borrowed(path) };
        self.tries_for(host).find_map(|trie| trie.find(path.split('/'), fits))
    }

    /// Whether a selector names this very host.
    pub(super) fn names_host(&self, host: &Host) -> bool {
        self.exact.contains_key(host.as_str())
    }

    fn tries_for<'t>(&'t self, host: &'t Host) -> impl Iterator<Item = &'t Trie> {
        let domains = host.domains().take(if self.below.is_empty() { 0 } else { usize::MAX });
        let wildcards = domains.filter_map(|domain| self.below.get(domain));
        self.exact.get(host.as_str()).into_iter().chain(wildcards).chain(std::iter::once(&self.any))
    }

    fn insert(&mut self, id: usize, selector: &Selector) {
        let folded = self.folded;
        if selector.hosts.is_empty() {
            self.any.insert(id, selector, folded);
        }
        for host in &selector.hosts {
            let trie = match host {
                HostPattern::Exact(host) => self.exact.entry(host.clone()).or_default(),
                HostPattern::Below(domain) => self.below.entry(domain.clone()).or_default(),
            };
            trie.insert(id, selector, folded);
        }
    }
}

impl Trie {
    fn insert(&mut self, id: usize, selector: &Selector, folded: bool) {
        let mut node = self;
        for segment in selector.path.segments() {
            node = match segment {
                Segment::Literal(text) if folded => node.literals.entry(lower_case(text).into()).or_default(),
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Parameter => node.parameter.get_or_insert_default(),
            };
        }
        if selector.path.is_open() { node.rest.push(id) } else { node.here.push(id) }
    }

    /// Falls back where the narrower way leads nowhere. The recursion is as deep as the trie, so at most
    /// `PathTemplate::MAX_SEGMENTS`.
    fn find(&self, mut segments: Split<'_, char>, fits: &mut impl FnMut(usize) -> bool) -> Option<usize> {
        let found = match segments.next() {
            None => first(&self.here, fits),
            Some(segment) => {
                let literal = self.literals.get(segment).and_then(|node| node.find(segments.clone(), fits));
                literal.or_else(|| self.parameter.as_ref().filter(|_| !segment.is_empty())?.find(segments, fits))
            }
        };
        found.or_else(|| first(&self.rest, fits))
    }

    fn sort<K: Ord>(&mut self, rank: &impl Fn(usize) -> K) {
        self.here.sort_by_key(|id| rank(*id));
        self.rest.sort_by_key(|id| rank(*id));
        for node in self.literals.values_mut().chain(self.parameter.as_deref_mut()) {
            node.sort(rank);
        }
    }
}

fn first(ids: &[usize], fits: &mut impl FnMut(usize) -> bool) -> Option<usize> {
    ids.iter().copied().find(|id| fits(*id))
}

/// Of what is not ASCII, paths hold escapes.
fn lower_case(path: &str) -> Cow<'_, str> {
    if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(path.to_ascii_lowercase())
    } else {
        Cow::Borrowed(path)
    }
}
