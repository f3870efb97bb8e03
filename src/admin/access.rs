//! Who is let into the control API: a bearer token (RFC 6750 §2.1) on every request, and the role `admin` for changes.

use super::guard::Guard;
use super::problems::{INSUFFICIENT_ROLE, UNAUTHENTICATED, refuse};
use super::tokens::{AdminTokens, Operator};
use crate::telemetry::{ControlRefusal, Metrics};
use arc_swap::ArcSwap;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use std::sync::Arc;

/// What decides who is let in.
#[derive(Debug)]
pub(super) struct Access {
    tokens: Arc<ArcSwap<AdminTokens>>,
    guard: Guard,
}

/// RFC 6750 §3: no error where nothing was shown.
const ASK: HeaderValue = HeaderValue::from_static(r#"Bearer realm="stepgate""#);
const ASK_ANEW: HeaderValue = HeaderValue::from_static(r#"Bearer realm="stepgate", error="invalid_token""#);

/// Lets in who shows a good token, and tells the rest who it is.
pub(super) async fn let_in(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::AUTHORIZATION) {
        access.guard.pace().await;
    }
    let refusal = match access.operator(request.headers()) {
        Ok(operator) if operator.role.may_change() || request.method().is_safe() => {
            request.extensions_mut().insert(operator);
            return next.run(request).await;
        }
        Ok(_) => ControlRefusal::Role,
        Err(refusal) => refusal,
    };
    access.guard.note(refusal, request.extensions().get().copied());
    match refusal {
        ControlRefusal::TokenMissing => unauthenticated(ASK),
        ControlRefusal::TokenWrong => unauthenticated(ASK_ANEW),
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
        Self { tokens, guard: Guard::new(metrics) }
    }

    fn operator(&self, headers: &HeaderMap) -> Result<Operator, ControlRefusal> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Err(ControlRefusal::TokenMissing) };
        let alone = values.next().is_none(); // of two it can't be told which one counts
        let token = bearer(value).filter(|_| alone).ok_or(ControlRefusal::TokenWrong)?;
        self.tokens.load().operator(token).cloned().ok_or(ControlRefusal::TokenWrong)
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
}
