//! Routes of one MCP call, as Envoy's `mcp` filter sees it.

use super::{Fit, Glob};
use crate::request::McpCall;

/// The call's method, and for `tools/call` the tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpCondition {
    pub method: Box<str>,
    /// None named: any.
    pub tools: Box<[Glob]>,
}

impl McpCondition {
    /// A call that is not seen to be exactly one may be any.
    pub fn holds(&self, call: &McpCall<'_>) -> Fit {
        match call {
            McpCall::Unclear => Fit::Doubtful,
            McpCall::One { method, .. } if **method != *self.method => Fit::No,
            McpCall::One { .. } if self.tools.is_empty() => Fit::Yes,
            McpCall::One { tool: None, .. } => Fit::Doubtful,
            McpCall::One { tool: Some(tool), .. } => {
                if self.tools.iter().any(|glob| glob.matches(tool)) {
                    Fit::Yes
                } else {
                    Fit::No
                }
            }
        }
    }
}
