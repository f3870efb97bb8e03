//! `owners`: which hosts and paths each team's files may name.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::matches::{read_hosts, read_path, sorted};
use super::section::Section;
use super::source::Place;
use super::tree::Entry;
use crate::policy::{HostPattern, Name, PathTemplate};

/// What a team may name.
#[derive(Debug)]
pub(super) struct SpaceDraft {
    pub team: Name,
    /// None named: any.
    pub hosts: Vec<HostPattern>,
    /// None named: any.
    pub paths: Vec<PathTemplate>,
    pub place: Place,
}

pub(super) fn read(entry: &Entry, problems: &mut Diagnostics) -> Option<SpaceDraft> {
    let section = Section::named("the owner", entry, problems)?;
    let team = entry.name(problems);
    let [hosts, paths] = section.members(["hosts", "paths"], problems);
    if hosts.entry().or(paths.entry()).is_none() {
        let message = format!("the owner `{}` could name every request", entry.key);
        let help = "name its `hosts`, or its `paths` such as `[\"/v1/payments/{*rest}\"]`, or both";
        problems.report(Code::MissingKey, entry.key_place, message, help);
    }
    let hosts = hosts.or(Vec::new(), problems, read_hosts);
    let paths = paths.or(Vec::new(), problems, |node, problems| sorted(node, problems, read_path));
    Some(SpaceDraft { team: team?, hosts: hosts?, paths: paths?, place: entry.key_place })
}
