//! Words of dates in US English.

pub const ERAS: [&str; 2] = ["BC", "AD"];
pub const LONG_ERAS: [&str; 2] = ["Before Christ", "Anno Domini"];
pub const AM_PM: [&str; 2] = ["AM", "PM"];

/// From Sunday.
pub const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
/// From Sunday.
pub const LONG_DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

pub const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
pub const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub const UTC: &str = "UTC";
pub const LONG_UTC: &str = "Coordinated Universal Time";
