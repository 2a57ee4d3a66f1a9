//! The verbs and their options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::tree::Selection;

/// Build, test and try Caisson. Each verb fetches by itself what it needs.
#[derive(Debug, Parser)]
#[command(name = "cargo x", bin_name = "cargo x")]
pub struct Cli {
    /// Build the worker together with all tests, as the stages of `cargo x test` do.
    #[arg(long, hide = true)]
    everything: bool,
    #[command(subcommand)]
    pub verb: Verb,
}

impl Cli {
    /// What is built when the worker is wanted.
    pub fn selection(&self) -> Selection {
        if self.everything || matches!(self.verb, Verb::Test(_)) {
            Selection::Everything
        } else {
            Selection::Worker
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// See it work: Kafka, a worker, and a file that travels through a sandboxed source, transform and sink.
    ///
    /// `cargo x demo pipeline` shows another path: rows of a PostgreSQL table become documents of Elasticsearch.
    ///
    /// Starts a Kafka of its own on a free port, the worker with REST on port 8083 (or a free one), creates two
    /// connectors by REST, and shows records arriving until Ctrl-C. Everything it started is stopped at the end.
    Demo(DemoArguments),
    /// Check everything: format, lints, components, unit tests, and end-to-end tests on a real Kafka.
    ///
    /// Prints a line per stage and totals last. What each stage printed is in target/x/STAGE.log.
    Test(TestArguments),
    /// Build every component for WebAssembly and write its manifest into it.
    ///
    /// Connectors go to target/components, where the worker of this tree finds them; the modules that tests use go to
    /// target/test-guests.
    Guests(GuestsArguments),
    /// Start, stop or look at a Kafka for development.
    Kafka(KafkaArguments),
    /// Compare with Kafka Connect 4.3.1, as it was recorded.
    Conformance(ConformanceArguments),
    /// Feed every decoder of foreign bytes with random bytes (libFuzzer).
    ///
    /// Needs no other compiler than the tree's. What makes a decoder panic, hang or grow is written to target/fuzz/found;
    /// a copy of it in tests/fuzz/corpus/TARGET keeps it as a test.
    Fuzz(FuzzArguments),
    /// Run the benchmarks (criterion).
    ///
    /// Figures of other programs' load are no figures: run it on a quiet machine.
    Bench(BenchArguments),
}

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Another demo than that of the file.
    #[arg(value_enum)]
    pub what: Option<DemoKind>,
    /// Port of the worker's REST interface; without it 8083, or a free one if that is taken.
    #[arg(long)]
    pub port: Option<u16>,
    /// Lines of the burst whose throughput is shown.
    #[arg(long, default_value_t = 1_000_000, value_name = "LINES")]
    pub burst: u64,
    /// Stop by itself after so many seconds of the part that otherwise lasts until Ctrl-C.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Stop by itself after the burst.
    #[arg(long, conflicts_with = "seconds")]
    pub once: bool,
    /// Keep the demo's directory (logs, files, properties) when it ends.
    #[arg(long)]
    pub keep: bool,
}

/// Demos beside that of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DemoKind {
    /// From a table in PostgreSQL to an index in Elasticsearch.
    Pipeline,
}

#[derive(Debug, Args)]
pub struct TestArguments {
    /// Run only this stage; may be given several times.
    #[arg(long, value_enum, value_name = "STAGE")]
    pub only: Vec<Stage>,
    /// Go on with the end-to-end stages even if an earlier stage failed.
    #[arg(long)]
    pub keep_going: bool,
    /// Only the tests whose name contains this.
    #[arg(long, value_name = "NAME")]
    pub filter: Option<String>,
}

/// The stages of `cargo x test`, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Stage {
    /// Formatting.
    Fmt,
    /// Lints, warnings denied.
    Clippy,
    /// Every component builds and is packaged.
    Guests,
    /// Unit and integration tests of all crates, natively.
    Unit,
    /// The Kafka client and the worker, on a real Kafka.
    E2e,
    /// The Elasticsearch sink, and changes of PostgreSQL into it, on real servers.
    Search,
    /// Requests that were recorded from Kafka Connect, on a real Kafka.
    Rest,
    /// `cargo x demo --once`.
    Demo,
}

#[derive(Debug, Default, Args)]
pub struct GuestsArguments {
    /// Build and package only these crates.
    pub crates: Vec<String>,
    /// Package again even what is up to date.
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct KafkaArguments {
    #[command(subcommand)]
    pub action: KafkaAction,
}

#[derive(Debug, Subcommand)]
pub enum KafkaAction {
    /// Start one broker in the background and print its address.
    Start {
        /// The broker's port; its controller takes the next one.
        #[arg(long, default_value_t = 19092)]
        port: u16,
    },
    /// Stop it; its data stays.
    Stop {
        /// Delete its data too.
        #[arg(long)]
        clean: bool,
    },
    /// Say whether it runs and answers; exit status 3 if it does not.
    Status,
    /// Run one of Kafka's own tools, such as `org.apache.kafka.tools.TopicCommand --list --bootstrap-server …`.
    Run {
        /// The tool's class and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub struct ConformanceArguments {
    #[command(subcommand)]
    pub part: ConformancePart,
}

#[derive(Debug, Subcommand)]
pub enum ConformancePart {
    /// Replay what Kafka Connect's own classes made of given inputs, and say what differs.
    ///
    /// Prints every vector that fails, totals per kind, and `N passed, N failed` last.
    Vectors {
        /// Files of vectors; without it, those of this tree (tests/conformance/vectors).
        directory: Option<PathBuf>,
    },
    /// Replay what Debezium's PostgreSQL connector made of real changes, and say what differs.
    ///
    /// Starts PostgreSQL, Kafka and a worker, plays each scenario and compares its records; needs python3, psql and kcat.
    /// Prints `N passed, N failed` last.
    Debezium {
        /// Scenarios, or one of them; without it, those of this tree (tests/conformance/debezium/scenarios).
        directory: Option<PathBuf>,
    },
    /// Start Kafka and a worker, and play recorded requests against it.
    ///
    /// Prints every step that differs, and `N passed, N failed` last. Steps that Kafka Connect's own standalone mode
    /// answers otherwise than its distributed mode, where they were recorded, are listed with the reason in
    /// tests/conformance/rest/standalone.json.
    Rest(RestArguments),
}

#[derive(Debug, Args)]
pub struct RestArguments {
    /// A folder of scenarios; without it, those of this tree (tests/conformance/rest/scenarios).
    #[arg(long, value_name = "DIR")]
    pub scenarios: Option<PathBuf>,
    /// Play this scenario; may have wildcards.
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// The worker's mode.
    #[arg(long, value_enum, default_value_t = Mode::Standalone)]
    pub mode: Mode,
}

/// How a worker is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// By itself.
    Standalone,
    /// As one of a cluster.
    Distributed,
}

impl Mode {
    /// The worker's command.
    pub fn verb(self) -> &'static str {
        match self {
            Mode::Standalone => "standalone",
            Mode::Distributed => "distributed",
        }
    }
}

#[derive(Debug, Args)]
pub struct FuzzArguments {
    /// Only these targets; without any, all of them.
    pub targets: Vec<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 60, value_name = "N")]
    pub seconds: u64,
}

#[derive(Debug, Args)]
pub struct BenchArguments {
    /// Only the benchmarks whose name contains this.
    pub filter: Option<String>,
    /// How long each is measured, after a third of that; criterion takes 5 seconds, and 3 before.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: Option<u32>,
    /// Say which benchmarks there are, and run none.
    #[arg(long)]
    pub list: bool,
}
