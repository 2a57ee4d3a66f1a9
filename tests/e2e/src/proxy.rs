//! A network that is bad on purpose: a TCP proxy in front of one address.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    Well,
    /// Each piece that passes takes so much longer.
    Slow(Duration),
    /// Connections stay, new ones come about, and nothing passes in either direction.
    Silent,
    /// New connections end at once.
    Closed,
}

/// Passes on bytes until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    link: Arc<Link>,
}

struct Link {
    to: u16,
    state: Mutex<State>,
    /// The network has changed.
    changed: Condvar,
}

struct State {
    network: Network,
    over: bool,
    connections: Vec<TcpStream>,
}

impl Proxy {
    /// In front of a port of this machine, at which somebody may listen later.
    pub fn start(to: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let link = Arc::new(Link {
            to,
            state: Mutex::new(State {
                network: Network::Well,
                over: false,
                connections: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let own = link.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if own.state().over {
                    return;
                }
                own.connect(client);
            }
        });
        Proxy { address, link }
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Changes the network, for connections that there are, too.
    pub fn set(&self, network: Network) {
        self.link.state().network = network;
        self.link.changed.notify_all();
    }

    /// Ends the connection at this place of those that there are, counted round; none if there are none.
    pub fn reset_one(&self, place: usize) {
        let mut state = self.link.state();
        let connections = state.connections.len() / 2;
        if connections == 0 {
            return;
        }
        let first = place % connections * 2;
        for connection in state.connections.drain(first..first + 2) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Ends all connections that there are; how many there were.
    pub fn reset(&self) -> usize {
        let connections = std::mem::take(&mut self.link.state().connections);
        for connection in &connections {
            let _ = connection.shutdown(Shutdown::Both);
        }
        connections.len() / 2
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.link.state().over = true;
        self.set(Network::Well);
        self.reset();
        // Whoever waits for a client sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

impl Link {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where nobody listens, the client's connection ends.
    fn connect(self: &Arc<Self>, client: TcpStream) {
        if self.state().network == Network::Closed {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.to)) else {
            return;
        };
        for (from, to) in [(&client, &server), (&server, &client)] {
            let (Ok(from), Ok(to), Ok(kept)) = (from.try_clone(), to.try_clone(), from.try_clone()) else {
                return;
            };
            let _ = to.set_nodelay(true);
            self.state().connections.push(kept);
            let link = self.clone();
            std::thread::spawn(move || link.pass(from, to));
        }
    }

    /// One direction of one connection, to its end.
    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if let Some(delay) = self.delay() {
                std::thread::sleep(delay);
            }
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }

    /// Waits while the network is silent; how much longer a piece takes.
    fn delay(&self) -> Option<Duration> {
        let silent = |state: &mut State| state.network == Network::Silent && !state.over;
        let state = self.changed.wait_while(self.state(), silent);
        match state.unwrap_or_else(PoisonError::into_inner).network {
            Network::Slow(delay) => Some(delay),
            Network::Well | Network::Silent | Network::Closed => None,
        }
    }
}
