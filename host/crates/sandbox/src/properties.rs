//! The `sandbox.*` properties: one table that documents them, gives their defaults, and reads them.

use std::path::PathBuf;
use std::time::Duration;

use caisson_api::config::{Importance, Key, Properties, Type};
use caisson_model::Limits;

use crate::error::Error;
use crate::options::{CompilerOptions, GrantPolicy, SandboxOptions, bytes};

/// How the text of a property is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `67108864`, `64MiB`, `64MB`.
    Bytes,
    Milliseconds,
    Count,
    Flag,
    /// Separated by commas; may be empty.
    List,
    /// One path; empty means the worker's choice.
    Path,
}

/// One property.
struct Row {
    name: &'static str,
    form: Form,
    default: &'static str,
    documentation: &'static str,
}

const fn row(name: &'static str, form: Form, default: &'static str, documentation: &'static str) -> Row {
    Row {
        name,
        form,
        default,
        documentation,
    }
}

/// Properties that a connector's configuration may set, too, up to the ceilings.
const LIMITS: [Row; 11] = [
    row(
        "sandbox.memory.bytes",
        Form::Bytes,
        "256MiB",
        "Memory of one instance: all its linear memories together. A manifest may ask for more, up to sandbox.memory.max.bytes.",
    ),
    row(
        "sandbox.table.elements",
        Form::Count,
        "100000",
        "Elements of all tables of one instance.",
    ),
    row(
        "sandbox.core.instances",
        Form::Count,
        "64",
        "Core instances inside one component.",
    ),
    row(
        "sandbox.call.timeout.ms",
        Form::Milliseconds,
        "30000",
        "Wall clock for one call that moves records (put, apply, pre-commit; poll beyond the time that it may wait).",
    ),
    row(
        "sandbox.lifecycle.timeout.ms",
        Form::Milliseconds,
        "60000",
        "Wall clock for every other call: instantiation, start, stop, validate, task-configs, open, close.",
    ),
    row(
        "sandbox.output.bytes",
        Form::Bytes,
        "64MiB",
        "Bytes that one call may return.",
    ),
    row(
        "sandbox.log.lines",
        Form::Count,
        "100",
        "Lines a second that an instance may log; those beyond are counted and dropped.",
    ),
    row(
        "sandbox.log.line.bytes",
        Form::Bytes,
        "8KiB",
        "Bytes of one such line; the rest is cut.",
    ),
    row(
        "sandbox.metric.series",
        Form::Count,
        "100",
        "Series of metrics (name and labels) that an instance may make.",
    ),
    row(
        "sandbox.connections",
        Form::Count,
        "64",
        "Connections that an instance may have open by way of the worker.",
    ),
    row(
        "sandbox.http.body.bytes",
        Form::Bytes,
        "1GiB",
        "Bytes of the body of one HTTP request of an instance, and of that of its answer.",
    ),
];

/// Properties of the worker alone.
const WORKER: [Row; 20] = [
    row(
        "sandbox.memory.max.bytes",
        Form::Bytes,
        "1GiB",
        "Ceiling of sandbox.memory.bytes for connectors and manifests.",
    ),
    row(
        "sandbox.timeout.max.ms",
        Form::Milliseconds,
        "300000",
        "Ceiling of both timeouts for connectors.",
    ),
    row(
        "sandbox.output.max.bytes",
        Form::Bytes,
        "256MiB",
        "Ceiling of sandbox.output.bytes for connectors.",
    ),
    row(
        "sandbox.instances",
        Form::Count,
        "512",
        "Instances of this worker: connectors, tasks and component transforms together. Each reserves address space, not memory.",
    ),
    row(
        "sandbox.module.max.bytes",
        Form::Bytes,
        "64MiB",
        "Size of one component.",
    ),
    row(
        "sandbox.describe.timeout.ms",
        Form::Milliseconds,
        "10000",
        "Wall clock for asking a module what it is.",
    ),
    row(
        "sandbox.cache.dir",
        Form::Path,
        "",
        "Where compiled code is kept; only the worker may write there. Empty means caisson/compiled in the user's cache directory.",
    ),
    row(
        "sandbox.compiler.memory.bytes",
        Form::Bytes,
        "4GiB",
        "Address space of the process that compiles a module.",
    ),
    row(
        "sandbox.compiler.cpu.ms",
        Form::Milliseconds,
        "60000",
        "Processor time of that process, in whole seconds.",
    ),
    row(
        "sandbox.compiler.timeout.ms",
        Form::Milliseconds,
        "120000",
        "Wall clock of that process.",
    ),
    row(
        "sandbox.compiler.output.bytes",
        Form::Bytes,
        "256MiB",
        "Size of the compiled code of one module.",
    ),
    row(
        "sandbox.compiler.processes",
        Form::Count,
        "2",
        "Compilers at work at the same time.",
    ),
    row(
        "sandbox.file.roots",
        Form::List,
        "/",
        "Directories below which a configuration may name files for its plugin.",
    ),
    row(
        "sandbox.file.denied",
        Form::List,
        "/proc,/sys,/dev,/run/secrets,/var/run/secrets",
        "Directories below which it may not, unless a longer entry of sandbox.file.roots says so.",
    ),
    row(
        "sandbox.stdio.allowed",
        Form::Flag,
        "true",
        "Whether a plugin that asks for it gets the worker's standard input and output where its configuration names no file.",
    ),
    row(
        "sandbox.environment.allowed",
        Form::List,
        "",
        "Environment variables of the worker that plugins which ask for them may see.",
    ),
    row(
        "sandbox.network.allowed",
        Form::List,
        "",
        "Networks and hosts that configurations may name; empty means all that sandbox.network.denied does not hold.",
    ),
    row(
        "sandbox.network.denied",
        Form::List,
        "169.254.0.0/16,fe80::/10,fd00:ec2::254/128,100.100.100.200/32,192.0.0.192/32",
        "Networks and hosts that no configuration opens.",
    ),
    row(
        "sandbox.tls.trusted",
        Form::Path,
        "",
        "File with the certificates (PEM) that connections under TLS trust unless their configuration names others. Empty means those of the operating system.",
    ),
    row(
        "sandbox.log.lines.max",
        Form::Count,
        "1000",
        "Ceiling of sandbox.log.lines for connectors.",
    ),
];

fn rows() -> impl Iterator<Item = &'static Row> {
    LIMITS.iter().chain(&WORKER)
}

/// All properties as definitions, for documentation and for the search for misspelt keys.
pub fn properties() -> Vec<Key> {
    let definition = |(order, row): (usize, &Row)| {
        let kind = match row.form {
            Form::Bytes | Form::Path => Type::String,
            Form::Milliseconds | Form::Count => Type::Long,
            Form::Flag => Type::Boolean,
            Form::List => Type::List,
        };
        Key::new(row.name, kind)
            .default(row.default)
            .importance(Importance::Low)
            .documentation(row.documentation)
            .group("Sandbox", i32::try_from(order).unwrap_or(i32::MAX))
    };
    rows().enumerate().map(definition).collect()
}

/// Values of properties, by their rows.
struct Reader<'a> {
    given: &'a dyn Properties,
}

impl Reader<'_> {
    fn row(name: &str) -> &'static Row {
        rows()
            .find(|row| row.name == name)
            .expect("only properties of the table are read")
    }

    fn text(&self, name: &'static str) -> String {
        let given = self.given.property(name).flatten().map(str::trim);
        given.unwrap_or(Self::row(name).default).to_owned()
    }

    /// Whether the property is given at all.
    fn has(&self, name: &str) -> bool {
        self.given.property(name).flatten().is_some()
    }

    fn wrong(name: &str, text: &str, wanted: &str) -> Error {
        Error::Property {
            key: name.into(),
            detail: format!("invalid value {text}: must be {wanted}"),
        }
    }

    fn bytes(&self, name: &'static str) -> Result<u64, Error> {
        let text = self.text(name);
        bytes(&text)
            .filter(|bytes| *bytes > 0)
            .ok_or_else(|| Self::wrong(name, &text, "a size such as 256MiB"))
    }

    fn count(&self, name: &'static str) -> Result<u64, Error> {
        let text = self.text(name);
        text.parse()
            .ok()
            .filter(|count| *count > 0)
            .ok_or_else(|| Self::wrong(name, &text, "a number of at least 1"))
    }

    fn small(&self, name: &'static str) -> Result<u32, Error> {
        let count = self.count(name)?;
        u32::try_from(count).map_err(|_| Self::wrong(name, &count.to_string(), "at most 4294967295"))
    }

    fn time(&self, name: &'static str) -> Result<Duration, Error> {
        self.count(name).map(Duration::from_millis)
    }

    fn flag(&self, name: &'static str) -> Result<bool, Error> {
        let text = self.text(name);
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Self::wrong(name, &text, "true or false")),
        }
    }

    fn list(&self, name: &'static str) -> Vec<String> {
        self.text(name)
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn paths(&self, name: &'static str) -> Result<Vec<PathBuf>, Error> {
        let paths: Vec<PathBuf> = self.list(name).into_iter().map(PathBuf::from).collect();
        match paths.iter().find(|path| !path.is_absolute()) {
            Some(relative) => Err(Self::wrong(name, &relative.display().to_string(), "absolute paths")),
            None => Ok(paths),
        }
    }

    /// The limits, where what is not given is taken from `base`.
    fn limits(&self, base: Option<&Limits>) -> Result<Limits, Error> {
        fn pick<T>(base: Option<T>, given: bool, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
            match base {
                Some(base) if !given => Ok(base),
                _ => read(),
            }
        }
        let own = |name: &'static str| self.has(name);
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Ok(Limits {
            memory: pick(base.map(|base| base.memory), own("sandbox.memory.bytes"), || {
                self.bytes("sandbox.memory.bytes")
            })?,
            table_elements: pick(
                base.map(|base| base.table_elements),
                own("sandbox.table.elements"),
                || self.count("sandbox.table.elements"),
            )?,
            instances: pick(base.map(|base| base.instances), own("sandbox.core.instances"), || {
                self.small("sandbox.core.instances")
            })?,
            call: pick(base.map(|base| base.call), own("sandbox.call.timeout.ms"), || {
                self.time("sandbox.call.timeout.ms")
            })?,
            lifecycle_call: pick(
                base.map(|base| base.lifecycle_call),
                own("sandbox.lifecycle.timeout.ms"),
                || self.time("sandbox.lifecycle.timeout.ms"),
            )?,
            output: pick(base.map(|base| base.output), own("sandbox.output.bytes"), || {
                self.bytes("sandbox.output.bytes")
            })?,
            log_lines: pick(base.map(|base| base.log_lines), own("sandbox.log.lines"), || {
                self.small("sandbox.log.lines")
            })?,
            log_line: pick(base.map(|base| base.log_line), own("sandbox.log.line.bytes"), || {
                self.bytes("sandbox.log.line.bytes").map(size)
            })?,
            metric_series: pick(
                base.map(|base| base.metric_series),
                own("sandbox.metric.series"),
                || self.count("sandbox.metric.series").map(size),
            )?,
            connections: pick(base.map(|base| base.connections), own("sandbox.connections"), || {
                self.small("sandbox.connections")
            })?,
            http_body: pick(base.map(|base| base.http_body), own("sandbox.http.body.bytes"), || {
                self.bytes("sandbox.http.body.bytes")
            })?,
        })
    }
}

impl SandboxOptions {
    /// The worker's settings. The program that compiles is the caller's to name.
    pub fn from_properties(given: &dyn Properties) -> Result<Self, Error> {
        let read = Reader { given };
        let defaults = read.limits(None)?;
        let longest = read.time("sandbox.timeout.max.ms")?;
        let ceilings = Limits {
            memory: read.bytes("sandbox.memory.max.bytes")?.max(defaults.memory),
            call: longest.max(defaults.call),
            lifecycle_call: longest.max(defaults.lifecycle_call),
            output: read.bytes("sandbox.output.max.bytes")?.max(defaults.output),
            log_lines: read.small("sandbox.log.lines.max")?.max(defaults.log_lines),
            ..defaults.clone()
        };
        let cache = read.text("sandbox.cache.dir");
        Ok(SandboxOptions {
            cache_dir: if cache.is_empty() {
                default_cache()
            } else {
                PathBuf::from(cache)
            },
            compiler: CompilerOptions {
                program: None,
                args: Vec::new(),
                memory: read.bytes("sandbox.compiler.memory.bytes")?,
                cpu: read.time("sandbox.compiler.cpu.ms")?,
                time: read.time("sandbox.compiler.timeout.ms")?,
                output: read.bytes("sandbox.compiler.output.bytes")?,
                parallel: read.small("sandbox.compiler.processes")? as usize,
            },
            defaults,
            ceilings,
            policy: GrantPolicy {
                file_roots: read.paths("sandbox.file.roots")?,
                file_denied: read.paths("sandbox.file.denied")?,
                stdio: read.flag("sandbox.stdio.allowed")?,
                environment: read.list("sandbox.environment.allowed"),
                network_allowed: read.list("sandbox.network.allowed"),
                network_denied: read.list("sandbox.network.denied"),
            },
            trusted: Some(read.text("sandbox.tls.trusted"))
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            instances: read.small("sandbox.instances")?,
            module_bytes: read.bytes("sandbox.module.max.bytes")?,
            describe_time: read.time("sandbox.describe.timeout.ms")?,
        })
    }

    /// The limits that a connector's configuration sets for its own instances; `None` if it sets none. What exceeds
    /// a ceiling is refused by name rather than lowered in silence.
    pub fn connector_limits(&self, config: &dyn Properties) -> Result<Option<Limits>, Error> {
        let read = Reader { given: config };
        if !LIMITS.iter().any(|row| read.has(row.name)) {
            return Ok(None);
        }
        let own = read.limits(Some(&self.defaults))?;
        let most = &self.ceilings;
        let time = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let compared = [
            ("sandbox.memory.bytes", own.memory, most.memory),
            ("sandbox.table.elements", own.table_elements, most.table_elements),
            ("sandbox.core.instances", own.instances.into(), most.instances.into()),
            ("sandbox.call.timeout.ms", time(own.call), time(most.call)),
            (
                "sandbox.lifecycle.timeout.ms",
                time(own.lifecycle_call),
                time(most.lifecycle_call),
            ),
            ("sandbox.output.bytes", own.output, most.output),
            ("sandbox.log.lines", own.log_lines.into(), most.log_lines.into()),
            ("sandbox.log.line.bytes", own.log_line as u64, most.log_line as u64),
            (
                "sandbox.metric.series",
                own.metric_series as u64,
                most.metric_series as u64,
            ),
            ("sandbox.connections", own.connections.into(), most.connections.into()),
            ("sandbox.http.body.bytes", own.http_body, most.http_body),
        ];
        match compared.into_iter().find(|(_, own, most)| own > most) {
            Some((name, own, most)) => Err(Error::Property {
                key: name.into(),
                detail: format!("{own} is more than the worker allows its connectors ({most})"),
            }),
            None => Ok(Some(own)),
        }
    }
}

/// Where programs of this user keep what they can make again.
fn default_cache() -> PathBuf {
    let home = || {
        std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(|home| PathBuf::from(home).join(".cache"))
    };
    let named = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    match named.or_else(home) {
        Some(cache) => cache.join("caisson/compiled"),
        None => std::env::temp_dir()
            .join(format!("caisson-{}", rustix::process::getuid().as_raw()))
            .join("compiled"),
    }
}

#[cfg(test)]
mod tests;
