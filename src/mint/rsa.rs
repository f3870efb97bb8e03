//! RSA keys as JWKs: the crypto library writes them as PKCS #8 only, so the numbers are read out of that.

use super::jwk::decoded;
use super::{MintError, PublicJwk, encode};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPairComponents, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use serde_json::Value;
use x509_parser::asn1_rs::{FromDer, Integer, OctetString, Sequence};

/// `RSAPrivateKey` of RFC 8017 appendix A.1.2, as its numbers are named in RFC 7518 section 6.3.2.
const PRIVATE_MEMBERS: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

pub(super) fn generate() -> Result<RsaKeyPair, MintError> {
    RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| MintError::Crypto("generate a key"))
}

pub(super) fn from_jwk(jwk: &Value) -> Result<RsaKeyPair, MintError> {
    let components = KeyPairComponents {
        public_key: PublicKeyComponents { n: decoded(jwk, "n")?, e: decoded(jwk, "e")? },
        d: decoded(jwk, "d")?,
        p: decoded(jwk, "p")?,
        q: decoded(jwk, "q")?,
        dP: decoded(jwk, "dp")?,
        dQ: decoded(jwk, "dq")?,
        qInv: decoded(jwk, "qi")?,
    };
    RsaKeyPair::from_components(&components).map_err(|why| MintError::Rejected(why.to_string()))
}

pub(super) fn public_jwk(pair: &RsaKeyPair) -> PublicJwk {
    let public = pair.public_key();
    PublicJwk::rsa(
        public.exponent().big_endian_without_leading_zero(),
        public.modulus().big_endian_without_leading_zero(),
    )
}

pub(super) fn private_members(pair: &RsaKeyPair) -> Result<impl Iterator<Item = (String, Value)> + use<>, MintError> {
    let unwritable = || MintError::Crypto("write the private key");
    let pkcs8 = pair.as_der().map_err(|_| unwritable())?;
    let numbers = private_numbers(pkcs8.as_ref()).ok_or_else(unwritable)?;
    let names = PRIVATE_MEMBERS.map(str::to_owned);
    Ok(names.into_iter().zip(numbers.into_iter().map(|number| encode(number).into())))
}

/// The numbers of [`PRIVATE_MEMBERS`]; before them stand the version, the modulus and the exponent.
fn private_numbers(pkcs8: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (_, info) = Sequence::from_der(pkcs8).ok()?;
    let (rest, _version) = Integer::from_der(&info.content).ok()?;
    let (rest, _algorithm) = Sequence::from_der(rest).ok()?;
    let (_, key) = OctetString::from_der(rest).ok()?;
    let (_, numbers) = Sequence::from_der(key.as_ref()).ok()?;
    let mut rest: &[u8] = &numbers.content;
    let mut all = Vec::new();
    while let Ok((after, number)) = Integer::from_der(rest) {
        all.push(without_sign(number.as_ref()).to_vec());
        rest = after;
    }
    Some(all.split_off(all.len().min(3))).filter(|private| private.len() == PRIVATE_MEMBERS.len())
}

/// DER puts a zero before a number whose first bit is set; JWK does not.
fn without_sign(number: &[u8]) -> &[u8] {
    match number {
        [0, rest @ ..] => rest,
        all => all,
    }
}
