//! From an address to a connection that is ready for requests.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

use super::connection::{Connection, Stream};
use super::messages::Request;
use super::sasl::Login;
use super::tls::Tls;
use crate::error::{Error, ErrorCode, KafkaError};
use crate::settings::ClientSettings;

/// Kafka's `socket.connection.setup.timeout.ms` and `request.timeout.ms`, where the settings say nothing.
const CONNECT: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(40);

/// Where a broker listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub host: String,
    pub port: u16,
}

impl Address {
    /// None if the port, as a broker names it, is none.
    pub(crate) fn new(host: &str, port: i32) -> Option<Address> {
        let port = u16::try_from(port).ok().filter(|port| *port > 0)?;
        (!host.is_empty()).then(|| Address {
            host: host.to_owned(),
            port,
        })
    }

    /// One element of `bootstrap.servers`: `host:port`, an IPv6 address in brackets, a protocol in front.
    fn parse(text: &str) -> Option<Address> {
        let text = text.rsplit_once("://").map_or(text, |(_, rest)| rest).trim();
        let (host, port) = text.rsplit_once(':').unwrap_or((text, "9092"));
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Address::new(host, port.parse().ok()?)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// How to connect, from a client's settings.
pub(crate) struct Dialer {
    client_id: Arc<str>,
    pub bootstrap: Vec<Address>,
    connect_timeout: Duration,
    pub request_timeout: Duration,
    buffers: Buffers,
    tls: Option<Tls>,
    login: Option<Login>,
}

impl Dialer {
    pub(crate) fn new(settings: &ClientSettings) -> Result<Dialer, Error> {
        let servers = settings.native("bootstrap.servers").unwrap_or_default();
        let invalid = |reason: String| Error::Setting {
            name: "bootstrap.servers".to_owned(),
            reason,
        };
        let bootstrap: Vec<Address> = servers
            .split(',')
            .map(str::trim)
            .filter(|server| !server.is_empty())
            .map(|server| Address::parse(server).ok_or_else(|| invalid(format!("{server:?} is no host and port"))))
            .collect::<Result<_, _>>()?;
        if bootstrap.is_empty() {
            return Err(invalid("no broker is named".to_owned()));
        }
        let protocol = settings
            .native("security.protocol")
            .unwrap_or("plaintext")
            .to_ascii_lowercase();
        let (tls, sasl) = match protocol.as_str() {
            "plaintext" => (false, false),
            "ssl" => (true, false),
            "sasl_plaintext" => (false, true),
            "sasl_ssl" => (true, true),
            _ => {
                return Err(Error::Setting {
                    name: "security.protocol".to_owned(),
                    reason: format!("{protocol:?} is none of PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL"),
                });
            }
        };
        Ok(Dialer {
            tls: tls.then(|| Tls::new(settings)).transpose()?,
            login: sasl.then(|| Login::new(settings)).transpose()?,
            client_id: settings.client_id().into(),
            bootstrap,
            connect_timeout: millis(settings, "socket.connection.setup.timeout.ms").unwrap_or(CONNECT),
            request_timeout: millis(settings, "socket.timeout.ms").unwrap_or(REQUEST),
            buffers: Buffers {
                send: buffer(settings, "socket.send.buffer.bytes"),
                receive: buffer(settings, "socket.receive.buffer.bytes"),
            },
        })
    }

    /// Connects, and authenticates as the settings say.
    pub(crate) async fn dial(&self, address: &Address) -> Result<Connection, KafkaError> {
        let stream = tokio::time::timeout(self.connect_timeout, self.stream(address))
            .await
            .unwrap_or_else(|_| {
                let text = format!("not connected within {:?}", self.connect_timeout);
                Err(KafkaError::with_message(ErrorCode::TIMED_OUT, text))
            });
        let connection = match stream {
            Ok(stream) => self.greet(stream).await,
            Err(error) => Err(error),
        };
        connection.map_err(|error| KafkaError {
            message: format!("{address}: {}", error.message),
            ..error
        })
    }

    /// The brokers to ask: those that the cluster has named, and behind them those of the settings.
    pub(crate) fn brokers<'a>(&self, named: impl IntoIterator<Item = &'a Address>) -> Vec<Address> {
        let mut brokers: Vec<Address> = named.into_iter().cloned().collect();
        for server in &self.bootstrap {
            if !brokers.contains(server) {
                brokers.push(server.clone());
            }
        }
        brokers
    }

    /// Connects for one request.
    async fn ask<R: Request>(&self, address: &Address, request: &R) -> Result<R::Answer, KafkaError> {
        let mut connection = self.dial(address).await?;
        connection.call(request, self.request_timeout).await
    }

    /// Asks one broker after another until one answers.
    pub(crate) async fn ask_any<R: Request>(&self, known: &[Address], request: &R) -> Result<R::Answer, KafkaError> {
        let mut last = KafkaError::new(ErrorCode::ALL_BROKERS_DOWN);
        for address in known {
            match self.ask(address, request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn stream(&self, address: &Address) -> Result<Box<dyn Stream>, KafkaError> {
        let tcp = tcp(address, self.buffers).await?;
        match &self.tls {
            None => Ok(Box::new(tcp)),
            Some(tls) => Ok(Box::new(tls.connect(&address.host, tcp).await?)),
        }
    }

    async fn greet(&self, stream: Box<dyn Stream>) -> Result<Connection, KafkaError> {
        let mut connection = Connection::open(stream, self.client_id.clone(), self.request_timeout).await?;
        if let Some(login) = &self.login {
            login.authenticate(&mut connection, self.request_timeout).await?;
        }
        Ok(connection)
    }
}

/// The operating system's buffers of a connection, in bytes, where it does not choose itself.
#[derive(Clone, Copy)]
struct Buffers {
    send: Option<u32>,
    receive: Option<u32>,
}

/// The first of the host's addresses that answers.
async fn tcp(address: &Address, buffers: Buffers) -> Result<TcpStream, KafkaError> {
    let resolve = |text: String| KafkaError::with_message(ErrorCode::RESOLVE, text);
    let candidates = tokio::net::lookup_host((address.host.as_str(), address.port))
        .await
        .map_err(|error| resolve(error.to_string()))?;
    let mut last = resolve("the name has no address".to_owned());
    for candidate in candidates {
        let connected = match socket(candidate, buffers) {
            Ok(socket) => socket.connect(candidate).await,
            Err(error) => Err(error),
        };
        match connected {
            Ok(tcp) => {
                // Requests are small and answered one by one.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(error) => last = KafkaError::with_message(ErrorCode::TRANSPORT, error.to_string()),
        }
    }
    Err(last)
}

fn socket(to: SocketAddr, buffers: Buffers) -> std::io::Result<TcpSocket> {
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Before the connection is made: what the peer may send is agreed upon then.
    if let Some(bytes) = buffers.send {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = buffers.receive {
        socket.set_recv_buffer_size(bytes)?;
    }
    Ok(socket)
}

/// None where the operating system chooses.
fn buffer(settings: &ClientSettings, name: &str) -> Option<u32> {
    settings.native(name)?.parse().ok().filter(|bytes| *bytes > 0)
}

fn millis(settings: &ClientSettings, name: &str) -> Option<Duration> {
    settings.native(name)?.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn connections_have_the_buffers_that_settings_name() {
        let given = [
            ("bootstrap.servers", "localhost:9092"),
            ("receive.buffer.bytes", "20000"),
            ("send.buffer.bytes", "-1"),
        ];
        let given = given
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let settings = ClientSettings::reader(&[crate::Layer::Client(&given)]).unwrap();
        let dialer = Dialer::new(&settings).unwrap();
        assert_eq!(dialer.buffers.send, None);
        let socket = socket("127.0.0.1:9092".parse().unwrap(), dialer.buffers).unwrap();
        // Linux keeps twice as much, for its own use.
        let size = socket.recv_buffer_size().unwrap();
        assert!((20_000..=40_000).contains(&size), "{size}");
    }

    #[test]
    fn servers_are_read_as_java_writes_them() {
        let parse = |text| Address::parse(text).map(|address| address.to_string());
        assert_eq!(parse("kafka:9093").as_deref(), Some("kafka:9093"));
        assert_eq!(parse("SASL_SSL://kafka:9093").as_deref(), Some("kafka:9093"));
        assert_eq!(parse("[::1]:9092").as_deref(), Some("::1:9092"));
        for wrong in ["", ":9092", "kafka:", "kafka:0", "kafka:99999", "kafka:-1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
