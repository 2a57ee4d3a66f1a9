//! Kafka Connect's own transforms and predicates, under its class names and with its keys, results and messages.
//!
//! The crate is used twice. The worker links it and runs what [`transforms`] and [`predicates`] list on records that it
//! has decoded once for a whole chain. Built for `wasm32-wasip2` it is a module like any other, which an operator can put
//! in the place of the native ones.

mod cache;
mod drop_headers;
mod fields;
mod filter;
mod has_header_key;
mod hoist_field;
mod insert_field;
mod map;
mod record_is_tombstone;
mod registry;
mod require;
mod side;
mod standard;
mod value_to_key;

pub use registry::{DynPredicate, DynTransform, NativePredicate, NativeTransform, Subject};

/// Lists the plugins for the module and for the worker.
macro_rules! standard {
    (transforms: [$($transform:ty),+ $(,)?], predicates: [$($predicate:ty),+ $(,)?] $(,)?) => {
        caisson_sdk::plugins! {
            module: { description: "Kafka Connect's transforms and predicates." },
            transforms: [$($transform),+],
            predicates: [$($predicate),+],
        }

        /// All transforms, by class.
        pub fn transforms() -> &'static [NativeTransform] {
            const ALL: &[NativeTransform] = &[$(NativeTransform::of::<$transform>()),+];
            ALL
        }

        /// All predicates, by class.
        pub fn predicates() -> &'static [NativePredicate] {
            const ALL: &[NativePredicate] = &[$(NativePredicate::of::<$predicate>()),+];
            ALL
        }
    };
}

standard! {
    transforms: [
        drop_headers::DropHeaders,
        filter::Filter,
        hoist_field::HoistField<side::Key>,
        hoist_field::HoistField<side::Value>,
        insert_field::InsertField<side::Key>,
        insert_field::InsertField<side::Value>,
        value_to_key::ValueToKey,
    ],
    predicates: [
        has_header_key::HasHeaderKey,
        record_is_tombstone::RecordIsTombstone,
    ],
}
