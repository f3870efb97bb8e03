//! Client certificates: URL-encoded PEM (RFC 7468) around DER (RFC 5280), with the names of X509-SVID §2.
//!
//! An input is such a text, or DER.

use super::reference::spiffe::is_spiffe_id;
use super::reference::{der, pem, uri};
use stepgate::attestation::Thumbprint;
use stepgate::identity::PeerCertificate;

pub fn holds(data: &[u8]) -> bool {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(read) = PeerCertificate::parse(text)
    {
        let Some(der) = pem::only_certificate(&uri::decoded_leniently(text)) else {
            panic!("no certificate in {text}")
        };
        check(&der, &read);
        return true;
    }
    let Ok(read) = PeerCertificate::from_der(data) else { return false };
    check(data, &read);
    let encoded = pem::encoded(data);
    let again = PeerCertificate::parse(&encoded);
    assert!(again == Ok(read) || encoded.len() > 32 * 1024, "not the same in PEM");
    true
}

/// The one URI names the caller, and nothing else does.
fn check(der: &[u8], read: &PeerCertificate) {
    assert_eq!(read.thumbprint, Thumbprint::of(der));
    if let Some(id) = &read.spiffe_id {
        assert!(is_spiffe_id(id.as_str()), "{id:?}");
        assert_eq!(der::uris(der), Some(vec![id.as_str().as_bytes()]));
    }
}
