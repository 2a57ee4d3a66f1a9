use caisson_sdk::prelude::*;

struct CounterSource;

impl SourceConnector for CounterSource {
    type Task = CounterTask;

    fn plugin() -> Plugin {
        Plugin::new("example.CounterSource", "1.0.0")
            .documentation("Counts, and goes on where it stopped.")
            .value_encoding(Encoding::Connect)
            .key(Key::new("topic", Type::String).documentation("Topic to write to."))
            .key(
                Key::new("interval.ms", Type::Int)
                    .default("1000")
                    .documentation("Pause between two numbers."),
            )
    }

    fn start(_: &Settings, _: &ConnectorContext) -> Result<Self, Error> {
        Ok(CounterSource)
    }
}

struct CounterTask {
    topic: String,
    interval: std::time::Duration,
    count: i64,
}

impl SourceTask for CounterTask {
    fn start(settings: &Settings, context: &SourceContext) -> Result<Self, Error> {
        let stored = context.offset(&json!({"counter": "main"}))?;
        Ok(CounterTask {
            topic: settings.text("topic")?.to_string(),
            interval: std::time::Duration::from_millis(settings.int("interval.ms")? as u64),
            count: stored.and_then(|offset| offset["count"].as_i64()).unwrap_or(0),
        })
    }

    fn poll(&mut self, batch: &mut Batch) -> Result<(), Error> {
        std::thread::sleep(self.interval.min(batch.max_wait()));
        self.count += 1;
        let record = SourceRecord::new(&*self.topic, format!("number {}", self.count));
        batch.push(record.source(&json!({"counter": "main"}), json!({"count": self.count})))
    }
}

caisson_sdk::plugins! { sources: [CounterSource] }
