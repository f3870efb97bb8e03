//! Signed JWTs of every kind that stepgate reads, and of any kind that it must refuse.

use super::{MintError, PublicJwk, SigningKey, encode, random_id, sha256};
use serde_json::{Map, Value, json};

/// A JWT before it is signed.
#[derive(Debug, Clone)]
pub struct Jwt {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Jwt {
    pub fn new(typ: &str) -> Self {
        Self { header: Map::from_iter([("typ".to_owned(), json!(typ))]), claims: Map::new() }
    }

    /// An access token (RFC 9068); its issuer, audience, scope and times are still to be said.
    pub fn bearer(subject: &str) -> Self {
        Self::new("at+jwt").claim("sub", subject)
    }

    /// An attestation of the instance that holds `key` (draft-ietf-oauth-attestation-based-client-auth).
    pub fn attestation(subject: &str, key: &PublicJwk) -> Self {
        Self::new("oauth-client-attestation+jwt").claim("sub", subject).claim("cnf", json!({ "jwk": key }))
    }

    /// A verifier's results (draft-ietf-rats-ear), or with dots as Project Veraison writes them; its submodules, holder and
    /// times are still to be said.
    pub fn results(dotted: bool) -> Self {
        let (typ, profile, verifier) = if dotted {
            ("JWT", "tag:github.com,2023:veraison/ear", "ear.verifier-id")
        } else {
            ("eat+jwt", "tag:ietf.org,2026:rats/ear#04", "ear_verifier_id")
        };
        let build = concat!("stepgate ", env!("CARGO_PKG_VERSION"));
        Self::new(typ)
            .claim("eat_profile", profile)
            .claim(verifier, json!({ "developer": "stepgate attest", "build": build }))
    }

    /// A DPoP proof (RFC 9449) for one call; a query or fragment of `url` is left out, as section 4.2 wants.
    pub fn proof(key: &PublicJwk, method: &str, url: &str) -> Result<Self, MintError> {
        Ok(Self::new("dpop+jwt")
            .header("jwk", key.to_json())
            .claim("jti", random_id()?)
            .claim("htm", method)
            .claim("htu", target(url)))
    }

    /// A proof in `OAuth-Client-Attestation-PoP` (draft-ietf-oauth-attestation-based-client-auth-10 §5.1) for one call
    /// to the resource `audience`, which it names as a `DPoP` proof does.
    pub fn pop(audience: &str, method: &str, url: &str) -> Result<Self, MintError> {
        Ok(Self::new("oauth-client-attestation-pop+jwt")
            .claim("jti", random_id()?)
            .claim("aud", audience)
            .claim("htm", method)
            .claim("htu", target(url)))
    }

    /// A workload identity token (draft-ietf-wimse-workload-creds-02 §5.1) of the workload that holds `key`.
    pub fn wit(subject: &str, key: &PublicJwk) -> Self {
        let mut jwk = key.to_members();
        jwk.insert("alg".to_owned(), json!(key.algorithm().as_str()));
        Self::new("wit+jwt").claim("sub", subject).claim("cnf", json!({ "jwk": jwk }))
    }

    /// A workload proof token (draft-ietf-wimse-wpt-01 §2) that is shown with `wit`; its `exp` is still to be said.
    pub fn wpt(wit: &str, url: &str) -> Result<Self, MintError> {
        Ok(Self::new("wpt+jwt").claim("jti", random_id()?).claim("aud", target(url)).claim("wth", sha256(wit)))
    }

    /// Issued at `now` (Unix seconds), expiring `ttl` seconds later.
    #[must_use]
    pub fn issued(self, now: u64, ttl: u64) -> Self {
        self.claim("iat", now).claim("exp", now.saturating_add(ttl))
    }

    /// Ties a proof to the bearer that is sent along (`ath`).
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        self.claim("ath", ath(token))
    }

    /// Sets a claim, or replaces it.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a claim out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a header parameter, or replaces it: `typ`, and `alg` and `kid` too, which the key says otherwise.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Signs; a header that brings its own `jwk` gets no `kid`.
    pub fn sign(&self, key: &SigningKey) -> Result<String, MintError> {
        let mut header = self.header.clone();
        header.entry("alg").or_insert_with(|| json!(key.algorithm().as_str()));
        if !header.contains_key("jwk") {
            header.entry("kid").or_insert_with(|| json!(key.kid()));
        }
        sign_verbatim(key, &json!(header).to_string(), &json!(self.claims).to_string())
    }
}

/// Signs a header and claims to the letter, also what is no valid JSON: duplicate members, other types.
pub fn sign_verbatim(key: &SigningKey, header: &str, claims: &str) -> Result<String, MintError> {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", encode(signature)))
}

/// A URL as proofs name it.
fn target(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// The digest of an access token in a proof (RFC 9449 section 4.2).
pub fn ath(token: &str) -> String {
    sha256(token)
}

#[cfg(test)]
mod tests {
    use super::super::{Algorithm, jwks};
    use super::{Jwt, SigningKey, sign_verbatim};
    use jsonwebtoken::jwk::{Jwk, JwkSet};
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
    use serde_json::{Value, json};

    const NOW: u64 = 1_790_000_000;

    /// What an independent verifier reads out of a token that is signed by `jwk`.
    fn verified(token: &str, jwk: &Jwk) -> Value {
        let mut validation = Validation::new(decode_header(token).unwrap().alg);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        decode(token, &DecodingKey::from_jwk(jwk).unwrap(), &validation).unwrap().claims
    }

    #[test]
    fn an_independent_verifier_finds_the_key_by_its_kid_and_accepts_every_algorithm() {
        for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let set: JwkSet = serde_json::from_value(jwks([&key])).unwrap();
            let token = Jwt::bearer("billing-web").issued(NOW, 300).claim("scope", "a b").sign(&key).unwrap();
            let kid = decode_header(&token).unwrap().kid.unwrap();
            assert_eq!(
                verified(&token, set.find(&kid).unwrap()),
                json!({ "sub": "billing-web", "iat": NOW, "exp": NOW + 300, "scope": "a b" })
            );
        }
    }

    #[test]
    fn an_attestation_names_the_workloads_key() {
        let [attester, instance] = [(); 2].map(|()| SigningKey::generate(Algorithm::Es256).unwrap());
        let jwt = Jwt::attestation("billing-web", instance.public()).issued(NOW, 60).sign(&attester).unwrap();
        let header = decode_header(&jwt).unwrap();
        assert_eq!(header.typ.as_deref(), Some("oauth-client-attestation+jwt"));
        let claims = verified(&jwt, &serde_json::from_value(attester.published_jwk()).unwrap());
        assert_eq!(claims["cnf"]["jwk"], instance.public().to_json());
    }

    #[test]
    fn a_proof_carries_its_key_and_speaks_of_one_call() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let url = "https://api.example.com/v1/payments/7/refund?retry=1#top";
        let proof = Jwt::proof(key.public(), "POST", url).unwrap().claim("iat", NOW).claim("nonce", "v1.k.c");
        let token = proof.with_token("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU").sign(&key).unwrap();
        let header = decode_header(&token).unwrap();
        assert_eq!((header.typ.as_deref(), header.kid), (Some("dpop+jwt"), None));
        let claims = verified(&token, &header.jwk.unwrap());
        assert_eq!(claims["htm"], "POST");
        assert_eq!(claims["htu"], "https://api.example.com/v1/payments/7/refund");
        assert_eq!(claims["nonce"], "v1.k.c");
        // The example of RFC 9449 section 7.1 has this token and this digest.
        assert_eq!(claims["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    }

    #[test]
    fn results_have_the_type_and_profile_of_their_spelling() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        for (dotted, typ, verifier) in [(false, "eat+jwt", "ear_verifier_id"), (true, "JWT", "ear.verifier-id")] {
            let jwt = Jwt::results(dotted).issued(NOW, 60).sign(&key).unwrap();
            assert_eq!(decode_header(&jwt).unwrap().typ.as_deref(), Some(typ));
            let claims = verified(&jwt, &serde_json::from_value(key.published_jwk()).unwrap());
            assert!(claims[verifier]["developer"].is_string() && claims["eat_profile"].is_string(), "{claims}");
        }
    }

    #[test]
    fn no_two_proofs_have_the_same_id() {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let id = || Jwt::proof(key.public(), "GET", "https://a.example/").unwrap().claims["jti"].clone();
        assert_ne!(id(), id());
    }

    #[test]
    fn what_is_signed_verbatim_stays_as_it_was_said() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let claims = r#"{"sub":"a","sub":"b"}"#;
        let token = sign_verbatim(&key, r#"{"alg":"ES256"}"#, claims).unwrap();
        assert_eq!(token.split('.').nth(1).unwrap(), super::encode(claims));
    }
}
