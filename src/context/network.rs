//! Networks: how closely an address is remembered, and the sets of them that a policy declares.

use ipnet::{IpNet, Ipv4Net};
use prefix_trie::joint::JointPrefixSet;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network that an address counts as: the /24 of an IPv4 address, the /48 of an IPv6 one.
///
/// Addresses of one customer move within it; those of different customers seldom share it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(Prefix);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Prefix {
    V4([u8; 3]),
    V6([u16; 3]),
}

/// Networks as a policy lists them. What a look-up costs depends on the length of prefixes, not on how many there are.
#[derive(Clone, Default)]
pub struct NetworkSet(JointPrefixSet<IpNet>);

/// Why a text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error("`{0}` is no network: write an address, or one and how many of its bits count, such as 10.20.0.0/16")]
    Form(String),
    #[error("`{address}/{bits}` is one address with the size of a network: write {network} or {address}", bits = .network.prefix_len())]
    HostBits { address: IpAddr, network: IpNet },
}

impl Network {
    /// IPv4 written as IPv6 counts as IPv4: as mapped (RFC 4291 §2.5.5.2), and as translators write it (RFC 6052 §2.1),
    /// since all of IPv4 would be one /48 otherwise. 6to4 has a /48 for each IPv4 address as it is.
    pub fn of(address: IpAddr) -> Self {
        let prefix = match address.to_canonical() {
            IpAddr::V4(v4) => Prefix::of_v4(v4),
            IpAddr::V6(v6) => match v6.segments() {
                [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Prefix::of_v4((u32::from(high) << 16 | u32::from(low)).into()),
                _ => Prefix::of_v6(v6),
            },
        };
        Self(prefix)
    }
}

impl Network {
    /// Reads one as it is written here: `10.20.1.0/24`, `2001:db8:7::/48`.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let refuse = || NetworkError::Form(text.chars().take(MAX_SHOWN_CHARS).collect());
        let prefix = match NetworkSet::network(text)? {
            IpNet::V4(v4) if v4.prefix_len() == 24 => Prefix::of_v4(v4.addr()),
            IpNet::V6(v6) if v6.prefix_len() == 48 => Prefix::of_v6(v6.addr()),
            _ => return Err(refuse()),
        };
        Some(Self(prefix)).filter(|network| network.to_string() == text).ok_or_else(refuse)
    }
}

impl Prefix {
    const fn of_v4(address: Ipv4Addr) -> Self {
        let [a, b, c, _] = address.octets();
        Self::V4([a, b, c])
    }

    const fn of_v6(address: Ipv6Addr) -> Self {
        let [first, second, third, ..] = address.segments();
        Self::V6([first, second, third])
    }
}

impl NetworkSet {
    /// Reads one item: a network in CIDR form, or an address that stands for itself alone.
    pub fn network(text: &str) -> Result<IpNet, NetworkError> {
        let refuse = || NetworkError::Form(text.chars().take(MAX_SHOWN_CHARS).collect());
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        let Some(bits) = bits else { return Ok(address.into()) };
        let plain = bits.bytes().all(|b| b.is_ascii_digit()) && (bits == "0" || !bits.starts_with('0'));
        let length = bits.parse().ok().filter(|_| plain).ok_or_else(refuse)?;
        let network = IpNet::new(address, length).map_err(|_| refuse())?.trunc();
        if network.addr() == address { Ok(network) } else { Err(NetworkError::HostBits { address, network }) }
    }

    /// Whether one of the networks holds the address. IPv6 networks hold no IPv4 address, `::/0` included.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.is_covered(&address.to_canonical().into())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Longer than any address with its prefix length.
const MAX_SHOWN_CHARS: usize = 64;

impl FromIterator<IpNet> for NetworkSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().map(unmapped).collect())
    }
}

/// `::ffff:10.0.0.0/104` is `10.0.0.0/8`: addresses are looked up in that form.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Prefix::V4([a, b, c]) => write!(f, "{}/24", Ipv4Addr::new(a, b, c, 0)),
            Prefix::V6([first, second, third]) => {
                write!(f, "{}/48", Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0))
            }
        }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for NetworkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn set(networks: &[&str]) -> NetworkSet {
        networks.iter().map(|text| NetworkSet::network(text).unwrap()).collect()
    }

    #[rstest]
    #[case("203.0.113.7", "203.0.113.0/24")]
    #[case("::ffff:203.0.113.7", "203.0.113.0/24")]
    #[case("64:ff9b::203.0.113.7", "203.0.113.0/24")]
    #[case("64:ff9b:1::203.0.113.7", "64:ff9b:1::/48")]
    #[case("2001:db8:1:2::7", "2001:db8:1::/48")]
    #[case("2002:cb00:7107::1", "2002:cb00:7107::/48")]
    #[case("::203.0.113.7", "::/48")]
    #[case("::1", "::/48")]
    fn an_address_counts_as_its_network(#[case] text: &str, #[case] network: &str) {
        assert_eq!(Network::of(address(text)).to_string(), network);
    }

    #[rstest]
    #[case("10.20.0.0/16", "10.20.0.0/16")]
    #[case("10.20.1.4", "10.20.1.4/32")]
    #[case("2001:db8::1", "2001:db8::1/128")]
    #[case("2001:DB8::/32", "2001:db8::/32")]
    #[case("0.0.0.0/0", "0.0.0.0/0")]
    fn a_network_is_cidr_or_one_address(#[case] text: &str, #[case] network: &str) {
        assert_eq!(NetworkSet::network(text).unwrap().to_string(), network);
    }

    #[rstest]
    #[case("")]
    #[case("10.20.0.0/")]
    #[case("/16")]
    #[case("10.20/16")]
    #[case("10.20.0.0/33")]
    #[case("2001:db8::/129")]
    #[case("10.20.0.0/+16")]
    #[case("10.20.0.0/016")]
    #[case("10.20.0.0/255.255.0.0")]
    #[case("010.20.0.0/16")]
    #[case("10.20.0.0/16/16")]
    #[case(" 10.20.0.0/16")]
    #[case("[2001:db8::]/32")]
    #[case("fe80::1%eth0")]
    #[case("internal")]
    fn anything_else_is_no_network(#[case] text: &str) {
        assert_eq!(NetworkSet::network(text), Err(NetworkError::Form(text.to_owned())));
    }

    #[test]
    fn an_address_with_the_size_of_a_network_is_refused_with_what_was_meant() {
        let refused = NetworkSet::network("10.20.1.4/16").unwrap_err().to_string();
        let meant = "`10.20.1.4/16` is one address with the size of a network: write 10.20.0.0/16 or 10.20.1.4";
        assert_eq!(refused, meant);
    }

    #[rstest]
    #[case("10.20.0.0", true)]
    #[case("10.20.255.255", true)]
    #[case("10.21.0.0", false)]
    #[case("::ffff:10.20.1.4", true)]
    #[case("::10.20.1.4", false)]
    #[case("172.16.0.1", true)]
    #[case("172.16.0.2", false)]
    #[case("2001:db8::1", true)]
    #[case("2001:db9::1", false)]
    fn a_set_holds_what_its_networks_hold(#[case] text: &str, #[case] held: bool) {
        let networks = set(&["10.20.0.0/16", "10.20.1.0/24", "172.16.0.1", "2001:db8::/32"]);
        assert_eq!(networks.contains(address(text)), held);
    }

    #[test]
    fn a_network_in_mapped_form_is_its_ipv4_network() {
        assert!(set(&["::ffff:10.0.0.0/104"]).contains(address("10.1.2.3")));
        assert!(!set(&["::/0"]).contains(address("10.1.2.3")));
        assert!(!set(&["0.0.0.0/0"]).contains(address("2001:db8::1")));
    }

    #[test]
    fn an_empty_set_holds_nothing() {
        let none = NetworkSet::default();
        assert!(none.is_empty() && !none.contains(address("10.0.0.1")) && !none.contains(address("::")));
    }

    /// Few distinct bits, so that networks hold addresses and each other.
    fn near() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            (0..4u32, 0..4u32).prop_map(|(high, low)| IpAddr::V4((high << 30 | low).into())),
            (0..4u128, 0..4u128).prop_map(|(high, low)| IpAddr::V6((high << 126 | low).into())),
        ]
    }

    proptest! {
        #[test]
        fn a_set_holds_an_address_if_and_only_if_one_of_its_networks_does(
            networks in prop::collection::vec((near(), any::<u8>()), 0..8),
            asked in near(),
        ) {
            let size = |address: IpAddr| if address.is_ipv4() { 33 } else { 129 };
            let networks: Vec<_> =
                networks.into_iter().map(|(a, bits)| IpNet::new(a, bits % size(a)).unwrap().trunc()).collect();
            let set: NetworkSet = networks.iter().copied().collect();
            prop_assert_eq!(set.contains(asked), networks.iter().any(|network| network.contains(&asked)));
        }

        #[test]
        fn reading_networks_never_panics_and_what_is_read_is_written_alike(text in "[0-9a-f:./]{0,24}") {
            if let Ok(network) = NetworkSet::network(&text) {
                prop_assert_eq!(NetworkSet::network(&network.to_string()), Ok(network));
            }
        }
    }
}
