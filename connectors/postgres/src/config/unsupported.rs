//! Keys that this connector knows and cannot follow: some have no effect here, some would change what is written.

use caisson_sdk::api::config::Config;

use super::STRATEGIES;

/// Keys of the original's inside, which has no counterpart here: what they tune does not exist.
const EFFECTLESS: [&str; 28] = [
    "connection.validation.timeout.ms",
    "custom.metric.tags",
    "custom.sanitize.pattern",
    "database.query.timeout.ms",
    "database.sslfactory",
    "database.tcpKeepAlive",
    "errors.max.retries",
    "executor.shutdown.timeout.ms",
    "include.schema.comments",
    "internal.advanced.metrics.enable",
    "internal.legacy.snapshot.max.threads",
    "internal.log.position.check.enable",
    "internal.snapshot.scan.all.columns.force",
    "lsn.flush.timeout.action",
    "lsn.flush.timeout.ms",
    "max.batch.size",
    "max.queue.size",
    "max.queue.size.in.bytes",
    "query.fetch.size",
    "retriable.restart.connector.wait.ms",
    "schema.refresh.mode",
    "signal.enabled.channels",
    "signal.poll.interval.ms",
    "snapshot.fetch.size",
    "snapshot.max.threads",
    "snapshot.max.threads.multiplier",
    "snapshot.mode.configuration.based.snapshot.on.schema.error",
    "snapshot.mode.configuration.based.snapshot.schema",
];

/// Keys with the values that are followed; any other changes what is written, and is refused.
const ONLY: [(&str, &[&str]); 11] = [
    ("converters", &[]),
    ("snapshot.mode.custom.name", &[]),
    ("snapshot.query.mode", &["select_all"]),
    ("snapshot.query.mode.custom.name", &[]),
    ("snapshot.locking.mode.custom.name", &[]),
    (
        "sourceinfo.struct.maker",
        &["io.debezium.connector.postgresql.PostgresSourceInfoStructMaker"],
    ),
    (
        "topic.naming.strategy",
        &[
            STRATEGIES[0].class,
            STRATEGIES[1].class,
            STRATEGIES[2].class,
            STRATEGIES[3].class,
        ],
    ),
    (
        "transaction.metadata.factory",
        &["io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory"],
    ),
    ("openlineage.integration.enabled", &["false"]),
    ("plugin.name", &["pgoutput"]),
    ("database.sslpassword", &[]),
];

/// Modes that are classes of the original's if they are `custom`.
const CUSTOMIZABLE: [&str; 2] = ["snapshot.mode", "snapshot.locking.mode"];

/// Keys of the configuration that have no effect, in its order.
pub fn effectless(config: &Config) -> Vec<&str> {
    config
        .entries
        .iter()
        .map(|(key, _)| key.as_str())
        .filter(|key| {
            EFFECTLESS.contains(key) || (key.starts_with("openlineage.") && *key != "openlineage.integration.enabled")
        })
        .collect()
}

/// Keys whose values cannot be followed, each with the reason.
pub fn refused(config: &Config) -> Vec<(&'static str, String)> {
    let mut refused = Vec::new();
    for key in CUSTOMIZABLE {
        if config
            .get(key)
            .is_some_and(|mode| mode.trim().eq_ignore_ascii_case("custom"))
        {
            let reason = "custom is not supported: its classes are Java";
            refused.push((key, format!("The '{key}' value is invalid: {reason}")));
        }
    }
    for (key, followed) in ONLY {
        let Some(value) = config.get(key).map(str::trim).filter(|value| !value.is_empty()) else {
            continue;
        };
        if !followed.iter().any(|followed| followed.eq_ignore_ascii_case(value)) {
            let instead = match followed {
                [] => "leave it out".to_owned(),
                followed => format!("use {}", followed.join(" or ")),
            };
            refused.push((
                key,
                format!("The '{key}' value is invalid: {value} is not supported; {instead}"),
            ));
        }
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str)]) -> Config {
        entries.iter().map(|(key, value)| (*key, *value)).collect()
    }

    #[test]
    fn what_cannot_be_followed_is_named() {
        let given = config(&[
            ("plugin.name", "decoderbufs"),
            ("max.batch.size", "1"),
            ("converters", "isbn"),
            ("snapshot.mode", "custom"),
        ]);
        assert_eq!(effectless(&given), ["max.batch.size"]);
        let refused: Vec<_> = refused(&given).into_iter().map(|(key, _)| key).collect();
        assert_eq!(refused, ["snapshot.mode", "converters", "plugin.name"]);
    }
}
