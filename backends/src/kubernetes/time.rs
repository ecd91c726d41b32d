//! Times as Kubernetes writes them.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::fmt::temporal::DateTimePrinter;
use tenure_core::WallTime;

/// The last microsecond that can be said: two days before the year 9999 ends, so that it has a date in every time zone.
pub(crate) const LAST: u64 = 253_402_207_199_999_999;

const DATE_LENGTH: usize = "2026-11-30T".len();
const MICRO_TIME_LENGTH: usize = "2026-11-30T03:33:20.120000Z".len();

static PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// A `MicroTime`: six digits behind the second, always. Nothing for a time that it cannot express.
pub(crate) fn micro_time(micros: u64) -> Option<String> {
    let micros = i64::try_from(micros).ok().filter(|_| micros <= LAST)?;
    let time = Timestamp::from_microsecond(micros).ok()?;
    let mut text = String::with_capacity(MICRO_TIME_LENGTH);
    PRINTER.print_timestamp(&time, &mut text).ok()?;
    Some(text)
}

const DAY_MICROS: u64 = 86_400_000_000;
/// Where each digit of the time of day is in its text, from the last one on, and how many it counts to.
const TIME_OF_DAY: [(usize, u64); 12] = [
    (14, 10),
    (13, 10),
    (12, 10),
    (11, 10),
    (10, 10),
    (9, 10),
    (7, 10),
    (6, 6),
    (4, 10),
    (3, 6),
    (1, 10),
    (0, 3),
];

/// Makes `text`, which is the `MicroTime` of `before`, that of `micros`. Nothing for a time that it cannot express.
///
/// On the same day only the time of day is written: all of it takes a fifth of what a renewal costs beside its request.
pub(crate) fn move_on(text: &mut [u8], before: u64, micros: u64) -> Option<()> {
    if before / DAY_MICROS != micros / DAY_MICROS {
        let new = micro_time(micros)?;
        text.get_mut(..new.len())?.copy_from_slice(new.as_bytes());
        return Some(());
    }
    let text = text.get_mut(DATE_LENGTH..).filter(|_| micros <= LAST)?;
    let mut rest = micros % DAY_MICROS;
    for (place, base) in TIME_OF_DAY {
        *text.get_mut(place)? = b'0' + u8::try_from(rest % base).ok()?;
        rest /= base;
    }
    Some(())
}

/// Microseconds since 1970 of a time as others may write it; nothing for what is no time, or before 1970.
pub(crate) fn micros_of(text: &str) -> Option<u64> {
    let time: Timestamp = text.parse().ok()?;
    u64::try_from(time.as_microsecond()).ok()
}

/// The time of an HTTP `Date` header.
pub(crate) fn date(text: &str) -> Option<WallTime> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    let time = PARSER.parse_timestamp(text).ok()?;
    let micros = u64::try_from(time.as_microsecond()).ok()?;
    Some(WallTime::from_unix_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_micro_time_reads_back_what_it_writes() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1, "1970-01-01T00:00:00.000001Z"),
            (1_796_009_600_120_000, "2026-11-30T03:33:20.120000Z"),
            (LAST, "9999-12-30T21:59:59.999999Z"),
        ] {
            assert_eq!(micro_time(micros).as_deref(), Some(text));
            assert_eq!(micros_of(text), Some(micros));
        }
        assert_eq!(micro_time(LAST + 1), None);
        assert_eq!(micro_time(u64::MAX), None);
    }

    #[test]
    fn a_later_time_is_written_over_an_earlier_one() {
        let day = 1_796_000_000 / 86_400 * DAY_MICROS;
        for (before, micros) in [
            (day, day),
            (day, day + 1),
            (day + 7, day + 12 * 3_600_000_000),
            (day + 5, day + DAY_MICROS - 1),
            (day + DAY_MICROS - 1, day + DAY_MICROS),
            (day, LAST),
        ] {
            let mut text = micro_time(before).unwrap().into_bytes();
            move_on(&mut text, before, micros).unwrap();
            assert_eq!(
                String::from_utf8(text).ok(),
                micro_time(micros),
                "{before} {micros}"
            );
        }
        let mut text = micro_time(LAST).unwrap().into_bytes();
        for never in [LAST + 1, u64::MAX] {
            assert_eq!(move_on(&mut text, LAST, never), None);
        }
        assert_eq!(move_on(&mut text[..20], 0, 1), None);
    }

    #[test]
    fn times_of_others_are_read_leniently() {
        let second = Some(1_000_000);
        for text in ["1970-01-01T00:00:01Z", "1970-01-01T01:00:01+01:00"] {
            assert_eq!(micros_of(text), second, "{text}");
        }
        for text in ["", "now", "1969-12-31T23:59:59Z", "1970-13-01T00:00:00Z"] {
            assert_eq!(micros_of(text), None, "{text}");
        }
        let wall = date("Thu, 01 Jan 1970 00:00:01 GMT");
        assert_eq!(wall, Some(WallTime::from_unix_seconds(1)));
        assert_eq!(date("yesterday"), None);
    }
}
