//! What `docs/` tells reviewers of the code and its tests is there: a file, type or test of another name fails here, so that
//! the pages can't rot.
#![expect(clippy::unwrap_used, reason = "a test that can't read the page has failed")]

use std::fs;
use std::path::Path;

/// The page that says by which test each demand is held.
const PAGE: &str = "docs/rfc8725.md";
/// Where what the page names may be.
const ROOTS: [&str; 3] = ["src/", "tests/", "fuzz/"];

#[test]
fn what_the_page_names_is_there() {
    let missing: Vec<_> = named(&page()).filter(|(file, name)| !is_there(file, name)).collect();
    assert!(missing.is_empty(), "{PAGE} names what is not there: {missing:#?}");
}

#[test]
fn every_demand_names_a_test() {
    let page = page();
    let is_shown = |shown: &str| named(shown).any(|_| true) && named(shown).all(|(file, name)| is_test(&file, &name));
    let untested: Vec<_> = demands(&page).filter(|(_, shown)| !is_shown(shown)).collect();
    assert!(untested.is_empty(), "no test shows what {PAGE} says: {untested:#?}");
    assert!(demands(&page).count() > 40, "{PAGE} has lost its tables");
}

/// Otherwise the two above would pass whatever the page says.
#[test]
fn what_is_not_there_is_missed() {
    let own = "tests/reviewers.rs";
    assert!(is_there(own, "is_there") && !is_there(own, "is_nowhere") && !is_there("tests/nobody.rs", "is_there"));
    assert!(is_test(own, "what_is_not_there_is_missed") && !is_test(own, "is_there"));
    let text = "`src/a.rs: one, two`, `three`, `src/no.rs` and `tests/b.rs: B::four`";
    let expected = [("src/a.rs", "one"), ("src/a.rs", "two"), ("src/no.rs", ""), ("tests/b.rs", "B::four")];
    assert_eq!(named(text).collect::<Vec<_>>(), expected.map(|(file, name)| (file.to_owned(), name.to_owned())));
}

fn page() -> String {
    fs::read_to_string(PAGE).unwrap()
}

/// The first and the last cell of each row that has three: a demand, and what shows that it is met.
fn demands(page: &str) -> impl Iterator<Item = (&str, &str)> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    cells.filter_map(|cells| match cells[..] {
        [demand, _, shown] if demand != "demand" => Some((demand, shown)),
        _ => None,
    })
}

/// What stands between backticks as `file: name, name`, each name with its file; a file alone has an empty name.
fn named(text: &str) -> impl Iterator<Item = (String, String)> {
    let spans = text.split('`').skip(1).step_by(2).filter(|span| ROOTS.iter().any(|root| span.starts_with(root)));
    spans.flat_map(|span| {
        let (file, names) = span.split_once(": ").unwrap_or((span, ""));
        names.split(", ").map(|name| (file.to_owned(), name.to_owned())).collect::<Vec<_>>()
    })
}

/// Whether the file has every part of a name such as `Header::parse`.
fn is_there(file: &str, name: &str) -> bool {
    let Ok(source) = fs::read_to_string(file) else { return name.is_empty() && Path::new(file).is_dir() };
    name.split("::").all(|part| source.contains(part)) && (name.is_empty() || defines(&source, name).is_some())
}

fn is_test(file: &str, name: &str) -> bool {
    let source = fs::read_to_string(file).unwrap_or_default();
    let before = defines(&source, name).and_then(|at| source.get(..at)).unwrap_or_default();
    let attributes = before.rsplit_once("\n\n").map_or(before, |(_, attributes)| attributes);
    attributes.contains("test]") || attributes.contains("#[rstest")
}

/// Where the last part of a name is defined.
fn defines(source: &str, name: &str) -> Option<usize> {
    let last = name.rsplit("::").next()?;
    let is_whole = |after: &str| !after.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    ["fn", "struct", "enum", "const"].into_iter().find_map(|kind| {
        let wanted = format!("{kind} {last}");
        let mut found = source.match_indices(&wanted).map(|(at, _)| at);
        found.find(|at| source.get(at + wanted.len()..).is_some_and(is_whole))
    })
}
