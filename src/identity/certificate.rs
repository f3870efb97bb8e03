//! The client certificate as Envoy forwards it: URL-encoded PEM in `source.certificate`.
//!
//! Envoy has verified the chain and forwards the leaf alone (`setAttrContextPeer` in its `check_request_utils.cc`); here it is
//! only read, for the identity in it and for its thumbprint.

use super::SpiffeId;
use super::der::{is_certificate, is_sequence};
use super::pem::only_certificate;
use crate::attestation::Thumbprint;
use crate::time::UnixTime;
use percent_encoding::percent_decode_str;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What a client certificate says, and the digest that tokens are bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The one URI SAN, where there is exactly one and it is a SPIFFE ID; else the certificate names nobody.
    pub spiffe_id: Option<SpiffeId>,
    /// SHA-256 over the DER: what `cnf.x5t#S256` names (RFC 8705 §3.1).
    pub thumbprint: Thumbprint,
    pub not_before: UnixTime,
    pub not_after: UnixTime,
}

/// Why a certificate can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("the certificate is over 32 KiB")]
    TooLarge,
    #[error("the certificate is not one URL-encoded PEM block")]
    Pem,
    #[error("the certificate is not X.509 in DER")]
    Der,
}

/// More than any leaf certificate needs, and a bound on what one connection can make us parse.
const MAX_ENCODED_BYTES: usize = 32 * 1024;

/// `uniformResourceIdentifier` among the alternatives of a name (RFC 5280 §4.2.1.6).
const URI_TAG: u32 = 6;

impl PeerCertificate {
    /// Reads `source.certificate` of a `CheckRequest`: one URL-encoded PEM block, the leaf.
    pub fn parse(url_encoded_pem: &str) -> Result<Self, CertificateError> {
        if url_encoded_pem.len() > MAX_ENCODED_BYTES {
            return Err(CertificateError::TooLarge);
        }
        let pem = percent_decode_str(url_encoded_pem).decode_utf8().map_err(|_| CertificateError::Pem)?;
        Self::from_der(&only_certificate(&pem).ok_or(CertificateError::Pem)?)
    }

    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| CertificateError::Der)?;
        if !rest.is_empty() || !is_certificate(der) {
            return Err(CertificateError::Der);
        }
        Ok(Self {
            spiffe_id: only_spiffe_id(&certificate)?,
            thumbprint: Thumbprint::of(der),
            not_before: unix_time(certificate.validity().not_before.timestamp()),
            not_after: unix_time(certificate.validity().not_after.timestamp()),
        })
    }
}

/// X509-SVID §2: exactly one URI SAN. A DNS SAN that spells a SPIFFE ID is no URI SAN.
fn only_spiffe_id(certificate: &X509Certificate<'_>) -> Result<Option<SpiffeId>, CertificateError> {
    let raw = certificate.get_extension_unique(&OID_X509_EXT_SUBJECT_ALT_NAME).map_err(|_| CertificateError::Der)?;
    let san = certificate.subject_alternative_name().map_err(|_| CertificateError::Der)?;
    if raw.is_some_and(|extension| !is_sequence(extension.value)) {
        return Err(CertificateError::Der);
    }
    let names = san.iter().flat_map(|extension| &extension.value.general_names);
    let mut uris = names.filter_map(uri_in);
    Ok(match (uris.next(), uris.next()) {
        (Some(Ok(uri)), None) => SpiffeId::parse(uri).ok(),
        _ => None,
    })
}

/// A name that is a URI, also where it can't be read: it counts all the same.
fn uri_in<'n>(name: &GeneralName<'n>) -> Option<Result<&'n str, &'n [u8]>> {
    match name {
        GeneralName::URI(uri) => Some(Ok(uri)),
        GeneralName::Invalid(tag, bytes) if tag.0 == URI_TAG => Some(Err(bytes)),
        _ => None,
    }
}

fn unix_time(timestamp: i64) -> UnixTime {
    UnixTime::from_secs(u64::try_from(timestamp).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, CustomExtension, KeyPair, SanType};

    fn certificate(sans: Vec<SanType>) -> PeerCertificate {
        let mut params = CertificateParams::default();
        params.subject_alt_names = sans;
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        PeerCertificate::from_der(&der).unwrap()
    }

    /// A certificate of this name, in PEM as Envoy encodes it.
    fn encoded(name: &str) -> String {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![uri(name)];
        let pem = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        percent_encoding::utf8_percent_encode(&pem, percent_encoding::NON_ALPHANUMERIC).to_string()
    }

    fn uri(text: &str) -> SanType {
        SanType::URI(text.try_into().unwrap())
    }

    #[test]
    fn exactly_one_uri_san_names_somebody() {
        let named = certificate(vec![uri("spiffe://example.org/web"), SanType::DnsName("web".try_into().unwrap())]);
        assert_eq!(named.spiffe_id.unwrap().as_str(), "spiffe://example.org/web");
    }

    #[test]
    fn two_uri_sans_name_nobody() {
        let two = certificate(vec![uri("spiffe://example.org/web"), uri("spiffe://example.org/admin")]);
        assert_eq!(two.spiffe_id, None);
        let other_scheme = certificate(vec![uri("spiffe://example.org/web"), uri("https://example.org")]);
        assert_eq!(other_scheme.spiffe_id, None);
    }

    #[test]
    fn a_second_uri_san_counts_also_where_it_is_no_text() {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![uri("spiffe://example.org/web"), uri("spiffe://example.org/admin")];
        let mut der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let at = der.windows(5).position(|bytes| bytes == b"admin").unwrap();
        der[at] = 0xff;
        assert_eq!(PeerCertificate::from_der(&der).unwrap().spiffe_id, None);
    }

    #[test]
    fn something_behind_the_names_is_refused() {
        let mut params = CertificateParams::default();
        let names = b"\x30\x0e\x86\x0cspiffe://a/b\x05\x00".to_vec();
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 17], names)];
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        assert_eq!(PeerCertificate::from_der(&der), Err(CertificateError::Der));
    }

    #[test]
    fn a_dns_san_that_spells_a_spiffe_id_names_nobody() {
        let dns = certificate(vec![SanType::DnsName("spiffe://example.org/admin".try_into().unwrap())]);
        assert_eq!(dns.spiffe_id, None);
    }

    #[test]
    fn a_certificate_is_read_where_it_stands_alone() {
        let alone = encoded("spiffe://example.org/web");
        let read = PeerCertificate::parse(&alone).unwrap();
        assert_eq!(read.spiffe_id.unwrap().as_str(), "spiffe://example.org/web");
    }

    #[test]
    fn a_certificate_beside_anything_else_is_refused() {
        let (own, other) = (encoded("spiffe://example.org/web"), encoded("spiffe://example.org/admin"));
        let begin = "-----BEGIN%20CERTIFICATE-----%0A";
        for beside in
            [format!("{own}{other}"), format!("{begin}%00%0A{own}"), format!("{own}%0Aweb"), format!("%ff{own}")]
        {
            assert_eq!(PeerCertificate::parse(&beside), Err(CertificateError::Pem), "{beside}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert_eq!(PeerCertificate::parse(""), Err(CertificateError::Pem));
        assert_eq!(PeerCertificate::parse(&"a".repeat(40_000)), Err(CertificateError::TooLarge));
        let key = "-----BEGIN%20PRIVATE%20KEY-----%0AAAAA%0A-----END%20PRIVATE%20KEY-----%0A";
        assert_eq!(PeerCertificate::parse(key), Err(CertificateError::Pem));
        assert_eq!(PeerCertificate::from_der(b"0\x03\x02\x01"), Err(CertificateError::Der));
    }
}
