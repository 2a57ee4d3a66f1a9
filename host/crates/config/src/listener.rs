//! Where the REST interface listens: `http://host:port`, `https://host:port`.

use std::fmt;

use caisson_api::config::{ConfigError, Setting};

/// One address of `listeners` or `admin.listeners`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub scheme: Scheme,
    /// Empty: every address of the machine. Without the brackets of IPv6.
    pub host: String,
    /// 0: any free port.
    pub port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    fn parse(text: &str) -> Option<Scheme> {
        [Scheme::Http, Scheme::Https]
            .into_iter()
            .find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.scheme.as_str();
        if self.host.contains(':') {
            write!(formatter, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl Listener {
    /// Reads `scheme://host:port`; the messages are Kafka Connect's.
    pub fn parse(text: &str) -> Result<Listener, &'static str> {
        const FORMAT: &str = "Listener doesn't have the right format (protocol://hostname:port).";
        let (scheme, address) = text.split_once("://").ok_or(FORMAT)?;
        let (host, port) = address.rsplit_once(':').ok_or(FORMAT)?;
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host);
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-%._:".contains(c);
        if !host.chars().all(allowed) {
            return Err(FORMAT);
        }
        let port = port.parse().map_err(|_| FORMAT)?;
        let scheme = Scheme::parse(scheme).ok_or("Listener protocol must be either \"http\" or \"https\".")?;
        Ok(Listener {
            scheme,
            host: host.to_owned(),
            port,
        })
    }
}

/// What a list of listeners is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Regular,
    /// May be null (the regular ones) or empty (off).
    Admin,
}

/// Checks a list of listeners.
pub fn check(name: &str, value: &Setting, purpose: Purpose) -> Result<(), ConfigError> {
    let Setting::List(listeners) = value else {
        return match purpose {
            Purpose::Admin => Ok(()),
            Purpose::Regular => Err(ConfigError::invalid(
                name,
                value,
                "Invalid value type for listeners (expected list of URLs , ex: http://localhost:8080,https://localhost:8443).",
            )),
        };
    };
    if listeners.is_empty() && purpose == Purpose::Regular {
        return Err(ConfigError::invalid(name, value, "Expecting at least one entry"));
    }
    for listener in listeners {
        if listener.is_empty() {
            return Err(ConfigError::invalid(name, value, "Empty listener found"));
        }
        Listener::parse(listener).map_err(|reason| ConfigError::invalid(name, listener, reason))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_read_and_written() {
        for text in [
            "http://:8083",
            "https://localhost:0",
            "http://[::1]:80",
            "http://10.0.0.1:1",
        ] {
            assert_eq!(Listener::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Listener::parse("HTTP://a:1").unwrap().scheme, Scheme::Http);
    }

    #[test]
    fn what_is_no_listener_is_refused() {
        for text in [
            "",
            "localhost:8083",
            "http://a",
            "http://a:b",
            "http://a:99999",
            "ftp://a:1",
            "http://a/b:1",
        ] {
            assert!(Listener::parse(text).is_err(), "{text}");
        }
    }
}
