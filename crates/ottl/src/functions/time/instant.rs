//! Points in time as Go has them: every time knows the zone that it is shown in.

use std::cmp::Ordering;

use super::zone::Zone;

/// Seconds from the first day of year 1 to 1970.
const YEAR_1: i64 = -62_135_596_800;
const BILLION: i64 = 1_000_000_000;

/// A point in time, with its zone. Two are equal where they are the same instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    /// Since 1970.
    seconds: i64,
    /// Of the second.
    nano: u32,
    zone: Zone,
}

/// A date and a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    /// From 1.
    pub(crate) day: i64,
    /// Of the day.
    pub(crate) second: i64,
    pub(crate) nano: u32,
}

// === impl Time ===

impl Time {
    /// Nanoseconds since 1970, in UTC.
    pub(crate) fn from_nanos(nanos: i64) -> Self {
        Self { seconds: nanos.div_euclid(BILLION), nano: nanos.rem_euclid(BILLION) as u32, zone: Zone::UTC }
    }

    /// Seconds since 1970 and nanoseconds, which may be more than a second.
    pub(crate) fn from_unix(seconds: i64, nanos: i64, zone: Zone) -> Self {
        let nano = nanos.rem_euclid(BILLION) as u32;
        Self { seconds: seconds.saturating_add(nanos.div_euclid(BILLION)), nano, zone }
    }

    /// The time at which clocks of a zone show this. Days and seconds may lie outside of their month and day.
    pub(crate) fn from_civil(civil: Civil, zone: Zone) -> Self {
        let wall = civil.wall();
        let offset = zone.at(wall).offset;
        // Close to a transition what holds at the time found counts.
        let offset = if offset == 0 { 0 } else { zone.at(wall - i64::from(offset)).offset };
        Self { seconds: wall - i64::from(offset), nano: civil.nano, zone }
    }

    /// The same instant, in another zone.
    pub(crate) fn with_zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    pub(crate) fn zone(self) -> Zone {
        self.zone
    }

    /// Seconds since 1970, and nanoseconds of the second.
    pub(crate) fn unix(self) -> (i64, u32) {
        (self.seconds, self.nano)
    }

    /// Nanoseconds since 1970. Outside of the years 1678 to 2262 they overflow, as Go's do.
    pub(crate) fn unix_nano(self) -> i64 {
        self.seconds.wrapping_mul(BILLION).wrapping_add(i64::from(self.nano))
    }

    /// The date and the time of day in the own zone.
    pub(crate) fn civil(self) -> Civil {
        let wall = self.seconds.saturating_add(i64::from(self.zone.at(self.seconds).offset));
        let (year, month, day) = date(wall.div_euclid(86_400));
        Civil { year, month, day, second: wall.rem_euclid(86_400), nano: self.nano }
    }

    /// Later by so many nanoseconds.
    pub(crate) fn add(self, nanos: i64) -> Self {
        let sum = i64::from(self.nano) + nanos.rem_euclid(BILLION);
        let seconds = self.seconds.wrapping_add(nanos.div_euclid(BILLION)).wrapping_add(sum / BILLION);
        Self { seconds, nano: (sum % BILLION) as u32, ..self }
    }

    /// Nanoseconds since another time, as far as they can be counted.
    pub(crate) fn since(self, from: Self) -> i64 {
        let difference = self.total() - from.total();
        i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
    }

    /// Down to a multiple of so many nanoseconds since the year 1.
    pub(crate) fn truncate(self, nanos: i64) -> Self {
        if nanos <= 0 {
            return self;
        }
        let since_year_1 = self.total() - i128::from(YEAR_1) * i128::from(BILLION);
        self.add(-((since_year_1 % i128::from(nanos)) as i64))
    }

    fn total(self) -> i128 {
        i128::from(self.seconds) * i128::from(BILLION) + i128::from(self.nano)
    }
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.unix() == other.unix()
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> Ordering {
        self.unix().cmp(&other.unix())
    }
}

// === impl Civil ===

impl Civil {
    /// 0 is Sunday.
    pub(crate) fn weekday(&self) -> i64 {
        (days(self.year, self.month, self.day) + 4).rem_euclid(7)
    }

    /// From 1.
    pub(crate) fn year_day(&self) -> i64 {
        days(self.year, self.month, self.day) - days(self.year, 1, 1) + 1
    }

    /// Seconds since 1970 as if the zone were UTC.
    pub(super) fn wall(&self) -> i64 {
        days(self.year, self.month, 1).saturating_add(self.day - 1).saturating_mul(86_400).saturating_add(self.second)
    }
}

/// Days since 1970 of a date, after Howard Hinnant's `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day, after his `civil_from_days`.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * month_from_march + 2) / 5 + 1)
}

/// Days of a month.
pub(super) fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
