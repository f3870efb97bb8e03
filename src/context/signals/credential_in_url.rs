//! `credential_in_url`: URLs end up in logs, histories and referrers, and whoever reads those holds the credential.

use super::Circumstances;
use crate::context::url_credential::credential_in_url;

/// Silent without a query.
pub(super) fn fires(circumstances: &Circumstances<'_>) -> bool {
    circumstances.facts.path.query().is_some_and(credential_in_url)
}

#[cfg(test)]
mod tests {
    use crate::context::signals::Test;
    use crate::context::signals::situation::Situation;
    use rstest::rstest;

    #[rstest]
    #[case("/a", false)]
    #[case("/a?", false)]
    #[case("/a?page=2", false)]
    #[case("/a?api_key=x", true)]
    #[case("/a?page=2&Access-Token=x", true)]
    #[case("/api_key=x", false)]
    fn it_looks_at_the_query_alone(#[case] target: &'static str, #[case] fires: bool) {
        let situation = Situation { target, familiarity: None, ..Situation::usual() };
        assert_eq!(situation.fires(&Test::CredentialInUrl), fires);
    }
}
