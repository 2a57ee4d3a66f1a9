//! The configuration of a worker, typed.

mod cluster;
mod policy;
mod tls;
mod unknown;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use caisson_api::config::{ConfigError, Key};

use crate::definition::Definition;
use crate::error::Error;
use crate::given::{Entries, Given, Names};
use crate::listener::{Listener, Scheme};
use crate::providers::{Outside, Providers};
use crate::tables;
use crate::tables::client::Client;
use crate::typed::Typed;

pub use cluster::{Cluster, ExactlyOnce, InternalTopic, Protocol, RequestSigning};
pub use policy::OverridePolicy;
pub use tls::{ClientAuth, IdentityStore, ServerNames, StoreFile, TlsConfig, TrustStore};

/// A worker's configuration.
pub struct WorkerConfig {
    pub mode: Mode,
    /// `host:port`, separated by commas.
    pub bootstrap_servers: String,
    pub key_converter: ConverterConfig,
    pub value_converter: ConverterConfig,
    pub header_converter: ConverterConfig,
    pub rest: RestConfig,
    /// `offset.flush.interval.ms`.
    pub commit_interval: Duration,
    /// `offset.flush.timeout.ms`.
    pub commit_timeout: Duration,
    /// For all tasks that are stopped together.
    pub task_shutdown_timeout: Duration,
    /// Directories with modules.
    pub plugin_path: Vec<PathBuf>,
    pub override_policy: OverridePolicy,
    pub topics: TopicTracking,
    /// Whether sources may say how topics are created.
    pub topic_creation: bool,
    /// `producer.*` without the prefix.
    pub producer: Entries,
    /// `consumer.*` without the prefix.
    pub consumer: Entries,
    /// `admin.*` without the prefix.
    pub admin: Entries,
    pub providers: Providers,
    pub log: LogConfig,
    pub modules: ModuleConfig,
    /// Everything, variables looked up: admin clients take their settings from all of it, the sandbox its own keys.
    pub all: Given,
    /// Keys whose values came from a configuration provider.
    pub secret: Vec<String>,
    /// For the log: keys that nobody knows and variables that nobody has.
    pub warnings: Vec<String>,
}

/// How workers work together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    Standalone {
        /// Keeps the offsets of sources.
        offset_file: PathBuf,
    },
    Distributed(Box<Cluster>),
}

/// A converter and its settings.
#[derive(Clone, PartialEq, Eq)]
pub struct ConverterConfig {
    pub class: String,
    pub version: Option<String>,
    /// Its own keys, without the prefix.
    pub options: Entries,
}

/// Where and how REST is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestConfig {
    pub listeners: Vec<Listener>,
    /// `None`: administration is served on the regular listeners. Empty: nowhere.
    pub admin_listeners: Option<Vec<Listener>>,
    pub advertised_host: Option<String>,
    pub advertised_port: Option<u16>,
    pub advertised_listener: Option<String>,
    /// Empty: no other origin.
    pub allowed_origin: String,
    pub allowed_methods: String,
    /// `response.http.headers.config`, as it was written.
    pub response_headers: String,
    /// Of `https` among the listeners; read if there is one.
    pub tls: Option<TlsConfig>,
    /// Of `https` among the admin listeners; read if there is one.
    pub admin_tls: Option<TlsConfig>,
    /// For requests to workers whose only listeners are `https`, which this one need not have; none if it cannot be read.
    pub peer_tls: Option<TlsConfig>,
    /// `rest.extension.classes`.
    pub extensions: Vec<String>,
    /// `java.security.auth.login.config`: a file with JAAS entries, for extensions.
    pub login_config: Option<PathBuf>,
}

/// `topic.tracking.*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicTracking {
    Off,
    WithoutReset,
    WithReset,
}

/// `log.*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogConfig {
    pub level: Option<String>,
    pub format: Option<LogFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// `module.*`: modules that are uploaded while the worker runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleConfig {
    /// Where they are kept; none: the worker has no place for them.
    pub directory: Option<PathBuf>,
    /// Records, and time at most, for which a plugin that replaced another one is on probation.
    pub probation_records: u64,
    pub probation: Duration,
}

/// Which table a worker's configuration is read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Standalone,
    Distributed,
}

impl WorkerConfig {
    /// Reads the configuration of a standalone worker. `file` is its name for error texts; `more` are keys that other
    /// parts of the worker read from [`WorkerConfig::all`], so that they are known here; `outside` is what providers
    /// read from.
    pub fn standalone(
        given: &Given,
        file: &str,
        more: &[Key],
        outside: Box<dyn Outside>,
    ) -> Result<WorkerConfig, Error> {
        Self::read(Kind::Standalone, given, file, more, outside)
    }

    /// Reads the configuration of a distributed worker; arguments as for [`WorkerConfig::standalone`].
    pub fn distributed(
        given: &Given,
        file: &str,
        more: &[Key],
        outside: Box<dyn Outside>,
    ) -> Result<WorkerConfig, Error> {
        Self::read(Kind::Distributed, given, file, more, outside)
    }

    fn read(
        kind: Kind,
        given: &Given,
        file: &str,
        more: &[Key],
        outside: Box<dyn Outside>,
    ) -> Result<WorkerConfig, Error> {
        let providers = Providers::new(given, outside)?;
        let mut resolved = providers.resolve(given);
        // Kafka Connect reads the plugin path before there are providers.
        if let Some(path) = given.given("plugin.path") {
            resolved.given.set("plugin.path", path.map(str::to_owned));
        }
        let mut table = match kind {
            Kind::Standalone => tables::standalone(),
            Kind::Distributed => tables::distributed(),
        };
        table.extend(tables::extras());
        let mut warnings = unknown::warnings(&resolved.given, &table, more);
        warnings.append(&mut resolved.warnings);
        let config = Self::from_resolved(kind, resolved.given, &table, providers);
        let mut config = config.map_err(|error| Error::Worker {
            file: file.to_owned(),
            message: error.0,
        })?;
        config.secret = resolved.secret;
        config.warnings = warnings;
        Ok(config)
    }

    fn from_resolved(
        kind: Kind,
        all: Given,
        table: &[Definition],
        providers: Providers,
    ) -> Result<WorkerConfig, ConfigError> {
        let typed = Typed::parse(table, &all)?;
        let mode = match kind {
            Kind::Standalone => Mode::Standalone {
                offset_file: PathBuf::from(typed.text("offset.storage.file.filename")),
            },
            Kind::Distributed => Mode::Distributed(Box::new(Cluster::read(&typed, &all)?)),
        };
        let converter = |name: &str| ConverterConfig {
            class: typed.text(name),
            version: typed.filled(&format!("{name}.plugin.version")),
            options: ConverterConfig::options(&all, name),
        };
        let modules = ModuleConfig::read(&typed, &mode);
        Ok(WorkerConfig {
            mode,
            modules,
            bootstrap_servers: typed.list("bootstrap.servers").join(","),
            key_converter: converter("key.converter"),
            value_converter: converter("value.converter"),
            header_converter: converter("header.converter"),
            rest: RestConfig::read(&typed, &all)?,
            commit_interval: typed.milliseconds("offset.flush.interval.ms"),
            commit_timeout: typed.milliseconds("offset.flush.timeout.ms"),
            task_shutdown_timeout: typed.milliseconds("task.shutdown.graceful.timeout.ms"),
            plugin_path: typed.list("plugin.path").into_iter().map(PathBuf::from).collect(),
            override_policy: OverridePolicy::read(&typed)?,
            topics: TopicTracking::read(&typed),
            topic_creation: typed.boolean("topic.creation.enable"),
            producer: all.entries_below(Client::Producer.prefix()),
            consumer: all.entries_below(Client::Consumer.prefix()),
            admin: all.entries_below(Client::Admin.prefix()),
            providers,
            log: LogConfig::read(&typed)?,
            all,
            secret: Vec::new(),
            warnings: Vec::new(),
        })
    }
}

impl ConverterConfig {
    /// What stands below a converter's key, without the key of its version.
    pub(crate) fn options(given: &Given, key: &str) -> Entries {
        let mut options = given.entries_below(&format!("{key}."));
        options.remove("plugin.version");
        options
    }
}

impl TopicTracking {
    fn read(typed: &Typed) -> TopicTracking {
        if !typed.boolean("topic.tracking.enable") {
            TopicTracking::Off
        } else if typed.boolean("topic.tracking.allow.reset") {
            TopicTracking::WithReset
        } else {
            TopicTracking::WithoutReset
        }
    }
}

impl RestConfig {
    fn read(typed: &Typed, all: &Given) -> Result<RestConfig, ConfigError> {
        let listeners = |name: &str, texts: Vec<String>| {
            let parse =
                |text: &String| Listener::parse(text).map_err(|reason| ConfigError::invalid(name, text, reason));
            texts.iter().map(parse).collect::<Result<Vec<_>, _>>()
        };
        let port = typed.optional_int("rest.advertised.port");
        let port = port.map(|port| {
            u16::try_from(port).map_err(|_| ConfigError::invalid("rest.advertised.port", port, "Value must be a port"))
        });
        let admin = typed.optional_list("admin.listeners");
        let admin = admin.map(|texts| listeners("admin.listeners", texts)).transpose()?;
        let regular = listeners("listeners", typed.list("listeners"))?;
        let tls = |of: &[Listener], prefix: &str| {
            let needed = of.iter().any(|listener| listener.scheme == Scheme::Https);
            needed.then(|| TlsConfig::read(all, prefix)).transpose()
        };
        Ok(RestConfig {
            tls: tls(&regular, "listeners.https.")?,
            peer_tls: TlsConfig::read(all, "listeners.https.").ok(),
            admin_tls: tls(admin.as_deref().unwrap_or_default(), "admin.listeners.https.")?,
            listeners: regular,
            admin_listeners: admin,
            advertised_host: typed.filled("rest.advertised.host.name"),
            advertised_port: port.transpose()?,
            advertised_listener: typed.filled("rest.advertised.listener"),
            allowed_origin: typed.text("access.control.allow.origin"),
            allowed_methods: typed.text("access.control.allow.methods"),
            response_headers: typed.text("response.http.headers.config"),
            extensions: typed.list("rest.extension.classes"),
            login_config: typed.filled("java.security.auth.login.config").map(PathBuf::from),
        })
    }
}

impl ModuleConfig {
    fn read(typed: &Typed, mode: &Mode) -> ModuleConfig {
        let beside = match mode {
            Mode::Standalone { offset_file } => {
                let mut name = offset_file.clone().into_os_string();
                name.push(".modules");
                Some(PathBuf::from(name))
            }
            Mode::Distributed(_) => None,
        };
        ModuleConfig {
            directory: typed.filled("module.storage.directory").map(PathBuf::from).or(beside),
            probation_records: u64::try_from(typed.long("module.probation.records")).unwrap_or_default(),
            probation: typed.milliseconds("module.probation.ms"),
        }
    }
}

impl LogConfig {
    fn read(typed: &Typed) -> Result<LogConfig, ConfigError> {
        let format = match typed.filled("log.format") {
            None => None,
            Some(word) if word.eq_ignore_ascii_case("text") => Some(LogFormat::Text),
            Some(word) if word.eq_ignore_ascii_case("json") => Some(LogFormat::Json),
            Some(word) => {
                let reason = "String must be one of (case insensitive): TEXT, JSON";
                return Err(ConfigError::invalid("log.format", word, reason));
            }
        };
        Ok(LogConfig {
            level: typed.filled("log.level"),
            format,
        })
    }
}

impl fmt::Debug for ConverterConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConverterConfig")
            .field("class", &self.class)
            .field("version", &self.version)
            .field("options", &Names(&self.options))
            .finish()
    }
}

impl fmt::Debug for WorkerConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WorkerConfig")
            .field("mode", &self.mode)
            .field("all", &self.all)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
