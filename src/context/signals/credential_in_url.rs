//! `credential_in_url`: URLs end up in logs, histories and referrers, and whoever reads those holds the credential.

use super::Circumstances;
use crate::context::url_credential::credential_in_url;

/// Silent without a query.
pub(super) fn fires(circumstances: &Circumstances<'_>) -> bool {
    circumstances.facts.path.query().is_some_and(credential_in_url)
}
