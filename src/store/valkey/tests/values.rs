//! Grants, and what was learned.

use super::world::{Replica, Server, now};
use crate::attestation::Thumbprint;
use crate::grant::{Basis, Grant, GrantKey, Holder};
use crate::identity::Principal;
use crate::policy::{Name, ScopeSet};
use crate::revocation::{Note, RevocationId};
use crate::time::{Ttl, UnixTime};
use redis::Value;

fn grant(who: &str, task: &str, expires: UnixTime) -> Grant {
    Grant {
        id: RevocationId::derived(&[who.as_bytes(), task.as_bytes()]),
        principal: Principal::parse(who).unwrap(),
        holder: Holder::Certificate(Thumbprint::of(who.as_bytes())),
        basis: Basis::BreakGlass { by: Name::parse("alice").unwrap(), reason: Note::parse("down").unwrap() },
        scopes: ScopeSet::default(),
        routes: Vec::new(),
        task: task.into(),
        issued: now(),
        expires,
    }
}

fn soon(secs: u64) -> UnixTime {
    now().plus(Ttl::from_secs(secs))
}

/// The key and the fields of the only caller that has grants.
async fn stored(server: &Server) -> (String, Vec<String>) {
    let Value::Array(keys) = server.say(&["KEYS", "stepgate:grants:*"]).await else { unreachable!() };
    let key = super::world::text(&keys[0]);
    let Value::Array(fields) = server.say(&["HGETALL", &key]).await else { unreachable!() };
    (key, fields.iter().map(super::world::text).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_one_replica_gave_is_found_by_the_others() {
    let server = Server::start();
    let (one, other) = (Replica::start(&server.url()).up().await, Replica::start(&server.url()).up().await);
    let (first, second) = (grant("web", "run-1", soon(300)), grant("web", "run-2", soon(600)));
    for grant in [&first, &second, &grant("batch", "run-1", soon(300))] {
        one.valkey.keep_grant(grant, now()).await.unwrap();
    }
    let mut found = other.valkey.grants_of(&first.key(), now()).await.unwrap();
    found.sort_unstable_by_key(|grant| grant.expires);
    assert_eq!(found, [first.clone(), second.clone()]);
    assert_eq!(other.valkey.grants_of(&first.key(), soon(301)).await.unwrap(), [second]);
    assert_eq!(other.valkey.all_grants(now()).await.unwrap().len(), 3);
    let others = GrantKey { holder: Holder::Certified, ..first.key() };
    assert!(other.valkey.grants_of(&others, now()).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_forgets_grants_after_the_last_of_them_and_not_before() {
    let server = Server::start();
    let one = Replica::start(&server.url()).up().await;
    for (task, secs) in [("short", 10), ("long", 900), ("shorter", 5)] {
        one.valkey.keep_grant(&grant("web", task, soon(secs)), now()).await.unwrap();
    }
    let (key, _) = stored(&server).await;
    let Value::Int(left) = server.say(&["TTL", &key]).await else { unreachable!() };
    assert!((900..=960).contains(&left), "{left}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_was_changed_or_moved_is_none() {
    let server = Server::start();
    let one = Replica::start(&server.url()).up().await;
    let (web, batch) = (grant("web", "run", soon(300)), grant("batch", "run", soon(300)));
    one.valkey.keep_grant(&web, now()).await.unwrap();
    let (web_key, fields) = stored(&server).await;
    let (id, sealed) = (&fields[0], &fields[1]);
    // Under another's name, at another's place, or changed; and something that never was one.
    server.say(&["HSET", &web_key, "other", sealed, id, &sealed.replace("run", "ran"), "x", "y"]).await;
    assert!(one.valkey.grants_of(&web.key(), now()).await.unwrap().is_empty());
    one.valkey.keep_grant(&batch, now()).await.unwrap();
    let Value::Array(keys) = server.say(&["KEYS", "stepgate:grants:*"]).await else { unreachable!() };
    for key in keys.iter().map(super::world::text) {
        server.say(&["HSET", &key, id, sealed]).await;
    }
    assert_eq!(one.valkey.grants_of(&batch.key(), now()).await.unwrap(), [batch]);
    assert_eq!(one.valkey.grants_of(&web.key(), now()).await.unwrap(), [web]);
    assert_eq!(one.valkey.all_grants(now()).await.unwrap().len(), 2);
}

/// What is wrong with one caller's is no reason to ask for nobody's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_something_else_hides_one_callers_grants_and_no_others() {
    let server = Server::start();
    let one = Replica::start(&server.url()).up().await;
    let (web, batch) = (grant("web", "run", soon(300)), grant("batch", "run", soon(300)));
    one.valkey.keep_grant(&web, now()).await.unwrap();
    let (key, _) = stored(&server).await;
    server.say(&["SET", &key, "x"]).await;
    one.valkey.keep_grant(&batch, now()).await.unwrap();
    for _ in 0..10 {
        assert!(one.valkey.grants_of(&web.key(), now()).await.is_err());
    }
    assert!(one.valkey.is_up());
    assert_eq!(one.valkey.grants_of(&batch.key(), now()).await.unwrap(), [batch]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_with_ever_new_grants_fills_no_store() {
    let server = Server::start();
    let one = Replica::start(&server.url()).up().await;
    let past = now().minus(Ttl::from_secs(1));
    for number in 0..100 {
        one.valkey.keep_grant(&grant("web", &format!("run-{number}"), past), now()).await.unwrap();
    }
    let live = grant("web", "live", soon(300));
    one.valkey.keep_grant(&live, now()).await.unwrap();
    let (_, fields) = stored(&server).await;
    assert!(fields.len() / 2 <= 66, "{}", fields.len() / 2);
    assert_eq!(one.valkey.grants_of(&live.key(), now()).await.unwrap(), [live]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replica_learned_is_heard_by_the_others_and_by_who_comes_after_it() {
    let server = Server::start();
    let (one, other) = (Replica::start(&server.url()).up().await, Replica::start(&server.url()).up().await);
    let many: Vec<_> = (0..200).map(|n| (format!("p{n}").into(), format!("{{\"n\":{n}}}"))).collect();
    one.valkey.put_learned(&many).await.unwrap();
    one.valkey.put_learned(&[("p7".into(), "{\"n\":77}".into())]).await.unwrap();
    assert!(one.valkey.learned().await.unwrap().is_empty(), "its own it knows");
    let mut heard = other.valkey.learned().await.unwrap();
    heard.sort_unstable();
    assert_eq!(heard.len(), 200);
    assert!(heard.contains(&("p7".into(), "{\"n\":77}".into())));
    // From then on, only what is new.
    assert!(other.valkey.learned().await.unwrap().is_empty());
    one.valkey.put_learned(&[("p8".into(), "{\"n\":88}".into())]).await.unwrap();
    assert_eq!(other.valkey.learned().await.unwrap(), [("p8".into(), "{\"n\":88}".into())]);
    drop(one);
    let late = Replica::start(&server.url()).up().await;
    assert_eq!(late.valkey.learned().await.unwrap().len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_taught_what_no_replica_learned() {
    let server = Server::start();
    let (one, other) = (Replica::start(&server.url()).up().await, Replica::start(&server.url()).up().await);
    one.valkey.put_learned(&[("web".into(), "{}".into())]).await.unwrap();
    let Value::Array(replicas) = server.say(&["HKEYS", "stepgate:learned"]).await else { unreachable!() };
    let key = format!("stepgate:learned:{}", super::world::text(&replicas[0]));
    let Value::BulkString(sealed) = server.say(&["HGET", &key, "web"]).await else { unreachable!() };
    let sealed = String::from_utf8(sealed).unwrap();
    server.say(&["HSET", &key, "batch", &sealed]).await;
    server.say(&["ZADD", &format!("{key}:order"), "5", "batch", "6", "nobody"]).await;
    let stranger = "0".repeat(32);
    server.say(&["HSET", "stepgate:learned", &stranger, "9", "../x", "9"]).await;
    server.say(&["HSET", &format!("stepgate:learned:{stranger}"), "web", &sealed]).await;
    server.say(&["ZADD", &format!("stepgate:learned:{stranger}:order"), "1", "web"]).await;
    assert_eq!(other.valkey.learned().await.unwrap(), [("web".into(), "{}".into())]);
}
