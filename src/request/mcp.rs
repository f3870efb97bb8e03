//! stub
use crate::attestation::json::Object;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum McpCall<'a> {
    One { method: &'a str, tool: Option<&'a str> },
    Unclear,
}
impl<'a> McpCall<'a> {
    pub const NAMESPACE: &'static str = "envoy.filters.http.mcp";
    pub fn of(_m: Option<&'a Object>) -> Self {
        Self::Unclear
    }
}
