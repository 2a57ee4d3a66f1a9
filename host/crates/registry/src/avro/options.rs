//! The keys of the Avro converter.

use super::names;
use crate::settings::Read;

#[derive(Clone, Debug)]
pub struct AvroOptions {
    pub connect_meta_data: bool,
    pub enhanced_schema_support: bool,
    pub generalized_sum_types: bool,
    pub ignore_default_for_nullables: bool,
    pub scrub_invalid_names: bool,
    pub discard_type_doc_default: bool,
    pub allow_optional_map_keys: bool,
    pub flatten_singleton_union: bool,
}

impl AvroOptions {
    pub fn new(read: &Read) -> Self {
        AvroOptions {
            connect_meta_data: read.flag("connect.meta.data"),
            enhanced_schema_support: read.flag("enhanced.avro.schema.support"),
            generalized_sum_types: read.flag("generalized.sum.type.support"),
            ignore_default_for_nullables: read.flag("ignore.default.for.nullables"),
            scrub_invalid_names: read.flag("scrub.invalid.names"),
            discard_type_doc_default: read.flag("discard.type.doc.default"),
            allow_optional_map_keys: read.flag("allow.optional.map.keys"),
            flatten_singleton_union: read.flag("flatten.singleton.union"),
        }
    }

    /// The parameter that marks the schema of an enumeration.
    pub fn enum_parameter(&self) -> &'static str {
        if self.generalized_sum_types {
            names::GENERAL_ENUM
        } else {
            names::ENUM
        }
    }

    pub fn scrub(&self, name: &str) -> String {
        if self.scrub_invalid_names {
            crate::names::scrub(name)
        } else {
            name.to_owned()
        }
    }
}

#[cfg(test)]
impl Default for AvroOptions {
    /// As without any key.
    fn default() -> Self {
        AvroOptions {
            connect_meta_data: true,
            enhanced_schema_support: false,
            generalized_sum_types: false,
            ignore_default_for_nullables: false,
            scrub_invalid_names: false,
            discard_type_doc_default: false,
            allow_optional_map_keys: false,
            flatten_singleton_union: true,
        }
    }
}
