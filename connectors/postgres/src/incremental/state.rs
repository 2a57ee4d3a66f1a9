//! What an offset says of incremental snapshots that are not through: the tables, and the keys they have come to.

use std::collections::VecDeque;

use caisson_sdk::serde_json::{self, Value as Json, json};

use super::Request;
use crate::catalog::TableName;

/// JSON text; `None`: there is nothing to go on with.
pub fn write(queue: &VecDeque<Request>) -> Option<String> {
    if queue.is_empty() {
        return None;
    }
    let tables: Vec<Json> = queue
        .iter()
        .map(|request| {
            json!({
                "schema": request.table.schema,
                "table": request.table.table,
                "filter": request.filter,
                "surrogate": request.surrogate,
                "maximum": request.maximum,
                "last": request.last,
            })
        })
        .collect();
    Some(Json::from(tables).to_string())
}

/// What [`write`] or the original wrote. Anything else is nothing to go on with.
pub fn read(text: &str) -> VecDeque<Request> {
    let tables: Vec<Json> = serde_json::from_str(text).unwrap_or_default();
    tables
        .iter()
        .filter_map(|table| request(table).or_else(|| original(table)))
        .collect()
}

/// A table of the original's list.
fn original(table: &Json) -> Option<Request> {
    let text = |name: &str| {
        let full = format!("incremental_snapshot_collections_{name}");
        table.get(full).and_then(Json::as_str).map(str::to_owned)
    };
    let name = text("id")?.replace('"', "");
    let (schema, table) = name.rsplit_once('.')?;
    // A database may stand before the schema.
    let schema = schema.rsplit('.').next().unwrap_or(schema);
    Some(Request {
        table: TableName {
            schema: schema.to_owned(),
            table: table.to_owned(),
        },
        filter: text("additional_condition").filter(|filter| !filter.trim().is_empty()),
        surrogate: text("surrogate_key").filter(|column| !column.trim().is_empty()),
        maximum: None,
        last: None,
        rows: 0,
    })
}

fn request(table: &Json) -> Option<Request> {
    let text = |name: &str| table.get(name).and_then(Json::as_str).map(str::to_owned);
    let texts = |name: &str| {
        let items = table.get(name)?.as_array()?;
        items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
    };
    Some(Request {
        table: TableName {
            schema: text("schema")?,
            table: text("table")?,
        },
        filter: text("filter"),
        surrogate: text("surrogate"),
        maximum: texts("maximum"),
        last: texts("last"),
        rows: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let request = Request {
            table: TableName {
                schema: "public".into(),
                table: "a.b".into(),
            },
            filter: Some("n > 'x'".into()),
            surrogate: None,
            maximum: Some(vec!["9".into(), "z".into()]),
            last: None,
            rows: 0,
        };
        let queue = VecDeque::from([request]);
        let text = write(&queue).unwrap_or_default();
        assert_eq!(read(&text), queue);
        assert_eq!(write(&VecDeque::new()), None);
        let original = r#"[{"incremental_snapshot_collections_id":"public.stock",
            "incremental_snapshot_collections_additional_condition":"qty > 60","incremental_snapshot_collections_surrogate_key":null}]"#;
        let read_back = read(original);
        assert_eq!(read_back.len(), 1);
        assert_eq!(read_back[0].table.to_string(), "public.stock");
        assert_eq!(read_back[0].filter.as_deref(), Some("qty > 60"));
        for garbage in ["", "{}", "[1]", r#"[{"schema":"s"}]"#, "["] {
            assert!(read(garbage).is_empty(), "{garbage}");
        }
    }
}
