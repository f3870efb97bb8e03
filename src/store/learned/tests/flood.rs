//! Who invents identities, or has credentials made without end, and what that costs the real ones.

use super::*;

/// Unoptimised, a 50th of the real and of the flood meet a 50th of the room.
const SCALE: u32 = if cfg!(debug_assertions) { 50 } else { 1 };
const REAL: u32 = 1_000 / SCALE;
const FLOOD: u32 = 1_000_000 / SCALE;

/// Room for some tens of thousands, many times more than the real ones and many times less than the flood.
fn small() -> Learned {
    let bytes = u64::from((24 << 20) / SCALE);
    Learned::new(
        Bounds { patterned_bytes: bytes, undeclared_bytes: bytes, credentials_bytes: bytes },
        ScopeKey::from_bytes([7; 16]),
    )
}

fn somebody(kind: &str, number: u32, standing: Standing) -> Sighting {
    Sighting { standing, credential: None, ..sighting(&format!("spiffe://example.org/ns/{kind}/sa/{number}")) }
}

fn call(learned: &Learned, sighting: &Sighting, times: u32) {
    for _ in 0..times {
        learned.familiarity(sighting, &TERMS, NOW);
        learned.learn(sighting, Lesson::All, &TERMS, NOW);
    }
}

/// How many of the real ones are still known as they were.
fn survivors(learned: &Learned, standing: Standing) -> u32 {
    let is_known = |number: &u32| {
        let known = learned.familiarity(&somebody("real", *number, standing), &TERMS, NOW);
        known.calls == 60 && known.network == Seen::Before && known.scopes == Seen::Before
    };
    u32::try_from((0..REAL).filter(is_known).count()).unwrap()
}

#[rstest]
fn a_flood_of_invented_identities_pushes_no_real_one_out(
    #[values(Standing::Named, Standing::Patterned, Standing::Undeclared)] real: Standing,
    #[values(Standing::Patterned, Standing::Undeclared)] invented: Standing,
) {
    let learned = small();
    for number in 0..REAL {
        call(&learned, &somebody("real", number, real), 60);
    }
    for number in 0..FLOOD {
        call(&learned, &somebody("once", number, invented), 1);
    }
    for number in 0..FLOOD / 10 {
        call(&learned, &somebody("twice", number, invented), 2);
    }
    assert_eq!(survivors(&learned, real), REAL);
}

#[test]
fn whoever_keeps_calling_gets_in_through_a_flood() {
    let (learned, real) = (small(), somebody("real", 1, Standing::Undeclared));
    for number in 0..FLOOD {
        if number.is_multiple_of(5_000 / SCALE) {
            call(&learned, &real, 1);
        }
        call(&learned, &somebody("once", number, Standing::Undeclared), 1);
    }
    assert_eq!(learned.familiarity(&real, &TERMS, NOW).calls, 200);
}

#[test]
fn a_flood_of_fresh_credentials_leaves_those_in_use_alone() {
    let learned = small();
    let of = |kind: &str, number: u32, at: u8| Sighting {
        credential: Some(Thumbprint::of(format!("{kind} {number}").as_bytes())),
        network: network(at),
        ..sighting("web")
    };
    let show = |sighting: &Sighting| {
        learned.familiarity(sighting, &TERMS, NOW);
        learned.learn(sighting, Lesson::CredentialOnly, &TERMS, NOW);
    };
    let used = 1_000 / SCALE;
    for number in 0..used * 60 {
        show(&of("used", number % used, u8::try_from(number / used % 2).unwrap()));
    }
    for number in 0..FLOOD {
        show(&of("fresh", number, 1));
        if number.is_multiple_of(20) {
            show(&of("used", number / 20 % used, 2));
        }
    }
    let counts = |number: &u32| learned.familiarity(&of("used", *number, 3), &TERMS, NOW).credential_networks;
    let known = (0..used).filter(|number| counts(number) == 4).count();
    assert_eq!(known, used as usize);
}
