//! Routes of one MCP call, as Envoy's `mcp` filter sees it.

use super::{Fit, Glob};
use crate::request::McpCall;

/// The call's method, and for `tools/call` the tools.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct McpCondition {
    pub method: Box<str>,
    /// None named: any.
    pub tools: Box<[Glob]>,
}

impl McpCondition {
    /// The method that names a tool (MCP 2025-11-25, Tools).
    pub const TOOLS_CALL: &'static str = "tools/call";

    /// Whether it surely holds wherever the other does.
    pub fn covers(&self, other: &Self) -> bool {
        self == other || (self.method == other.method && self.tools.is_empty())
    }

    /// Whether both hold for some call.
    pub fn meets(&self, other: &Self) -> bool {
        let any = self.tools.is_empty() || other.tools.is_empty();
        let share = || self.tools.iter().any(|own| other.tools.iter().any(|tool| own.overlaps(tool)));
        self.method == other.method && (any || share())
    }

    /// How many conditions it is: a route of some tools comes before one of any.
    pub(super) fn conditions(&self) -> usize {
        1 + usize::from(!self.tools.is_empty())
    }

    /// A call that is not seen to be exactly one may be any.
    pub fn holds(&self, call: &McpCall<'_>) -> Fit {
        match call {
            // Servers that are lax about case must not find another route than we do.
            McpCall::One { method, .. } if !method.eq_ignore_ascii_case(&self.method) => Fit::No,
            McpCall::One { .. } if self.tools.is_empty() => Fit::Yes,
            McpCall::One { tool: Some(tool), .. } => {
                if self.tools.iter().any(|glob| glob.matches(tool)) {
                    Fit::Yes
                } else {
                    Fit::No
                }
            }
            McpCall::One { tool: None, .. } | McpCall::Unclear => Fit::Doubtful,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::samples::glob;
    use rstest::rstest;

    fn condition(method: &str, tools: &[&str]) -> McpCondition {
        McpCondition { method: method.into(), tools: tools.iter().map(|text| glob(text)).collect() }
    }

    fn call<'a>(method: &'a str, tool: Option<&'a str>) -> McpCall<'a> {
        McpCall::One { method, tool }
    }

    #[rstest]
    #[case(&[], call("tools/call", Some("read")), Fit::Yes)]
    #[case(&[], call("tools/list", None), Fit::No)]
    #[case(&["delete_*"], call("tools/call", Some("delete_all")), Fit::Yes)]
    #[case(&["transfer_*", "delete_*"], call("tools/call", Some("delete_all")), Fit::Yes)]
    #[case(&["delete_*"], call("tools/call", Some("read")), Fit::No)]
    #[case(&["delete_*"], call("tools/list", None), Fit::No)]
    #[case::lax_about_case(&["delete_*"], call("Tools/Call", Some("delete_all")), Fit::Yes)]
    #[case(&["delete_*"], call("tools/call", Some("Delete_all")), Fit::No)]
    // Whatever may be the call counts, and not as surely.
    #[case::a_tool_that_is_not_told(&["delete_*"], call("tools/call", None), Fit::Doubtful)]
    #[case::any_tool(&[], call("tools/call", None), Fit::Yes)]
    #[case::any_call(&["delete_*"], McpCall::Unclear, Fit::Doubtful)]
    #[case(&[], McpCall::Unclear, Fit::Doubtful)]
    fn a_call_fits_by_its_method_and_tool(#[case] tools: &[&str], #[case] call: McpCall<'_>, #[case] fit: Fit) {
        assert_eq!(condition("tools/call", tools).holds(&call), fit);
    }

    #[test]
    fn a_route_of_some_tools_is_narrower_than_one_of_any() {
        assert!(condition("tools/call", &["*"]).conditions() > condition("tools/call", &[]).conditions());
    }
}
