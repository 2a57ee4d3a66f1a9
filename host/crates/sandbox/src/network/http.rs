//! Outgoing requests (`wasi:http`) by the one way to the network.
//!
//! A request is under way in the worker's runtime while the guest goes on with something else. What it may take is
//! bounded: connections, bodies that wait to be sent, bytes of headers and bodies, silence. A request that is under way when
//! the task is to stop goes on until the call that runs has had its time to end; a guest that does nothing but wait for
//! it is then told that there will be no answer.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::BodyExt;
use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::body::{HostOutgoingBody, StreamContext};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::{RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use super::Network;
use crate::instance::State;

mod body;
mod client;
mod host;
mod pool;

use body::Counted;
use client::Client;

/// The interfaces of which one function each is ours. Guests may have been built for other versions of the same track.
const TYPES: &str = "wasi:http/types@0.2.12";
const HANDLER: &str = "wasi:http/outgoing-handler@0.2.12";
/// Bodies that a guest may have begun and not ended sending.
const OPEN_BODIES: usize = 64;
/// Bytes that one write of a body hands over at most, and so what an open body may hold of the worker's memory. Less
/// where the guest may not hand over as much in one call.
const CHUNK: usize = 512 << 10;
/// Bytes of headers, as they lie in memory.
const HEADERS: usize = 128 << 10;

type Response = http::Response<WasiBody>;
type Error = wasmtime_wasi_http::Error;
/// What the engine wants of a request: the answer, and what has to run for its body to come. Ours runs by itself.
type Answer = Box<dyn Future<Output = Result<(Response, Rest), Error>> + Send>;
type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// What an instance has for its requests.
pub(crate) struct Http {
    context: WasiHttpCtx,
    hooks: Hooks,
    /// Bodies that are open; shared with the bodies.
    bodies: Arc<AtomicUsize>,
    /// Bytes of one write.
    chunk: usize,
}

struct Hooks(Arc<Client>);

impl Http {
    pub(crate) fn new(network: Arc<Network>, most_body: u64, most_output: u64) -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(HEADERS);
        Http {
            context,
            hooks: Hooks(Arc::new(Client::new(network, most_body))),
            bodies: Arc::default(),
            chunk: usize::try_from(most_output).unwrap_or(CHUNK).clamp(1, CHUNK),
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.http.hooks,
            table: &mut self.table,
            ctx: &mut self.http.context,
        }
    }
}

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Answer {
        let client = self.0.clone();
        Box::new(async move {
            let response = client.send(request, options.unwrap_or_default()).await?;
            Ok((response, Box::new(std::future::ready(Ok(()))) as Rest))
        })
    }

    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        if error.is_timeout() {
            ErrorCode::HttpResponseTimeout
        } else if error.is_parse() {
            ErrorCode::HttpProtocolError
        } else {
            ErrorCode::ConnectionTerminated
        }
    }
}

/// Adds the interfaces of outgoing requests. There are no incoming ones: nobody could send them.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    linker
        .instance(TYPES)?
        .func_wrap("[method]outgoing-request.body", begin_body)?;
    linker.instance(HANDLER)?.func_wrap("handle", handle)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The engine's own function, which keeps the options of each request in its table until that is full.
fn handle(
    mut store: StoreContextMut<'_, State>,
    (request, options): (Resource<HostOutgoingRequest>, Option<Resource<RequestOptions>>),
) -> Result<(Result<Resource<HostFutureIncomingResponse>, ErrorCode>,)> {
    let state = store.data_mut();
    let lent = options.as_ref().map(|options| Resource::new_own(options.rep()));
    let handled = outgoing_handler::Host::handle(&mut state.http(), request, lent);
    if let Some(options) = options {
        state.table.delete(options)?;
    }
    match handled {
        Ok(future) => Ok((Ok(future),)),
        Err(error) => Ok((Err(error.downcast()?),)),
    }
}

/// The engine's own function with a bound on bodies: each holds what the guest has written and nobody has sent.
fn begin_body(
    mut store: StoreContextMut<'_, State>,
    (request,): (Resource<HostOutgoingRequest>,),
) -> Result<(Result<Resource<HostOutgoingBody>, ()>,)> {
    let state = store.data_mut();
    let request = state.table.get_mut(&request)?;
    let Some(length) = content_length(&request.headers) else {
        return Ok((Err(()),));
    };
    if request.body.is_some() {
        return Ok((Err(()),));
    }
    let Some(open) = Open::new(&state.http.bodies) else {
        return Err(crate::instance::LimitReached {
            which: "handles",
            message: format!("the guest has begun more than {OPEN_BODIES} bodies of requests and ended none"),
        }
        .into());
    };
    let most = state.http.chunk;
    let chunk = length.map_or(most.min(64 << 10), |length| {
        usize::try_from(length).unwrap_or(most).clamp(1, most)
    });
    let (body, sent) = HostOutgoingBody::new(StreamContext::Request, length, 1, chunk);
    request.body = Some(Counted::new(sent, open).boxed_unsync());
    Ok((Ok(state.table.push(body)?),))
}

/// `None`: it is no length.
fn content_length(headers: &http::HeaderMap) -> Option<Option<u64>> {
    let mut values = headers.get_all(http::header::CONTENT_LENGTH).iter();
    let Some(value) = values.next() else { return Some(None) };
    let text = value.to_str().ok()?;
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (plain && values.next().is_none())
        .then(|| text.parse().ok())
        .flatten()
        .map(Some)
}

/// One of the bodies that are open, until it is dropped.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(bodies: &Arc<AtomicUsize>) -> Option<Self> {
        let before = bodies.fetch_add(1, Ordering::AcqRel);
        let open = Open(bodies.clone());
        (before < OPEN_BODIES).then_some(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
