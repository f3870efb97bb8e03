//! Which requests take a route, or are under a floor.

use super::{Fit, HeaderCondition, HostPattern, McpCondition, PathTemplate};
use crate::request::{Headers, Host, McpCall, Method, RequestFacts};

/// What a request must be like. Of host and path an index finds the candidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// None named: any.
    pub hosts: Vec<HostPattern>,
    /// None named: any.
    pub methods: Vec<Method>,
    pub path: PathTemplate,
    /// All must hold.
    pub headers: Vec<HeaderCondition>,
    pub mcp: Option<McpCondition>,
}

/// One reading of a request, as selectors look at it. What it calls is the same in every reading.
#[derive(Clone, Copy, Debug)]
pub struct Selected<'a> {
    pub host: &'a Host,
    pub method: &'a Method,
    pub path: &'a str,
    pub headers: &'a Headers,
    pub mcp: McpCall<'a>,
}

impl Selector {
    /// Whether a request whose host and path fit also fits in all else.
    pub fn fits(&self, selected: &Selected<'_>) -> Fit {
        if !self.methods.is_empty() && !self.methods.contains(selected.method) {
            return Fit::No;
        }
        let headers = self.headers.iter().map(|condition| condition.holds(selected.headers));
        let mcp = self.mcp.iter().map(|condition| condition.holds(&selected.mcp));
        headers.chain(mcp).min().unwrap_or(Fit::Yes)
    }

    /// How many conditions it has beside host, path and method.
    pub fn conditions(&self) -> usize {
        self.headers.len() + self.mcp.as_ref().map_or(0, McpCondition::conditions)
    }
}

impl<'a> Selected<'a> {
    /// The request as it was sent.
    pub fn of(facts: &'a RequestFacts, mcp: McpCall<'a>) -> Self {
        let path = facts.path.canonical();
        Self { host: &facts.host, method: &facts.method, path, headers: &facts.headers, mcp }
    }
}
