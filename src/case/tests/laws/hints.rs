//! What Envoy is told to say of a route can only raise what the policy says.

use super::calls::hints;
use super::scene::scene;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_hint_never_loosens(scene in scene(), hints in hints()) {
        let mut before = scene.clone();
        before.sketch.hints.clear();
        let mut after = scene;
        after.sketch.hints = hints;
        prop_assert!(after.verdict() >= before.verdict());
    }
}
