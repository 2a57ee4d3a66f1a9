//! A proxy in front of a listener that lets bytes pass, keeps them back, or cuts connections.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Pass = 0,
    /// Connections stay open, and nothing passes.
    Hang = 1,
    /// Connections are closed, new ones too.
    Cut = 2,
}

pub struct Proxy {
    mode: Arc<AtomicU8>,
}

const LOOK: Duration = Duration::from_millis(20);

impl Proxy {
    pub fn start(front: u16, behind: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", front)).unwrap();
        let mode = Arc::new(AtomicU8::new(Mode::Pass as u8));
        let modes = mode.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                if modes.load(Ordering::SeqCst) == Mode::Cut as u8 {
                    continue;
                }
                let Ok(broker) = TcpStream::connect(("127.0.0.1", behind)) else {
                    continue;
                };
                let (back, forth) = (
                    (broker.try_clone().unwrap(), client.try_clone().unwrap()),
                    (client, broker),
                );
                for (from, to) in [back, forth] {
                    let modes = modes.clone();
                    std::thread::spawn(move || pass(from, to, &modes));
                }
            }
        });
        Proxy { mode }
    }

    pub fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mode: &AtomicU8) {
    from.set_read_timeout(Some(LOOK)).unwrap();
    let mut bytes = [0; 8192];
    loop {
        let now = mode.load(Ordering::SeqCst);
        if now == Mode::Cut as u8 {
            break;
        }
        if now == Mode::Hang as u8 {
            std::thread::sleep(LOOK);
            continue;
        }
        match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(read) => {
                if to.write_all(&bytes[..read]).is_err() {
                    break;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}
