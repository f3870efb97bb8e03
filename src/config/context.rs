//! `context`: what is unusual about a call, and whose word is believed on where it comes from.

mod built_in;
mod countries;
mod custom;

use super::code::Code;
use super::diagnostics::Diagnostics;
use super::digest::Digest;
use super::matches::{header_name, header_value, sorted};
use super::section::{Member, Section};
use super::source::Place;
use super::tree::{Entry, Node, Value};
use crate::context::{Anomaly, Context, LearningTerms, NetworkSet, Signal, Signals};
use crate::time::Ttl;
use built_in::BuiltIn;
use ipnet::IpNet;

/// The context, with what checks point at.
#[derive(Debug)]
pub(super) struct ContextDraft {
    /// Nothing where it could not be read.
    pub context: Option<Context>,
    /// The headers that signals look at, in lower case, each where it is named.
    pub headers: Vec<(Box<str>, Place)>,
    /// Over the content of the database of countries, where there is one.
    pub database: Option<Digest>,
}

/// Ten years: what takes longer never happens.
const LONGEST: Ttl = Ttl::from_secs(10 * 365 * 86_400);

/// More calls than an identity makes while anybody waits for it to be known.
const MOST_CALLS: u32 = 1_000_000;

impl Default for ContextDraft {
    fn default() -> Self {
        Self { context: Some(Context::default()), headers: Vec::new(), database: None }
    }
}

pub(super) fn read(entry: &Entry, problems: &mut Diagnostics) -> ContextDraft {
    let (context, database) = read_context(entry, problems).unzip();
    ContextDraft { context, headers: headers(entry), database: database.flatten() }
}

fn read_context(entry: &Entry, problems: &mut Diagnostics) -> Option<(Context, Option<Digest>)> {
    let section = Section::open("`context`", &entry.node, problems)?;
    let [client_address, learning, signals, custom] =
        section.members(["client_address", "learning", "signals", "custom"], problems);
    let custom_place = custom.place().unwrap_or(entry.key_place);
    let trusted_proxies = client_address.or(NetworkSet::default(), problems, read_client_address);
    let learning = learning.or(LearningTerms::default(), problems, read_learning);
    let built_in = signals.or(BuiltIn::default(), problems, built_in::read);
    let custom = custom.or(Vec::new(), problems, |node, problems| custom::read(node, signals.node(), problems));
    let (learning, built_in) = (learning?, built_in?);
    let context = Context {
        trusted_proxies: trusted_proxies?,
        learning: LearningTerms { within: built_in.within.unwrap_or(learning.within), ..learning },
        signals: together(built_in.signals, custom?, custom_place, problems)?,
    };
    Some((context, built_in.database))
}

/// Ours first, so that the places of signals don't hang on the order of files.
fn together(
    mut signals: Vec<Signal>,
    custom: Vec<Signal>,
    place: Place,
    problems: &mut Diagnostics,
) -> Option<Signals> {
    signals.extend(custom);
    let count = signals.len();
    let signals = Signals::new(signals);
    if signals.is_none() {
        let message = format!("the policy has {count} signals");
        let help = format!("keep at most {}, those of `signals` included", Signals::MAX);
        problems.report(Code::TooManySignals, place, message, help);
    }
    signals
}

fn read_client_address(node: &Node, problems: &mut Diagnostics) -> Option<NetworkSet> {
    let section = Section::open("`client_address`", node, problems)?;
    let [trusted_proxies] = section.members(["trusted_proxies"], problems);
    trusted_proxies.required(problems, |node, problems| {
        let items = node.filled_list(problems)?;
        Some(Node::each(items, problems, read_proxies)?.into_iter().collect())
    })
}

fn read_proxies(node: &Node, problems: &mut Diagnostics) -> Option<IpNet> {
    let network = node.parse(NetworkSet::network, problems)?;
    if network.prefix_len() == 0 {
        let help =
            "name the networks of your own proxies: where everybody is one, callers say themselves where they are";
        node.invalid(&network.to_string(), help, problems);
        return None;
    }
    Some(network)
}

fn read_learning(node: &Node, problems: &mut Diagnostics) -> Option<LearningTerms> {
    let section = Section::open("`learning`", node, problems)?;
    let [after, remember] = section.members(["after", "remember"], problems);
    let terms = LearningTerms::default();
    // With none to wait for, signals would fire on the first call of anybody, and such a call teaches nothing.
    let after = after.or(terms.after, problems, |node, problems| node.number(1..=MOST_CALLS, problems));
    let remember = remember.or(terms.remember, problems, |node, problems| node.span(LONGEST, problems));
    Some(LearningTerms { after: after?, remember: remember?, ..terms })
}

/// What a signal adds to the score.
fn read_points(points: Member<'_>, problems: &mut Diagnostics) -> Option<Anomaly> {
    points.required(problems, read_anomaly)
}

/// From 1: what is at least 0 is every call.
pub(super) fn read_anomaly(node: &Node, problems: &mut Diagnostics) -> Option<Anomaly> {
    let points = node.number(1..=u32::from(Anomaly::MAX.points()), problems)?;
    u8::try_from(points).ok().and_then(Anomaly::new)
}

fn read_header(node: &Node, problems: &mut Diagnostics) -> Option<Box<str>> {
    header_name(node.text(problems)?, node.place, problems)
}

fn read_values(node: &Node, problems: &mut Diagnostics) -> Option<Box<[Box<str>]>> {
    sorted(node, problems, header_value).map(Into::into)
}

/// The names of all signals in the order of their places, also of those that turn out to be faulty.
pub(super) fn names(context: Option<&Entry>) -> Vec<(&str, Place)> {
    let Some(context) = context else { return Vec::new() };
    let ours = standing(context).map(|entry| (&*entry.key, entry.key_place));
    let mut own: Vec<_> = own(context).iter().filter_map(|node| node.member_text("name")).collect();
    own.sort_by_key(|(name, _)| *name);
    ours.chain(own).collect()
}

fn headers(context: &Entry) -> Vec<(Box<str>, Place)> {
    let signals = standing(context).map(|entry| &entry.node).chain(own(context));
    let named = signals.filter_map(|signal| signal.member_text("header"));
    named.map(|(name, place)| (name.to_ascii_lowercase().into(), place)).collect()
}

/// The signals of ours that stand in a policy, in the order of their places.
fn standing(context: &Entry) -> impl Iterator<Item = &Entry> {
    let signals = context.node.member("signals");
    built_in::keys().into_iter().filter_map(move |key| signals?.node.member(key))
}

/// The signals of the policy's own.
fn own(context: &Entry) -> &[Node] {
    match context.node.member("custom").map(|custom| &custom.node.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}
