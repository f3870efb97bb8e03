//! From where and when an identity normally calls: `networks`, `countries`, `hours`.

use crate::config::code::Code;
use crate::config::diagnostics::Diagnostics;
use crate::config::section::Section;
use crate::config::tree::Node;
use crate::context::hours::{Day, TimeOfDay, Zone};
use crate::context::{Country, Hours, NetworkSet};

pub(super) fn networks(node: &Node, problems: &mut Diagnostics) -> Option<NetworkSet> {
    let items = node.filled_list(problems)?;
    let networks = Node::each(items, problems, |item, problems| item.parse(NetworkSet::network, problems))?;
    Some(networks.into_iter().collect())
}

pub(super) fn countries(node: &Node, problems: &mut Diagnostics) -> Option<Box<[Country]>> {
    let items = node.filled_list(problems)?;
    let mut countries = Node::each(items, problems, |item, problems| item.parse(Country::parse, problems))?;
    countries.sort_unstable();
    countries.dedup();
    Some(countries.into())
}

pub(super) fn hours(node: &Node, problems: &mut Diagnostics) -> Option<Hours> {
    let section = Section::open("`hours`", node, problems)?;
    let [days, from, to, zone] = section.members(["days", "from", "to", "zone"], problems);
    let days = days.or(Day::ALL.to_vec(), problems, |node, problems| {
        let choices = Day::ALL.map(|day| (day.as_str(), day));
        Node::each(node.filled_list(problems)?, problems, |item, problems| item.choice(&choices, problems))
    });
    let from = from.required(problems, |node, problems| node.parse(TimeOfDay::parse, problems));
    let to = to.required(problems, |node, problems| node.parse(TimeOfDay::parse, problems));
    let zone = zone.required(problems, |node, problems| node.parse(Zone::parse, problems));
    let hours = Hours::new(&days?, from?, to?, zone?);
    if let Err(error) = &hours {
        problems.report(Code::InvalidValue, section.title().place, "these hours never hold", error.to_string());
    }
    hours.ok()
}
