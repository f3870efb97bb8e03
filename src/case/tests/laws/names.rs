//! A caller is the same under each of its names.

use super::calls::{Bearer, Sketch};
use super::identities::ALIAS;
use super::policies::Sources;
use super::scene::{Scene, scene};
use crate::case::tests::world::WEB;
use crate::identity::Principal;
use proptest::prelude::*;

/// The same call with a token under this name.
fn under(name: &'static str, scene: &Scene) -> Scene {
    let bearer = scene.sketch.bearer.clone().map(|bearer| Bearer { subject: name, ..bearer });
    Scene { sketch: Sketch { bearer, ..scene.sketch.clone() }, ..scene.clone() }
}

proptest! {
    #[test]
    fn an_alias_makes_no_difference(mut scene in scene(), delegated in any::<bool>()) {
        scene.parts.identities.retain(|identity| identity.pattern.as_str() == WEB);
        for identity in &mut scene.parts.identities {
            identity.aliases = vec![Principal::parse(ALIAS).unwrap()];
        }
        if scene.parts.identities.is_empty() {
            return Ok(());
        }
        scene.parts.sources = if scene.sketch.certificate.is_none() { Sources::Bearer } else { Sources::Both { delegated } };
        prop_assert_eq!(under(ALIAS, &scene).verdict(), under(WEB, &scene).verdict());
    }
}
