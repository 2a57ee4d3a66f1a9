//! Who says which addresses may be connected to. A configuration names the registry, and whoever may write it must not
//! reach by it what the operator keeps from connectors.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Says whether a connection may be made to an address that a host has; the error is for the log and the status.
pub type Gate = Arc<dyn Fn(&str, SocketAddr) -> Result<(), String> + Send + Sync>;

/// Looks names up and lets only those addresses through that the gate admits: they are the ones connected to, so that a
/// name which changes its meaning gains nothing. Redirections are looked up here too.
pub struct GatedResolver {
    resolver: DefaultResolver,
    gate: Option<Gate>,
}

impl GatedResolver {
    pub fn new(gate: Option<Gate>) -> Self {
        GatedResolver {
            resolver: DefaultResolver::default(),
            gate,
        }
    }
}

impl fmt::Debug for GatedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatedResolver").finish_non_exhaustive()
    }
}

impl Resolver for GatedResolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        let Some(gate) = &self.gate else {
            return Ok(found);
        };
        let mut admitted = self.empty();
        let mut refused = None;
        for address in found.iter() {
            match gate(uri.host().unwrap_or_default(), *address) {
                Ok(()) => admitted.push(*address),
                Err(reason) => refused = Some(reason),
            }
        }
        match refused {
            Some(reason) if admitted.is_empty() => Err(ureq::Error::Other(reason.into())),
            Some(_) | None => Ok(admitted),
        }
    }
}
