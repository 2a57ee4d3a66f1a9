//! The sentence about what the herder is doing, for requests that take too long.

use std::time::{SystemTime, UNIX_EPOCH};

use caisson_herder::Stage;

/// What the worker does or last did; empty if nothing is known.
pub fn sentence(stage: Option<&Stage>) -> String {
    let Some(stage) = stage else { return String::new() };
    let (what, began) = (&stage.description, instant(stage.began));
    match stage.completed {
        None => format!("The worker is currently {what}, which began at {began}."),
        Some(completed) => format!(
            "The last operation the worker completed was {what}, which began at {began} and completed at {}.",
            instant(completed)
        ),
    }
}

/// The message of a request that timed out.
pub fn timed_out(stage: Option<&Stage>) -> String {
    match sentence(stage).as_str() {
        "" => "Request timed out".to_owned(),
        sentence => format!("Request timed out. {sentence}"),
    }
}

/// A time as Java's `Instant` prints it with milliseconds.
fn instant(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        since.subsec_millis()
    )
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar. Counts in years that begin
/// with March, whose leap day is their last, in eras of 400 years.
pub(crate) fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 7)
    }

    #[test]
    fn sentences_name_the_stage() {
        let mut stage = Stage {
            description: "stopping connector c".to_owned(),
            began: at(0),
            completed: None,
        };
        let text =
            "Request timed out. The worker is currently stopping connector c, which began at 1970-01-01T00:00:00.007Z.";
        assert_eq!(timed_out(Some(&stage)), text);
        stage.completed = Some(at(951_827_696));
        let text = "The last operation the worker completed was stopping connector c, which began at 1970-01-01T00:00:00.007Z and completed at 2000-02-29T12:34:56.007Z.";
        assert_eq!(sentence(Some(&stage)), text);
        assert_eq!(timed_out(None), "Request timed out");
    }
}
