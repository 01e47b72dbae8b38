//! From when to when a certificate says that it is valid, and the calendar for it.

use crate::asn1::{self, der, der_sequence};
use crate::{Error, Result};
use alloc::vec::Vec;

/// How long a certificate says that it is valid. Nothing here looks at it (RFC 8886, 3.1); other
/// programs may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Validity {
    /// Until 99991231235959Z: RFC 5280's way to say that there is no end.
    #[default]
    Forever,
    /// So many days. RFC 8886, A.1, takes 36500.
    Days(u32),
}

impl Validity {
    /// RFC 5280's Validity, from this second of Unix time on.
    pub(super) fn der(self, not_before: u64) -> Result<Vec<u8>> {
        let not_after = match self {
            Self::Forever => LAST_SECOND,
            Self::Days(days) => not_before.saturating_add(u64::from(days) * DAY),
        };
        Ok(der_sequence(&[&time(not_before)?, &time(not_after)?]))
    }
}

/// Seconds of a day.
const DAY: u64 = 86_400;

/// 9999-12-31 23:59:59, the last second that can be written.
const LAST_SECOND: u64 = 253_402_300_799;

/// RFC 5280's Time: UTCTime before the year 2050, GeneralizedTime from then on.
fn time(unix: u64) -> Result<Vec<u8>> {
    if unix > LAST_SECOND {
        return Err(Error::Argument("a certificate's time is after the year 9999"));
    }
    let (year, month, day) = date(unix / DAY);
    let second = unix % DAY;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    // Not `format!`: its code of `alloc` is the only one that a build for firmware would unwind for.
    let digit = |number: u64| b'0' + u8::try_from(number % 10).unwrap_or(0);
    let two = |number: u64| [digit(number / 10), digit(number)];
    let rest = [year % 100, month, day, hour, minute, second].map(two);
    Ok(if year < 2050 {
        der(asn1::UTC_TIME, &[rest.as_flattened(), b"Z"])
    } else {
        der(asn1::GENERALIZED_TIME, &[&two(year / 100), rest.as_flattened(), b"Z"])
    })
}

/// Year, month and day of the month of a day counted from 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    // At most 8030 rounds: `time` has checked the year.
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    (year, month, days + 1)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(unix: u64) -> (u8, Vec<u8>) {
        let der = time(unix).unwrap();
        (der[0], der[2..].to_vec())
    }

    #[test]
    fn dates_are_right_on_both_sides_of_every_edge() {
        // The seconds are `date -u -d .. +%s`.
        for (unix, tag, expected) in [
            (0, asn1::UTC_TIME, "700101000000Z"),
            (68_169_599, asn1::UTC_TIME, "720228235959Z"),
            (68_169_600, asn1::UTC_TIME, "720229000000Z"),
            (68_256_000, asn1::UTC_TIME, "720301000000Z"),
            (946_684_799, asn1::UTC_TIME, "991231235959Z"),
            (946_684_800, asn1::UTC_TIME, "000101000000Z"),
            (951_782_400, asn1::UTC_TIME, "000229000000Z"),
            (1_606_262_645, asn1::UTC_TIME, "201125000405Z"),
            (2_524_607_999, asn1::UTC_TIME, "491231235959Z"),
            (2_524_608_000, asn1::GENERALIZED_TIME, "20500101000000Z"),
            (4_107_542_399, asn1::GENERALIZED_TIME, "21000228235959Z"),
            (4_107_542_400, asn1::GENERALIZED_TIME, "21000301000000Z"),
            (253_402_300_799, asn1::GENERALIZED_TIME, "99991231235959Z"),
        ] {
            assert_eq!(text(unix), (tag, expected.as_bytes().to_vec()), "{unix}");
        }
        assert!(time(253_402_300_800).is_err() && time(u64::MAX).is_err());
    }

    #[test]
    fn the_calendar_has_no_gap() {
        let mut expected = (1970, 1, 1);
        for day in 0..=LAST_SECOND / DAY {
            // `date` walks from 1970 each time, so not every day is asked for.
            if day % 97 == 0 {
                assert_eq!(date(day), expected);
            }
            expected = the_day_after(expected);
        }
        assert_eq!(expected, (10_000, 1, 1));
    }

    fn the_day_after((year, month, day): (u64, u64, u64)) -> (u64, u64, u64) {
        let february = match (year % 4, year % 100, year % 400) {
            (0, 1.., _) | (0, 0, 0) => 29,
            _ => 28,
        };
        let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        match (month, day) {
            (12, 31) => (year + 1, 1, 1),
            _ if day == lengths[usize::try_from(month).unwrap() - 1] => (year, month + 1, 1),
            _ => (year, month, day + 1),
        }
    }

    #[test]
    fn forever_and_days() {
        let forever = Validity::Forever.der(0).unwrap();
        assert!(forever.ends_with(b"\x18\x0f99991231235959Z"));
        let days = Validity::Days(36_500).der(1_798_761_600).unwrap(); // 2027-01-01
        assert!(days.ends_with(b"\x18\x0f21261208000000Z"));
        assert!(Validity::Days(1).der(LAST_SECOND - DAY).is_ok());
        assert!(Validity::Days(1).der(LAST_SECOND).is_err());
        assert!(Validity::Days(u32::MAX).der(u64::MAX).is_err());
    }
}
