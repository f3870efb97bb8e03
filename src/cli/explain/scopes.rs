//! What the call exercises, and which of it is more than routine.

use super::Explained;
use super::page::{Page, list};
use crate::policy::{PrivilegeReason, Scope, ScopePatterns, ScopeSet, Taken};
use crate::request::RequestFacts;

impl Explained<'_> {
    pub(super) fn say_scopes(&self, facts: &RequestFacts, page: &mut Page) {
        let Some(class) = &self.decision.findings.classification else { return };
        let subject = self.decision.findings.subject(self.policy);
        let touched = self.policy.touch(facts);
        let all = touched.iter().map(|taken| taken.scopes.clone()).reduce(|all, more| all.union(&more));
        let rows: Vec<_> = all
            .iter()
            .flat_map(ScopeSet::iter)
            .map(|scope| [scope.to_string(), self.privilege_of(scope, &touched, subject.baseline)])
            .collect();
        if rows.is_empty() {
            page.gap();
            page.fact("scopes", "none");
        } else {
            page.table("scopes", &rows);
        }
        if touched.iter().any(|taken| !taken.told) {
            page.fact("", "what else it asks for can't be read");
        }
        let reasons = class.privilege_reasons.iter().map(|reason| reason.as_str());
        page.fact(
            "privilege",
            match reasons.len() {
                0 => class.privilege.as_str().to_owned(),
                _ => format!("{}: {}", class.privilege.as_str(), list(reasons)),
            },
        );
    }

    fn privilege_of(&self, scope: &Scope, touched: &[Taken<'_>], baseline: Option<&ScopePatterns>) -> String {
        let catalogued = touched.iter().any(|taken| self.policy.catalogued(taken).contains(scope));
        let because = [
            (PrivilegeReason::Catalogue, catalogued),
            (PrivilegeReason::OutsideBaseline, baseline.is_some_and(|baseline| !baseline.contains(scope))),
        ];
        let because: Vec<_> =
            because.into_iter().filter(|(_, holds)| *holds).map(|(reason, _)| reason.as_str()).collect();
        if because.is_empty() { "routine".to_owned() } else { format!("elevated: {}", because.join(", ")) }
    }
}
