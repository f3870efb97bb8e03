//! Who may speak to the store, and over what.

use super::proxy::Proxy;
use super::world::{Replica, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// For `localhost`, and for who calls.
fn certificate(authority: &Authority) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, authority).unwrap(), key)
}

fn acceptor(authority: &Authority, asks: bool) -> TlsAcceptor {
    let (certificate, key) = certificate(authority);
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = if asks {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        config.with_client_cert_verifier(verifier)
    } else {
        config.with_no_client_auth()
    };
    TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap()))
}

fn write(folder: &Path, name: &str, pem: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, pem).unwrap();
    path.display().to_string()
}

async fn stays_away(replica: Replica) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!replica.valkey.is_up() && !replica.revoked.in_force().is_whole());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_the_server_is_who_the_authority_says() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let (ours, other) = (authority(), authority());
    let proxy = Proxy::with_tls(server.address(), acceptor(&ours, false)).await;
    let (port, ca) = (proxy.address.port(), write(folder.path(), "ca.pem", &ours.pem()));
    let one = Replica::start(&format!("rediss://localhost:{port}?ca={ca}")).up().await;
    one.revoke("a").await.unwrap();
    server.holds_soon(1).await;
    let stranger = write(folder.path(), "stranger.pem", &other.pem());
    stays_away(Replica::start(&format!("rediss://localhost:{port}?ca={stranger}"))).await;
    // Nor is it a server of another name.
    stays_away(Replica::start(&format!("rediss://127.0.0.1:{port}?ca={ca}"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_asks_for_a_certificate_gets_ours() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let ours = authority();
    let proxy = Proxy::with_tls(server.address(), acceptor(&ours, true)).await;
    let (certificate, key) = certificate(&ours);
    let (port, ca) = (proxy.address.port(), write(folder.path(), "ca.pem", &ours.pem()));
    let cert = write(folder.path(), "cert.pem", &certificate.pem());
    let key = write(folder.path(), "key.pem", &key.serialize_pem());
    let url = format!("rediss://localhost:{port}?ca={ca}");
    let _one = Replica::start(&format!("{url}&cert={cert}&key={key}")).up().await;
    stays_away(Replica::start(&url)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_asks_for_a_password_gets_it() {
    let server = Server::start_with(&["--requirepass", "p@ss"]);
    let address = server.address();
    let one = Replica::start(&format!("redis://:p%40ss@{address}")).up().await;
    one.revoke("a").await.unwrap();
    assert!(!format!("{:?}", one.valkey).contains("p@ss"));
    for url in [format!("redis://:wrong@{address}"), format!("redis://{address}")] {
        stays_away(Replica::start(&url)).await;
    }
}

/// What an operator has to allow, and nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn these_commands_are_enough() {
    let server = Server::start();
    let commands = "+ping +hello +select +client|setinfo +multi +exec +watch +unwatch +time +set +del +xadd +xrange +xread +xinfo|stream +xtrim +hset +hlen +hscan +hdel +hgetall +hmget +zadd +zrange +expire +pexpire +scan";
    let rules: Vec<_> =
        ["ACL", "SETUSER", "stepgate", "on", ">secret", "~stepgate:*"].into_iter().chain(commands.split(' ')).collect();
    server.say(&rules).await;
    let one = Replica::start(&format!("redis://stepgate:secret@{}", server.address())).up().await;
    one.revoke("a").await.unwrap();
    one.valkey.put_learned(&[("web".into(), "{}".into())]).await.unwrap();
    one.valkey.learned().await.unwrap();
    one.valkey.all_grants(super::world::now()).await.unwrap();
}
