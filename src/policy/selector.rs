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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::samples::{condition, glob, headers, method, selector};
    use rstest::rstest;

    const DELETE: McpCall<'_> = McpCall::One { method: "tools/call", tool: Some("delete_all") };
    const LIST: McpCall<'_> = McpCall::One { method: "tools/list", tool: None };

    /// `GET`, `x-a: 1`, and a call of a tool that deletes.
    fn narrow() -> Selector {
        let mcp = McpCondition { method: McpCondition::TOOLS_CALL.into(), tools: [glob("delete_*")].into() };
        Selector {
            methods: vec![method("GET")],
            headers: vec![condition("x-a", &["1"])],
            mcp: Some(mcp),
            ..selector("/a")
        }
    }

    #[rstest]
    #[case("GET", &[("x-a", Some("1"))], DELETE, Fit::Yes)]
    #[case("PUT", &[("x-a", Some("1"))], DELETE, Fit::No)]
    #[case("get", &[("x-a", Some("1"))], DELETE, Fit::No)]
    #[case("GET", &[("x-a", Some("2"))], DELETE, Fit::No)]
    #[case("GET", &[("x-a", Some("1"))], LIST, Fit::No)]
    #[case("GET", &[("x-a", Some("1,2"))], DELETE, Fit::Doubtful)]
    #[case("GET", &[("x-a", Some("1"))], McpCall::Unclear, Fit::Doubtful)]
    #[case("GET", &[("x-a", None)], McpCall::Unclear, Fit::Doubtful)]
    // What surely does not hold, no doubt makes hold.
    #[case("GET", &[], McpCall::Unclear, Fit::No)]
    #[case("GET", &[("x-a", None)], LIST, Fit::No)]
    #[case("PUT", &[("x-a", None)], McpCall::Unclear, Fit::No)]
    fn a_request_fits_as_well_as_in_its_worst_condition(
        #[case] own: &str,
        #[case] pairs: &[(&str, Option<&str>)],
        #[case] mcp: McpCall<'_>,
        #[case] fit: Fit,
    ) {
        let (host, method, headers) = (Host::unknown(), method(own), headers(pairs));
        let selected = Selected { host: &host, method: &method, path: "/a", headers: &headers, mcp };
        assert_eq!(narrow().fits(&selected), fit);
        assert_eq!(selector("/a").fits(&selected), Fit::Yes, "nothing is asked of it");
    }

    #[test]
    fn every_condition_beside_host_path_and_method_narrows() {
        let counts = [
            selector("/a"),
            Selector { methods: narrow().methods, ..selector("api.example.com/a") },
            Selector { headers: narrow().headers, ..selector("/a") },
            narrow(),
        ];
        assert_eq!(counts.map(|selector| selector.conditions()), [0, 0, 1, 3]);
    }
}
