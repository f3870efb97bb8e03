//! The hours in which a caller is expected: days of the week and times of day, as the clock on the wall shows them.

use crate::time::UnixTime;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// From one time of day to another, on some days of the week, in one time zone.
///
/// Hours that run over midnight belong to the day they begin. When a clock is put back, an hour is shown twice and counts
/// twice; when it is put forward, the hour that is never shown has no part in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    days: Days,
    from: TimeOfDay,
    /// The first moment that is outside again.
    to: TimeOfDay,
    zone: Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A time from 00:00 to 24:00, in seconds since midnight. The latter is where a day ends, not where one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(i64);

/// A time zone by its IANA name. Its rules are part of the program, so that every replica has the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// One bit a day, Monday first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Days(u8);

/// Why hours can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    #[error("`{0}` is no day: write mon, tue, wed, thu, fri, sat or sun")]
    Day(String),
    #[error(
        "`{0}` is no time of day: write hours and minutes with two digits each, from 00:00 to 24:00, such as 07:30"
    )]
    Time(String),
    #[error("`{0}` is no time zone: write its IANA name, such as Europe/Berlin or UTC")]
    Zone(String),
    #[error("there is no day: name one, or leave `days` out for all of them")]
    NoDay,
    #[error("no day begins at 24:00: write 00:00")]
    BeginsAtTheEnd,
    #[error("no time passes between `from` and `to`: for whole days write from 00:00 to 24:00")]
    Empty,
}

impl Hours {
    pub fn new(days: &[Day], from: TimeOfDay, to: TimeOfDay, zone: Zone) -> Result<Self, HoursError> {
        let days = Days::of(days).ok_or(HoursError::NoDay)?;
        if from == TimeOfDay(DAY) {
            return Err(HoursError::BeginsAtTheEnd);
        }
        if from == to {
            return Err(HoursError::Empty);
        }
        Ok(Self { days, from, to, zone })
    }

    /// Whether a moment is within the hours. One that no calendar reaches is not.
    pub fn contains(&self, moment: UnixTime) -> bool {
        let Some((day, time)) = self.zone.wall_clock(moment) else { return false };
        let begun_today = time >= self.from && self.days.hold(day);
        let begun_yesterday = || time < self.to && self.days.hold(day - 1);
        if self.from < self.to { begun_today && time < self.to } else { begun_today || begun_yesterday() }
    }
}

impl Day {
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    pub fn parse(text: &str) -> Result<Self, HoursError> {
        let named = Self::ALL.into_iter().find(|day| day.as_str() == text);
        named.ok_or_else(|| HoursError::Day(shown(text)))
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "mon",
            Self::Tuesday => "tue",
            Self::Wednesday => "wed",
            Self::Thursday => "thu",
            Self::Friday => "fri",
            Self::Saturday => "sat",
            Self::Sunday => "sun",
        }
    }
}

impl TimeOfDay {
    pub fn parse(text: &str) -> Result<Self, HoursError> {
        let seconds = match *text.as_bytes() {
            [h1, h2, b':', m1, m2] => number(h1, h2).zip(number(m1, m2)).and_then(|(hours, minutes)| {
                let fits = minutes < 60 && hours * 60 + minutes <= 24 * 60;
                fits.then_some((hours * 60 + minutes) * 60)
            }),
            _ => None,
        };
        seconds.map(Self).ok_or_else(|| HoursError::Time(shown(text)))
    }
}

fn number(tens: u8, ones: u8) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

impl Zone {
    pub fn parse(name: &str) -> Result<Self, HoursError> {
        let found = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown());
        found.map(Self).ok_or_else(|| HoursError::Zone(shown(name)))
    }

    /// The day, counted from a Monday, and the time that clocks in this zone show.
    fn wall_clock(&self, moment: UnixTime) -> Option<(i64, TimeOfDay)> {
        let utc = i64::try_from(moment.as_secs()).ok()?;
        let offset = self.0.to_offset(Timestamp::from_second(utc).ok()?);
        let local = utc + i64::from(offset.seconds());
        Some((local.div_euclid(DAY) + DAYS_FROM_MONDAY_TO_EPOCH, TimeOfDay(local.rem_euclid(DAY))))
    }
}

const DAY: i64 = 24 * 60 * 60;
/// 1970-01-01 was a Thursday.
const DAYS_FROM_MONDAY_TO_EPOCH: i64 = 3;

impl Days {
    fn of(days: &[Day]) -> Option<Self> {
        let bits = days.iter().fold(0, |bits, day| bits | 1 << *day as u8);
        (bits != 0).then_some(Self(bits))
    }

    fn hold(self, day: i64) -> bool {
        self.0 & (1 << day.rem_euclid(7)) != 0
    }
}

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN_CHARS).collect()
}

/// Longer than the name of any time zone.
const MAX_SHOWN_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const WEEKDAYS: [Day; 5] = [Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday];

    fn hours(days: &[Day], from: &str, to: &str, zone: &str) -> Hours {
        let time = |text| TimeOfDay::parse(text).unwrap();
        Hours::new(days, time(from), time(to), Zone::parse(zone).unwrap()).unwrap()
    }

    fn at(text: &str) -> UnixTime {
        let moment: Timestamp = text.parse().unwrap();
        UnixTime::from_secs(moment.as_second().try_into().unwrap())
    }

    #[rstest]
    #[case("2026-11-23T05:59:59Z", false)] // Monday, 06:59:59
    #[case("2026-11-23T06:00:00Z", true)]
    #[case("2026-11-23T18:59:59Z", true)]
    #[case("2026-11-23T19:00:00Z", false)]
    #[case("2026-11-27T12:00:00Z", true)]
    #[case("2026-11-28T12:00:00Z", false)] // Saturday
    #[case("2026-07-20T05:00:00Z", true)] // in summer
    #[case("2026-07-20T18:00:00Z", false)]
    fn working_hours_are_what_the_clock_on_the_wall_shows(#[case] moment: &str, #[case] within: bool) {
        assert_eq!(hours(&WEEKDAYS, "07:00", "20:00", "Europe/Berlin").contains(at(moment)), within);
    }

    #[rstest]
    #[case("2026-11-27T22:00:00Z", true)] // Friday
    #[case("2026-11-28T05:59:59Z", true)] // Saturday, but it began on Friday
    #[case("2026-11-28T06:00:00Z", false)]
    #[case("2026-11-28T22:00:00Z", false)]
    #[case("2026-11-27T05:59:59Z", false)] // it would have begun on Thursday
    #[case("2026-11-27T12:00:00Z", false)]
    fn hours_over_midnight_belong_to_the_day_they_begin(#[case] moment: &str, #[case] within: bool) {
        assert_eq!(hours(&[Day::Friday], "22:00", "06:00", "UTC").contains(at(moment)), within);
    }

    #[test]
    fn the_night_of_a_sunday_ends_on_monday() {
        let night = hours(&[Day::Sunday], "22:00", "06:00", "UTC");
        assert!(night.contains(at("2026-11-23T05:00:00Z")) && !night.contains(at("2026-11-22T05:00:00Z")));
    }

    #[rstest]
    #[case("24:00")]
    #[case("00:00")]
    fn midnight_can_be_written_as_either_end_of_a_day(#[case] to: &str) {
        let evening = hours(&[Day::Monday], "18:00", to, "UTC");
        assert!(evening.contains(at("2026-11-23T23:59:59Z")) && !evening.contains(at("2026-11-24T00:00:00Z")));
    }

    #[test]
    fn a_whole_day_runs_from_midnight_to_midnight() {
        let monday = hours(&[Day::Monday], "00:00", "24:00", "America/New_York");
        let within = ["2026-11-23T04:59:59Z", "2026-11-23T05:00:00Z", "2026-11-24T04:59:59Z", "2026-11-24T05:00:00Z"];
        assert_eq!(within.map(|moment| monday.contains(at(moment))), [false, true, true, false]);
    }

    /// In Berlin, 02:00 became 03:00 at 01:00 UTC on 2026-03-29, a Sunday.
    #[rstest]
    #[case("01:00", "02:30", "2026-03-29T00:59:59Z", true)] // 01:59:59
    #[case("01:00", "02:30", "2026-03-29T01:00:00Z", false)] // 03:00:00
    #[case("02:30", "04:00", "2026-03-29T00:59:59Z", false)]
    #[case("02:30", "04:00", "2026-03-29T01:00:00Z", true)]
    #[case("02:00", "03:00", "2026-03-29T00:59:59Z", false)]
    #[case("02:00", "03:00", "2026-03-29T01:00:00Z", false)]
    #[case("22:00", "03:00", "2026-03-29T00:59:59Z", true)]
    #[case("22:00", "03:00", "2026-03-29T01:00:00Z", false)]
    fn an_hour_that_is_never_shown_has_no_part(
        #[case] from: &str,
        #[case] to: &str,
        #[case] moment: &str,
        #[case] within: bool,
    ) {
        assert_eq!(hours(&Day::ALL, from, to, "Europe/Berlin").contains(at(moment)), within);
    }

    /// In Berlin, 03:00 became 02:00 at 01:00 UTC on 2026-10-25, a Sunday.
    #[rstest]
    #[case("2026-10-24T23:59:59Z", false)] // 01:59:59
    #[case("2026-10-25T00:00:00Z", true)] // 02:00:00
    #[case("2026-10-25T00:30:00Z", false)] // 02:30:00
    #[case("2026-10-25T01:00:00Z", true)] // 02:00:00 again
    #[case("2026-10-25T01:29:59Z", true)]
    #[case("2026-10-25T01:30:00Z", false)]
    fn an_hour_that_is_shown_twice_counts_twice(#[case] moment: &str, #[case] within: bool) {
        assert_eq!(hours(&Day::ALL, "02:00", "02:30", "Europe/Berlin").contains(at(moment)), within);
    }

    #[test]
    fn a_zone_may_be_ahead_or_behind_by_a_day_and_by_quarters() {
        let monday = |zone| hours(&[Day::Monday], "00:00", "00:45", zone);
        assert!(monday("Pacific/Kiritimati").contains(at("2026-11-22T10:00:00Z")));
        assert!(monday("Pacific/Pago_Pago").contains(at("2026-11-23T11:00:00Z")));
        assert!(monday("Asia/Kathmandu").contains(at("2026-11-22T18:15:00Z")));
        assert!(!monday("Asia/Kathmandu").contains(at("2026-11-22T19:00:00Z")));
    }

    #[test]
    fn a_moment_beyond_all_calendars_is_in_no_hours() {
        let always = hours(&Day::ALL, "00:00", "24:00", "UTC");
        assert!(always.contains(UnixTime::from_secs(0)) && always.contains(at("9999-12-30T00:00:00Z")));
        assert!(!always.contains(UnixTime::from_secs(u64::MAX)) && !always.contains(UnixTime::from_secs(1 << 62)));
    }

    #[rstest]
    #[case("")]
    #[case("7:00")]
    #[case("07:0")]
    #[case("0700")]
    #[case("07:00:00")]
    #[case("07.00")]
    #[case("+7:00")]
    #[case("07:60")]
    #[case("24:01")]
    #[case("25:00")]
    #[case("99:99")]
    #[case("7 am")]
    #[case("\u{0660}7:00")]
    fn anything_else_is_no_time_of_day(#[case] text: &str) {
        assert_eq!(TimeOfDay::parse(text), Err(HoursError::Time(text.to_owned())));
    }

    #[rstest]
    #[case("")]
    #[case("Berlin")]
    #[case("Europe/Atlantis")]
    #[case("Etc/Unknown")]
    #[case("etc/unknown")]
    #[case("local")]
    #[case("+01:00")]
    #[case("CET-1CEST")]
    #[case("/etc/localtime")]
    #[case("../UTC")]
    fn only_names_of_the_built_in_database_are_time_zones(#[case] name: &str) {
        assert_eq!(Zone::parse(name), Err(HoursError::Zone(name.to_owned())));
    }

    #[rstest]
    #[case("monday")]
    #[case("Mon")]
    #[case("mo")]
    #[case("")]
    fn a_day_is_written_with_three_letters(#[case] text: &str) {
        assert_eq!(Day::parse(text), Err(HoursError::Day(text.to_owned())));
    }

    #[test]
    fn days_are_read_as_they_are_written() {
        assert_eq!(Day::ALL.map(|day| Day::parse(day.as_str())), Day::ALL.map(Ok));
    }

    #[test]
    fn hours_without_any_time_in_them_are_refused() {
        let new = |days: &[Day], from, to| {
            let time = |text| TimeOfDay::parse(text).unwrap();
            Hours::new(days, time(from), time(to), Zone::parse("UTC").unwrap()).unwrap_err()
        };
        assert_eq!(new(&[], "07:00", "20:00"), HoursError::NoDay);
        assert_eq!(new(&Day::ALL, "07:00", "07:00"), HoursError::Empty);
        assert_eq!(new(&Day::ALL, "24:00", "07:00"), HoursError::BeginsAtTheEnd);
    }

    proptest! {
        #[test]
        fn a_moment_is_within_hours_or_within_the_rest_of_the_day(
            secs in 0..4_102_444_800_u64,
            from in 0..1_440_i64,
            to in 0..1_440_i64,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Africa/Cairo"]),
        ) {
            prop_assume!(from != to);
            let zone = Zone::parse(zone).unwrap();
            let hours = |from, to| Hours::new(&Day::ALL, TimeOfDay(from * 60), TimeOfDay(to * 60), zone.clone()).unwrap();
            let moment = UnixTime::from_secs(secs);
            prop_assert_ne!(hours(from, to).contains(moment), hours(to, from).contains(moment));
        }

        #[test]
        fn day_and_time_are_what_the_calendar_says(secs in 0..4_102_444_800_u64) {
            let zone = Zone::parse("Europe/Berlin").unwrap();
            let (day, time) = zone.wall_clock(UnixTime::from_secs(secs)).unwrap();
            let civil = zone.0.to_datetime(Timestamp::from_second(secs.try_into().unwrap()).unwrap());
            prop_assert_eq!(day.rem_euclid(7), i64::from(civil.weekday().to_monday_zero_offset()));
            prop_assert_eq!(time.0, i64::from(civil.hour()) * 3_600 + i64::from(civil.minute()) * 60 + i64::from(civil.second()));
        }
    }
}
