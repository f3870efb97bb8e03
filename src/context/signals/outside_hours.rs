//! `outside_hours`: a call at a time at which this identity does not work.

use super::Circumstances;

/// Speaks only of identities that declare hours.
pub(super) fn fires(circumstances: &Circumstances<'_>) -> bool {
    let hours = circumstances.identity.and_then(|identity| identity.hours.as_ref());
    hours.is_some_and(|hours| !hours.contains(circumstances.now))
}

#[cfg(test)]
mod tests {
    use crate::context::Hours;
    use crate::context::hours::{Day, TimeOfDay, Zone};
    use crate::context::signals::Test;
    use crate::context::signals::situation::{Situation, entry};
    use crate::policy::Identity;
    use rstest::rstest;

    /// It is Friday, 08:00 in Greenwich and 09:00 in Berlin.
    #[rstest]
    #[case(&[Day::Friday], "07:00", "20:00", "UTC", false)]
    #[case(&[Day::Friday], "08:00", "20:00", "UTC", false)]
    #[case(&[Day::Friday], "07:00", "08:00", "UTC", true)]
    #[case(&[Day::Friday], "07:00", "09:00", "Europe/Berlin", true)]
    #[case(&[Day::Thursday], "07:00", "20:00", "UTC", true)]
    // Hours over midnight belong to the day they begin.
    #[case(&[Day::Thursday], "20:00", "09:00", "UTC", false)]
    #[case(&[Day::Friday], "20:00", "09:00", "UTC", true)]
    fn it_fires_when_the_identity_is_not_at_work(
        #[case] days: &[Day],
        #[case] from: &str,
        #[case] to: &str,
        #[case] zone: &str,
        #[case] fires: bool,
    ) {
        let time = |text| TimeOfDay::parse(text).unwrap();
        let hours = Hours::new(days, time(from), time(to), Zone::parse(zone).unwrap()).unwrap();
        let identity = Identity { hours: Some(hours), ..entry() };
        let situation = Situation { identity: Some(identity), familiarity: None, ..Situation::usual() };
        assert_eq!(situation.fires(&Test::OutsideHours), fires);
    }

    #[rstest]
    fn it_says_nothing_of_identities_without_hours(#[values(None, Some(entry()))] identity: Option<Identity>) {
        assert!(!Situation { identity, ..Situation::usual() }.fires(&Test::OutsideHours));
    }
}
