//! The listener from outside, over a loopback socket.

use super::*;
use rstest::rstest;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Running {
    address: SocketAddr,
    readiness: Readiness,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Running {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, readiness) = (listener.local_addr().unwrap(), Readiness::new());
        let admin = Admin { readiness: readiness.clone(), metrics: Arc::new(Metrics::new().unwrap()), control: None };
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve(listener, admin, async { stopped.await.unwrap() }));
        Self { address, readiness, stop, serving }
    }

    async fn ask(&self, method: &str, path: &str) -> reqwest::Response {
        let url = format!("http://{}{path}", self.address);
        reqwest::Client::new().request(method.parse().unwrap(), url).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let response = self.ask("GET", path).await;
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// What comes back for bytes that no client of ours would send.
    async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

#[tokio::test]
async fn it_is_alive_whatever_it_waits_for() {
    let admin = Running::start().await;
    let _latch = admin.readiness.latch("policy");
    assert_eq!(admin.get("/livez").await, (200, "ok\n".to_owned()));
}

#[tokio::test]
async fn it_names_what_it_waits_for_until_it_is_ready() {
    let admin = Running::start().await;
    let (policy, keys) = (admin.readiness.latch("policy"), admin.readiness.latch("keys"));
    assert_eq!(admin.get("/readyz").await, (503, "policy\nkeys\n".to_owned()));
    policy.set();
    assert_eq!(admin.get("/readyz").await, (503, "keys\n".to_owned()));
    keys.set();
    assert_eq!(admin.get("/readyz").await, (200, "ok\n".to_owned()));
    admin.readiness.drain();
    assert_eq!(admin.get("/readyz").await, (503, "draining\n".to_owned()));
}

#[tokio::test]
async fn metrics_come_in_the_text_format() {
    let response = Running::start().await.ask("GET", "/metrics").await;
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(response.text().await.unwrap().contains("\nstepgate_build_info{"));
}

#[rstest]
#[case("GET", "/")]
#[case("GET", "/v1/policy")]
#[case("GET", "/v1/decisions?limit=10")]
#[case("POST", "/v1/grants")]
#[case("DELETE", "/v1/grants/7")]
#[case("POST", "/v1/revocations")]
#[case("GET", "/v1/inventory")]
#[case("POST", "/v1/events")]
#[case("GET", "/v1/")]
#[case("GET", "/v1/no/such/page")]
#[tokio::test]
async fn the_control_api_says_how_it_is_turned_on(#[case] method: &str, #[case] path: &str) {
    let response = Running::start().await.ask(method, path).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (403, &"application/problem+json".parse().unwrap())
    );
    let problem: serde_json::Value = response.json().await.unwrap();
    assert_eq!((&problem["status"], &problem["code"]), (&403.into(), &"control_api_off".into()));
    assert!(problem["detail"].as_str().unwrap().contains("--admin-token-file"));
}

#[rstest]
#[case("GET", "/nowhere", 404)]
#[case("GET", "/livez/", 404)]
#[case("GET", "/v1", 404)]
#[case("GET", "//v1/policy", 404)]
#[case("GET", "/%761/policy", 404)]
#[case("POST", "/livez", 405)]
#[tokio::test]
async fn nothing_else_is_there(#[case] method: &str, #[case] path: &str, #[case] status: u16) {
    let response = Running::start().await.ask(method, path).await;
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers().contains_key("allow"), status == 405);
    assert_eq!(response.json::<serde_json::Value>().await.unwrap()["status"], status);
}

#[rstest]
#[case("a header too long", format!("GET /livez HTTP/1.1\r\nhost: a\r\nx-long: {}\r\n\r\n", "a".repeat(20_000)))]
#[case("headers too many", format!("GET /livez HTTP/1.1\r\nhost: a\r\n{}\r\n", "x-more: a\r\n".repeat(100)))]
#[tokio::test]
async fn what_is_out_of_bounds_is_refused(#[case] what: &str, #[case] request: String) {
    let answer = Running::start().await.say(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{what}: {answer}");
}

#[tokio::test]
async fn it_ends_when_told_to_although_a_connection_is_idle() {
    let admin = Running::start().await;
    let mut idle = TcpStream::connect(admin.address).await.unwrap();
    assert_eq!(admin.get("/livez").await.0, 200);
    admin.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), admin.serving).await.unwrap().unwrap();
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
}
