//! Kafka Connect's own transforms and predicates, under its class names and with its keys, results and messages, and
//! those of Debezium that go with its change events.
//!
//! The crate is used twice. The worker links it and runs what [`transforms`] and [`predicates`] list on records that it
//! has decoded once for a whole chain. Built for `wasm32-wasip2` it is a module like any other, which an operator can put
//! in the place of the native ones.

mod cache;
mod cast;
mod date_format;
mod debezium;
mod drop_headers;
mod extract_field;
mod field_path;
mod fields;
mod filter;
mod flatten;
mod has_header_key;
mod header_from;
mod hoist_field;
mod insert_field;
mod insert_header;
mod map;
mod mask_field;
mod record_is_tombstone;
mod regex;
mod regex_router;
mod registry;
mod replace_field;
mod require;
mod set_schema_metadata;
mod side;
mod standard;
mod timestamp_converter;
mod timestamp_router;
mod topic_name_matches;
mod topics;
mod value_to_key;

pub use registry::{DynPredicate, DynTransform, Edit, NativePredicate, NativeTransform, Subject};

/// How the worker runs a transform.
macro_rules! native {
    ($transform:ty) => {
        NativeTransform::of::<$transform>()
    };
    ($transform:ty, by_member) => {
        NativeTransform::by_member::<$transform>()
    };
}

/// Lists the plugins for the module and for the worker, and which transforms the worker may give single members.
macro_rules! standard {
    (transforms: [$($transform:ty $(as $how:ident)?),+ $(,)?], predicates: [$($predicate:ty),+ $(,)?] $(,)?) => {
        caisson_sdk::plugins! {
            module: { description: "Kafka Connect's transforms and predicates, and Debezium's for change events." },
            transforms: [$($transform),+],
            predicates: [$($predicate),+],
        }

        /// All transforms, by class.
        pub fn transforms() -> &'static [NativeTransform] {
            const ALL: &[NativeTransform] = &[$(native!($transform $(, $how)?)),+];
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
        cast::Cast<side::Key>,
        cast::Cast<side::Value> as by_member,
        drop_headers::DropHeaders,
        extract_field::ExtractField<side::Key>,
        extract_field::ExtractField<side::Value>,
        filter::Filter,
        flatten::Flatten<side::Key>,
        flatten::Flatten<side::Value>,
        header_from::HeaderFrom<side::Key>,
        header_from::HeaderFrom<side::Value>,
        hoist_field::HoistField<side::Key>,
        hoist_field::HoistField<side::Value>,
        insert_field::InsertField<side::Key>,
        insert_field::InsertField<side::Value> as by_member,
        insert_header::InsertHeader,
        mask_field::MaskField<side::Key>,
        mask_field::MaskField<side::Value> as by_member,
        regex_router::RegexRouter,
        replace_field::ReplaceField<side::Key>,
        replace_field::ReplaceField<side::Value> as by_member,
        set_schema_metadata::SetSchemaMetadata<side::Key>,
        set_schema_metadata::SetSchemaMetadata<side::Value>,
        timestamp_converter::TimestampConverter<side::Key>,
        timestamp_converter::TimestampConverter<side::Value> as by_member,
        timestamp_router::TimestampRouter,
        value_to_key::ValueToKey,
        debezium::ByLogicalTableRouter,
        debezium::EventRouter,
        debezium::ExtractNewRecordState,
    ],
    predicates: [
        has_header_key::HasHeaderKey,
        record_is_tombstone::RecordIsTombstone,
        topic_name_matches::TopicNameMatches,
    ],
}
