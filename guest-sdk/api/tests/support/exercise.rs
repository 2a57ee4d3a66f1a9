//! Reading everything there is in bytes that nobody vouches for. It has to end, and must not panic.

use caisson_api::frame::Frame;
use caisson_api::schema::{Kind, Schema};
use caisson_api::typed::{TypedView, decode};

/// Reads a frame and all in it; returns what it saw, so that nothing is optimised away.
pub fn frame(bytes: &[u8]) -> usize {
    let Ok(frame) = Frame::parse(bytes) else {
        return 0;
    };
    let mut seen = frame.len() + frame.encodings().key as usize + frame.boundary() as usize;
    let schemas: Vec<Option<Schema>> = frame
        .schemas()
        .iter()
        .map(|(_, text)| Schema::from_json(text).ok())
        .collect();
    let schema = |index: Option<u16>| index.and_then(|index| schemas[usize::from(index)].as_ref());
    for record in frame.records() {
        seen += record.topic.len() + record.offset.is_some() as usize + record.timestamp.millis().is_some() as usize;
        for (index, payload) in [(record.key_schema, record.key), (record.value_schema, record.value)] {
            seen += payload.map_or(0, |payload| typed(schema(index), payload));
        }
        for header in record.headers {
            seen += header.name.len() + header.value.map_or(0, |value| typed(schema(header.schema), value));
        }
        if let Some(source) = record.source {
            seen += source.offset.len() + frame.source_partition(source.partition).len();
        }
    }
    seen + frame.check_origins(frame.len()).is_ok() as usize
}

/// Reads a typed value, whole and in parts.
pub fn typed(schema: Option<&Schema>, bytes: &[u8]) -> usize {
    let mut seen = decode(schema, bytes).is_ok() as usize;
    if let Some(schema) = schema
        && matches!(schema.kind, Kind::Struct(_) | Kind::Array(_) | Kind::Map(_, _))
        && let Ok(view) = TypedView::new(schema, bytes)
    {
        for index in 0..view.len().min(1000) {
            seen += view.is_null(index) as usize + view.int(index).is_ok() as usize + view.str(index).is_ok() as usize;
            seen += view.bytes(index).is_ok() as usize + view.float(index).is_ok() as usize;
            seen += view.boolean(index).is_ok() as usize + view.value(index).is_ok() as usize;
            seen += view
                .view(index)
                .is_ok_and(|view| view.is_some_and(|view| !view.is_empty())) as usize;
        }
    }
    seen
}
