//! Who is calling, as far as it can be told: the peer's address, or what trusted proxies say of theirs.
//!
//! A proxy appends its peer's address to `x-forwarded-for`. So the list is read from the right, and an entry is worth
//! what the address beside it is worth: to the left of the first address that is no trusted proxy, anyone may have written.

use super::NetworkSet;
use crate::request::Headers;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// More proxies in a row than any mesh has. A caller in a trusted network could otherwise send a list of any length.
const MAX_HOPS: usize = 16;

/// The address of the client; `None` where it can't be told.
///
/// Without an `x-forwarded-for`, and where all in it are trusted proxies, the last that is known is the client. Envoy adds
/// its own peer to the list (`use_remote_address`): that entry names a trusted proxy for the second time, and costs a hop.
pub fn client_address(peer: Option<IpAddr>, headers: &Headers, trusted: &NetworkSet) -> Option<IpAddr> {
    let mut address = peer?.to_canonical();
    if !trusted.contains(address) {
        return Some(address);
    }
    let lines: Vec<_> = headers.values("x-forwarded-for").collect();
    // A line that is no text becomes an entry that can't be read.
    let entries = lines.into_iter().rev().flat_map(|line| line.unwrap_or_default().rsplit(','));
    for (hops, entry) in entries.enumerate() {
        if !trusted.contains(address) {
            break;
        }
        if hops == MAX_HOPS {
            return None;
        }
        address = forwarded(entry)?;
    }
    Some(address)
}

/// `ip`, `ip:port`, `[ipv6]` or `[ipv6]:port`. No names, no zones, no `unknown`: what an entry may mean is never guessed.
fn forwarded(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches([' ', '\t']);
    if let Some(bracketed) = entry.strip_prefix('[') {
        let (address, after) = bracketed.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        let whole = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
        return whole.then(|| IpAddr::V6(address).to_canonical());
    }
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let (address, port) = entry.split_once(':')?;
    let address: Ipv4Addr = address.parse().ok()?;
    is_port(port).then_some(IpAddr::V4(address))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use std::collections::HashMap;

    fn joined(forwarded_for: &str) -> Headers {
        Headers::joined(HashMap::from([("x-forwarded-for".to_owned(), forwarded_for.to_owned())]))
    }

    fn apart(lines: &[Option<&str>]) -> Headers {
        let line = |value: Option<&str>| ("X-Forwarded-For".to_owned(), value.map(str::to_owned));
        Headers::apart(lines.iter().copied().map(line).collect(), HashMap::new())
    }

    fn trusted() -> NetworkSet {
        ["10.0.0.0/8", "2001:db8:a::/48"].iter().map(|text| NetworkSet::network(text).unwrap()).collect()
    }

    fn client(peer: &str, headers: &Headers) -> Option<String> {
        client_address(Some(peer.parse().unwrap()), headers, &trusted()).map(|address| address.to_string())
    }

    #[rstest]
    // Nobody to believe.
    #[case("203.0.113.7", "198.51.100.1", Some("203.0.113.7"))]
    #[case("203.0.113.7", "10.0.0.1", Some("203.0.113.7"))]
    #[case("203.0.113.7", "unknown", Some("203.0.113.7"))]
    // One proxy, and more.
    #[case("10.0.0.1", "203.0.113.7", Some("203.0.113.7"))]
    #[case("10.0.0.1", "203.0.113.7, 10.0.0.2", Some("203.0.113.7"))]
    #[case("10.0.0.1", "203.0.113.7,10.0.0.3 ,\t10.0.0.2", Some("203.0.113.7"))]
    // Envoy has added its peer.
    #[case("10.0.0.1", "203.0.113.7, 10.0.0.1", Some("203.0.113.7"))]
    #[case("10.0.0.1", "10.0.0.1", Some("10.0.0.1"))]
    #[case("203.0.113.7", "198.51.100.1, 203.0.113.7", Some("203.0.113.7"))]
    // A call that began at a trusted address.
    #[case("10.0.0.1", "10.0.0.3, 10.0.0.2", Some("10.0.0.3"))]
    // What stands left of the client was sent by the client.
    #[case("10.0.0.1", "198.51.100.1, 203.0.113.7", Some("203.0.113.7"))]
    #[case("10.0.0.1", "10.0.0.9, 203.0.113.7, 10.0.0.2", Some("203.0.113.7"))]
    #[case("10.0.0.1", "unknown, _hidden, , 203.0.113.7", Some("203.0.113.7"))]
    // One that can't be read, and was to be believed.
    #[case("10.0.0.1", "", None)]
    #[case("10.0.0.1", "203.0.113.7,", None)]
    #[case("10.0.0.1", "203.0.113.7, , 10.0.0.2", None)]
    #[case("10.0.0.1", "203.0.113.7, unknown", None)]
    #[case("10.0.0.1", "203.0.113.7, _gazonk", None)]
    #[case("10.0.0.1", "203.0.113.7, proxy.internal", None)]
    #[case("10.0.0.1", "203.0.113.7 10.0.0.2", None)]
    #[case("10.0.0.1", "for=203.0.113.7", None)]
    #[case("10.0.0.1", "caf!!, 203.0.113.7", None)]
    fn the_first_from_the_right_that_is_not_trusted_is_the_client(
        #[case] peer: &str,
        #[case] forwarded_for: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(client(peer, &joined(forwarded_for)).as_deref(), expected);
    }

    #[rstest]
    #[case("203.0.113.7:49152", Some("203.0.113.7"))]
    #[case("[2001:db8::7]:49152", Some("2001:db8::7"))]
    #[case("[2001:db8::7]", Some("2001:db8::7"))]
    #[case("2001:db8::7", Some("2001:db8::7"))]
    #[case("2001:DB8:0::7", Some("2001:db8::7"))]
    #[case("::ffff:203.0.113.7", Some("203.0.113.7"))]
    #[case("[::ffff:203.0.113.7]:80", Some("203.0.113.7"))]
    // Trusted, in whichever form it is written.
    #[case("203.0.113.7, ::ffff:10.0.0.2", Some("203.0.113.7"))]
    #[case("203.0.113.7, [::ffff:a00:2]:80", Some("203.0.113.7"))]
    #[case("203.0.113.7, 2001:db8:a::1", Some("203.0.113.7"))]
    #[case("203.0.113.7:65536", None)]
    #[case("203.0.113.7:", None)]
    #[case("203.0.113.7:+80", None)]
    #[case("203.0.113.7:80:80", None)]
    #[case("203.0.113.07", None)]
    #[case("3405803783", None)]
    #[case("0xcb.0.0x71.7", None)]
    #[case("203.0.113", None)]
    #[case("[203.0.113.7]:80", None)]
    #[case("[2001:db8::7", None)]
    #[case("[2001:db8::7]x", None)]
    #[case("[2001:db8::7]:", None)]
    #[case("[[2001:db8::7]]", None)]
    #[case("fe80::1%eth0", None)]
    #[case("[fe80::1%1]:80", None)]
    #[case("\"[2001:db8::7]:80\"", None)]
    fn an_entry_is_an_address_in_one_of_four_forms(#[case] forwarded_for: &str, #[case] expected: Option<&str>) {
        assert_eq!(client("10.0.0.1", &joined(forwarded_for)).as_deref(), expected);
    }

    #[test]
    fn a_mapped_peer_is_as_trusted_as_its_ipv4_address() {
        assert_eq!(client("::ffff:10.0.0.1", &joined("203.0.113.7")).as_deref(), Some("203.0.113.7"));
        assert_eq!(client("::ffff:203.0.113.9", &joined("203.0.113.7")).as_deref(), Some("203.0.113.9"));
    }

    #[test]
    fn envoy_names_itself_for_a_peer_on_loopback() {
        let with_loopback: NetworkSet = ["127.0.0.0/8".parse().unwrap()].into_iter().collect();
        let peer = Some("127.0.0.1".parse().unwrap());
        let told = client_address(peer, &joined("203.0.113.7,192.0.2.2"), &with_loopback);
        assert_eq!(told, Some("192.0.2.2".parse().unwrap()));
    }

    #[test]
    fn a_trusted_peer_that_forwards_nothing_is_the_client() {
        assert_eq!(client("10.0.0.1", &Headers::default()).as_deref(), Some("10.0.0.1"));
    }

    #[test]
    fn without_a_peer_nothing_is_believed() {
        assert_eq!(client_address(None, &joined("203.0.113.7"), &trusted()), None);
    }

    #[test]
    fn without_trusted_proxies_the_peer_counts() {
        let told = client_address(Some("10.0.0.1".parse().unwrap()), &joined("203.0.113.7"), &NetworkSet::default());
        assert_eq!(told, Some("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn several_lines_are_one_list_in_their_order() {
        let lines = apart(&[Some("198.51.100.1"), Some("203.0.113.7, 10.0.0.3"), Some("10.0.0.2")]);
        assert_eq!(client("10.0.0.1", &lines).as_deref(), Some("203.0.113.7"));
    }

    #[test]
    fn a_line_that_is_no_text_matters_only_where_it_would_be_believed() {
        assert_eq!(client("10.0.0.1", &apart(&[None, Some("203.0.113.7")])).as_deref(), Some("203.0.113.7"));
        assert_eq!(client("10.0.0.1", &apart(&[Some("203.0.113.7"), None])), None);
        assert_eq!(client("10.0.0.1", &apart(&[Some("203.0.113.7"), None, Some("10.0.0.2")])), None);
    }

    #[test]
    fn sixteen_hops_are_followed_and_no_more() {
        let list = |proxies: usize| format!("203.0.113.7{}", ",10.0.0.2".repeat(proxies));
        assert_eq!(client("10.0.0.1", &joined(&list(MAX_HOPS - 1))).as_deref(), Some("203.0.113.7"));
        assert_eq!(client("10.0.0.1", &joined(&list(MAX_HOPS))), None);
        assert_eq!(client("10.0.0.1", &joined(&list(1_000_000))), None);
    }

    #[test]
    fn a_huge_list_of_the_callers_own_is_not_walked() {
        let spoofed = format!("{}203.0.113.7", "198.51.100.1,".repeat(1_000_000));
        assert_eq!(client("10.0.0.1", &joined(&spoofed)).as_deref(), Some("203.0.113.7"));
    }

    proptest! {
        #[test]
        fn nothing_that_a_client_sends_changes_who_it_is(sent in "[ -~]{0,64}", proxies in 0..4usize) {
            prop_assume!(!sent.contains('!'));
            let appended = format!("203.0.113.7{}", ", 10.0.0.2".repeat(proxies));
            let lines = apart(&[Some(&sent), Some(&appended)]);
            let told = [joined(&format!("{sent},{appended}")), lines].map(|headers| client("10.0.0.1", &headers));
            prop_assert_eq!(told, [Some("203.0.113.7".to_owned()), Some("203.0.113.7".to_owned())]);
        }
    }
}
