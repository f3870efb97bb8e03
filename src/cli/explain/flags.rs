//! A request as flags.

use super::Failure;
use crate::config;
use crate::identity::Principal;
use crate::inputs::{GivenHeader, Inputs};
use crate::policy::{Policy, Scope, ScopeSet};
use crate::time::UnixTime;
use clap::Args;
use std::net::IpAddr;

#[derive(Debug, Args)]
pub(super) struct Flags {
    #[arg(long, default_value = "GET")]
    method: String,
    /// A query may stand in it.
    #[arg(long, required_unless_present = "request")]
    path: Option<String>,
    /// Without it, the host of the policy's `resource`.
    #[arg(long)]
    host: Option<String>,
    /// Any number of them.
    #[arg(long, value_name = "K: V", value_parser = header)]
    header: Vec<GivenHeader>,
    /// Who calls: without it, nobody.
    #[arg(long, value_parser = Principal::parse)]
    principal: Option<Principal>,
    /// What the caller's token grants. Any number of them.
    #[arg(long, value_parser = Scope::parse)]
    scope: Vec<Scope>,
    /// The address that it comes from.
    #[arg(long, value_name = "IP")]
    source: Option<IpAddr>,
}

impl Flags {
    pub(super) fn inputs(self, policy: &Policy) -> Result<Inputs, Failure> {
        let of_resource = || policy.resource.as_ref()?.as_str().split_once("://").map(|(_, host)| host.to_owned());
        let host = self.host.or_else(of_resource).ok_or(Failure::NoHost)?;
        let granted = self.principal.is_some() || !self.scope.is_empty();
        Ok(Inputs {
            headers: self.header,
            principal: self.principal,
            scopes: granted.then(|| ScopeSet::bounded(self.scope).unwrap_or_default()),
            source: self.source,
            ..Inputs::new(&self.method, &host, &self.path.unwrap_or_default())
        })
    }
}

pub(super) fn moment(text: &str) -> Result<UnixTime, String> {
    config::moment(text).ok_or_else(|| "write a date and time with its offset, such as 2026-11-23T10:00:00Z".to_owned())
}

fn header(text: &str) -> Result<GivenHeader, String> {
    let (name, value) = text.split_once(':').ok_or("write a name, a colon and a value, such as `x-api-version: 2`")?;
    let name = http::HeaderName::from_bytes(name.trim().as_bytes()).map_err(|error| error.to_string())?;
    Ok((name.as_str().into(), Some(value.trim().into())))
}
