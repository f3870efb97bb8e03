//! Policies of any size that decide the same call in the same way.

use crate::Result;
use crate::message::{HOST, SERVICE};
use std::fmt::Write;

/// How much of everything a policy has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) routes: usize,
    /// None: no `identities`.
    pub(crate) identities: usize,
    pub(crate) rules: usize,
    /// Whether all signals are on.
    pub(crate) signals: bool,
}

impl Size {
    pub(crate) fn policy(self) -> Result<String> {
        let mut policy = format!(
            r#"version: 1
resource: https://{HOST}
issuers:
  idp:      {{ issuer: https://idp.example.com, audiences: [https://{HOST}], algorithms: [ES256], keys: {{ file: idp.jwks.json }} }}
  attester: {{ issuer: https://attest.example.com, algorithms: [ES256], keys: {{ file: attester.jwks.json }} }}
credentials: {{ bearer: {{ issuers: [idp] }} }}
scopes: {{ elevated: ["*:write"] }}
attestations:
  workload: {{ profile: oauth-client-attestation, issuers: [attester] }}
  wimse: {{ profile: wimse, issuers: [attester] }}
assurance: [{{ name: fresh, max_age: 5m, accept: [workload, wimse] }}]
"#
        );
        self.write_rules(&mut policy)?;
        self.write_routes(&mut policy)?;
        self.write_identities(&mut policy)?;
        if self.signals {
            policy.push_str(SIGNALS);
        }
        Ok(policy)
    }

    fn write_rules(self, policy: &mut String) -> Result<()> {
        policy.push_str("rules:\n");
        for rule in 0..self.rules {
            let when = match rule % 5 {
                0 => "sensitivity: high, privilege: elevated".to_owned(),
                1 if self.signals => "sensitivity: high, anomaly: 50".to_owned(),
                2 if self.identities > 0 => "kinds: [agent], sensitivity: critical".to_owned(),
                3 => "routes: [\"admin-*\"], methods: [DELETE]".to_owned(),
                _ => format!("sensitivity: moderate, headers: {{ x-tenant: [\"tenant-{rule}\"] }}"),
            };
            writeln!(policy, "  - {{ name: rule-{rule}, when: {{ {when} }}, require: fresh }}")?;
        }
        Ok(())
    }

    fn write_routes(self, policy: &mut String) -> Result<()> {
        policy
            .push_str("routes:\n  - { name: admin-all, match: { path: \"/admin/{*rest}\" }, sensitivity: critical }\n");
        for service in SERVICE..SERVICE + self.routes / 2 {
            let path = format!("/v1/service-{service}/items/{{id}}");
            writeln!(
                policy,
                r#"  - {{ name: read-{service}, match: {{ methods: [GET], path: "{path}" }}, sensitivity: moderate, scopes: ["service-{service}:read"] }}
  - {{ name: write-{service}, match: {{ methods: [PUT], path: "{path}" }}, sensitivity: high, scopes: ["service-{service}:write"] }}"#
            )?;
        }
        Ok(())
    }

    /// The caller's own entry, patterns that match it too, and others.
    fn write_identities(self, policy: &mut String) -> Result<()> {
        if self.identities == 0 {
            return Ok(());
        }
        policy.push_str("identities:\n");
        for other in 0..self.identities / 2 {
            writeln!(
                policy,
                r#"  - {{ match: "spiffe://example.org/ns/team-{other}/sa/*", kind: service, baseline: ["service-{other}:read"] }}
  - {{ match: "spiffe://example.org/ns/billing/sa/batch-{other}", kind: integration, baseline: ["service-{other}:read"] }}"#
            )?;
        }
        writeln!(
            policy,
            r#"  - {{ match: "spiffe://example.org/ns/billing/sa/*", kind: service, baseline: ["service-{SERVICE}:read"], hours: {{ from: "00:00", to: "24:00", zone: Europe/Berlin }} }}"#
        )?;
        Ok(())
    }
}

/// All of them, most of them silent, as on an ordinary day.
const SIGNALS: &str = r#"context:
  learning: { after: 50, remember: 30d }
  signals:
    new_network: { points: 30 }
    new_country: { points: 30, header: x-geo-country }
    outside_hours: { points: 20 }
    scope_jump: { points: 40 }
    long_lived_credential: { points: 20, lifetime: 2h }
    shared_credential: { points: 40, sources: 3, within: 10m }
    dormant_identity: { points: 30, after: 30d }
    untrusted_device: { points: 40, header: x-client-version, trusted: ["4.17.2"] }
    credential_in_url: { points: 30 }
  custom:
    - { name: break-glass, points: 50, header: x-break-glass, present: true }
    - { name: odd-client, points: 10, header: user-agent, matches: "curl/*" }
"#;
