//! How long a caller waits: the `grpc-timeout` header, less what the answer needs to get back in time.

use http::HeaderMap;
use std::time::Duration;

/// What is left of the caller's patience to conclude a decision and for the way back, half of it each. Timers fire up to
/// a millisecond late, and Envoy's own timer has started earlier than ours.
const MARGIN: Duration = Duration::from_millis(5);

/// How long a call may take whose caller names no deadline, or a longer one. Envoy always names one, of 200 ms
/// unless configured; without an end a call that never sends its message would hold its place for ever.
const LONGEST: Duration = Duration::from_secs(30);

/// The specification allows at most eight digits.
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests>
const MAX_DIGITS: usize = 8;

/// How long what may take, counted from the arrival of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    /// Until the decision is made.
    pub(super) decision: Duration,
    /// Until the answer that says it is complete. The difference is for counting, logging and encoding: what was counted
    /// as decided is also given, unless those alone take longer than that.
    pub(super) answer: Duration,
}

impl Patience {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let asked = headers.get("grpc-timeout").and_then(|value| parse(value.as_bytes()));
        let whole = asked.map_or(LONGEST, |timeout| timeout.min(LONGEST));
        let margin = MARGIN.min(whole / 2);
        Self { decision: whole.saturating_sub(margin), answer: whole.saturating_sub(margin / 2) }
    }
}

/// One to eight digits and a unit; anything else is no timeout.
fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let amount = digits.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(amount * 3600)),
        b'M' => Some(Duration::from_secs(amount * 60)),
        b'S' => Some(Duration::from_secs(amount)),
        b'm' => Some(Duration::from_millis(amount)),
        b'u' => Some(Duration::from_micros(amount)),
        b'n' => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn patience_for(timeout: &'static str) -> Patience {
        Patience::of(&HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-timeout"),
            HeaderValue::from_static(timeout),
        )]))
    }

    #[test]
    fn every_unit_of_the_specification_is_read() {
        let cases = [
            ("1H", Duration::from_hours(1)),
            ("2M", Duration::from_mins(2)),
            ("3S", Duration::from_secs(3)),
            ("200m", Duration::from_millis(200)),
            ("5u", Duration::from_micros(5)),
            ("99999999n", Duration::from_nanos(99_999_999)),
        ];
        for (value, expected) in cases {
            assert_eq!(parse(value.as_bytes()), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_the_specification_does_not_allow_is_no_timeout() {
        for value in ["", "m", "200", "123456789m", "-1m", "+1m", " 1m", "1 m", "1s", "1.5S", "1mm", "0x1S"] {
            assert_eq!(parse(value.as_bytes()), None, "{value:?}");
        }
    }

    #[test]
    fn the_decision_and_its_answer_get_a_head_start_on_the_callers_clock() {
        let micros = |timeout| {
            let patience = patience_for(timeout);
            (patience.decision.as_micros(), patience.answer.as_micros())
        };
        assert_eq!(micros("200m"), (195_000, 197_500));
        assert_eq!(micros("4m"), (2_000, 3_000));
        assert_eq!(micros("0m"), (0, 0));
    }

    #[test]
    fn no_call_waits_longer_than_the_limit() {
        let less = |margin| LONGEST.checked_sub(margin).unwrap();
        let longest = Patience { decision: less(MARGIN), answer: less(MARGIN / 2) };
        assert_eq!(Patience::of(&HeaderMap::new()), longest);
        assert_eq!(patience_for("99999999H"), longest);
        assert_eq!(patience_for("soon"), longest);
    }
}
