//! Ranges of numbers, with the original's words for what lies outside.

use std::str::FromStr;

use caisson_sdk::api::config::Config;

/// What a number has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Int,
    PositiveInt,
    NonNegativeInt,
    PositiveLong,
    NonNegativeLong,
}

const QUEUE: &str = "max.queue.size";
const BATCH: &str = "max.batch.size";

/// Not every key has the range of its type: the original checks some that are LONG as INT.
const RANGES: [(&str, Range); 22] = [
    (BATCH, Range::PositiveInt),
    ("poll.interval.ms", Range::PositiveInt),
    ("signal.poll.interval.ms", Range::PositiveInt),
    ("snapshot.max.threads", Range::PositiveInt),
    ("snapshot.max.threads.multiplier", Range::PositiveInt),
    ("status.update.interval.ms", Range::PositiveInt),
    ("lsn.flush.timeout.ms", Range::PositiveInt),
    ("snapshot.fetch.size", Range::NonNegativeInt),
    ("query.fetch.size", Range::NonNegativeInt),
    ("incremental.snapshot.chunk.size", Range::NonNegativeInt),
    ("guardrail.collections.max", Range::NonNegativeInt),
    ("heartbeat.interval.ms", Range::NonNegativeInt),
    ("max.queue.size.in.bytes", Range::NonNegativeLong),
    ("snapshot.delay.ms", Range::NonNegativeLong),
    ("streaming.delay.ms", Range::NonNegativeLong),
    ("xmin.fetch.interval.ms", Range::NonNegativeLong),
    ("retriable.restart.connector.wait.ms", Range::PositiveLong),
    ("connection.validation.timeout.ms", Range::PositiveLong),
    ("executor.shutdown.timeout.ms", Range::PositiveLong),
    ("errors.max.retries", Range::Int),
    ("slot.max.retries", Range::Int),
    ("slot.retry.delay.ms", Range::Int),
];

impl Range {
    /// What is expected, if a text is something else.
    fn fault(self, text: &str) -> Option<&'static str> {
        let (is_good, expected) = match self {
            Range::Int => (is::<i32>(text, |_| true), "An integer is expected"),
            Range::PositiveInt => (
                is::<i32>(text, |number| number > 0),
                "A positive, non-zero integer value is expected",
            ),
            Range::NonNegativeInt => (
                is::<i32>(text, |number| number >= 0),
                "An non-negative integer is expected",
            ),
            Range::PositiveLong => (
                is::<i64>(text, |number| number > 0),
                "A positive, non-zero long value is expected",
            ),
            Range::NonNegativeLong => (
                is::<i64>(text, |number| number >= 0),
                "A non-negative long value is expected",
            ),
        };
        (!is_good).then_some(expected)
    }
}

fn is<T: FromStr>(text: &str, within: impl Fn(T) -> bool) -> bool {
    text.parse().is_ok_and(within)
}

/// Keys with numbers out of their ranges, each with what is wrong.
pub fn out_of_range(config: &Config) -> Vec<(&'static str, String)> {
    let fault = |key: &'static str, problem: &str| (key, format!("The '{key}' value is invalid: {problem}"));
    let mut faults = Vec::new();
    for (key, range) in RANGES {
        if let Some(problem) = config.get(key).and_then(|text| range.fault(text)) {
            faults.push(fault(key, problem));
        }
    }
    let number = |key: &str, default: i32| config.get(key).map_or(Some(default), |text| text.parse().ok());
    if let (Some(queue), Some(batch)) = (number(QUEUE, 8192), number(BATCH, 2048)) {
        if queue <= 0 {
            faults.push(fault(QUEUE, "A positive queue size is required"));
        }
        if queue <= batch {
            faults.push(fault(QUEUE, "Must be larger than the maximum batch size"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(entries: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let config = Config {
            entries: entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        };
        out_of_range(&config)
            .into_iter()
            .map(|(key, text)| (key, text.rsplit(": ").next().unwrap_or_default().to_owned()))
            .collect()
    }

    #[test]
    fn numbers_out_of_range_are_told_in_the_originals_words() {
        for (key, value, problem) in [
            ("max.batch.size", "0", "A positive, non-zero integer value is expected"),
            (
                "poll.interval.ms",
                "2147483648",
                "A positive, non-zero integer value is expected",
            ),
            ("heartbeat.interval.ms", "-1", "An non-negative integer is expected"),
            ("snapshot.delay.ms", "-1", "A non-negative long value is expected"),
            (
                "connection.validation.timeout.ms",
                "0",
                "A positive, non-zero long value is expected",
            ),
            ("slot.retry.delay.ms", "3000000000", "An integer is expected"),
        ] {
            assert_eq!(problems(&[(key, value)]), [(key, problem.to_owned())], "{key}={value}");
        }
        let good = [
            ("heartbeat.interval.ms", "0"),
            ("max.queue.size.in.bytes", "9223372036854775807"),
            ("errors.max.retries", "-1"),
            ("max.batch.size", "8191"),
        ];
        assert_eq!(problems(&good), []);
    }

    #[test]
    fn the_queue_has_to_hold_more_than_a_batch() {
        let larger = (QUEUE, "Must be larger than the maximum batch size".to_owned());
        assert_eq!(problems(&[(BATCH, "8192")]), std::slice::from_ref(&larger));
        assert_eq!(problems(&[(QUEUE, "2048")]), std::slice::from_ref(&larger));
        let positive = (QUEUE, "A positive queue size is required".to_owned());
        assert_eq!(problems(&[(QUEUE, "0")]), [positive, larger]);
    }
}
