//! Times as the API has them: `MicroTime` with exactly six digits of a second, `Time` with none, both in UTC.

const SECOND: i64 = 1_000_000;
const DAY_S: i64 = 86_400;
/// 0001-01-01T00:00:00Z, which the server takes for no time at all and shows as null.
const ZERO: i64 = -62_135_596_800 * SECOND;

/// Reads a `MicroTime`, as microseconds since 1970.
///
/// # Errors
/// When it is not of the form that the server reads: other than six digits of a second are refused, not rounded.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    let refuse = || {
        format!("parsing time \"{text}\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse it")
    };
    let bytes = text.as_bytes();
    let shape = b"dddd-dd-ddTdd:dd:dd.dddddd";
    if bytes.len() <= shape.len() {
        return Err(refuse());
    }
    let (time, zone) = bytes.split_at(shape.len());
    let fits = time.iter().zip(shape).all(|(byte, wanted)| match wanted {
        b'd' => byte.is_ascii_digit(),
        wanted => byte == wanted,
    });
    if !fits {
        return Err(refuse());
    }
    let number = |from: usize, to: usize| {
        time[from..to]
            .iter()
            .fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let offset = offset_s(zone).filter(|_| in_range).ok_or_else(refuse)?;
    let seconds = days_before(year, month, day) * DAY_S + hour * 3_600 + minute * 60 + second;
    Ok((seconds - offset) * SECOND + number(20, 26))
}

fn offset_s(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2]
            if [h1, h2, m1, m2].iter().all(|digit| digit.is_ascii_digit()) =>
        {
            let two = |a: &u8, b: &u8| i64::from(a - b'0') * 10 + i64::from(b - b'0');
            let (hours, minutes) = (two(h1, h2), two(m1, m2));
            let seconds = hours * 3_600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// Writes a `MicroTime`; nothing for the time that the server takes for none.
pub(super) fn write(micros: i64) -> Option<String> {
    let time = to_seconds(micros.div_euclid(SECOND));
    (micros != ZERO).then(|| format!("{time}.{:06}Z", micros.rem_euclid(SECOND)))
}

/// Writes a `Time`.
pub(super) fn write_seconds(unix_s: i64) -> String {
    format!("{}Z", to_seconds(unix_s))
}

/// Writes what a `Date` header says.
pub(super) fn write_date(unix_s: i64) -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = unix_s.div_euclid(DAY_S);
    let (year, month, day) = date(days);
    let (hour, minute, second) = time_of_day(unix_s);
    let pick = |names: &[&'static str], index: i64| {
        let index = usize::try_from(index).unwrap_or_default();
        names.get(index).copied().unwrap_or_default()
    };
    let weekday = pick(&WEEKDAYS, days.rem_euclid(7));
    let month = pick(&MONTHS, month - 1);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

fn to_seconds(unix_s: i64) -> String {
    let (year, month, day) = date(unix_s.div_euclid(DAY_S));
    let (hour, minute, second) = time_of_day(unix_s);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

fn time_of_day(unix_s: i64) -> (i64, i64, i64) {
    let second = unix_s.rem_euclid(DAY_S);
    (second / 3_600, second / 60 % 60, second % 60)
}

fn days_in(year: i64, month: i64) -> i64 {
    let (next_year, next_month) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    days_before(next_year, next_month, 1) - days_before(year, month, 1)
}

/// Days from 1970 to a date, in years that begin in March so that leap days come last.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The reverse of [`days_before`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (carry, month) = if month < 10 {
        (0, month + 3)
    } else {
        (1, month - 9)
    };
    (era * 400 + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_and_written_in_utc() {
        let micros = parse("2026-01-02T03:04:05.123456+02:00").unwrap();
        assert_eq!(write(micros).unwrap(), "2026-01-02T01:04:05.123456Z");
        let late = "9999-12-31T23:59:59.999999Z";
        assert_eq!(write(parse(late).unwrap()).unwrap(), late);
        let leap = "2024-02-29T23:59:59.000001Z";
        assert_eq!(write(parse(leap).unwrap()).unwrap(), leap);
    }

    #[test]
    fn other_than_six_digits_of_a_second_are_refused() {
        for text in [
            "",
            "nope",
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.5Z",
            "2026-01-02T03:04:05.123456789Z",
            "2026-01-02T03:04:05.123456",
            "2026-02-29T03:04:05.123456Z",
            "2026-13-02T03:04:05.123456Z",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_first_of_all_times_is_none() {
        assert_eq!(write(parse("0001-01-01T00:00:00.000000Z").unwrap()), None);
    }

    #[test]
    fn a_date_is_written_as_http_has_it() {
        assert_eq!(write_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(write_seconds(784_111_777), "1994-11-06T08:49:37Z");
    }
}
