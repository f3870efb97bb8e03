//! The laws of the fuzzers, for every seed that is kept and for some thousand mutations of each parser's seeds. The
//! mutations are the same in every run; `make fuzz` looks further.
#![expect(clippy::unwrap_used, reason = "a test without its seeds has failed")]

#[path = "../../fuzz/src/lib.rs"]
#[expect(clippy::expect_used, clippy::panic, reason = "a law says by a panic that it is broken")]
#[expect(unreachable_pub, reason = "in its own crate it is a library")]
mod laws;
#[expect(clippy::indexing_slicing, reason = "places are drawn from those that there are")]
mod mutator;

use laws::LAWS;
use mutator::Mutator;
use rstest::rstest;
use std::fs;
use std::path::Path;

/// Seeds that other tests have, too.
const RECORDED: [&str; 4] = ["tests/data/checkrequests", "tests/data/forms", "tests/data/jwt_authn", "tests/data/mcp"];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = format!("fuzz/corpus/{target}");
    let folders = RECORDED.into_iter().filter(|_| target == "check_request").chain([own.as_str()]);
    let mut files: Vec<_> = folders
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Every parser, and how many mutations can be looked at in a second or so.
#[rstest]
#[case("certificate", 5_000)]
#[case("challenge", 2_000)]
#[case("check_request", 1_000)]
#[case("claims", 5_000)]
#[case("details", 3_000)]
#[case("dpop", 2_000)]
#[case("ear", 3_000)]
#[case("event", 2_000)]
#[case("form", 3_000)]
#[case("jose", 5_000)]
#[case("json", 5_000)]
#[case("jwk", 3_000)]
#[case("path", 1_000)]
#[case("policy", 300)]
#[case("pop", 2_000)]
#[case("wpt", 2_000)]
#[case("xfcc", 5_000)]
fn no_seed_and_no_mutation_of_one_breaks_the_law(#[case] target: &str, #[case] mutations: usize) {
    let (_, law) = LAWS.iter().find(|(name, _)| *name == target).unwrap();
    let seeds = seeds(target);
    let taken = seeds.iter().filter(|seed| law(seed)).count();
    assert!(taken > 0, "no seed of {target} is taken");
    let mut mutator = Mutator::new(&seeds);
    for _ in 0..mutations {
        law(&mutator.mutation());
    }
}

#[test]
fn every_target_has_its_law_and_its_seeds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> = entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let laws: Vec<_> = LAWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz/fuzz_targets"), laws);
    assert_eq!(names("fuzz/corpus"), laws);
}
