//! What operators are told where something is refused, and how answers look.

use crate::problem::{MEDIA_TYPE, Problem};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

pub(super) const JSON: &str = "application/json";

pub(super) const CONTROL_OFF: Problem = Problem::new(
    403,
    "control_api_off",
    "The control API is off",
    "Start stepgate with --admin-token-file to turn it on.",
);
/// The same where no token came and where a wrong one did: `WWW-Authenticate` tells them apart.
pub(super) const UNAUTHENTICATED: Problem = Problem::new(
    401,
    "invalid_token",
    "Admin token required",
    "Send `Authorization: Bearer` with a token of the file that --admin-token-file names.",
);
pub(super) const INSUFFICIENT_ROLE: Problem =
    Problem::new(403, "insufficient_role", "Role insufficient", "A token with the role `read` changes nothing.");
pub(super) const BAD_LIMIT: Problem = Problem::new(
    400,
    "invalid_request",
    "Bad query",
    "`limit`, a whole number from 1 to 1000, is all that can be asked for.",
);
pub(super) const BAD_LIST_LIMIT: Problem = Problem::new(
    400,
    "invalid_request",
    "Bad query",
    "`limit`, a whole number from 1 on, is all that can be asked for.",
);
/// It always says more of what is wrong with it.
pub(super) const BAD_REQUEST: Problem =
    Problem::new(400, "invalid_request", "Bad request", "The body could not be read.");
pub(super) const NO_GRANT: Problem =
    Problem::new(404, "not_found", "No such grant", "No grant that counts now has this id.");
pub(super) const PRINCIPAL_REFUSED: Problem = Problem::new(
    409,
    "principal_refused",
    "Principal may not call",
    "The policy refuses this principal, so that no grant would help it. Change the policy first.",
);
pub(super) const JUST_REVOKED: Problem = Problem::new(
    409,
    "just_revoked",
    "Revoked in this second",
    "A revocation of this second voids what is granted in it. Try again in a second.",
);
pub(super) const NO_RANDOMNESS: Problem = Problem::new(
    500,
    "no_randomness",
    "No randomness",
    "The system gives no randomness to make an id from, and nothing was done.",
);
pub(super) const STATE_AWAY: Problem =
    Problem::new(503, "state_away", "The state is away", "It is in force in this process, and in no other yet.");
pub(super) const NO_ROOM: Problem = Problem::new(
    503,
    "no_room",
    "No room for a grant",
    "As many callers have grants as can be remembered, and nothing was granted. End some, or try again later.",
);
pub(super) const NOT_FOUND: Problem = Problem::new(404, "not_found", "Nothing here", "No page has this path.");
pub(super) const METHOD_NOT_ALLOWED: Problem =
    Problem::new(405, "method_not_allowed", "Method not allowed", "The page takes the methods in Allow.");
pub(super) const TIMED_OUT: Problem =
    Problem::new(408, "request_timeout", "Took too long", "The request was not done in time. Send all of it at once.");
pub(super) const TOO_LARGE: Problem =
    Problem::new(413, "content_too_large", "Body too large", "No request to the control API has a body this long.");

pub(super) fn refuse(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, MEDIA_TYPE, json(problem))
}

/// For routers, where nothing has the path.
pub(super) async fn not_found() -> Response {
    refuse(&NOT_FOUND)
}

/// For routers, where something has the path and not the method.
pub(super) async fn method_not_allowed() -> Response {
    refuse(&METHOD_NOT_ALLOWED)
}

/// An answer in JSON.
pub(super) fn json_answer(body: String) -> Response {
    answer(StatusCode::OK, JSON, body)
}

/// What was made, in JSON.
pub(super) fn created(made: &impl Serialize) -> Response {
    answer(StatusCode::CREATED, JSON, json(made))
}

/// These bodies hold texts and numbers alone, so that writing them can't fail.
pub(super) fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

/// With a line's end, for people at a terminal.
pub(super) fn answer(status: StatusCode, content_type: &'static str, mut body: String) -> Response {
    body.push('\n');
    answer_with(status, content_type, body)
}

/// What is true now is not to be kept.
pub(super) fn answer_with(status: StatusCode, content_type: &'static str, body: impl IntoResponse) -> Response {
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")];
    (status, headers.map(|(name, value)| (name, HeaderValue::from_static(value))), body).into_response()
}
