//! `WWW-Authenticate`: RFC 6750 §3, RFC 9449 §7.1, and RFC 9470 §3 for what a step-up asks.

use crate::attestation::Algorithm;
use crate::identity::Scheme;
use crate::policy::Assurance;
use crate::problem::Problem;
use std::borrow::Cow;
use std::fmt;

/// A challenge of one scheme with its parameters in order.
#[derive(Debug)]
pub struct WwwAuthenticate {
    scheme: Scheme,
    parameters: Vec<(&'static str, Cow<'static, str>)>,
}

impl WwwAuthenticate {
    /// Without a problem there is no `error`: the caller showed nothing (RFC 6750 §3.1).
    pub fn new(scheme: Scheme, problem: Option<&Problem>) -> Self {
        let parameters = problem
            .map(|problem| vec![("error", problem.code.clone()), ("error_description", Cow::Borrowed(problem.title))]);
        Self { scheme, parameters: parameters.unwrap_or_default() }
    }

    #[must_use]
    pub fn for_level(mut self, level: &Assurance) -> Self {
        self.parameters.push(("acr_values", level.name.to_string().into()));
        self.parameters.push(("max_age", level.max_age.as_secs().to_string().into()));
        self
    }

    #[must_use]
    pub fn for_scope(mut self, scope: &str) -> Self {
        if !scope.is_empty() {
            self.parameters.push(("scope", scope.to_owned().into()));
        }
        self
    }
}

/// Nothing that is written between quotes needs escaping: names, scopes, numbers and fixed texts.
impl fmt::Display for WwwAuthenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.scheme {
            Scheme::Bearer => "Bearer",
            Scheme::Dpop => "DPoP",
        })?;
        let mut gap = " ";
        for (name, value) in &self.parameters {
            write!(f, "{gap}{name}=\"{value}\"")?;
            gap = ", ";
        }
        if self.scheme == Scheme::Dpop {
            let algorithms: Vec<_> = Algorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
            write!(f, "{gap}algs=\"{}\"", algorithms.join(" "))?;
        }
        Ok(())
    }
}
