//! What the host keeps for one instance, inside its store.

use std::sync::Arc;

use caisson_model::Limits;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::OffsetReader;
use crate::files::Files;
use crate::imports::{Exceptions, Requests, SinkState};
use crate::instance::Limiter;
use crate::instance::clock::{CoarseWall, Monotonic};
use crate::metrics::Metrics;
use crate::network::http::Http;
use crate::network::{self, Network, OpenLookups};
use crate::output::GuestLog;

/// Handles (files, streams, polls) that an instance may hold at once.
pub(crate) const MAX_HANDLES: usize = 10_000;
/// Random bytes in one call.
const MAX_RANDOM: u64 = 64 << 10;

/// The data of a store. Host functions see nothing else, so an instance can only reach what lies here.
pub(crate) struct State {
    pub(crate) wasi: WasiCtx,
    pub(crate) clock: Monotonic,
    pub(crate) table: ResourceTable,
    pub(crate) files: Files,
    pub(crate) network: Arc<Network>,
    pub(crate) lookups: OpenLookups,
    pub(crate) http: Http,
    pub(crate) limiter: Limiter,
    pub(crate) log: Arc<GuestLog>,
    pub(crate) metrics: Metrics,
    pub(crate) requests: Requests,
    pub(crate) exceptions: Exceptions,
    pub(crate) sink: SinkState,
    pub(crate) offsets: Option<Arc<dyn OffsetReader>>,
}

impl State {
    /// Everything off but coarse clocks, randomness and what is granted: no arguments, no environment, no files, no
    /// sockets, no input.
    pub(crate) fn new(
        limits: &Limits,
        log: Arc<GuestLog>,
        mut files: Files,
        network: Arc<Network>,
        environment: &[(String, String)],
    ) -> Self {
        files.tell(log.clone());
        network.tell(log.clone());
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let mut wasi = WasiCtx::builder();
        wasi.max_random_size(MAX_RANDOM)
            .wall_clock(CoarseWall)
            // A task has a thread of its own, so a read of a file may hold it up.
            .allow_blocking_current_thread(true)
            .stderr(log.stream(crate::output::Stream::Stderr));
        network::check_addresses(&mut wasi, &network);
        for (name, value) in environment {
            wasi.env(name, value);
        }
        if files.stdin() {
            wasi.inherit_stdin();
        }
        if files.stdout() {
            wasi.stdout(crate::output::WorkerStdout);
        } else {
            wasi.stdout(log.stream(crate::output::Stream::Stdout));
        }
        State {
            wasi: wasi.build(),
            clock: Monotonic::new(),
            table,
            files,
            http: Http::new(network.clone(), limits.http_body, limits.output),
            network,
            lookups: OpenLookups::new(),
            limiter: Limiter::new(limits),
            log,
            metrics: Metrics::new(limits.metric_series),
            requests: Requests::default(),
            exceptions: Exceptions::default(),
            sink: SinkState::default(),
            offsets: None,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}
