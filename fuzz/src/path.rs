//! Paths (RFC 3986 §3.3 and §6.2.2), and what servers make of them.

use super::reference::uri;
use stepgate::request::{Headers, Method, Readings, RequestPath};

pub fn holds(data: &[u8]) -> bool {
    let Ok(target) = std::str::from_utf8(data) else { return false };
    let Ok(path) = RequestPath::parse(target, "GET") else { return false };
    let (sent, query) = target.split_once('?').map_or((target, None), |(sent, query)| (sent, Some(query)));
    assert_eq!(path.query(), query);
    check_form(sent, &path);
    let method = Method::parse("GET").expect("a method");
    let Ok(readings) = Readings::of(&method, &path, &Headers::default()) else { return false };
    let read: Vec<_> = readings.all(&method, path.canonical()).map(|(_, reading)| reading).collect();
    for server in servers(path.canonical()) {
        assert!(read.contains(&&*server), "{target:?} is {server:?} to some server");
    }
    true
}

/// What is judged means the same bytes as what was sent, and has one form.
fn check_form(sent: &str, path: &RequestPath) {
    let canonical = path.canonical();
    let meant = uri::decoded(sent).expect("escapes");
    assert_eq!(Some(&meant), uri::decoded(canonical).as_ref(), "{sent:?}");
    assert!(sent.starts_with('/') && !sent.contains(['#', ' ']), "{sent:?}");
    assert!(std::str::from_utf8(&meant).is_ok_and(|text| !text.contains(|c: char| c.is_ascii_control())), "{sent:?}");
    let again = RequestPath::parse(canonical, "GET").expect("a path");
    assert_eq!(again.canonical(), canonical);
    for escape in canonical.split('%').skip(1) {
        let digits = escape.get(..2).expect("an escape");
        assert!(!digits.contains(|c: char| c.is_ascii_lowercase()), "{canonical:?}");
        let byte = u8::from_str_radix(digits, 16).expect("an escape");
        assert!(!byte.is_ascii_alphanumeric() && !b"-._~".contains(&byte), "{canonical:?}");
    }
}

/// One thing that servers do to a path before they look at it.
type Habit = fn(&str) -> String;

const HABITS: [Habit; 5] = [
    // Escaped slashes are slashes.
    |path| path.replace("%2F", "/").replace("%5C", "\\"),
    // So are backslashes.
    |path| path.replace('\\', "/"),
    // Parameters of segments are no part of it.
    |path| path.split('/').map(|s| s.split_once(';').map_or(s, |(s, _)| s)).collect::<Vec<_>>().join("/"),
    // Empty segments count for nothing.
    |path| {
        let mut merged = path.to_owned();
        while merged.contains("//") {
            merged = merged.replace("//", "/");
        }
        merged
    },
    uri::without_dot_segments,
];

/// Longer ones show nothing new, and take long.
const MAX_BYTES: usize = 200;

/// The path as servers see it that have any of these habits, in any order.
fn servers(path: &str) -> Vec<String> {
    let mut seen = vec![path.to_owned()];
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    while let Some(order) = orders.pop().filter(|_| path.len() <= MAX_BYTES) {
        for habit in (0..HABITS.len()).filter(|habit| !order.contains(habit)) {
            orders.push([order.as_slice(), &[habit]].concat());
        }
        let habits = order.iter().filter_map(|habit| HABITS.get(*habit));
        seen.push(habits.fold(path.to_owned(), |path, habit| habit(&path)));
    }
    seen.sort();
    seen.dedup();
    seen
}
