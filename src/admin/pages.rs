//! What stands at each path.

use super::Admin;
use super::control::api;
use super::events;
use super::problems::{CONTROL_OFF, method_not_allowed, not_found, refuse};
use crate::telemetry::metrics::CONTENT_TYPE;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::StatusCode;
use http::header;
use std::fmt::Write;
use std::sync::Arc;

/// Where the control API and the console are. Whoever calls there without tokens learns why nothing answers.
const CONTROL_PATHS: [&str; 3] = ["/", "/v1/", "/v1/{*rest}"];

/// Nobody is told more without a token than that there could be one.
pub(super) fn pages(mut admin: Admin) -> Router {
    let control = match admin.control.take() {
        // Whose an event is, its signature says: no token is asked for.
        Some(control) => {
            let events = events::page(Arc::clone(&control.events));
            api(control, Arc::clone(&admin.metrics)).merge(events)
        }
        None => CONTROL_PATHS.into_iter().fold(Router::new(), |router, path| router.route(path, any(control_off))),
    };
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .merge(control)
        .with_state(admin)
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
    refuse(&CONTROL_OFF)
}
