//! `credentials`: who is calling, and how that is known.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::issuers::{name_patterns, text};
use super::matches::header_name;
use super::names::Names;
use super::section::{Member, Section};
use super::source::Place;
use super::tree::{Entry, Node};
use crate::identity::TrustDomain;
use crate::policy::{
    BearerCredential, Credentials, EVIDENCE_HEADERS, IdentitySource, IssuerId, JwtAuthnCredential, MtlsCredential,
    XfccCredential,
};
use crate::time::Ttl;

/// The credentials, with the places that checks point at.
#[derive(Debug)]
pub(super) struct CredentialsDraft {
    pub credentials: Credentials,
    /// Where each bearer issuer is named.
    pub bearer_issuers: Vec<(IssuerId, Place)>,
}

/// Clocks that differ by more want repair; every second of leeway is one more for a stolen token.
const MAX_LEEWAY: Ttl = Ttl::from_secs(300);

pub(super) fn read(entry: &Entry, issuers: &Names<'_>, problems: &mut Diagnostics) -> Option<CredentialsDraft> {
    let section = Section::open("`credentials`", &entry.node, problems)?;
    let [identity, mtls, xfcc, jwt_authn, bearer, leeway] =
        section.members(["identity", "mtls", "xfcc", "jwt_authn", "bearer", "leeway"], problems);
    let configured = configured(&[mtls, xfcc, jwt_authn, bearer]);
    if configured.is_empty() {
        none(entry.key_place, problems);
    }
    let identity = match identity.node() {
        Some(node) => read_identity(node, &configured, problems),
        None => Some(configured),
    };
    let mtls = mtls.optional(problems, read_mtls);
    let xfcc = xfcc.optional(problems, read_xfcc);
    let jwt_authn = jwt_authn.optional(problems, read_jwt_authn);
    let bearer = bearer.optional(problems, |node, problems| read_bearer(node, issuers, problems));
    let leeway = leeway.or(Credentials::DEFAULT_LEEWAY, problems, read_leeway);
    let (bearer, bearer_issuers) = bearer?.unzip();
    let credentials = Credentials {
        identity: identity?,
        mtls: mtls?,
        xfcc: xfcc?,
        jwt_authn: jwt_authn?,
        bearer,
        claims: Box::default(),
        leeway: leeway?,
    };
    Some(CredentialsDraft { credentials, bearer_issuers: bearer_issuers.unwrap_or_default() })
}

/// Reported where nothing says who is calling: such a policy would refuse everybody.
pub(super) fn none(place: Place, problems: &mut Diagnostics) {
    let message = "no source says who is calling, so every call would be refused";
    let help = "add `credentials: { mtls: { trust_domains: [example.org] } }` or `credentials: { bearer: { issuers: [idp] } }`";
    problems.report(Code::NoCredentials, place, message, help);
}

/// In the order in which they count where `identity` does not say, which is that of the sources.
fn configured(sources: &[Member<'_>; IdentitySource::ALL.len()]) -> Vec<IdentitySource> {
    let all = IdentitySource::ALL.into_iter().zip(sources);
    all.filter(|(_, member)| member.entry().is_some()).map(|(source, _)| source).collect()
}

fn read_identity(
    node: &Node,
    configured: &[IdentitySource],
    problems: &mut Diagnostics,
) -> Option<Vec<IdentitySource>> {
    let items = node.filled_list(problems)?;
    let sources = Node::each(items, problems, |item, problems| read_source(item, configured, problems))?;
    for (index, (item, source)) in items.iter().zip(&sources).enumerate() {
        if sources.iter().take(index).any(|earlier| earlier == source) {
            let help = "name each source once: the first that yields a principal counts";
            problems.report(Code::IdentitySource, item.place, "this source is named twice", help);
        }
    }
    Some(sources)
}

fn read_source(node: &Node, configured: &[IdentitySource], problems: &mut Diagnostics) -> Option<IdentitySource> {
    let source = node.choice(&IdentitySource::ALL.map(|source| (source.as_str(), source)), problems)?;
    if !configured.contains(&source) {
        let help = "add its section to `credentials`, or take it out of `identity`";
        problems.report(Code::IdentitySource, node.place, "this source of identity is not configured", help);
    }
    Some(source)
}

fn read_mtls(node: &Node, problems: &mut Diagnostics) -> Option<MtlsCredential> {
    let section = Section::open("`mtls`", node, problems)?;
    let [trust_domains, certificate] = section.members(["trust_domains", "certificate"], problems);
    let trust_domains = trust_domains.required(problems, read_trust_domains);
    let words = [("required", true), ("optional", false)];
    let required = certificate.or(false, problems, |node, problems| node.choice(&words, problems));
    if required == Some(false) {
        let message = "a caller without a certificate counts as what Envoy calls its principal";
        let help = "Envoy takes a DNS name for it too: add `certificate: required` and set `include_peer_certificate` in Envoy";
        problems.report(Code::PrincipalWithoutCertificate, section.title().place, message, help);
    }
    Some(MtlsCredential { trust_domains: trust_domains?, certificate_required: required? })
}

fn read_xfcc(node: &Node, problems: &mut Diagnostics) -> Option<XfccCredential> {
    let section = Section::open("`xfcc`", node, problems)?;
    let [trust_domains] = section.members(["trust_domains"], problems);
    let message = "a caller counts as whom `x-forwarded-client-cert` names";
    let help = "let Envoy write that header: set `forward_client_cert_details: SANITIZE_SET` there, or APPEND_FORWARD; with FORWARD_ONLY callers write it themselves";
    problems.report(Code::ForwardedCertificate, section.title().place, message, help);
    Some(XfccCredential { trust_domains: trust_domains.required(problems, read_trust_domains)? })
}

fn read_trust_domains(node: &Node, problems: &mut Diagnostics) -> Option<Vec<TrustDomain>> {
    let items = node.filled_list(problems)?;
    Node::each(items, problems, |item, problems| item.parse(TrustDomain::parse, problems))
}

fn read_jwt_authn(node: &Node, problems: &mut Diagnostics) -> Option<JwtAuthnCredential> {
    let section = Section::open("`jwt_authn`", node, problems)?;
    let [namespace, key, subject, scopes, subjects] =
        section.members(["namespace", "key", "subject", "scopes", "subjects"], problems);
    let namespace = namespace.or(JwtAuthnCredential::DEFAULT_NAMESPACE.into(), problems, text);
    let key = key.required(problems, text);
    let subject = subject.or("sub".into(), problems, text);
    let scopes = scopes.or("scope".into(), problems, text);
    let subjects = subjects.or(Vec::new(), problems, name_patterns);
    Some(JwtAuthnCredential {
        namespace: namespace?,
        key: key?,
        subject: subject?,
        scopes: scopes?,
        subjects: subjects?,
    })
}

type Bearer = (BearerCredential, Vec<(IssuerId, Place)>);

fn read_bearer(node: &Node, issuers: &Names<'_>, problems: &mut Diagnostics) -> Option<Bearer> {
    let section = Section::open("`bearer`", node, problems)?;
    let [named, header, subject, scopes, delegated] =
        section.members(["issuers", "header", "subject", "scopes", "delegated"], problems);
    let named = named.required(problems, |node, problems| issuers.resolve_each(node, problems));
    let header = header.or("authorization".into(), problems, bearer_header);
    let subject = subject.or("sub".into(), problems, text);
    let scopes = scopes.or("scope".into(), problems, text);
    let delegated = delegated.or(false, problems, Node::boolean);
    let named: Vec<_> = named?.into_iter().map(|(index, place)| (IssuerId(index), place)).collect();
    let issuers = named.iter().map(|(id, _)| *id).collect();
    let (header, subject, scopes, delegated) = (header?, subject?, scopes?, delegated?);
    Some((BearerCredential { issuers, header, subject, scopes, delegated }, named))
}

/// The headers of attestations and proofs are read as such: a bearer in one would be taken for the other.
fn bearer_header(node: &Node, problems: &mut Diagnostics) -> Option<Box<str>> {
    let name = header_name(node.text(problems)?, node.place, problems)?;
    if EVIDENCE_HEADERS.contains(&&*name) {
        node.invalid(&name, "attestations and proofs have this header to themselves: take another", problems);
        return None;
    }
    Some(name)
}

fn read_leeway(node: &Node, problems: &mut Diagnostics) -> Option<Ttl> {
    let leeway: Ttl = node.parse(str::parse, problems)?;
    if leeway > MAX_LEEWAY {
        let help = format!("write at most {MAX_LEEWAY}: as long, an expired token would go on to pass");
        node.invalid(&leeway.to_string(), help, problems);
        return None;
    }
    Some(leeway)
}
