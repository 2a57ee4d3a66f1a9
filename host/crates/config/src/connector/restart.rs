//! `errors.restart.*`: whether what has failed is started again without being asked.

use caisson_api::config::ConfigError;
use caisson_model::RestartPolicy;

use super::ConnectorConfig;
use crate::given::Given;
use crate::tables;
use crate::typed::Typed;

/// The key without which nothing is restarted.
pub const RESTART_ATTEMPTS: &str = "errors.restart.attempts";

impl ConnectorConfig {
    /// What a configuration in which variables are looked up wants; none if nothing is to be restarted.
    pub fn restart_policy(given: &Given) -> Result<Option<RestartPolicy>, ConfigError> {
        let extras = Typed::parse(&tables::connector_extras(), given)?;
        let attempts = extras.int(RESTART_ATTEMPTS);
        Ok((attempts != 0).then(|| RestartPolicy {
            attempts: u32::try_from(attempts).ok(),
            backoff: extras.milliseconds("errors.restart.backoff.ms"),
            longest_backoff: extras.milliseconds("errors.restart.backoff.max.ms"),
            reset_after: extras.milliseconds("errors.restart.reset.ms"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn policy(pairs: &[(&str, &str)]) -> Result<Option<RestartPolicy>, ConfigError> {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        ConnectorConfig::restart_policy(&pairs.collect())
    }

    #[test]
    fn nothing_is_restarted_unless_it_is_asked_for() {
        assert_eq!(policy(&[]).unwrap(), None);
        assert_eq!(
            policy(&[(RESTART_ATTEMPTS, "0"), ("errors.restart.backoff.ms", "5")]).unwrap(),
            None
        );
    }

    #[test]
    fn restarts_have_a_number_waits_and_an_end_of_their_row() {
        let policy = policy(&[(RESTART_ATTEMPTS, "3"), ("errors.restart.backoff.max.ms", "30000")]).unwrap();
        let policy = policy.expect("it is asked for");
        assert_eq!(
            (policy.attempts, policy.reset_after),
            (Some(3), Duration::from_secs(600))
        );
        let waits: Vec<u64> = (0..4).map(|made| policy.wait(made).as_secs()).collect();
        assert_eq!(waits, [10, 20, 30, 30]);
        assert_eq!(policy.wait(u32::MAX).as_secs(), 30);
    }

    #[test]
    fn a_negative_number_is_without_end_and_less_is_refused() {
        let endless = policy(&[(RESTART_ATTEMPTS, "-1")]).unwrap().expect("it is asked for");
        assert_eq!(endless.attempts, None);
        for (key, value) in [
            (RESTART_ATTEMPTS, "-2"),
            (RESTART_ATTEMPTS, "many"),
            ("errors.restart.backoff.ms", "-1"),
            ("errors.restart.reset.ms", ""),
        ] {
            assert!(
                policy(&[(RESTART_ATTEMPTS, "1"), (key, value)]).is_err(),
                "{key}={value}"
            );
        }
    }
}
