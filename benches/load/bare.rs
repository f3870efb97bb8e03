//! Signature checks and nothing else: by aws-lc-rs, under keys that are parsed already. No decision on a fresh proof can be
//! faster than the ones in it.

use crate::Result;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::hint::black_box;
use std::time::{Duration, Instant};
use stepgate::mint::{Algorithm, SigningKey};

/// A token as a check takes it.
#[derive(Debug)]
pub(crate) struct Signed {
    input: String,
    signature: Vec<u8>,
}

impl Signed {
    pub(crate) fn read(token: &str) -> Result<Self> {
        let (input, signature) = token.rsplit_once('.').ok_or("a token has three parts")?;
        Ok(Self { input: input.to_owned(), signature: URL_SAFE_NO_PAD.decode(signature)? })
    }
}

/// How long it takes to check them all, which must be good.
pub(crate) fn time<'a>(checks: impl IntoIterator<Item = (&'a ParsedPublicKey, &'a Signed)>) -> Result<Duration> {
    let began = Instant::now();
    let mut good = true;
    for (key, signed) in checks {
        good &= black_box(key.verify_sig(signed.input.as_bytes(), &signed.signature)).is_ok();
    }
    let elapsed = began.elapsed();
    if good { Ok(elapsed) } else { Err("a bare check should find the signature good".into()) }
}

/// The public half, ready to check with.
pub(crate) fn parsed(key: &SigningKey) -> Result<ParsedPublicKey> {
    let jwk = key.public().to_json();
    let member = |name: &str| -> Result<Vec<u8>> {
        Ok(URL_SAFE_NO_PAD.decode(jwk.get(name).and_then(|member| member.as_str()).unwrap_or_default())?)
    };
    Ok(match key.algorithm() {
        Algorithm::EdDsa => ParsedPublicKey::new(&ED25519, member("x")?)?,
        _ => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [vec![4], member("x")?, member("y")?].concat())?,
    })
}
