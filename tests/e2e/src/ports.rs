//! Ports for servers that tests start, and start again.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below those that systems give to connections: the port of a server that was killed stays free until it is started again.
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

/// A port that nobody listens on, nor on those so many further. No other test of this process gets any of them.
pub(crate) fn free(further: &[u16]) -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let width = further.iter().max().map_or(1, |most| u32::from(*most) + 1);
    // Another process begins elsewhere.
    let begin = std::process::id().wrapping_mul(61);
    let mut candidates = (0..500).filter_map(|_| {
        let given = GIVEN.fetch_add(width, Ordering::Relaxed);
        u16::try_from(FIRST + begin.wrapping_add(given) % COUNT).ok()
    });
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let found = candidates.find(|port| is_free(*port) && further.iter().all(|more| is_free(port + more)));
    found.expect("free ports")
}
