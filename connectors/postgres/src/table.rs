//! A captured table: the schemas of its records, and how their values are written.

use std::collections::HashSet;
use std::sync::Arc;

use caisson_sdk::api::schema::{Field, Kind, Schema, SchemaRef};
use caisson_sdk::api::typed;

use crate::catalog::{ColumnInfo, TableInfo, TableName};
use crate::config::Options;
use crate::mask::Mask;
use crate::pgoutput::Relation;
use crate::types::codec::{Slot, Written};
use crate::types::form::DecimalMode;
use crate::types::{Codec, Kind as ColumnKind, TypeRegistry, text_defaults};

pub mod envelope;

/// A column that is written.
#[derive(Clone, Debug)]
pub struct Column {
    /// In the database.
    pub name: String,
    /// Place among the cells of a row.
    pub cell: usize,
    pub codec: Codec,
    pub optional: bool,
    /// The text of the default that its schema has.
    pub default: Option<String>,
    pub is_money: bool,
    schema: SchemaRef,
}

/// The key of a table's records.
#[derive(Clone, Debug)]
pub struct TableKey {
    pub schema: SchemaRef,
    pub columns: Vec<Column>,
}

/// A table as its records show it.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: TableName,
    pub topic: String,
    pub columns: Vec<Column>,
    pub key: Option<TableKey>,
    pub envelope: SchemaRef,
    /// The columns that a snapshot selects, in the order of the cells.
    pub selected: Vec<String>,
}

/// A column before its schema is made.
struct Draft<'a> {
    name: &'a str,
    type_oid: u32,
    modifier: i32,
    info: Option<&'a ColumnInfo>,
    cell: usize,
}

/// Where the rows come from, which a few things depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Snapshot,
    Stream,
}

/// What a column is part of: keys are neither masked nor do they tell types of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Key,
    Value,
}

impl Table {
    /// For rows that a query of [`Table::selected`] gives.
    pub fn of_snapshot(info: &TableInfo, types: &TypeRegistry, options: &Options) -> Self {
        let key = key_names(
            &info.name,
            info.columns.iter().map(|column| column.name.as_str()),
            &info.key,
            options,
        );
        let wanted: Vec<&ColumnInfo> = info
            .columns
            .iter()
            .filter(|column| {
                key.contains(&column.name) || options.columns.takes(&format!("{}.{}", info.name, column.name))
            })
            .collect();
        let drafts: Vec<Draft<'_>> = wanted
            .iter()
            .enumerate()
            .map(|(cell, column)| Draft {
                name: &column.name,
                type_oid: column.type_oid,
                modifier: column.modifier,
                info: Some(column),
                cell,
            })
            .collect();
        let mut table = build(&info.name, &drafts, &key, Origin::Snapshot, types, options);
        table.selected = wanted.iter().map(|column| column.name.clone()).collect();
        table
    }

    /// For rows of the stream. `info` is what the catalogue says now, if the table is still there.
    pub fn of_stream(relation: &Relation, info: Option<&TableInfo>, types: &TypeRegistry, options: &Options) -> Self {
        let name = TableName {
            schema: relation.schema.clone(),
            table: relation.table.clone(),
        };
        // Of a column that is left out nothing is known but what the stream says: in a key it is an optional one.
        let of_catalog = |column: &str| {
            let known = info?.columns.iter().find(|known| known.name == *column)?;
            options.columns.takes(&format!("{name}.{column}")).then_some(known)
        };
        let known = info.map(|info| info.key.as_slice()).unwrap_or_default();
        let key = key_names(
            &name,
            relation.columns.iter().map(|column| column.name.as_str()),
            known,
            options,
        );
        let drafts: Vec<Draft<'_>> = relation
            .columns
            .iter()
            .enumerate()
            .map(|(cell, column)| Draft {
                name: &column.name,
                type_oid: column.type_oid,
                modifier: column.modifier,
                info: of_catalog(&column.name),
                cell,
            })
            .collect();
        build(&name, &drafts, &key, Origin::Stream, types, options)
    }
}

/// Whether the stream shows a table as the catalogue has it, so that there is nothing to look up.
pub fn is_as_cataloged(relation: &Relation, info: &TableInfo) -> bool {
    let streamed = info.columns.iter().filter(|column| !column.generated);
    relation
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column.type_oid, column.modifier))
        .eq(streamed.map(|column| (column.name.as_str(), column.type_oid, column.modifier)))
}

/// The names of the key's columns: those of the configuration, or those of the table, as far as there are such columns.
fn key_names<'c>(
    table: &TableName,
    columns: impl Iterator<Item = &'c str> + Clone,
    of_table: &[String],
    options: &Options,
) -> Vec<String> {
    match options.columns.key_of(&table.to_string(), columns.clone()) {
        Some(custom) => custom.into_iter().map(str::to_owned).collect(),
        None => of_table
            .iter()
            .filter(|name| columns.clone().any(|column| column == name.as_str()))
            .cloned()
            .collect(),
    }
}

fn build(
    name: &TableName,
    drafts: &[Draft<'_>],
    key: &[String],
    origin: Origin,
    types: &TypeRegistry,
    options: &Options,
) -> Table {
    let full = name.to_string();
    let columns: Vec<Column> = drafts
        .iter()
        .filter_map(|draft| column(&full, draft, origin, types, options, Use::Value))
        .collect();
    let topic = options.naming.table_topic(&options.prefix, name);
    let schema_name = |suffix: &str| options.naming.schema(&format!("{topic}.{suffix}"));
    let field = |column: &Column| Field {
        name: options.naming.field(&column.name),
        schema: column.schema.clone(),
    };
    let key: Vec<Column> = key
        .iter()
        .filter_map(|name| drafts.iter().find(|draft| draft.name == name))
        .filter_map(|draft| column(&full, draft, origin, types, options, Use::Key))
        .collect();
    let key = (!key.is_empty()).then(|| TableKey {
        schema: Arc::new(Schema {
            name: Some(schema_name("Key")),
            ..Schema::new(Kind::Struct(key.iter().map(field).collect()))
        }),
        columns: key,
    });
    let mut seen = HashSet::new();
    let columns: Vec<Column> = columns
        .into_iter()
        .filter(|column| options.columns.takes(&format!("{full}.{}", column.name)) && seen.insert(column.name.clone()))
        .collect();
    let value = Schema {
        name: Some(schema_name("Value")),
        ..Schema::optional(Kind::Struct(columns.iter().map(field).collect()))
    };
    Table {
        name: name.clone(),
        envelope: envelope::schema(Arc::new(value), schema_name("Envelope")),
        topic,
        columns,
        key,
        selected: Vec::new(),
    }
}

/// `None`: the type is not known, and the configuration leaves such columns out.
fn column(
    table: &str,
    draft: &Draft<'_>,
    origin: Origin,
    types: &TypeRegistry,
    options: &Options,
    part: Use,
) -> Option<Column> {
    let kind = types.kind(draft.type_oid, draft.modifier);
    let codec = match (options.modes.codec(&kind)?, origin) {
        // A snapshot's amounts are texts of doubles already.
        (Codec::Money(DecimalMode::Text, _), Origin::Snapshot) => Codec::DecimalText(None),
        (codec, _) => codec,
    };
    let described = types.describe(draft.type_oid, draft.modifier);
    let default_expression = draft.info.and_then(|info| info.default.as_deref());
    let type_name = match origin {
        Origin::Snapshot => serial_name(&described.name, default_expression),
        Origin::Stream => &described.name,
    };
    let mask = match part {
        Use::Value => options
            .columns
            .mask(&format!("{table}.{}", draft.name), described.length),
        Use::Key => None,
    };
    let is_maskable = match mask {
        Some(Mask::Truncate(_)) => is_text(&codec),
        Some(_) | None => is_maskable(&kind, types.base_name(draft.type_oid)),
    };
    let optional = draft.info.is_none_or(|info| info.optional);
    let mut schema = codec.schema();
    schema.optional = optional;
    if let Some(mask) = &mask {
        // Whether its values can be masked or not.
        let (name, value) = mask.parameter();
        schema.parameters.get_or_insert_default().push((name.to_owned(), value));
    } else if part == Use::Value && options.columns.tells_source_type(table, draft.name, type_name) {
        let parameters = schema.parameters.get_or_insert_default();
        // To a snapshot, the driver tells no sizes of a number without limits.
        let unlimited = origin == Origin::Snapshot && kind == ColumnKind::Numeric(None);
        let length = if unlimited { 0 } else { described.length };
        let told = [
            Some(("type", type_name.to_uppercase())),
            Some(("length", length.to_string())),
            (!unlimited).then(|| ("scale", described.scale.to_string())),
            Some(("name", draft.name.to_owned())),
        ];
        for (key, value) in told.into_iter().flatten() {
            parameters.push((format!("__debezium.source.column.{key}"), value));
        }
    }
    let default = default_expression.and_then(|expression| match kind {
        ColumnKind::Enum(_) => text_defaults::label_of(expression),
        _ => text_defaults::literal_of(type_name, expression),
    });
    let default = default.filter(|text| set_default(&mut schema, &codec, text));
    let codec = match mask {
        Some(mask) if is_maskable => Codec::Masked(mask, Box::new(codec)),
        Some(_) | None => codec,
    };
    Some(Column {
        name: draft.name.to_owned(),
        cell: draft.cell,
        codec,
        optional,
        default,
        is_money: kind == ColumnKind::Money,
        schema: Arc::new(schema),
    })
}

/// Whether values are written as texts.
fn is_text(codec: &Codec) -> bool {
    matches!(codec, Codec::Text(_) | Codec::Json | Codec::Enum(_))
}

/// Whether values are texts to the JDBC driver: JSON, UUIDs, XML and the texts of extensions are not.
fn is_maskable(kind: &ColumnKind, base_type: &str) -> bool {
    match kind {
        ColumnKind::Enum(_) => true,
        ColumnKind::Text => true,
        ColumnKind::OtherText => matches!(base_type, "char" | "name"),
        _ => false,
    }
}

/// The JDBC driver calls a number with a sequence serial.
fn serial_name<'a>(name: &'a str, default: Option<&str>) -> &'a str {
    if !default.is_some_and(|default| default.contains("nextval(")) {
        return name;
    }
    match name {
        "int2" => "smallserial",
        "int4" => "serial",
        "int8" => "bigserial",
        other => other,
    }
}

/// Gives a schema its default; false if the text is none of its values, or a struct, which no schema can have.
fn set_default(schema: &mut Schema, codec: &Codec, text: &str) -> bool {
    if matches!(schema.kind, Kind::Struct(_)) {
        return false;
    }
    let mut bytes = Vec::new();
    let mut blocks = typed::Blocks::new(&mut bytes);
    let Ok(block) = blocks.block(1) else { return false };
    let mut slot = Slot {
        blocks: &mut blocks,
        block,
        index: 0,
    };
    if !matches!(codec.write_default(&mut slot, text.as_bytes()), Ok(Written::Value)) {
        return false;
    }
    match typed::decode(Some(schema), &bytes) {
        Ok(value) => {
            schema.default = Some(value);
            true
        }
        Err(_) => false,
    }
}
