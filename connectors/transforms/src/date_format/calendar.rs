//! `java.util.GregorianCalendar` in UTC with US weeks: the fields of a moment, and the moment that fields name.

use caisson_sdk::api::logical::DAY;
use caisson_sdk::api::value::java::Moment;

/// A date and its place in weeks, months and years.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    pub moment: Moment,
    /// Days since the epoch.
    days: i64,
}

impl Fields {
    pub fn of(millis: i64) -> Self {
        Fields {
            moment: Moment::of(millis),
            days: millis.div_euclid(DAY),
        }
    }

    /// 0 for BC, 1 for AD.
    pub fn era(&self) -> usize {
        usize::from(self.moment.year > 0)
    }

    /// In the era.
    pub fn year(&self) -> i64 {
        let year = self.moment.year;
        if year > 0 { year } else { 1 - year }
    }

    /// Sunday is 1.
    pub fn day_of_week(&self) -> i64 {
        day_of_week(self.days)
    }

    pub fn day_of_year(&self) -> i64 {
        self.days - Moment::days_of(self.moment.year, 1, 1) + 1
    }

    /// Weeks begin on Sunday, and the first is that of the first of January.
    pub fn week_of_year(&self) -> i64 {
        if self.week_year() > self.moment.year {
            return 1;
        }
        let first = Moment::days_of(self.moment.year, 1, 1);
        (self.days - week_start(first)) / 7 + 1
    }

    /// The year whose week this is: the last days of a year may be of the first week of the next.
    pub fn week_year(&self) -> i64 {
        let next = Moment::days_of(self.moment.year + 1, 1, 1);
        self.moment.year + i64::from(week_start(next) <= self.days)
    }

    pub fn week_of_month(&self) -> i64 {
        let first = Moment::days_of(self.moment.year, self.moment.month.into(), 1);
        (self.days - week_start(first)) / 7 + 1
    }

    pub fn day_of_week_in_month(&self) -> i64 {
        // In the month in which days were left out, days count and not their numbers.
        let first = Moment::days_of(self.moment.year, self.moment.month.into(), 1);
        (self.days - first) / 7 + 1
    }

    /// Of the day.
    pub fn hour(&self) -> i64 {
        self.moment.time / 3_600_000
    }

    pub fn minute(&self) -> i64 {
        self.moment.time / 60_000 % 60
    }

    pub fn second(&self) -> i64 {
        self.moment.time / 1000 % 60
    }

    pub fn millisecond(&self) -> i64 {
        self.moment.time % 1000
    }
}

/// The moment so many years before another, and its year.
pub fn years_before(millis: i64, years: i64) -> (i64, i64) {
    let fields = Fields::of(millis);
    let year = fields.moment.year - years;
    // The 29th of February becomes the 28th where there is none.
    let last = Moment::days_of(year, i64::from(fields.moment.month) + 1, 1) - 1;
    let day = Moment::days_of(year, fields.moment.month.into(), fields.moment.day.into()).min(last);
    (day * DAY + fields.moment.time, year)
}

/// Sunday is 1; the epoch was a Thursday.
fn day_of_week(days: i64) -> i64 {
    (days + 4).rem_euclid(7) + 1
}

/// The Sunday at the start of a day's week.
fn week_start(days: i64) -> i64 {
    on_or_before(days, SUNDAY)
}

const SUNDAY: i64 = 1;

/// The last day on or before another that is such a day of the week; those out of range count on, as an int does.
fn on_or_before(days: i64, day_of_week: i64) -> i64 {
    let from_sunday = (day_of_week as i32).wrapping_sub(1);
    days - (days + 4 - i64::from(from_sunday)).rem_euclid(7)
}

/// What can be set (`Calendar`'s fields).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Era,
    Year,
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfMonth,
    DayOfYear,
    DayOfWeek,
    DayOfWeekInMonth,
    AmPm,
    Hour,
    HourOfDay,
    Minute,
    Second,
    Millisecond,
    /// In milliseconds.
    ZoneOffset,
    WeekYear,
}

const PARTS: usize = Part::WeekYear as usize + 1;

/// Fields as they are read out of a text, and in which order: the later ones decide where they contradict each other
/// (`Calendar.selectFields`).
#[derive(Debug, Default)]
pub struct Builder {
    values: [i32; PARTS],
    stamps: [u32; PARTS],
    latest: u32,
}

/// How the day is named.
enum Day {
    OfMonth,
    OfYear,
    WeekOfMonth,
    WeekOfYear,
    OfWeekInMonth,
}

impl Builder {
    pub fn set(&mut self, part: Part, value: i32) {
        self.latest += 1;
        self.stamps[part as usize] = self.latest;
        self.values[part as usize] = value;
    }

    pub fn add_years(&mut self, years: i32) {
        for part in [Part::Year, Part::WeekYear] {
            self.values[part as usize] = self.values[part as usize].wrapping_add(years);
        }
    }

    fn stamp(&self, part: Part) -> u32 {
        self.stamps[part as usize]
    }

    fn is_set(&self, part: Part) -> bool {
        self.stamp(part) > 0
    }

    fn value(&self, part: Part) -> i64 {
        self.values[part as usize].into()
    }

    /// Milliseconds since the epoch; too much of anything runs over into the next unit.
    pub fn millis(&self) -> i64 {
        let days = if self.stamp(Part::WeekYear) > self.stamp(Part::Year) {
            self.week_date()
        } else {
            self.days()
        };
        let time = ((self.hours() * 60 + self.value(Part::Minute)) * 60 + self.value(Part::Second)) * 1000
            + self.value(Part::Millisecond);
        days.wrapping_mul(DAY)
            .wrapping_add(time)
            .wrapping_sub(self.value(Part::ZoneOffset))
    }

    fn hours(&self) -> i64 {
        let both = self.both(Part::Hour, Part::AmPm);
        let of_day = self.stamp(Part::HourOfDay);
        if of_day > 0 && of_day >= both {
            self.value(Part::HourOfDay)
        } else {
            self.value(Part::Hour) + 12 * self.value(Part::AmPm)
        }
    }

    /// The later of two stamps, if both parts are set.
    fn both(&self, one: Part, other: Part) -> u32 {
        let (one, other) = (self.stamp(one), self.stamp(other));
        if one == 0 || other == 0 { 0 } else { one.max(other) }
    }

    fn day_named_by(&self) -> Day {
        let weekday = self.stamp(Part::DayOfWeek);
        let of_month = self.stamp(Part::DayOfMonth);
        let of_year = self.stamp(Part::DayOfYear);
        let mut week_of_month = self.both(Part::WeekOfMonth, Part::DayOfWeek);
        let mut in_month = self.both(Part::DayOfWeekInMonth, Part::DayOfWeek);
        let mut week_of_year = self.both(Part::WeekOfYear, Part::DayOfWeek);
        let mut best = of_month.max(week_of_month).max(in_month).max(of_year).max(week_of_year);
        if best == 0 {
            // No combination is complete; a day of the week alone is the first such day of the month.
            week_of_month = self.stamp(Part::WeekOfMonth);
            in_month = self.stamp(Part::DayOfWeekInMonth).max(weekday);
            week_of_year = self.stamp(Part::WeekOfYear);
            best = week_of_month.max(in_month).max(week_of_year);
            if best == 0 {
                return Day::OfMonth;
            }
        }
        let week = self.stamp(Part::WeekOfYear);
        if best == of_month {
            Day::OfMonth
        } else if best == week_of_month && self.stamp(Part::WeekOfMonth) >= week
            || best == in_month && self.stamp(Part::DayOfWeekInMonth) >= week
        {
            let by_week = if week_of_month == in_month {
                self.stamp(Part::WeekOfMonth) >= self.stamp(Part::DayOfWeekInMonth)
            } else {
                best == week_of_month
            };
            if by_week { Day::WeekOfMonth } else { Day::OfWeekInMonth }
        } else if best == of_year {
            Day::OfYear
        } else {
            Day::WeekOfYear
        }
    }

    /// Counted from year 0, which is 1 BC.
    fn year(&self) -> i64 {
        let year = if self.is_set(Part::Year) {
            self.value(Part::Year)
        } else {
            1970
        };
        if self.is_set(Part::Era) && self.value(Part::Era) == 0 {
            1 - year
        } else {
            year
        }
    }

    /// Days since the epoch.
    fn days(&self) -> i64 {
        let (year, month) = (self.year(), self.value(Part::Month) + 1);
        let weekday = self.is_set(Part::DayOfWeek).then(|| self.value(Part::DayOfWeek));
        match self.day_named_by() {
            Day::OfMonth => {
                let day = if self.is_set(Part::DayOfMonth) {
                    self.value(Part::DayOfMonth)
                } else {
                    1
                };
                Moment::days_of(year, month, day)
            }
            Day::OfYear => Moment::days_of(year, 1, self.value(Part::DayOfYear)),
            Day::WeekOfMonth => counted_from(year, month, |first, _| {
                in_week(first, weekday) + 7 * (self.value(Part::WeekOfMonth) - 1)
            }),
            Day::WeekOfYear => counted_from(year, 1, |first, _| {
                in_week(first, weekday) + 7 * (self.value(Part::WeekOfYear) - 1)
            }),
            Day::OfWeekInMonth => {
                let weekday = weekday.unwrap_or(SUNDAY);
                let nth = if self.is_set(Part::DayOfWeekInMonth) {
                    self.values[Part::DayOfWeekInMonth as usize]
                } else {
                    1
                };
                counted_from(year, month, |first, length| {
                    if nth >= 0 {
                        on_or_before(first + i64::from(nth.wrapping_mul(7)) - 1, weekday)
                    } else {
                        let last = length.wrapping_add(nth.wrapping_add(1).wrapping_mul(7));
                        on_or_before(first + i64::from(last) - 1, weekday)
                    }
                })
            }
        }
    }

    /// `Calendar.setWeekDate`, with what `CalendarBuilder` makes of days of the week that are none.
    fn week_date(&self) -> i64 {
        let mut week = if self.is_set(Part::WeekOfYear) {
            self.value(Part::WeekOfYear)
        } else {
            1
        };
        let mut weekday = if self.is_set(Part::DayOfWeek) {
            self.value(Part::DayOfWeek)
        } else {
            SUNDAY
        };
        if weekday >= 8 {
            weekday -= 1;
            week += weekday / 7;
            weekday = iso_day(weekday % 7 + 1);
        } else if weekday <= 0 {
            let weeks = (-weekday) / 7 + 1;
            weekday = iso_day(weekday + 7 * weeks);
            week -= weeks;
        }
        let first = week_start(Moment::days_of(self.value(Part::WeekYear), 1, 1));
        first + weekday - SUNDAY + 7 * (week - 1)
    }
}

/// A day that is counted from the first of a month, whose length is given too: in the Gregorian calendar if it comes out
/// in the time in which that holds, else in the Julian one.
fn counted_from(year: i64, month: i64, count: impl Fn(i64, i32) -> i64) -> i64 {
    let in_calendar = |first_of: fn(i64, i64) -> i64| {
        let first = first_of(year, month);
        count(first, (first_of(year, month + 1) - first) as i32)
    };
    let gregorian = in_calendar(Moment::gregorian_first_of);
    if gregorian >= Moment::GREGORIAN_START {
        gregorian
    } else {
        in_calendar(Moment::julian_first_of)
    }
}

/// A day of the week that begins on Monday, as one of the week that begins on Sunday. What is none stays.
pub fn iso_day(day: i64) -> i64 {
    match day {
        7 => SUNDAY,
        1..7 => day + 1,
        other => other,
    }
}

/// The day of the week of a month's or year's first day. With one day in it a week is that month's or year's already.
fn in_week(first: i64, weekday: Option<i64>) -> i64 {
    let sunday = week_start(first);
    match weekday {
        Some(weekday) if weekday != SUNDAY => on_or_before(sunday + 6, weekday),
        Some(_) | None => sunday,
    }
}
