//! However a request is written, it is judged at least as strictly as in the plain form that it means to some server.

use super::calls::Sketch;
use super::one_of;
use super::scene::{Scene, scene};
use proptest::prelude::*;

/// One way to write the same request.
#[derive(Clone, Copy, Debug)]
enum Writing {
    /// A letter as an escape, its digits in upper or lower case.
    Escaped,
    DoubledSlash,
    Dot,
    DotDot,
    Parameter,
    EncodedSlash(&'static str),
    TrailingSlash,
    /// The path in a header.
    Elsewhere(&'static str),
    LowerCaseMethod,
    /// The method in a header.
    Overridden(&'static str),
}

const WRITINGS: [Writing; 17] = [
    Writing::Escaped,
    Writing::DoubledSlash,
    Writing::Dot,
    Writing::DotDot,
    Writing::Parameter,
    Writing::EncodedSlash("%2F"),
    Writing::EncodedSlash("%2f"),
    Writing::EncodedSlash("\\"),
    Writing::EncodedSlash("%5C"),
    Writing::EncodedSlash("/%2e/"),
    Writing::TrailingSlash,
    Writing::Elsewhere("x-original-url"),
    Writing::Elsewhere("x-rewrite-url"),
    Writing::LowerCaseMethod,
    Writing::Overridden("x-http-method-override"),
    Writing::Overridden("x-http-method"),
    Writing::Overridden("x-method-override"),
];

impl Writing {
    /// `at` says which of the places where it can be written so.
    fn write(self, sketch: &mut Sketch, at: prop::sample::Index) {
        let path = &sketch.path;
        let places = |wanted: fn(char) -> bool| -> Vec<usize> {
            path.char_indices().filter(|(_, c)| wanted(*c)).map(|(place, _)| place).collect()
        };
        let slash = *at.get(&places(|c| c == '/'));
        let replaced = |place: usize, by: &str| format!("{}{by}{}", &path[..place], &path[place + 1..]);
        match self {
            Self::Escaped => {
                let letters = places(|c| c.is_ascii_alphabetic());
                if !letters.is_empty() {
                    let place = *at.get(&letters);
                    let letter = path.as_bytes()[place];
                    let escape = if place.is_multiple_of(2) { format!("%{letter:x}") } else { format!("%{letter:X}") };
                    sketch.path = replaced(place, &escape);
                }
            }
            Self::DoubledSlash => sketch.path = replaced(slash, "//"),
            Self::Dot => sketch.path = replaced(slash, "/./"),
            Self::DotDot => sketch.path = replaced(slash, "/c/../"),
            Self::Parameter => sketch.path = replaced(slash, if slash == 0 { "/;p/" } else { ";p/" }),
            Self::EncodedSlash(text) if slash > 0 => sketch.path = replaced(slash, text),
            Self::EncodedSlash(_) => {}
            Self::TrailingSlash => sketch.path = format!("{path}/"),
            Self::Elsewhere(name) => {
                let meant = std::mem::replace(&mut sketch.path, "/c".to_owned());
                sketch.headers.push((name.to_owned(), meant));
            }
            Self::LowerCaseMethod => sketch.method = sketch.method.to_ascii_lowercase(),
            Self::Overridden(name) => {
                let meant = std::mem::replace(&mut sketch.method, "GET".to_owned());
                sketch.headers.push((name.to_owned(), meant));
            }
        }
    }
}

/// One to three writings on top of one another; a header is written once.
fn writings() -> impl Strategy<Value = Vec<(Writing, prop::sample::Index)>> {
    prop::collection::vec((one_of(&WRITINGS), any::<prop::sample::Index>()), 1..4).prop_map(|mut writings| {
        let mut elsewhere = 0;
        writings.retain(|(writing, _)| {
            elsewhere += usize::from(matches!(writing, Writing::Elsewhere(_) | Writing::Overridden(_)));
            !matches!(writing, Writing::Elsewhere(_) | Writing::Overridden(_)) || elsewhere == 1
        });
        writings
    })
}

/// Whether some route takes it as it is written.
fn is_named(scene: &Scene) -> bool {
    let policy = scene.parts.policy();
    scene.sketch.call().facts().is_ok_and(|facts| policy.touch(&facts).iter().any(|taken| taken.route.is_some()))
}

proptest! {
    #[test]
    fn another_way_to_write_a_request_never_loosens(plain in scene(), writings in writings()) {
        // The form with a slash at its end may have a route of its own, and then the other is another resource.
        if !is_named(&plain) && writings.iter().any(|(writing, _)| matches!(writing, Writing::TrailingSlash)) {
            return Ok(());
        }
        let mut written = plain.clone();
        for (writing, at) in writings {
            writing.write(&mut written.sketch, at);
        }
        prop_assert!(written.verdict() >= plain.verdict(), "{} {}", written.sketch.method, written.sketch.path);
    }
}
