//! Who calls.

use crate::support::Result;
use crate::support::issuers::proof;
use crate::support::mesh::Mesh;
use crate::{REFUND, SPIFFE_ID};
use reqwest::RequestBuilder;
use stepgate::mint::{Algorithm, SigningKey};

/// A workload with the key of its instance.
pub(crate) struct Workload {
    name: &'static str,
    key: SigningKey,
    token: Option<String>,
}

impl Workload {
    /// One that comes with a bearer token.
    pub(crate) fn with_token(mesh: &Mesh, scope: &str) -> Result<Self> {
        let token = mesh.issuers.bearer("billing-web", scope)?;
        Ok(Self { name: "billing-web", key: SigningKey::generate(Algorithm::Es256)?, token: Some(token) })
    }

    /// One that is known by its certificate.
    pub(crate) fn certified() -> Result<Self> {
        Ok(Self { name: SPIFFE_ID, key: SigningKey::generate(Algorithm::Es256)?, token: None })
    }

    pub(crate) fn call(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The call that answers a challenge of a refund.
    pub(crate) fn answer(&self, mesh: &Mesh, request: RequestBuilder, challenge: &str) -> Result<RequestBuilder> {
        self.prove(mesh, self.call(request), "POST", REFUND, challenge)
    }

    /// Adds an attestation and the proof for one call.
    pub(crate) fn prove(
        &self,
        mesh: &Mesh,
        request: RequestBuilder,
        method: &str,
        path: &str,
        challenge: &str,
    ) -> Result<RequestBuilder> {
        let attestation = mesh.issuers.attestation(self.name, self.key.public())?;
        let proof = proof(&self.key, method, path, self.token.as_deref(), Some(challenge))?;
        Ok(request.header("OAuth-Client-Attestation", attestation).header("DPoP", proof))
    }
}
