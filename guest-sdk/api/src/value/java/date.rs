//! Java's calendar in UTC: the parts of a moment, and the day that parts name.

use crate::logical::DAY;

/// A moment as the parts of a calendar in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub year: i64,
    /// 1 to 12
    pub month: u32,
    /// 1 to 31
    pub day: u32,
    /// Milliseconds since midnight
    pub time: i64,
}

impl Moment {
    /// Days since the epoch at which Java's calendar changes from Julian to Gregorian: 15 October 1582.
    pub const GREGORIAN_START: i64 = -141_427;

    pub fn of(millis: i64) -> Self {
        let days = millis.div_euclid(DAY);
        let (year, month, day) = if days >= Self::GREGORIAN_START {
            gregorian(days)
        } else {
            julian(days)
        };
        Moment {
            year,
            month,
            day,
            time: millis.rem_euclid(DAY),
        }
    }

    /// The day since the epoch of a date whose month and day may be out of range, as a lenient calendar counts.
    pub fn days_of(year: i64, month: i64, day: i64) -> i64 {
        let day = day.clamp(-MOST, MOST);
        let gregorian = Self::gregorian_first_of(year, month) + day - 1;
        if gregorian >= Self::GREGORIAN_START {
            gregorian
        } else {
            Self::julian_first_of(year, month) + day - 1
        }
    }

    /// The day since the epoch of the first of a month, which may be out of range, in the Gregorian calendar.
    pub fn gregorian_first_of(year: i64, month: i64) -> i64 {
        let (year, month) = in_range(year, month);
        gregorian_days(year, month)
    }

    /// As [`Moment::gregorian_first_of`], in the Julian calendar.
    pub fn julian_first_of(year: i64, month: i64) -> i64 {
        let (year, month) = in_range(year, month);
        julian_days(year, month)
    }
}

/// More years, months or days than any int of Java can name.
const MOST: i64 = 10_000_000_000;

fn in_range(year: i64, month: i64) -> (i64, i64) {
    let month = month.clamp(-MOST, MOST) - 1;
    (year.clamp(-MOST, MOST) + month.div_euclid(12), month.rem_euclid(12) + 1)
}

/// The proleptic Gregorian date of a day (Hinnant's `civil_from_days`).
fn gregorian(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    from_march(year + era * 400, of_year)
}

fn julian(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_470;
    let era = shifted.div_euclid(1461);
    let of_era = shifted.rem_euclid(1461);
    let year = (of_era - of_era / 1460) / 365;
    from_march(year + era * 4, of_era - 365 * year)
}

/// Days since the epoch of the first of a month (Hinnant's `days_from_civil`).
fn gregorian_days(year: i64, month: i64) -> i64 {
    let (year, of_year) = to_march(year, month);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn julian_days(year: i64, month: i64) -> i64 {
    let (year, of_year) = to_march(year, month);
    year.div_euclid(4) * 1461 + year.rem_euclid(4) * 365 + of_year - 719_470
}

/// To years that begin in March, with the day of the year of the first of a month.
fn to_march(year: i64, month: i64) -> (i64, i64) {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    (year, (153 * month + 2) / 5)
}

/// From years that begin in March to those that begin in January.
fn from_march(year: i64, day_of_year: i64) -> (i64, u32, u32) {
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 {
        (year, month + 3)
    } else {
        (year + 1, month - 9)
    };
    (year, month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_on_both_sides_of_the_gregorian_reform() {
        for days in (-900_000..900_000).step_by(17) {
            let moment = Moment::of(days * DAY);
            let back = Moment::days_of(moment.year, i64::from(moment.month), i64::from(moment.day));
            assert_eq!(back, days, "{moment:?}");
        }
    }

    #[test]
    fn what_is_out_of_range_runs_over() {
        assert_eq!(Moment::days_of(2024, 2, 30), Moment::days_of(2024, 3, 1));
        assert_eq!(Moment::days_of(2024, 13, 1), Moment::days_of(2025, 1, 1));
        assert_eq!(Moment::days_of(2024, 1, 0), Moment::days_of(2023, 12, 31));
        assert_eq!(Moment::days_of(1, 1, 1) * DAY, -62_135_769_600_000);
    }
}
