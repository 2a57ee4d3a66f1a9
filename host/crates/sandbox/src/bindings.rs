//! The contract of `wit/` as Rust types, for all roles at once.
//!
//! One world that includes every role gives one set of types. No component has to satisfy it: the exports of each role
//! are looked up one interface at a time (`sink_task::GuestIndices` and its kin).

// Generated code answers to the contract, not to the lints of this workspace.
#[allow(missing_docs, clippy::all, clippy::unwrap_used, unsafe_code)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        inline: "
            package caisson:host;

            world every-role {
                include caisson:connect/source@0.1.0;
                include caisson:connect/sink@0.1.0;
                include caisson:connect/transforms@0.1.0;
                include caisson:connect/predicates@0.1.0;
                include caisson:connect/converters@0.1.0;
                include caisson:connect/stateful@0.1.0;
                include caisson:connect/network@0.1.0;
            }
        ",
        world: "caisson:host/every-role",
        imports: {
            "caisson:connect/offsets.get": async | trappable,
            "caisson:connect/net.[static]connection.connect": async | trappable,
            "caisson:connect/net.[method]connection.start-tls": async | trappable,
            "caisson:connect/net.[method]connection.read": async | trappable,
            "caisson:connect/net.[method]connection.write": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: { "caisson:connect/net.connection": crate::network::Connection },
        // Batches are passed as slices, without a copy on this side.
        ownership: Borrowing { duplicate_if_necessary: true },
        require_store_data_send: true,
    });
}

pub(crate) use generated::caisson::connect::{
    connector_context, exceptions, http, keystores, log, metrics, net, offsets, sink_context, types,
};
pub(crate) use generated::exports::caisson::connect::{
    converter, handover, manifest, predicate, sink_connector, sink_task, source_connector, source_task, transform,
};

/// The package and version of the contract that this worker offers.
pub(crate) const PACKAGE: &str = "caisson:connect";
pub(crate) const VERSION: (u64, u64, u64) = (0, 1, 0);

use caisson_api::{Cause, Error, ErrorKind, Exception, Failure};

impl From<types::ErrorKind> for ErrorKind {
    fn from(kind: types::ErrorKind) -> Self {
        match kind {
            types::ErrorKind::Retriable => ErrorKind::Retriable,
            types::ErrorKind::Fatal => ErrorKind::Fatal,
            types::ErrorKind::Data => ErrorKind::Data,
            types::ErrorKind::Config => ErrorKind::Config,
            types::ErrorKind::Unsupported => ErrorKind::Unsupported,
        }
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        Error {
            kind: error.kind.into(),
            message: error.message,
            detail: error.detail,
            retry_after_ms: error.retry_after_ms,
            exception: None,
        }
    }
}

impl From<exceptions::Exception> for Exception {
    fn from(exception: exceptions::Exception) -> Self {
        let cause = |cause: exceptions::Cause| Cause {
            class: cause.class_name.into(),
            message: cause.message,
        };
        Exception {
            class: exception.class_name.into(),
            causes: exception.causes.into_iter().map(cause).collect(),
        }
    }
}

impl From<types::Failure> for Failure {
    fn from(failure: types::Failure) -> Self {
        Failure {
            index: failure.index,
            kind: failure.kind.into(),
            message: failure.message,
            exception: None,
        }
    }
}
