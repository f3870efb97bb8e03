//! Being seen: metrics, the decision log, the program's own log.
//!
//! Nothing here decides, and nothing here may slow or fail a decision: what can't be written is counted and dropped.

pub mod decision_log;
pub mod metrics;
pub mod program_log;
pub mod trace_context;

pub use decision_log::{AllowShare, DecisionLog, Destination, LatestDecisions, LogWriter, LoggedHeaders, Record, Seen};
pub use metrics::{Cache, ControlRefusal, KeySeries, Lookups, Metrics, PolicyMetrics, Readings, Reload, StateSeries};
pub use program_log::LogFormat;
pub use trace_context::TraceContext;
