//! Sources against a server on this machine, and what becomes of them when the policy changes.

use super::*;
use crate::attestation::{Algorithm, KeySet};
use crate::clock::SystemClock;
use crate::mint::{SigningKey, jwks};
use crate::policy::{IssuerId, KeyUrl, RemoteKeys};
use crate::time::Ttl;
use axum::extract::State;
use axum::routing::get;
use prometheus::{IntCounter, IntGauge};
use std::sync::atomic::AtomicUsize;
use tokio::net::TcpListener;

/// Serves whatever it holds, and counts who asks.
#[derive(Clone, Default)]
struct Provider {
    body: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    /// With the URL of its keys.
    async fn start(keys: &[&SigningKey]) -> (Self, String) {
        let provider = Self::default();
        provider.publish(keys);
        let answer = async |State(provider): State<Self>| {
            provider.asked.fetch_add(1, Ordering::SeqCst);
            provider.body.lock().unwrap().clone()
        };
        let routes = axum::Router::new().route("/jwks", get(answer)).with_state(provider.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (provider, url)
    }

    fn publish(&self, keys: &[&SigningKey]) {
        *self.body.lock().unwrap() = jwks(keys.iter().copied()).to_string();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// The sources, and the keyring that was published last.
fn sources() -> (KeySources, Arc<Mutex<Keyring>>) {
    let published = Arc::new(Mutex::new(Keyring::default()));
    let publish = Arc::clone(&published);
    let counter = || IntCounter::new("c", "c");
    let meter = move |_: &Name| {
        let refreshes = [counter()?, counter()?, counter()?, counter()?];
        Ok(KeyMeter { refreshes, keys: IntGauge::new("g", "g")?, last_success: IntGauge::new("g", "g")? })
    };
    let publish = move |keyring| *publish.lock().unwrap() = keyring;
    (KeySources::new(Box::new(publish), Box::new(meter), Arc::new(SystemClock), || 0), published)
}

fn key() -> SigningKey {
    SigningKey::generate(crate::mint::Algorithm::Es256).unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn at(url: &str) -> KeyOrigin {
    let url = KeyUrl::parse(url).unwrap();
    KeyOrigin::Remote(RemoteKeys::Url { url, refresh: Ttl::from_secs(300), ca: None })
}

async fn adopt(sources: &KeySources, published: &Mutex<Keyring>, issuers: &[(&str, KeyOrigin)]) {
    let issuers = issuers.iter().map(|(issuer, origin)| (name(issuer), origin.clone()));
    let prepared = sources.prepare(issuers, Duration::from_secs(5)).await.unwrap();
    let swap = |keyring| {
        *published.lock().unwrap() = keyring;
        Ok::<_, ()>(())
    };
    sources.adopt(prepared, swap).unwrap();
}

/// Whether the first issuer has this key now.
fn holds(published: &Mutex<Keyring>, key: &SigningKey) -> bool {
    let keyring = published.lock().unwrap();
    let thumbprint = crate::attestation::Thumbprint::parse(&key.public().thumbprint()).unwrap();
    keyring.of(IssuerId(0)).is_some_and(|set| set.holds(&thumbprint, Algorithm::Es256, None))
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_once_and_finds_the_new_one() {
    let (old, new) = (key(), key());
    let (provider, url) = Provider::start(&[&old]).await;
    let (sources, published) = sources();
    adopt(&sources, &published, &[("idp", at(&url))]).await;
    assert!(holds(&published, &old) && provider.asked() == 1);
    provider.publish(&[&new]);
    let generation = published.lock().unwrap().generation();
    let flood: Vec<_> = (0..500)
        .map(|_| {
            let sources = sources.clone();
            tokio::spawn(async move { sources.renew(generation, [&name("idp")].into_iter()).await })
        })
        .collect();
    let mut renewed = 0;
    for call in flood {
        renewed += usize::from(call.await.unwrap() == Renewal::Renewed);
    }
    assert!(renewed >= MAX_WAITING, "{renewed}");
    assert_eq!(provider.asked(), 2);
    assert!(holds(&published, &new) && !holds(&published, &old));
    let generation = published.lock().unwrap().generation();
    assert_eq!(sources.renew(generation, [&name("idp")].into_iter()).await, Renewal::Unchanged);
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn who_was_judged_by_old_keys_need_not_ask_for_new_ones() {
    let one = key();
    let (provider, url) = Provider::start(&[&one]).await;
    let (sources, published) = sources();
    adopt(&sources, &published, &[("idp", at(&url))]).await;
    assert_eq!(sources.renew(0, [&name("idp")].into_iter()).await, Renewal::Renewed);
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_changed_policy_keeps_what_was_fetched_for_what_stays() {
    let (one, two) = (key(), key());
    let (provider, url) = Provider::start(&[&one]).await;
    let (sources, published) = sources();
    adopt(&sources, &published, &[("idp", at(&url))]).await;
    let first = published.lock().unwrap().generation();
    let given = KeyOrigin::Given(Arc::new(KeySet::parse(jwks([&two]).to_string().as_bytes()).unwrap()));
    adopt(&sources, &published, &[("attester", given.clone()), ("idp", at(&url))]).await;
    assert!(holds(&published, &two) && published.lock().unwrap().of(IssuerId(1)).is_some());
    assert_eq!(provider.asked(), 1);
    assert!(published.lock().unwrap().generation() > first);
    adopt(&sources, &published, &[("idp", at(&format!("{url}?tenant=2")))]).await;
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn a_policy_that_fails_to_come_into_force_changes_nothing() {
    let (one, two) = (key(), key());
    let (_, url) = Provider::start(&[&one]).await;
    let (other, other_url) = Provider::start(&[&two]).await;
    let (sources, published) = sources();
    adopt(&sources, &published, &[("idp", at(&url))]).await;
    let prepared = sources.prepare([(name("idp"), at(&other_url))], Duration::from_secs(5)).await.unwrap();
    assert_eq!(other.asked(), 1);
    assert_eq!(sources.adopt(prepared, |_| Err("no")), Err("no"));
    assert!(holds(&published, &one));
    assert_eq!(sources.renew(1, [&name("idp")].into_iter()).await, Renewal::Unchanged);
    assert!(holds(&published, &one));
}

#[tokio::test]
async fn who_is_never_reached_is_away_and_holds_nobody_up_for_long() {
    let (sources, published) = sources();
    let prepared = sources.prepare([(name("idp"), at("http://127.0.0.1:1/jwks"))], Duration::from_millis(200)).await;
    let swap = |keyring| {
        *published.lock().unwrap() = keyring;
        Ok::<_, ()>(())
    };
    sources.adopt(prepared.unwrap(), swap).unwrap();
    assert!(published.lock().unwrap().of(IssuerId(0)).is_none());
    let unreached = sources.unreached();
    assert_eq!(unreached.iter().map(|one| one.issuer.as_str()).collect::<Vec<_>>(), ["idp"]);
    // Once no policy needs it, nobody waits for it.
    adopt(&sources, &published, &[]).await;
    for one in unreached {
        one.reached().await;
    }
}
