//! Headers that signals look at: their values stand in the decision log, so none may carry a credential.

use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::source::Place;
use crate::policy::CREDENTIAL_HEADERS;

/// `bearer`: the header of bearer tokens, where they have one.
pub(in crate::config) fn check(headers: &[(Box<str>, Place)], bearer: Option<&str>, problems: &mut Diagnostics) {
    for (name, place) in headers {
        if CREDENTIAL_HEADERS.contains(&&**name) || bearer == Some(name) {
            let message = format!("the header `{name}` carries credentials, or what proves them");
            let help = "look at another: what the headers of signals say stands in the decision log";
            problems.report(Code::CredentialSignal, *place, message, help);
        }
    }
}
