//! Policy files. What loads is whole: every name in it leads somewhere, it loads again as the same, and it lets nobody
//! through who is nobody, unless it says so.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use stepgate::case::Ground;
use stepgate::challenge::ChallengeKeys;
use stepgate::config::{Loaded, load};
use stepgate::decision::Outcome;
use stepgate::inputs::Inputs;
use stepgate::policy::{Effect, Mode, Policy};
use stepgate::time::UnixTime;
use tempfile::TempDir;

/// Of the key that RFC 8037 A.2 shows.
const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

thread_local! {
    static FOLDER: RefCell<Option<TempDir>> = const { RefCell::new(None) };
}

pub fn holds(data: &[u8]) -> bool {
    let file = FOLDER.with_borrow_mut(|folder| written(folder, data));
    let Ok(loaded) = load(std::slice::from_ref(&file)) else { return false };
    assert!(is_whole(&loaded.policy));
    assert_eq!(load(&[file]).ok().map(|again| again.policy.hash), Some(loaded.policy.hash.clone()));
    for (method, path) in [("GET", "/"), ("POST", "/v1/payments/7/refund"), ("DELETE", "/admin/..;/x")] {
        check_that_nobody_passes(&loaded, &Inputs::new(method, "api.example.com", path));
    }
    true
}

/// The policy in a folder of its own, with the keys that it may name.
fn written(folder: &mut Option<TempDir>, policy: &[u8]) -> PathBuf {
    let folder = folder.get_or_insert_with(|| {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("keys.json"), KEYS).expect("room for keys");
        folder
    });
    let file = folder.path().join("policy.yaml");
    fs::write(&file, policy).expect("room for a policy");
    file
}

fn is_whole(policy: &Policy) -> bool {
    let rules = policy.rules.iter().all(|rule| match &rule.effect {
        Effect::Require(level) | Effect::RequireIf(_, level) => policy.level(*level).is_some(),
        Effect::Deny(_) => true,
    });
    let levels = policy
        .assurance
        .iter()
        .all(|level| !level.accept.is_empty() && level.accept.iter().all(|id| policy.attestation(*id).is_some()));
    // Levels stand in their order: none asks for less than the one before it.
    let ordered = policy.assurance.windows(2).all(|two| matches!(two, [one, next] if one.max_age >= next.max_age));
    let issuers = policy.attestations.iter().flat_map(|attestation| &attestation.issuers);
    rules && levels && ordered && issuers.into_iter().all(|id| policy.issuer(*id).is_some())
}

fn check_that_nobody_passes(loaded: &Loaded, request: &Inputs) {
    let challenges = ChallengeKeys::single(&[1; ChallengeKeys::KEY_BYTES]);
    let ground = Ground { policy: &loaded.policy, keyring: &loaded.keyring, challenges: &challenges };
    let decision = request.decide(ground, NOW);
    let open = loaded.policy.mode == Mode::Shadow || loaded.policy.routes.iter().any(|(_, route)| route.anonymous);
    assert!(open || !matches!(decision.outcome, Outcome::Allow(_)), "{:?}", decision.outcome);
}
