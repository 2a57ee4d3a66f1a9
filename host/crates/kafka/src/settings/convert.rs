//! Values that change on their way from Kafka's settings to librdkafka's.

/// librdkafka's names and values, or why the value cannot be used.
pub(super) type Converted = Result<Vec<(&'static str, String)>, String>;

fn one(name: &'static str, value: impl ToString) -> Converted {
    Ok(vec![(name, value.to_string())])
}

fn number(value: &str) -> Result<i64, String> {
    value.parse().map_err(|_| format!("{value:?} is not a number"))
}

/// Java's client closes no idle connection at -1, librdkafka at 0.
pub(super) fn idle(value: &str) -> Converted {
    one("connections.max.idle.ms", number(value)?.max(0))
}

pub(super) fn metadata_age(value: &str) -> Converted {
    // librdkafka counts to a day only, and drops what it knows at `metadata.max.age.ms` without having asked anew: so
    // the age of what is known stays above the interval of asking, as in its own defaults.
    let interval = number(value)?.clamp(10, 28_800_000);
    Ok(vec![
        ("topic.metadata.refresh.interval.ms", interval.to_string()),
        ("metadata.max.age.ms", (interval * 3).to_string()),
    ])
}

/// -1 is the system's own size in Java, 0 in librdkafka.
pub(super) fn send_buffer(value: &str) -> Converted {
    one("socket.send.buffer.bytes", number(value)?.clamp(0, 100_000_000))
}

pub(super) fn receive_buffer(value: &str) -> Converted {
    one("socket.receive.buffer.bytes", number(value)?.clamp(0, 100_000_000))
}

pub(super) fn request_timeout(value: &str) -> Converted {
    one("socket.timeout.ms", number(value)?.clamp(10, 300_000))
}

pub(super) fn producer_request_timeout(value: &str) -> Converted {
    let timeout = number(value)?;
    Ok(vec![
        ("request.timeout.ms", timeout.clamp(1, 900_000).to_string()),
        ("socket.timeout.ms", timeout.clamp(10, 300_000).to_string()),
    ])
}

/// The protocol in which brokers share out partitions (KIP-848) is not spoken.
pub(super) fn group_protocol(value: &str) -> Converted {
    match value.to_ascii_lowercase().as_str() {
        "classic" => one("group.protocol", "classic"),
        _ => Err(format!("{value} cannot be used; there is classic")),
    }
}

pub(super) fn lower_case(value: &str) -> Converted {
    one("security.protocol", value.to_ascii_lowercase())
}

/// Java's classes of assignors, by the names under which members of a group agree on one.
pub(super) fn assignors(value: &str) -> Converted {
    let mut names = Vec::new();
    for class in value.split(',').map(str::trim).filter(|class| !class.is_empty()) {
        names.push(match class.rsplit('.').next().unwrap_or(class) {
            "RangeAssignor" | "range" => "range",
            "RoundRobinAssignor" | "roundrobin" => "roundrobin",
            "StickyAssignor" | "sticky" => "sticky",
            "CooperativeStickyAssignor" | "cooperative-sticky" => "cooperative-sticky",
            _ => {
                return Err(format!(
                    "{class} cannot be used; there are RangeAssignor, RoundRobinAssignor, StickyAssignor and \
                     CooperativeStickyAssignor"
                ));
            }
        });
    }
    one("partition.assignment.strategy", names.join(","))
}

pub(super) fn offset_reset(value: &str) -> Converted {
    match value.to_ascii_lowercase().as_str() {
        "none" => one("auto.offset.reset", "error"),
        "earliest" => one("auto.offset.reset", "earliest"),
        "latest" => one("auto.offset.reset", "latest"),
        _ => Err(format!("{value} cannot be used; there are earliest, latest and none")),
    }
}

/// 0 means the same as 1 in Java.
pub(super) fn fetch_min(value: &str) -> Converted {
    one("fetch.min.bytes", number(value)?.clamp(1, 100_000_000))
}

/// librdkafka wants the largest message to fit into a fetch.
pub(super) fn fetch_max(value: &str) -> Converted {
    let bytes = number(value)?.clamp(1000, 2_147_483_135);
    let mut settings = vec![("fetch.max.bytes", bytes.to_string())];
    if bytes < 1_000_000 {
        settings.push(("message.max.bytes", bytes.to_string()));
    }
    Ok(settings)
}

/// Java's largest number, with which Kafka Connect waits for ever, is 0 in librdkafka.
pub(super) fn delivery_timeout(value: &str) -> Converted {
    let timeout = number(value)?;
    one(
        "message.timeout.ms",
        if timeout >= i64::from(i32::MAX) { 0 } else { timeout },
    )
}

/// 0 switches batches off in Java.
pub(super) fn batch_size(value: &str) -> Converted {
    one("batch.size", number(value)?.max(1))
}

/// librdkafka counts values only, to which a record adds a quarter of its size and some 200 bytes; so a part of the memory
/// is kept for that, and the number of records is limited too.
pub(super) fn buffer_memory(value: &str) -> Converted {
    let bytes = number(value)?.max(4096);
    let kilobytes = (bytes / 4 * 3 / 1024).clamp(1, 2_147_483_647);
    let records = (bytes / 320).clamp(10_000, 10_000_000);
    Ok(vec![
        ("queue.buffering.max.kbytes", kilobytes.to_string()),
        ("queue.buffering.max.messages", records.to_string()),
    ])
}

pub(super) fn request_size(value: &str) -> Converted {
    one("message.max.bytes", number(value)?.clamp(1000, 1_000_000_000))
}

pub(super) fn partitioner(value: &str) -> Converted {
    match value.rsplit('.').next().unwrap_or(value) {
        "" | "DefaultPartitioner" | "UniformStickyPartitioner" => one("partitioner", "murmur2_random"),
        "RoundRobinPartitioner" => one("partitioner", "random"),
        _ => Err(format!(
            "{value} is a Java class; there are DefaultPartitioner and RoundRobinPartitioner"
        )),
    }
}

pub(super) fn ignore_keys(value: &str) -> Converted {
    one(
        "partitioner",
        if value.eq_ignore_ascii_case("true") {
            "random"
        } else {
            "murmur2_random"
        },
    )
}

/// Java switches the check of host names off by an empty value.
pub(super) fn endpoint_identification(value: &str) -> Converted {
    let algorithm = if value.is_empty() {
        "none".to_owned()
    } else {
        value.to_ascii_lowercase()
    };
    one("ssl.endpoint.identification.algorithm", algorithm)
}
