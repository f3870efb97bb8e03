//! The product from outside: callers, the real Envoy, the real binary and a service behind them.
#![allow(clippy::indexing_slicing, reason = "tests")]

#[path = "../../examples/tokens/endpoint.rs"]
pub mod endpoint;
#[path = "../support/mod.rs"]
mod support;

mod bootstraps;
mod certificates;
mod connections;
mod context;
mod headers;
mod hints;
mod jwt_authn;
mod step_up;
mod tokens;
mod workload;

const READ: &str = "/v1/payments/7";
const REFUND: &str = "/v1/payments/7/refund";
const SPIFFE_ID: &str = "spiffe://example.org/ns/billing/sa/web";

/// What tests exchange in a bootstrap.
const FILTERS: &str = "/static_resources/listeners/0/filter_chains/0/filters";
const HTTP_FILTERS: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
