//! A caller who proves itself in one way: all that it shows, token by token.

use crate::change::{Call, Draft, Edit, Shown};
use crate::support::certificates::{Authority, uri};
use crate::support::gate::{Gate, challenge_at};
use crate::support::issuers::{ATTESTER, IDP, RESOURCE};
use crate::support::{Result, now};
use crate::way::{Role, Target, Way};
use serde_json::{Value, json};
use std::sync::Arc;
use stepgate::mint::{Algorithm, SigningKey, ath, random_id};

#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) gate: Arc<Gate>,
    pub(crate) way: Way,
    pub(crate) key: SigningKey,
    name: String,
    certificate: String,
    /// The same name in another certificate.
    pub(crate) renewed: String,
    /// What it shows with many calls.
    bearer: Option<String>,
    attestation: Option<String>,
}

/// What a proof speaks of.
struct Beside<'c> {
    target: &'c Target,
    bearer: Option<&'c str>,
    attestation: Option<&'c str>,
}

impl Actor {
    pub(crate) fn new(gate: &Arc<Gate>, way: Way, name: &str) -> Result<Self> {
        let spiffe_id = uri(&spiffe_id(name))?;
        let authority = Authority::new()?;
        let certificate = || -> Result<String> { Ok(authority.client(vec![spiffe_id.clone()])?.certificate) };
        let mut actor = Self {
            gate: Arc::clone(gate),
            way,
            key: SigningKey::generate(Algorithm::Es256)?,
            name: name.to_owned(),
            certificate: certificate()?,
            renewed: certificate()?,
            bearer: None,
            attestation: None,
        };
        actor.bearer = actor.fresh(Role::Bearer)?;
        // A statement is spent by its call; every other attestation serves many.
        actor.attestation = if way == Way::JwtChallenge { None } else { actor.fresh(Role::Attestation)? };
        Ok(actor)
    }

    pub(crate) fn target(&self) -> Target {
        self.way.target()
    }

    /// Who it is to the gate.
    pub(crate) fn principal(&self) -> String {
        if self.way.is_certified() { spiffe_id(&self.name) } else { format!("billing-{}", self.name) }
    }

    /// A call that was never shown before, with one token changed or none.
    pub(crate) fn call(&self, target: &Target, edit: Option<&Edit>) -> Result<Call> {
        let bearer = self.written(Role::Bearer, self.bearer.as_deref(), edit)?;
        let attestation = self.written(Role::Attestation, self.attestation.as_deref(), edit)?;
        let beside = Beside { target, bearer: bearer.as_deref(), attestation: attestation.as_deref() };
        let proof = self.proof(&beside)?.map(|draft| rewritten(&draft, Role::Proof, edit)).transpose()?;
        let tokens = [(Role::Bearer, bearer), (Role::Attestation, attestation), (Role::Proof, proof)];
        let shown =
            tokens.into_iter().filter_map(|(role, token)| Some(Shown::new(role, self.way.slot(role)?, &token?)));
        Ok(Call {
            target: target.clone(),
            shown: shown.collect(),
            certificate: self.way.is_certified().then(|| self.certificate.clone()),
            apart: false,
        })
    }

    /// The certificate that it shows, or could show.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A token of its own that it shows nowhere else.
    pub(crate) fn fresh(&self, role: Role) -> Result<Option<String>> {
        self.draft(role)?.map(|draft| draft.sign()).transpose()
    }

    pub(crate) fn draft(&self, role: Role) -> Result<Option<Draft<'_>>> {
        match role {
            Role::Bearer => Ok(self.way.slot(role).map(|_| self.bearer_draft())),
            Role::Attestation => self.way.slot(role).map(|_| self.attestation_draft()).transpose(),
            Role::Proof => self.proof(&Beside {
                target: &self.target(),
                bearer: self.bearer.as_deref(),
                attestation: self.attestation.as_deref(),
            }),
        }
    }

    fn written(&self, role: Role, kept: Option<&str>, edit: Option<&Edit>) -> Result<Option<String>> {
        match (kept, edit) {
            (_, Some(Edit::Token(edited, _))) if *edited == role => {}
            (Some(kept), _) => return Ok(Some(kept.to_owned())),
            _ => {}
        }
        self.draft(role)?.map(|draft| rewritten(&draft, role, edit)).transpose()
    }

    fn bearer_draft(&self) -> Draft<'_> {
        let mut claims = json!({
            "iss": IDP, "aud": RESOURCE, "sub": self.principal(), "scope": "payments:read payments:refund",
            "iat": now(), "exp": now() + 600,
        });
        if self.way.is_token_bound() {
            claims["cnf"] = json!({ "jkt": self.key.public().thumbprint() });
        }
        let idp = &self.gate.issuers.idp;
        Draft::new(json!({ "typ": "at+jwt", "alg": "ES256", "kid": idp.kid() }), claims, idp)
    }

    fn attestation_draft(&self) -> Result<Draft<'_>> {
        let mut claims = json!({
            "iss": ATTESTER, "sub": self.principal(), "iat": now(), "exp": now() + 600,
            "scope": "payments:refund", "txn": "run-8841",
            "authorization_details":
                [{ "type": "stepgate", "actions": [self.way.route()], "locations": [self.target().host] }],
        });
        let own = match self.way {
            Way::JwtDpop => json!({ "aud": "stepgate-ci", "repository": "acme/deploy", "cnf": self.jkt() }),
            Way::JwtCertificate => json!({
                "aud": "stepgate-ci", "repository": "acme/deploy", "nonce": self.challenge()?,
                "cnf": { "x5t#S256": thumbprint(&self.certificate)? },
            }),
            Way::JwtChallenge => json!({ "aud": format!("stepgate-once#{}", self.challenge()?), "jti": random_id()? }),
            Way::EarDpop => json!({
                "aud": "stepgate-tee", "eat_profile": "tag:ietf.org,2026:rats/ear#04", "cnf": self.jkt(),
                "submods": { "cpu": { "ear_status": "affirming" }, "gpu": { "ear_status": 2 } },
            }),
            _ => json!({ "cnf": { "jwk": self.jwk() } }),
        };
        claims.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        let attester = &self.gate.issuers.attester;
        let typ = match self.way {
            Way::WitWpt | Way::WitAuthorization => "wit+jwt",
            Way::JwtDpop | Way::JwtCertificate | Way::JwtChallenge => "JWT",
            Way::EarDpop => "eat+jwt",
            _ => "oauth-client-attestation+jwt",
        };
        Ok(Draft::new(json!({ "typ": typ, "alg": "ES256", "kid": attester.kid() }), claims, attester))
    }

    fn proof(&self, beside: &Beside<'_>) -> Result<Option<Draft<'_>>> {
        let Some(slot) = self.way.slot(Role::Proof) else { return Ok(None) };
        let Target { method, .. } = beside.target;
        let (url, id) = (beside.target.url(), random_id()?);
        let (typ, mut claims) = match slot.name {
            "dpop" => ("dpop+jwt", json!({ "jti": id, "htm": method, "htu": url, "iat": now() })),
            "oauth-client-attestation-pop" => (
                "oauth-client-attestation-pop+jwt",
                json!({ "jti": id, "aud": RESOURCE, "htm": method, "htu": url, "iat": now() }),
            ),
            _ => ("wpt+jwt", json!({ "jti": id, "aud": url, "exp": now() + 30, "wth": beside.attestation.map(ath) })),
        };
        let mut header = json!({ "typ": typ, "alg": "ES256" });
        if slot.name == "dpop" {
            header["jwk"] = self.key.public().to_json();
        }
        if let Some(bearer) = beside.bearer {
            claims["ath"] = ath(bearer).into();
        }
        if self.way != Way::BoundBearer {
            claims[if slot.name == "dpop" { "nonce" } else { "challenge" }] = self.challenge()?.into();
        }
        Ok(Some(Draft::new(header, claims, &self.key)))
    }

    fn challenge(&self) -> Result<String> {
        challenge_at(now(), RESOURCE, &self.principal())
    }

    fn jkt(&self) -> Value {
        json!({ "jkt": self.key.public().thumbprint() })
    }

    /// A WIT must name the algorithm of its key, and every attestation may.
    fn jwk(&self) -> Value {
        let mut jwk = self.key.public().to_json();
        jwk["alg"] = "ES256".into();
        jwk
    }
}

fn rewritten(draft: &Draft<'_>, role: Role, edit: Option<&Edit>) -> Result<String> {
    match edit {
        Some(Edit::Token(edited, rewrite)) if *edited == role => rewrite(draft),
        _ => draft.sign(),
    }
}

fn spiffe_id(name: &str) -> String {
    format!("spiffe://example.org/ns/billing/sa/{name}")
}

/// RFC 8705 §3.1.
fn thumbprint(pem: &str) -> Result<String> {
    let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes())?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &block.contents);
    Ok(crate::change::encoded(digest))
}
