//! A small certificate authority: a server, and clients of every kind that must be told apart.

use super::Result;
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use std::fs;
use std::path::Path;

#[derive(Debug)]
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its private key, both PEM.
#[derive(Debug, Clone)]
pub struct Certified {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = named("stepgate test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(Self { pem: params.self_signed(&key)?.pem(), issuer: Issuer::new(params, key) })
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn server(&self, name: &str) -> Result<Certified> {
        let mut params = named(name);
        params.subject_alt_names = vec![dns(name)?];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.certify(&params)
    }

    /// A client whose names are these, whatever they are; see [`uri`] and [`dns`].
    pub fn client(&self, names: Vec<SanType>) -> Result<Certified> {
        let mut params = named("workload");
        params.subject_alt_names = names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.certify(&params)
    }

    /// Writes what Envoy's bootstrap names: `ca.crt`, `server.crt` and `server.key`.
    pub fn write_server(&self, name: &str, dir: &Path) -> Result<()> {
        let server = self.server(name)?;
        fs::write(dir.join("ca.crt"), &self.pem)?;
        fs::write(dir.join("server.crt"), server.certificate)?;
        Ok(fs::write(dir.join("server.key"), server.key)?)
    }

    fn certify(&self, params: &CertificateParams) -> Result<Certified> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Certified { certificate, key: key.serialize_pem() })
    }
}

pub fn uri(name: &str) -> Result<SanType> {
    Ok(SanType::URI(Ia5String::try_from(name)?))
}

pub fn dns(name: &str) -> Result<SanType> {
    Ok(SanType::DnsName(Ia5String::try_from(name)?))
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
