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
