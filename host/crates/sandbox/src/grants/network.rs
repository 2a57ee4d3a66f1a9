//! Which endpoints an instance may reach; [`crate::network`] asks for every connection.
//!
//! Entries of a manifest's `grants.network`: `host:port` and `*.host:port` (one label) as literals; or
//! `${host.key}:${port.key}`, `${host.key}:5432`, and `${key}` whose value is a URL, `host:port`, or a list of either.

use std::net::{IpAddr, Ipv4Addr};

use caisson_api::config::Config;

use crate::error::CallError;
use crate::options::GrantPolicy;

/// A host and a port that a configuration named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A name in lower case, a name after `*.`, or an address.
    pub host: String,
    /// `None`: the port that belongs to the scheme is not known here, so any.
    pub port: Option<u16>,
}

/// All endpoints of an instance, and the operator's ceiling above them.
#[derive(Clone, Debug, Default)]
pub struct NetworkGrants {
    /// As the manifest has them.
    asked: Vec<String>,
    endpoints: Vec<Endpoint>,
    ceiling: NetworkCeiling,
}

/// What the operator lets anybody's configuration reach (`sandbox.network.allowed`, `sandbox.network.denied`).
#[derive(Clone, Debug, Default)]
pub struct NetworkCeiling {
    allowed: Vec<Pattern>,
    denied: Vec<Pattern>,
}

/// Why an endpoint cannot be reached; says whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkRefusal {
    #[error("{host}:{port}: the plugin's manifest asks for no network")]
    NotAsked { host: String, port: u16 },
    #[error("{host}:{port}: the connector's configuration names no such endpoint (it names {named}, by {by})")]
    NotNamed {
        host: String,
        port: u16,
        named: String,
        /// The entries of the manifest that the configuration fills.
        by: String,
    },
    #[error("{name}: the connector's configuration names no such host (it names {named}, by {by})")]
    UnknownName { name: String, named: String, by: String },
    #[error("{host}:{port}: {address} is the address of no single host")]
    NoHost { host: String, port: u16, address: IpAddr },
    #[error("{host}:{port}: the operator refuses {address} ({property})")]
    Ceiling {
        host: String,
        port: u16,
        address: String,
        property: &'static str,
    },
}

impl NetworkGrants {
    pub(crate) fn resolve(asked: &[String], config: &Config, policy: &GrantPolicy) -> Result<Self, CallError> {
        let mut grants = NetworkGrants {
            asked: asked.to_vec(),
            endpoints: Vec::new(),
            ceiling: NetworkCeiling::new(policy)?,
        };
        for entry in asked {
            // A key that is absent names nothing; a value that cannot be read names nothing either, and the plugin's
            // own validation says so better.
            let Some(value) = filled(entry, config) else { continue };
            for one in value.split([',', ' ']).map(str::trim).filter(|one| !one.is_empty()) {
                grants.endpoints.extend(endpoint(one));
            }
        }
        Ok(grants)
    }

    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Whether a connection to `host` may be tried at all; what it resolves to has to pass [`NetworkGrants::address`].
    pub fn host(&self, host: &str, port: u16) -> Result<(), NetworkRefusal> {
        let host = bare(host).trim_end_matches('.').to_ascii_lowercase();
        if self.asked.is_empty() {
            return Err(NetworkRefusal::NotAsked { host, port });
        }
        let granted =
            |endpoint: &Endpoint| endpoint.port.is_none_or(|own| own == port) && host_matches(&endpoint.host, &host);
        if !self.endpoints.iter().any(granted) {
            let (named, by) = (self.named(), self.asked.join(", "));
            return Err(NetworkRefusal::NotNamed { host, port, named, by });
        }
        self.ceiling.host(&host, port)
    }

    fn named(&self) -> String {
        let named: Vec<String> = self.endpoints.iter().map(Endpoint::to_string).collect();
        if named.is_empty() {
            "none".into()
        } else {
            named.join(", ")
        }
    }

    /// Whether a name may be resolved, for a connection to one of its ports.
    pub fn name(&self, name: &str) -> Result<(), NetworkRefusal> {
        let ports = self.endpoints.iter().map(|endpoint| endpoint.port.unwrap_or_default());
        let refused = || NetworkRefusal::UnknownName {
            name: name.to_owned(),
            named: self.named(),
            by: self.asked.join(", "),
        };
        let mut last = None;
        for port in ports {
            match self.host(name, port) {
                Ok(()) => return Ok(()),
                Err(refusal @ NetworkRefusal::Ceiling { .. }) => last = Some(refusal),
                Err(_) => {}
            }
        }
        Err(last.unwrap_or_else(refused))
    }

    /// Whether the address that `host` resolved to may be connected to. Asked for every address, so that a name that
    /// changes its meaning gains nothing.
    pub fn address(&self, host: &str, address: IpAddr, port: u16) -> Result<(), NetworkRefusal> {
        self.ceiling.address(host, address, port)
    }
}

impl NetworkCeiling {
    pub(crate) fn new(policy: &GrantPolicy) -> Result<Self, CallError> {
        Ok(NetworkCeiling {
            allowed: patterns(&policy.network_allowed)?,
            denied: patterns(&policy.network_denied)?,
        })
    }

    /// Whether a connection that the worker makes itself, to where a configuration says, is within the ceiling.
    pub fn check(&self, host: &str, address: IpAddr, port: u16) -> Result<(), NetworkRefusal> {
        self.host(&bare(host).trim_end_matches('.').to_ascii_lowercase(), port)?;
        self.address(host, address, port)
    }

    /// A host by its name, in lower case.
    fn host(&self, host: &str, port: u16) -> Result<(), NetworkRefusal> {
        if !self.denied.iter().any(|pattern| pattern.matches_host(host)) {
            return Ok(());
        }
        Err(NetworkRefusal::Ceiling {
            host: host.to_owned(),
            port,
            address: host.to_owned(),
            property: "sandbox.network.denied",
        })
    }

    fn address(&self, host: &str, address: IpAddr, port: u16) -> Result<(), NetworkRefusal> {
        let address = inner(address);
        if names_no_host(address) {
            let host = host.to_owned();
            return Err(NetworkRefusal::NoHost { host, port, address });
        }
        if self.denied.iter().any(|pattern| pattern.matches_address(address)) {
            let (host, address) = (host.to_owned(), address.to_string());
            return Err(NetworkRefusal::Ceiling {
                host,
                port,
                address,
                property: "sandbox.network.denied",
            });
        }
        if !self.allowed.is_empty()
            && !self
                .allowed
                .iter()
                .any(|pattern| pattern.matches_address(address) || pattern.matches_host(host))
        {
            let (host, address) = (host.to_owned(), address.to_string());
            return Err(NetworkRefusal::Ceiling {
                host,
                port,
                address,
                property: "sandbox.network.allowed",
            });
        }
        Ok(())
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// The address that is meant in the end: IPv6 has several ways to write one of IPv4 (mapped, NAT64, 6to4).
fn inner(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address.to_canonical() else {
        return address.to_canonical();
    };
    let s = v6.segments();
    let [a, b] = match s {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => [high, low],
        [0x2002, high, low, ..] => [high, low],
        _ => return IpAddr::V6(v6),
    };
    IpAddr::V4(Ipv4Addr::from_bits(u32::from(a) << 16 | u32::from(b)))
}

/// "Any" leads to this machine, whatever the operator says of loopback; the others are groups.
fn names_no_host(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    address.is_unspecified() || address.is_multicast() || broadcast
}

/// An address without the brackets that it has in a URL.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host)
}

/// A network or a host of the operator's lists.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Network(IpAddr, u8),
    Host(String),
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        match (address.parse::<IpAddr>(), length) {
            (Ok(address), length) => {
                let most = if address.is_ipv4() { 32 } else { 128 };
                let length = length.map_or(Some(most), |length| length.parse().ok())?;
                (length <= most).then_some(Pattern::Network(address, length))
            }
            (Err(_), None) if !text.is_empty() => Some(Pattern::Host(text.to_ascii_lowercase())),
            (Err(_), _) => None,
        }
    }

    fn matches_address(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Pattern::Network(IpAddr::V4(net), length), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(*length)).unwrap_or(0);
                net.to_bits() & mask == address.to_bits() & mask
            }
            (Pattern::Network(IpAddr::V6(net), length), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(*length)).unwrap_or(0);
                net.to_bits() & mask == address.to_bits() & mask
            }
            (Pattern::Network(..) | Pattern::Host(_), _) => false,
        }
    }

    fn matches_host(&self, host: &str) -> bool {
        match self {
            Pattern::Host(pattern) => host_matches(pattern, host),
            Pattern::Network(..) => host.parse().is_ok_and(|address| self.matches_address(address)),
        }
    }
}

fn patterns(list: &[String]) -> Result<Vec<Pattern>, CallError> {
    let parse = |text: &String| {
        Pattern::parse(text)
            .ok_or_else(|| CallError::Host(format!("sandbox.network: {text} is neither a network nor a host")))
    };
    list.iter().map(parse).collect()
}

/// `*.` stands for exactly one label.
fn host_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => host
            .split_once('.')
            .is_some_and(|(label, parent)| !label.is_empty() && parent == rest),
        None => pattern == host,
    }
}

/// `entry` with each `${key}` replaced; `None` if one of them is absent.
fn filled(entry: &str, config: &Config) -> Option<String> {
    let mut out = String::new();
    let mut rest = entry;
    while let Some(start) = rest.find("${") {
        let end = start + rest[start..].find('}')?;
        out.push_str(&rest[..start]);
        out.push_str(
            config
                .get(&rest[start + 2..end])
                .map(str::trim)
                .filter(|value| !value.is_empty())?,
        );
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Some(out)
}

/// Host and port of a URL (also `jdbc:postgresql://host:5432/db`), or of `host:port`.
fn endpoint(text: &str) -> Option<Endpoint> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme.rsplit(':').next().unwrap_or(scheme)), rest),
        None => (None, text),
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => scheme.and_then(default_port),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    (!host.is_empty()).then_some(Endpoint { host, port })
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "postgresql" | "postgres" => Some(5432),
        "mysql" | "mariadb" => Some(3306),
        "mongodb" => Some(27017),
        "redis" => Some(6379),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
