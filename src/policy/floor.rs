//! Floors: a request that one matches is at least so sensitive, whatever route it takes, also none.

use super::index::Index;
use super::{Fit, Name, Route, Selected, Selector, Sensitivity};

#[derive(Clone, Debug)]
pub struct Floor {
    /// The team whose file it stands in: it then holds for that team's routes only.
    pub owner: Option<Name>,
    pub selector: Selector,
    pub sensitivity: Sensitivity,
}

/// All floors of a policy. Paths are compared without case: many servers do, and a floor only raises.
#[derive(Debug, Default)]
pub struct Floors {
    floors: Vec<Floor>,
    index: Index,
}

impl Floors {
    pub fn new(floors: Vec<Floor>) -> Self {
        let index = Index::new(floors.iter().map(|floor| &floor.selector), true, |id| id);
        Self { floors, index }
    }

    pub fn is_empty(&self) -> bool {
        self.floors.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Floor> {
        self.floors.iter()
    }

    /// Whether any depends on which MCP call a request makes.
    pub fn look_at_calls(&self) -> bool {
        self.iter().any(|floor| floor.selector.mcp.is_some())
    }

    /// Those that hold for one reading of a request, also where it is doubtful.
    pub fn over<'f>(&'f self, selected: &Selected<'_>) -> Vec<&'f Floor> {
        let mut over = Vec::new();
        if !self.is_empty() {
            let mut collect = |id: usize| {
                let held = self.floors.get(id).filter(|floor| floor.selector.fits(selected) != Fit::No);
                over.extend(held);
                false // so that the look-up goes on to the last
            };
            self.index.find(selected.host, selected.path, &mut collect);
        }
        over
    }
}

impl Floor {
    /// Whether it has a say on a request that takes this route, or none.
    pub fn binds(&self, route: Option<&Route>) -> bool {
        self.owner.is_none() || route.is_some_and(|route| route.owner == self.owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::samples::{condition, headers, method, name, route, route_of, selector};
    use crate::request::{Headers, Host, McpCall};
    use rstest::rstest;

    fn floor(selected: &str, sensitivity: Sensitivity) -> Floor {
        Floor { owner: None, selector: selector(selected), sensitivity }
    }

    /// How high the floors over a `GET` are, in the order of their index.
    fn over(floors: Vec<Floor>, host: &str, path: &str, headers: &Headers) -> Vec<Sensitivity> {
        let (host, method) = (Host::parse(host).unwrap(), method("GET"));
        let selected = Selected { host: &host, method: &method, path, headers, mcp: McpCall::Unclear };
        Floors::new(floors).over(&selected).iter().map(|floor| floor.sensitivity).collect()
    }

    #[rstest]
    #[case("/admin/{*rest}", "api.example.com", "/admin", true)]
    #[case("/admin/{*rest}", "api.example.com", "/admin/", true)]
    #[case("/admin/{*rest}", "api.example.com", "/admin/users/7", true)]
    #[case("/admin/{*rest}", "api.example.com", "/administrator", false)]
    // Many servers read paths without case.
    #[case("/admin/{*rest}", "api.example.com", "/Admin/Users", true)]
    #[case("/Admin/{x}", "api.example.com", "/aDMIN/7", true)]
    #[case("api.example.com/a", "api.example.com", "/a", true)]
    #[case("api.example.com/a", "other.example.com", "/a", false)]
    #[case("*.example.com/a", "api.example.com", "/a", true)]
    #[case("*.example.com/a", "example.com", "/a", false)]
    fn a_floor_is_over_what_it_names(
        #[case] selected: &str,
        #[case] host: &str,
        #[case] path: &str,
        #[case] holds: bool,
    ) {
        let floors = over(vec![floor(selected, Sensitivity::Critical)], host, path, &Headers::default());
        assert_eq!(floors.len(), usize::from(holds));
    }

    #[test]
    fn all_floors_over_a_request_are_found_whatever_is_narrower() {
        let floors = vec![
            floor("/{*rest}", Sensitivity::Moderate),
            floor("/admin/{*rest}", Sensitivity::Critical),
            floor("/admin/{x}", Sensitivity::High),
            floor("*.example.com/admin/users", Sensitivity::Low),
            floor("/other", Sensitivity::Critical),
        ];
        let mut found = over(floors, "api.example.com", "/admin/users", &Headers::default());
        found.sort_unstable();
        assert_eq!(found, Sensitivity::ALL);
    }

    #[rstest]
    #[case(&[("x-a", Some("1"))], true)]
    #[case::doubtful(&[("x-a", Some("2,1"))], true)]
    #[case::no_text(&[("x-a", None)], true)]
    #[case(&[("x-a", Some("2"))], false)]
    #[case(&[], false)]
    fn a_floor_counts_also_where_it_is_doubtful(#[case] pairs: &[(&str, Option<&str>)], #[case] holds: bool) {
        let selector = Selector { headers: vec![condition("x-a", &["1"])], ..selector("/a") };
        let floors = vec![Floor { selector, ..floor("/a", Sensitivity::High) }];
        assert_eq!(over(floors, "h", "/a", &headers(pairs)).len(), usize::from(holds));
    }

    #[test]
    fn a_floor_may_be_for_some_methods() {
        let selector = |text| Selector { methods: vec![method(text)], ..selector("/a") };
        let floors = ["GET", "DELETE"].map(|text| Floor { selector: selector(text), ..floor("/a", Sensitivity::High) });
        assert_eq!(over(floors.into(), "h", "/a", &Headers::default()).len(), 1);
    }

    #[rstest]
    #[case(None, None, true)]
    #[case(None, Some(route("a", "/a")), true)]
    #[case(None, Some(route_of("payments")), true)]
    #[case(Some("payments"), Some(route_of("payments")), true)]
    #[case(Some("payments"), Some(route_of("billing")), false)]
    #[case(Some("payments"), Some(route("a", "/a")), false)]
    #[case(Some("payments"), None, false)]
    fn a_teams_floor_holds_for_its_own_routes(
        #[case] owner: Option<&str>,
        #[case] taken: Option<Route>,
        #[case] binds: bool,
    ) {
        let floor = Floor { owner: owner.map(name), ..floor("/{*rest}", Sensitivity::High) };
        assert_eq!(floor.binds(taken.as_ref()), binds);
    }
}
