//! Who is let into the control API: a bearer token (RFC 6750 §2.1) on every request, and the role `admin` for changes.
//!
//! Tokens can't be guessed, so nobody is ever locked out for wrong ones: whoever shows a good one passes at any time.
//! Wrong ones are answered late, counted, and logged now and then.

use super::problems::{INSUFFICIENT_ROLE, UNAUTHENTICATED, refuse};
use super::serve::Peer;
use super::tokens::{AdminTokens, Operator};
use crate::telemetry::{ControlRefusal, Metrics};
use arc_swap::ArcSwap;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What decides who is let in.
#[derive(Debug)]
pub(super) struct Access {
    tokens: Arc<ArcSwap<AdminTokens>>,
    metrics: Arc<Metrics>,
    said: Mutex<Said>,
}

/// What the log knows of those who were not let in.
#[derive(Debug, Default)]
struct Said {
    at: Option<Instant>,
    /// How many there were since.
    unsaid: u64,
}

/// With as many connections as there may be, a hundred guesses a second at most.
const LATE: Duration = Duration::from_millis(500);
/// Whoever guesses must not fill the log.
const BETWEEN_COMPLAINTS: Duration = Duration::from_mins(1);
/// RFC 6750 §3: no error where nothing was shown.
const ASK: HeaderValue = HeaderValue::from_static(r#"Bearer realm="stepgate""#);
const ASK_ANEW: HeaderValue = HeaderValue::from_static(r#"Bearer realm="stepgate", error="invalid_token""#);

/// Lets in who shows a good token, and tells the rest who it is.
pub(super) async fn let_in(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    let refusal = match access.operator(request.headers()) {
        Ok(operator) if operator.role.may_change() || request.method().is_safe() => {
            request.extensions_mut().insert(operator);
            return next.run(request).await;
        }
        Ok(_) => ControlRefusal::Role,
        Err(refusal) => refusal,
    };
    access.note(refusal, request.extensions().get().copied());
    match refusal {
        ControlRefusal::TokenMissing => unauthenticated(ASK),
        ControlRefusal::TokenWrong => {
            tokio::time::sleep(LATE).await;
            unauthenticated(ASK_ANEW)
        }
        ControlRefusal::Role => refuse(&INSUFFICIENT_ROLE),
    }
}

/// Logs who did what: each change, and at debug level each look.
pub(super) async fn journal(request: Request, next: Next) -> Response {
    let Some(operator) = request.extensions().get::<Operator>().cloned() else { return next.run(request).await };
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let (name, role, status) = (&operator.name, operator.role.as_str(), response.status().as_u16());
    if method.is_safe() {
        tracing::debug!(operator = %name, role, %method, path, status, "control API");
    } else {
        tracing::info!(operator = %name, role, %method, path, status, "control API");
    }
    response
}

impl Access {
    pub(super) fn new(tokens: Arc<ArcSwap<AdminTokens>>, metrics: Arc<Metrics>) -> Self {
        Self { tokens, metrics, said: Mutex::default() }
    }

    fn operator(&self, headers: &HeaderMap) -> Result<Operator, ControlRefusal> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Err(ControlRefusal::TokenMissing) };
        let alone = values.next().is_none(); // of two it can't be told which one counts
        let token = bearer(value).filter(|_| alone).ok_or(ControlRefusal::TokenWrong)?;
        self.tokens.load().operator(token).cloned().ok_or(ControlRefusal::TokenWrong)
    }

    /// Counts it, and says it if there was silence for a while.
    fn note(&self, refusal: ControlRefusal, peer: Option<Peer>) {
        self.metrics.count_control_refusal(refusal);
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.at.is_some_and(|at| at.elapsed() < BETWEEN_COMPLAINTS) {
            said.unsaid += 1;
            return;
        }
        let others = std::mem::replace(&mut *said, Said { at: Some(Instant::now()), unsaid: 0 }).unsaid;
        drop(said);
        let peer = peer.map(|Peer(address)| tracing::field::display(address));
        tracing::warn!(peer, reason = refusal.as_str(), others, "a request to the control API was not let in");
    }
}

/// The scheme in any case (RFC 9110 §11.1), one or more spaces, the token.
fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_start_matches(' '))
}

fn unauthenticated(ask: HeaderValue) -> Response {
    let mut response = refuse(&UNAUTHENTICATED);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn access() -> Access {
        let tokens = AdminTokens::parse(&format!("alice admin {TOKEN}")).unwrap();
        Access::new(Arc::new(ArcSwap::from_pointee(tokens)), Arc::new(Metrics::new().unwrap()))
    }

    fn shown(values: &[&[u8]]) -> Result<Operator, ControlRefusal> {
        let values = values.iter().map(|value| (header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap()));
        access().operator(&values.collect())
    }

    #[rstest]
    #[case(b"Bearer 0123456789abcdef0123456789abcdef")]
    #[case(b"bearer 0123456789abcdef0123456789abcdef")]
    #[case(b"BEARER   0123456789abcdef0123456789abcdef")]
    fn a_good_token_lets_in(#[case] value: &[u8]) {
        assert_eq!(shown(&[value]).unwrap().name.as_str(), "alice");
    }

    #[rstest]
    #[case::empty(b"")]
    #[case::scheme_alone(b"Bearer")]
    #[case::no_token(b"Bearer ")]
    #[case::token_alone(TOKEN.as_bytes())]
    #[case::other_scheme(b"Basic 0123456789abcdef0123456789abcdef")]
    #[case::other_bound(b"DPoP 0123456789abcdef0123456789abcdef")]
    #[case::glued(b"Bearer0123456789abcdef0123456789abcdef")]
    #[case::tab(b"Bearer\t0123456789abcdef0123456789abcdef")]
    #[case::space_behind(b"Bearer 0123456789abcdef0123456789abcdef ")]
    #[case::two_in_one(b"Bearer 0123456789abcdef0123456789abcdef, Bearer 0123456789abcdef0123456789abcdef")]
    #[case::with_the_name(b"Bearer alice 0123456789abcdef0123456789abcdef")]
    #[case::capitals(b"Bearer 0123456789ABCDEF0123456789ABCDEF")]
    #[case::beginning(b"Bearer 0123456789abcdef")]
    #[case::no_ascii(b"Bearer 0123456789abcdef0123456789abcdef\xff")]
    fn anything_else_does_not(#[case] value: &[u8]) {
        assert_eq!(shown(&[value]).unwrap_err(), ControlRefusal::TokenWrong);
    }

    #[test]
    fn two_tokens_are_none_even_where_both_are_good() {
        let good = b"Bearer 0123456789abcdef0123456789abcdef";
        assert_eq!(shown(&[good, good]).unwrap_err(), ControlRefusal::TokenWrong);
        assert_eq!(shown(&[good, b"Basic eDp5"]).unwrap_err(), ControlRefusal::TokenWrong);
        assert_eq!(shown(&[]).unwrap_err(), ControlRefusal::TokenMissing);
    }

    #[test]
    fn whoever_guesses_is_logged_once_and_counted_every_time() {
        let access = access();
        for _ in 0..1_000 {
            access.note(ControlRefusal::TokenWrong, None);
        }
        assert_eq!(access.said.lock().unwrap().unsaid, 999);
        let series = r#"stepgate_control_refused_total{reason="token_wrong"} 1000"#;
        assert!(access.metrics.scrape().unwrap().contains(series));
    }
}
