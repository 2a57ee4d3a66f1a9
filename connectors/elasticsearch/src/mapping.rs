//! The mapping of an index, out of the schema of its first record.

use caisson_sdk::api::schema::Logical;
use caisson_sdk::prelude::*;

/// The mapping for documents of a schema; `None` for a schema that is no document.
pub(crate) fn of(schema: &Schema) -> Option<Json> {
    match schema.kind {
        Kind::Struct(_) | Kind::Map(_, _) => Some(property(schema)),
        Kind::Int8
        | Kind::Int16
        | Kind::Int32
        | Kind::Int64
        | Kind::Float32
        | Kind::Float64
        | Kind::Boolean
        | Kind::String
        | Kind::Bytes
        | Kind::Array(_) => None,
    }
}

fn property(schema: &Schema) -> Json {
    match (schema.logical_type(), &schema.kind) {
        (Some(Logical::Date | Logical::Time | Logical::Timestamp), _) => typed("date", schema),
        (Some(Logical::Decimal), _) => typed("double", schema),
        (None, Kind::Boolean) => typed("boolean", schema),
        (None, Kind::Int8) => typed("byte", schema),
        (None, Kind::Int16) => typed("short", schema),
        (None, Kind::Int32) => typed("integer", schema),
        (None, Kind::Int64) => typed("long", schema),
        (None, Kind::Float32) => typed("float", schema),
        (None, Kind::Float64) => typed("double", schema),
        (None, Kind::String) => {
            json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}})
        }
        (None, Kind::Bytes) => json!({"type": "binary"}),
        (None, Kind::Array(element)) => property(element),
        (None, Kind::Map(key, value)) => json!({"properties": {"key": property(key), "value": property(value)}}),
        (None, Kind::Struct(fields)) => {
            let properties = fields.iter().map(|field| (field.name.clone(), property(&field.schema)));
            json!({"properties": Json::Object(properties.collect())})
        }
    }
}

/// A type with what stands for null, if there is such a thing.
fn typed(name: &str, schema: &Schema) -> Json {
    let mut mapping = json!({"type": name});
    if let Some(default) = schema.default.as_ref().and_then(null_value) {
        mapping["null_value"] = default;
    }
    mapping
}

fn null_value(default: &Value) -> Option<Json> {
    match default {
        Value::Boolean(value) => Some((*value).into()),
        Value::Int8(value) => Some((*value).into()),
        Value::Int16(value) => Some((*value).into()),
        Value::Int32(value) => Some((*value).into()),
        Value::Int64(value) | Value::Date(value) => Some((*value).into()),
        Value::Float32(value) => Some((*value).into()),
        Value::Float64(value) => Some((*value).into()),
        Value::Decimal(value) => value.to_string().parse::<f64>().ok().map(Json::from),
        Value::Null | Value::String(_) | Value::Bytes(_) | Value::Array(_) | Value::Map(_) | Value::Struct(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use caisson_sdk::api::schema::Field;

    use super::*;

    #[test]
    fn each_type_has_its_mapping() {
        let field = |name: &str, schema: Schema| Field {
            name: name.into(),
            schema: Arc::new(schema),
        };
        let schema = Schema::new(Kind::Struct(vec![
            field(
                "flag",
                Schema {
                    default: Some(Value::Boolean(true)),
                    ..Schema::new(Kind::Boolean)
                },
            ),
            field(
                "n",
                Schema {
                    default: Some(Value::Int64(-1)),
                    ..Schema::new(Kind::Int64)
                },
            ),
            field(
                "text",
                Schema {
                    default: Some(Value::from("x")),
                    ..Schema::new(Kind::String)
                },
            ),
            field("at", Schema::timestamp()),
            field("price", Schema::decimal(2)),
            field("list", Schema::new(Kind::Array(Arc::new(Schema::new(Kind::Int16))))),
            field(
                "map",
                Schema::new(Kind::Map(
                    Arc::new(Schema::new(Kind::String)),
                    Arc::new(Schema::new(Kind::Int8)),
                )),
            ),
            field("raw", Schema::new(Kind::Bytes)),
        ]));
        let text = json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}});
        let expected = json!({"properties": {
            "flag": {"type": "boolean", "null_value": true},
            "n": {"type": "long", "null_value": -1},
            "text": text,
            "at": {"type": "date"},
            "price": {"type": "double"},
            "list": {"type": "short"},
            "map": {"properties": {"key": text, "value": {"type": "byte"}}},
            "raw": {"type": "binary"},
        }});
        assert_eq!(of(&schema), Some(expected));
        assert_eq!(of(&Schema::new(Kind::String)), None);
    }
}
