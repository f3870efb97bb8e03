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
    /// How many conditions it is: a route of some tools comes before one of any.
    pub(super) fn conditions(&self) -> usize {
        1 + usize::from(!self.tools.is_empty())
    }

    /// A call that is not seen to be exactly one may be any.
    pub fn holds(&self, call: &McpCall<'_>) -> Fit {
        match call {
            McpCall::Unclear => Fit::Doubtful,
            // Servers that are lax about case must not find another route than we do.
            McpCall::One { method, .. } if !method.eq_ignore_ascii_case(&self.method) => Fit::No,
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
