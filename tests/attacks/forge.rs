//! Tokens to the letter: taken apart, changed where the minting tools would not, and signed by whoever forges.

use crate::support::Result;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stepgate::mint::{SigningKey, sign_verbatim};

/// A token that was good: header and claims as JSON text, the signature as it was.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) header: String,
    pub(crate) claims: String,
    pub(crate) signature: String,
}

impl Parts {
    pub(crate) fn of(token: &str) -> Result<Self> {
        let parts: Vec<_> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { return Err("not three parts".into()) };
        Ok(Self { header: decoded(header)?, claims: decoded(claims)?, signature: signature.to_owned() })
    }

    /// With the signature that was made for something else.
    pub(crate) fn unsigned(&self) -> String {
        format!("{}.{}.{}", encoded(&self.header), encoded(&self.claims), self.signature)
    }

    pub(crate) fn signed_by(&self, key: &SigningKey) -> Result<String> {
        Ok(sign_verbatim(key, &self.header, &self.claims)?)
    }

    /// With another member at the start of the header, whether or not there is one of its name.
    pub(crate) fn with_header_member(self, member: &str) -> Self {
        Self { header: with_member(&self.header, member), ..self }
    }

    pub(crate) fn with_claim_member(self, member: &str) -> Self {
        Self { claims: with_member(&self.claims, member), ..self }
    }

    /// Authenticated by a key that everybody knows.
    pub(crate) fn hmac(&self, public_key: &str) -> String {
        let message = format!("{}.{}", encoded(&self.header), encoded(&self.claims));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, public_key.as_bytes());
        let tag = aws_lc_rs::hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
    }
}

fn with_member(object: &str, member: &str) -> String {
    object.replacen('{', &format!("{{{member},"), 1)
}

pub(crate) fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn decoded(part: &str) -> Result<String> {
    Ok(String::from_utf8(URL_SAFE_NO_PAD.decode(part)?)?)
}
