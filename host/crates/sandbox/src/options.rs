//! How a worker's sandbox is set up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use caisson_api::manifest::Plugin;
use caisson_model::Limits;

use crate::error::CallError;

/// Settings of [`crate::Sandbox`]; each is a `sandbox.*` property of the worker.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Where compiled code is kept. Only the worker may write there.
    pub cache_dir: PathBuf,
    pub compiler: CompilerOptions,
    /// What an instance has if neither its connector nor its manifest says otherwise.
    pub defaults: Limits,
    /// What no connector and no manifest can exceed.
    pub ceilings: Limits,
    pub policy: GrantPolicy,
    /// Certificates in PEM that connections under TLS trust; `None`: those of the operating system.
    pub trusted: Option<PathBuf>,
    /// Slots for instances: connectors, tasks and component transforms of the worker together.
    pub instances: u32,
    /// Bytes of one component.
    pub module_bytes: u64,
    /// Wall clock for `describe`.
    pub describe_time: Duration,
}

/// The process that compiles.
#[derive(Clone, Debug)]
pub struct CompilerOptions {
    /// The program that calls [`crate::compiler::child_main`] when it is started with `args`. `None` compiles in this
    /// process, without limits: for tools that trust what they compile.
    pub program: Option<PathBuf>,
    pub args: Vec<String>,
    /// Address space of the process, in bytes.
    pub memory: u64,
    /// Its processor time.
    pub cpu: Duration,
    /// Wall clock from start to end.
    pub time: Duration,
    /// Bytes of compiled code.
    pub output: u64,
    /// Compilers at work at the same time.
    pub parallel: usize,
}

/// What the operator lets configurations grant.
#[derive(Clone, Debug)]
pub struct GrantPolicy {
    /// Directories below which files may be granted.
    pub file_roots: Vec<PathBuf>,
    /// Directories below which no file is granted, unless a root lies inside them.
    pub file_denied: Vec<PathBuf>,
    /// Whether a plugin may be given the worker's standard input and output.
    pub stdio: bool,
    /// Names of environment variables that may be granted.
    pub environment: Vec<String>,
    /// Networks (`10.0.0.0/8`) or host patterns that may be granted beside public addresses.
    pub network_allowed: Vec<String>,
    /// Networks or host patterns that are never granted.
    pub network_denied: Vec<String>,
}

impl Default for CompilerOptions {
    fn default() -> Self {
        CompilerOptions {
            program: None,
            args: Vec::new(),
            memory: 4 << 30,
            cpu: Duration::from_secs(60),
            time: Duration::from_secs(120),
            output: 256 << 20,
            parallel: 2,
        }
    }
}

/// Link-local networks and the metadata services of clouds: whoever reaches those has the credentials of the machine.
pub(crate) const DENIED_NETWORKS: [&str; 5] = [
    "169.254.0.0/16",
    "fe80::/10",
    "fd00:ec2::254/128",
    "100.100.100.200/32",
    "192.0.0.192/32",
];

impl Default for GrantPolicy {
    fn default() -> Self {
        GrantPolicy {
            file_roots: vec![PathBuf::from("/")],
            file_denied: ["/proc", "/sys", "/dev", "/run/secrets", "/var/run/secrets"]
                .map(PathBuf::from)
                .to_vec(),
            stdio: true,
            environment: Vec::new(),
            network_allowed: Vec::new(),
            network_denied: DENIED_NETWORKS.map(String::from).to_vec(),
        }
    }
}

impl SandboxOptions {
    /// The defaults, with compiled code kept in `cache_dir`, compiling in this process.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        let none: BTreeMap<String, String> = BTreeMap::new();
        let defaults = Self::from_properties(&none).expect("the defaults of the table can be read; a test does");
        SandboxOptions {
            cache_dir: cache_dir.into(),
            ..defaults
        }
    }
}

impl SandboxOptions {
    /// What an instance of `plugin` has: the connector's own limits, or the defaults raised by what the manifest asks
    /// for; never above the ceilings.
    pub(crate) fn limits_for(&self, plugin: &Plugin, own: Option<&Limits>) -> Result<Limits, CallError> {
        let mut limits = own.unwrap_or(&self.defaults).clone();
        if own.is_none()
            && let Some(asked) = plugin.limits.get("memory")
        {
            let bytes = bytes(asked).ok_or_else(|| {
                CallError::Host(format!(
                    "{}: limits.memory of the manifest is {asked}, which is no size (256MiB)",
                    plugin.class
                ))
            })?;
            limits.memory = limits.memory.max(bytes);
        }
        let most = &self.ceilings;
        limits.memory = limits.memory.min(most.memory);
        limits.table_elements = limits.table_elements.min(most.table_elements);
        limits.instances = limits.instances.min(most.instances);
        limits.call = limits.call.min(most.call);
        limits.lifecycle_call = limits.lifecycle_call.min(most.lifecycle_call);
        limits.output = limits.output.min(most.output);
        limits.log_lines = limits.log_lines.min(most.log_lines);
        limits.log_line = limits.log_line.min(most.log_line);
        limits.metric_series = limits.metric_series.min(most.metric_series);
        limits.connections = limits.connections.min(most.connections);
        limits.http_body = limits.http_body.min(most.http_body);
        Ok(limits)
    }
}

/// A size such as `64`, `64KiB`, `1.5 GiB`, `100MB`.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    let whole = match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(factor)?,
        Err(_) => (number.parse::<f64>().ok()? * factor as f64) as u64,
    };
    Some(whole)
}
