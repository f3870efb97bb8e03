//! `long_lived_credential`: what lives long is stolen long.

use super::{Circumstances, Lifetime};
use crate::time::Ttl;

/// Fires where the end of what the caller shows can't be read; silent where it shows nothing.
pub(super) fn fires(lifetime: Ttl, circumstances: &Circumstances<'_>) -> bool {
    match circumstances.lifetime {
        Lifetime::None => false,
        Lifetime::Told(told) => told > lifetime,
        Lifetime::Untold => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::context::signals::situation::Situation;
    use crate::context::signals::{Lifetime, Test};
    use crate::time::{Ttl, UnixTime};
    use rstest::rstest;

    const HOUR: u64 = 3_600;

    #[rstest]
    #[case::nothing_shown(Lifetime::None, false)]
    #[case::shorter(Lifetime::Told(Ttl::from_secs(HOUR - 1)), false)]
    #[case::just_so_long(Lifetime::Told(Ttl::from_secs(HOUR)), false)]
    #[case::longer(Lifetime::Told(Ttl::from_secs(HOUR + 1)), true)]
    #[case::without_an_end_that_can_be_read(Lifetime::Untold, true)]
    fn it_fires_beyond_the_lifetime(#[case] lifetime: Lifetime, #[case] fires: bool) {
        let situation = Situation { lifetime, familiarity: None, ..Situation::usual() };
        assert_eq!(situation.fires(&Test::LongLivedCredential { lifetime: Ttl::from_secs(HOUR) }), fires);
    }

    #[rstest]
    #[case(Some(1_000), Some(1_600), Lifetime::Told(Ttl::from_secs(600)))]
    #[case(Some(1_000), Some(400), Lifetime::Told(Ttl::ZERO))]
    #[case(None, Some(1_600), Lifetime::Untold)]
    #[case(Some(1_000), None, Lifetime::Untold)]
    #[case(None, None, Lifetime::Untold)]
    fn a_lifetime_has_a_beginning_and_an_end(
        #[case] issued: Option<u64>,
        #[case] expires: Option<u64>,
        #[case] lifetime: Lifetime,
    ) {
        let date = |secs: Option<u64>| secs.map(UnixTime::from_secs);
        assert_eq!(Lifetime::between(date(issued), date(expires)), lifetime);
    }

    #[test]
    fn of_two_things_shown_the_longer_counts_and_what_has_no_end_most() {
        let [short, long] = [1, 2].map(|secs| Lifetime::Told(Ttl::from_secs(secs)));
        for (one, other, longer) in [
            (short, long, long),
            (Lifetime::None, short, short),
            (Lifetime::Untold, long, Lifetime::Untold),
            (Lifetime::Untold, Lifetime::None, Lifetime::Untold),
            (Lifetime::None, Lifetime::None, Lifetime::None),
        ] {
            assert_eq!((one.longer(other), other.longer(one)), (longer, longer));
        }
    }
}
