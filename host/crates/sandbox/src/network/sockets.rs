//! WASI's sockets: the engine's own, but only granted names resolve, and only to granted addresses can they connect.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{
    self, Host, HostResolveAddressStream, ResolveAddressStream,
};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, Network as NetworkHandle};
use wasmtime_wasi::p2::{DynPollable, SocketError};
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsCtxView};

use super::Network;
use crate::instance::State;

/// Streams of addresses that are open: by their handles, the names that were asked for.
pub(crate) type OpenLookups = HashMap<u32, String>;

/// Has the engine ask for each address. Guests connect; they neither listen nor send datagrams.
pub(crate) fn check_addresses(builder: &mut WasiCtxBuilder, network: &Arc<Network>) {
    let network = network.clone();
    builder
        .allow_tcp(true)
        .allow_udp(false)
        .allow_ip_name_lookup(true)
        .socket_addr_check(move |address, purpose| answer(may(&network, address, purpose)));
}

fn answer(allowed: bool) -> Pin<Box<dyn Future<Output = bool> + Send + Sync>> {
    Box::pin(std::future::ready(allowed))
}

fn may(network: &Network, address: SocketAddr, purpose: SocketAddrUse) -> bool {
    match purpose {
        SocketAddrUse::TcpConnect => network
            .address(address)
            .inspect_err(|refusal| network.refused(refusal))
            .is_ok(),
        // The bind that is part of each connect.
        SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
        SocketAddrUse::TcpListen
        | SocketAddrUse::TcpAccept
        | SocketAddrUse::UdpBind
        | SocketAddrUse::UdpSend
        | SocketAddrUse::UdpReceive => false,
    }
}

/// The key under which the linker finds the look-ups of an instance.
struct GrantedNames;

struct NamesView<'a> {
    network: &'a Network,
    lookups: &'a mut OpenLookups,
    inner: WasiSocketsCtxView<'a>,
}

impl HasData for GrantedNames {
    type Data<'a> = NamesView<'a>;
}

fn view(state: &mut State) -> NamesView<'_> {
    NamesView {
        network: &state.network,
        lookups: &mut state.lookups,
        inner: WasiSocketsCtxView {
            ctx: state.wasi.sockets(),
            table: &mut state.table,
        },
    }
}

/// Puts this look-up of names in the place of the engine's.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    ip_name_lookup::add_to_linker::<State, GrantedNames>(linker, view)
}

/// What the interface of look-ups needs of that of networks, as the engine has it.
impl network::Host for NamesView<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> Result<ErrorCode> {
        self.inner.convert_error_code(error)
    }

    fn network_error_code(&mut self, error: Resource<wasmtime::Error>) -> Result<Option<ErrorCode>> {
        self.inner.network_error_code(error)
    }
}

impl network::HostNetwork for NamesView<'_> {
    fn drop(&mut self, network: Resource<NetworkHandle>) -> Result<()> {
        network::HostNetwork::drop(&mut self.inner, network)
    }
}

impl Host for NamesView<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<NetworkHandle>,
        name: String,
    ) -> Result<Resource<ResolveAddressStream>, SocketError> {
        if let Err(refusal) = self.network.name(&name) {
            self.network.refused(&refusal);
            return Err(ErrorCode::AccessDenied.into());
        }
        let stream = self.inner.resolve_addresses(network, name.clone())?;
        self.lookups.insert(stream.rep(), name);
        Ok(stream)
    }
}

impl HostResolveAddressStream for NamesView<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> Result<Option<IpAddress>, SocketError> {
        let name = self.lookups.get(&stream.rep()).cloned();
        let next = self.inner.resolve_next_address(stream)?;
        if let (Some(name), Some(address)) = (name, &next) {
            self.network.remember(ip(address), &name);
        }
        Ok(next)
    }

    fn subscribe(&mut self, stream: Resource<ResolveAddressStream>) -> Result<Resource<DynPollable>> {
        self.inner.subscribe(stream)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> Result<()> {
        self.lookups.remove(&stream.rep());
        HostResolveAddressStream::drop(&mut self.inner, stream)
    }
}

fn ip(address: &IpAddress) -> IpAddr {
    match *address {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}
