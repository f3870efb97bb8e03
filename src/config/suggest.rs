//! What somebody may have meant.

/// Names the nearest of the known words where one is near, else lists them.
pub(crate) fn suggestion(word: &str, known: &[&str]) -> String {
    let near = known.iter().map(|name| (distance(word, name), *name)).min();
    match near {
        Some((distance, name)) if distance <= tolerance(word) => format!("did you mean `{name}`?"),
        _ => listing(known),
    }
}

fn listing(known: &[&str]) -> String {
    /// Longer lists are read by nobody.
    const SHOWN: usize = 24;
    let names: Vec<_> = known.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match known.len().saturating_sub(SHOWN) {
        _ if known.is_empty() => "none is defined".into(),
        0 if known.len() == 1 => format!("use {}", names.concat()),
        0 => format!("use one of {}", names.join(", ")),
        more => format!("use one of {} and {more} more", names.join(", ")),
    }
}

/// A third of the word may differ, and one letter always.
const fn tolerance(word: &str) -> usize {
    let third = word.len() / 3;
    if third == 0 { 1 } else { third }
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, a) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in to.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, column) + usize::from(a != b);
            let mut best = replaced.min(at(&last, column + 1) + 1).min(at(&current, column) + 1);
            let before = |letters: &[char], index: usize| index.checked_sub(1).and_then(|i| letters.get(i).copied());
            if before(&from, row) == Some(*b) && before(&to, column) == Some(*a) {
                best = best.min(at(&before_last, column - 1) + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("rules", "rules", 0)]
    #[case("", "abc", 3)]
    #[case("rotues", "routes", 1)]
    #[case("sensitvity", "sensitivity", 1)]
    #[case("kitten", "sitting", 3)]
    fn distance_counts_what_a_typist_gets_wrong(#[case] from: &str, #[case] to: &str, #[case] expected: usize) {
        assert_eq!((distance(from, to), distance(to, from)), (expected, expected));
    }

    #[test]
    fn a_near_word_is_suggested_and_otherwise_all_are_listed() {
        assert_eq!(suggestion("rule", &["routes", "rules"]), "did you mean `rules`?");
        assert_eq!(suggestion("zzz", &["routes", "rules"]), "use one of `routes`, `rules`");
        assert_eq!(suggestion("x", &[]), "none is defined");
        assert_eq!(suggestion("x", &["routes"]), "use `routes`");
    }
}
