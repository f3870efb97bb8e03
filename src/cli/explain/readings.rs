//! Every way in which a server may read the request: the route that it takes then, and how sensitive that is.

use super::Explained;
use super::page::Page;
use crate::policy::{Sensitivity, Taken, UNMATCHED, Unmatched};
use crate::request::{Layer, RequestFacts};

impl Explained<'_> {
    pub(super) fn say_readings(&self, facts: &RequestFacts, page: &mut Page) {
        if facts.layer == Layer::Network {
            page.gap();
            page.fact("connection", format!("judged as an unmatched route, {}", self.sensitivity_of(None)));
            return;
        }
        let mut rows = Vec::new();
        for (method, path) in facts.readings.all(&facts.method, facts.path.canonical()) {
            for taken in self.policy.touch_reading(facts, method, path) {
                rows.push([format!("{} {path}", method.as_str()), self.taken(&taken, facts)]);
            }
        }
        page.table("readings", &rows);
    }

    fn taken(&self, taken: &Taken<'_>, facts: &RequestFacts) -> String {
        let own = self.sensitivity_of(Some(taken));
        let floor = taken.floor.map(|floor| format!(", floor {}", floor.as_str()));
        let hint = match facts.hints.sensitivity {
            _ if facts.hints.unreadable => Some(", critical by a hint of Envoy's that can't be read".to_owned()),
            hinted => hinted.map(|hinted| format!(", hint {}", hinted.as_str())),
        };
        let route = self.route_name(taken);
        format!("{route}: {own}{}{}", floor.unwrap_or_default(), hint.unwrap_or_default())
    }

    /// What the route itself says.
    fn sensitivity_of(&self, taken: Option<&Taken<'_>>) -> &'static str {
        let route = taken.and_then(|taken| self.policy.routes.get(taken.route?));
        match (route, self.policy.unmatched) {
            (Some(route), _) => route.sensitivity.as_str(),
            (None, Unmatched::Sensitivity(sensitivity)) => Sensitivity::as_str(sensitivity),
            (None, Unmatched::Deny) => "refused",
        }
    }

    pub(super) fn route_name(&self, taken: &Taken<'_>) -> &str {
        let route = taken.route.and_then(|id| self.policy.routes.get(id));
        route.map_or(UNMATCHED, |route| route.name.as_str())
    }
}
