//! The contract's interface `http`: what `wasi:http` has no words for.

use std::time::Duration;

use wasmtime::Result;

use crate::bindings::{http, net, types};
use crate::instance::State;
use crate::network::tls::{self, Terms};

impl http::Host for State {
    fn use_tls(&mut self, terms: net::Tls) -> Result<Result<(), types::Error>> {
        let terms = Terms::from(terms);
        // Better said now than by the first request.
        if let Err(failure) = tls::config(&terms, self.network.trust()) {
            return Ok(Err(failure.into()));
        }
        self.http.hooks.0.use_tls(terms);
        Ok(Ok(()))
    }

    fn keep_idle(&mut self, ms: u32) -> Result<()> {
        self.http.hooks.0.keep_idle(Duration::from_millis(ms.into()));
        Ok(())
    }
}
