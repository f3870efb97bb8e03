//! `credentials`: who is calling, and how that is known.

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::issuers::text;
use super::names::Names;
use super::routes::header_name;
use super::section::{Member, Section, not_supported_yet, not_yet_built};
use super::source::Place;
use super::tree::{Entry, Node};
use crate::identity::TrustDomain;
use crate::policy::{BearerCredential, Credentials, IdentitySource, IssuerId, MtlsCredential, Profile};
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
    let [identity, mtls, bearer, leeway, xfcc, jwt_authn] =
        section.members(["identity", "mtls", "bearer", "leeway", "xfcc", "jwt_authn"], problems);
    not_yet_built(&[xfcc, jwt_authn], problems);
    let configured = configured(mtls, bearer);
    if configured.is_empty() && xfcc.entry().or(jwt_authn.entry()).is_none() {
        none(entry.key_place, problems);
    }
    let identity = match identity.node() {
        Some(node) => read_identity(node, &configured, problems),
        None => Some(configured),
    };
    let mtls = mtls.optional(problems, read_mtls);
    let bearer = bearer.optional(problems, |node, problems| read_bearer(node, issuers, problems));
    let leeway = leeway.or(Credentials::DEFAULT_LEEWAY, problems, read_leeway);
    let (bearer, bearer_issuers) = bearer?.unzip();
    let credentials = Credentials {
        identity: identity?,
        mtls: mtls?,
        xfcc: None,
        jwt_authn: None,
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

/// In the order in which they count where `identity` does not say.
fn configured(mtls: Member<'_>, bearer: Member<'_>) -> Vec<IdentitySource> {
    let mtls = mtls.entry().map(|_| IdentitySource::Mtls);
    let bearer = bearer.entry().map(|_| IdentitySource::Bearer);
    mtls.into_iter().chain(bearer).collect()
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
    let words = [
        ("mtls", Some(IdentitySource::Mtls)),
        ("bearer", Some(IdentitySource::Bearer)),
        ("xfcc", None),
        ("jwt_authn", None),
    ];
    let Some(source) = node.choice(&words, problems)? else {
        not_supported_yet(node.place, "this source of identity is not supported yet", problems);
        return None;
    };
    if !configured.contains(&source) {
        let help = "add its section to `credentials`, or take it out of `identity`";
        problems.report(Code::IdentitySource, node.place, "this source of identity is not configured", help);
    }
    Some(source)
}

fn read_mtls(node: &Node, problems: &mut Diagnostics) -> Option<MtlsCredential> {
    let section = Section::open("`mtls`", node, problems)?;
    let [trust_domains, certificate] = section.members(["trust_domains", "certificate"], problems);
    let trust_domains = trust_domains.required(problems, |node, problems| {
        let items = node.filled_list(problems)?;
        Node::each(items, problems, |item, problems| item.parse(TrustDomain::parse, problems))
    });
    let words = [("required", true), ("optional", false)];
    let required = certificate.or(false, problems, |node, problems| node.choice(&words, problems));
    if required == Some(false) {
        let message = "a caller without a certificate counts as what Envoy calls its principal";
        let help = "Envoy takes a DNS name for it too: add `certificate: required` and set `include_peer_certificate` in Envoy";
        problems.report(Code::PrincipalWithoutCertificate, section.title().place, message, help);
    }
    Some(MtlsCredential { trust_domains: trust_domains?, certificate_required: required? })
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
    if let Some(node) = delegated.node().filter(|node| node.boolean(problems) == Some(true)) {
        not_supported_yet(node.place, "`delegated: true` is not supported yet", problems);
    }
    let named: Vec<_> = named?.into_iter().map(|(index, place)| (IssuerId(index), place)).collect();
    let issuers = named.iter().map(|(id, _)| *id).collect();
    Some((BearerCredential { issuers, header: header?, subject: subject?, scopes: scopes?, delegated: false }, named))
}

/// The headers of attestations and proofs are read as such: a bearer in one would be taken for the other.
fn bearer_header(node: &Node, problems: &mut Diagnostics) -> Option<Box<str>> {
    let name = header_name(node.text(problems)?, node.place, problems)?;
    let profile = Profile::OauthClientAttestation;
    if [profile.attestation_header(), profile.proof_header()].contains(&&*name) {
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
