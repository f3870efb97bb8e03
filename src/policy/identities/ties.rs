//! Entries of which nobody could say which describes a name: both match it, and neither is more specific.

use crate::policy::NamePattern;
use crate::policy::pattern::Rank;
use foldhash::HashMap;

/// More are read by nobody; and where thousands of entries are the same, their pairs are millions.
pub(super) const MAX_TIES: usize = 100;

/// A pattern and its place in the list.
type Member<'p> = (usize, &'p NamePattern);

/// Members by the start of one of their globs, or by its end read backwards.
type Order<'p> = Vec<(String, Member<'p>)>;

/// The pairs of patterns that tie, by their places, the earlier first; at most a hundred.
///
/// Two tie where they rank the same in every segment and their globs overlap in each: segments don't hang on one another,
/// so a name that both match can be put together. That it may come out longer than names can be is not looked at.
pub fn ties(patterns: &[&NamePattern]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for members in alike(patterns).iter().filter(|members| members.len() > 1) {
        pairs.extend(tied(&most_scattered(members)).take(MAX_TIES - pairs.len()));
    }
    pairs.sort_unstable();
    pairs
}

/// Patterns by their ranks, in the order of the first that has them.
fn alike<'p>(patterns: &[&'p NamePattern]) -> Vec<Vec<Member<'p>>> {
    let mut alike: Vec<Vec<Member<'p>>> = Vec::new();
    let mut places: HashMap<Vec<Rank<'p>>, usize> = HashMap::default();
    for (index, pattern) in patterns.iter().enumerate() {
        let place = *places.entry(pattern.ranks().collect()).or_insert(alike.len());
        match alike.get_mut(place) {
            Some(members) => members.push((index, *pattern)),
            None => alike.push(vec![(index, *pattern)]),
        }
    }
    alike
}

/// Of members that rank the same, so that none has to be held against all others. A glob whose start or end says nothing,
/// such as `*`, leaves it to the others.
fn most_scattered<'p>(members: &[Member<'p>]) -> Order<'p> {
    let globs = members.first().map_or(0, |(_, pattern)| pattern.globs().count());
    let start = |nth: usize, (_, pattern): &Member<'p>| pattern.globs().nth(nth).map(|glob| glob.prefix().to_owned());
    let end = |nth: usize, (_, pattern): &Member<'p>| {
        pattern.globs().nth(nth).map(|glob| glob.suffix().chars().rev().collect::<String>())
    };
    let orders = (0..globs)
        .flat_map(|nth| [order(members, |member| start(nth, member)), order(members, |member| end(nth, member))]);
    orders.min_by_key(|order| pairs_in(order)).unwrap_or_else(|| order(members, |_| None))
}

fn order<'p>(members: &[Member<'p>], text: impl Fn(&Member<'p>) -> Option<String>) -> Order<'p> {
    let mut order: Order<'p> = members.iter().map(|member| (text(member).unwrap_or_default(), *member)).collect();
    order.sort_by(|(a, _), (b, _)| a.cmp(b));
    order
}

/// How many pairs there are of a text and one that begins with it, counted along the texts that are still open.
fn pairs_in(order: &Order<'_>) -> usize {
    let mut open: Vec<&str> = Vec::new();
    let mut pairs = 0;
    for (text, _) in order {
        while open.pop_if(|shorter| !text.starts_with(*shorter)).is_some() {}
        pairs += open.len();
        open.push(text);
    }
    pairs
}

fn tied<'a>(order: &'a Order<'_>) -> impl Iterator<Item = (usize, usize)> + 'a {
    let overlap = |a: &NamePattern, b: &NamePattern| a.globs().zip(b.globs()).all(|(a, b)| a.overlaps(b));
    order.iter().enumerate().flat_map(move |(index, (text, (a, one)))| {
        let following = order.iter().skip(index + 1).take_while(|(longer, _)| longer.starts_with(&**text));
        following.filter(move |(_, (_, other))| overlap(one, other)).map(|(_, (b, _))| (*a.min(b), *a.max(b)))
    })
}
