//! Who says which country a call comes from: a header, or a database beside the policy.

use super::read_header;
use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::digest::{Digest, digest};
use crate::config::files::read_bounded;
use crate::config::keys::beside;
use crate::config::section::{Member, Section};
use crate::config::tree::Node;
use crate::context::{CountrySource, GeoDatabase};
use std::sync::Arc;

/// Databases of cities, which name the country too, have about half of it; it is held in memory.
const MAX_DATABASE_BYTES: u64 = 256 * 1024 * 1024;

/// The source, and a digest of the database where it is one.
pub(super) fn read(
    section: &Section<'_>,
    header: Member<'_>,
    mmdb: Member<'_>,
    problems: &mut Diagnostics,
) -> Option<(CountrySource, Option<Digest>)> {
    match (header.node(), mmdb.node()) {
        (Some(node), None) => Some((CountrySource::Header(read_header(node, problems)?), None)),
        (None, Some(node)) => {
            let (database, digest) = read_database(node, problems)?;
            Some((CountrySource::Database(Arc::new(database)), Some(digest)))
        }
        _ => {
            let help = "say who knows the country, once: `header: x-geo-country` or `mmdb: GeoLite2-Country.mmdb`";
            let message = "`new_country` takes exactly one source";
            problems.report(Code::InvalidValue, section.title().place, message, help);
            None
        }
    }
}

fn read_database(node: &Node, problems: &mut Diagnostics) -> Option<(GeoDatabase, Digest)> {
    let path = beside(node.place, node.text(problems)?, problems)?;
    problems.add_file(path.clone());
    let bytes = match read_bounded(&path, MAX_DATABASE_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("can't read the database `{}`: {error}", path.display());
            let help = "databases are named relative to the file that names them";
            problems.report(Code::GeoDatabase, node.place, message, help);
            return None;
        }
    };
    let digest = digest([&*bytes]);
    match GeoDatabase::from_bytes(bytes) {
        Ok(database) => Some((database, digest)),
        Err(error) => {
            let help =
                "name a MaxMind database with countries, such as GeoLite2-Country.mmdb, that was written to its end";
            problems.report(Code::GeoDatabase, node.place, format!("this database can't be used: {error}"), help);
            None
        }
    }
}
