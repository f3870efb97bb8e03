//! Who is remembered where, and what a new policy changes.

use super::*;

#[test]
fn identities_of_different_standing_share_no_memory() {
    let (learned, web) = (learned(), sighting("web"));
    learned.learn(&web, Lesson::All, &TERMS, NOW);
    for standing in [Standing::Patterned, Standing::Undeclared] {
        let same_name = Sighting { standing, ..web.clone() };
        assert_eq!(learned.familiarity(&same_name, &TERMS, NOW).calls, 0);
    }
}

#[rstest]
fn a_new_policy_makes_nobody_a_stranger(
    #[values(Standing::Named, Standing::Patterned, Standing::Undeclared)] old: Standing,
    #[values(Standing::Named, Standing::Patterned, Standing::Undeclared)] new: Standing,
    #[values(1, 15, 16, 60)] calls: u32,
) {
    let learned = learned();
    let (before, now) = (Sighting { standing: old, ..sighting("web") }, Sighting { standing: new, ..sighting("web") });
    for _ in 0..calls {
        learned.learn(&before, Lesson::All, &TERMS, NOW);
    }
    learned.restand(|_| new);
    let known = learned.familiarity(&now, &TERMS, NOW);
    assert_eq!((known.calls, known.network), (calls, Seen::Before));
    let left = learned.familiarity(&before, &TERMS, NOW).calls;
    assert_eq!(left, if old == new { calls } else { 0 });
}

#[rstest]
fn where_both_are_known_who_is_known_better_stays(
    #[values((3, 1), (1, 3), (40, 20), (20, 40))] calls: (u32, u32),
    #[values(Standing::Named, Standing::Undeclared)] new: Standing,
) {
    let learned = learned();
    let (old, now) =
        (Sighting { standing: Standing::Patterned, ..sighting("web") }, Sighting { standing: new, ..sighting("web") });
    for (shown, times) in [(&old, calls.0), (&now, calls.1)] {
        for _ in 0..times {
            learned.learn(shown, Lesson::All, &TERMS, NOW);
        }
    }
    learned.restand(|_| new);
    assert_eq!(learned.familiarity(&now, &TERMS, NOW).calls, calls.0.max(calls.1));
}

#[test]
fn names_that_left_the_policy_give_up_their_places() {
    let learned = learned();
    for number in 0..100 {
        learned.learn(&sighting(&format!("web-{number}")), Lesson::All, &TERMS, NOW);
    }
    assert_eq!(learned.sizes()[0].entries, 100);
    let kept = principal("web-7");
    learned.restand(|name| if *name == kept { Standing::Named } else { Standing::Undeclared });
    assert_eq!(learned.sizes()[0].entries, 1);
}

#[test]
fn a_record_that_grows_is_weighed_again() {
    let learned = learned();
    let web = Sighting { standing: Standing::Undeclared, ..sighting("web") };
    learned.learn(&web, Lesson::All, &TERMS, NOW);
    let small = learned.sizes()[2].bytes;
    for number in 0..32 {
        learned.learn(&Sighting { network: network(number), ..web.clone() }, Lesson::All, &TERMS, NOW);
    }
    let CacheSize { bytes, entries, .. } = learned.sizes()[2];
    assert!(bytes >= small + 28 * 16, "{small} became {bytes}");
    assert_eq!(entries, 1);
}
