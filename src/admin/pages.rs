//! What stands at each path.

use super::Admin;
use crate::telemetry::metrics::CONTENT_TYPE;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::StatusCode;
use http::header;
use std::fmt::Write;

/// Where the control API and the console will be. Whoever calls there learns why nothing answers.
const CONTROL_PATHS: [&str; 9] = [
    "/",
    "/v1/policy",
    "/v1/decisions",
    "/v1/grants",
    "/v1/grants/{id}",
    "/v1/revocations",
    "/v1/revocations/{id}",
    "/v1/inventory",
    "/v1/events",
];
/// RFC 9457.
const CONTROL_OFF: &str = concat!(
    r#"{"type":"urn:stepgate:problem:control_api_off","title":"The control API is off","status":403,"#,
    r#""code":"control_api_off","detail":"Start stepgate with --admin-token-file to turn it on."}"#,
    "\n"
);

pub(super) fn pages(admin: Admin) -> Router {
    let control = CONTROL_PATHS.into_iter().fold(Router::new(), |router, path| router.route(path, any(control_off)));
    control.route("/livez", get(livez)).route("/readyz", get(readyz)).route("/metrics", get(metrics)).with_state(admin)
}

async fn livez() -> &'static str {
    "ok\n"
}

/// 503 with what it waits for, one a line.
async fn readyz(State(admin): State<Admin>) -> (StatusCode, String) {
    let standing = admin.readiness.standing();
    if standing.is_ready() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    let mut body = String::new();
    for obstacle in standing.obstacles() {
        let _ = writeln!(body, "{obstacle}"); // a String takes everything
    }
    (StatusCode::SERVICE_UNAVAILABLE, body)
}

async fn metrics(State(admin): State<Admin>) -> Response {
    match admin.metrics.scrape() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn control_off() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::FORBIDDEN, headers, CONTROL_OFF).into_response()
}
