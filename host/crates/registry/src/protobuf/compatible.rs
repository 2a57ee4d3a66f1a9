//! Whether a message type reads what another one writes: fields of one number have to be of types whose bytes mean the
//! same.

use std::collections::HashSet;

use prost_reflect::{FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};

/// Compares the messages of one name; the reason if the one of `reader` cannot read the other.
pub fn check(reader: &FileDescriptor, writer: &FileDescriptor, full_name: &str) -> Result<(), String> {
    let find = |file: &FileDescriptor| file.parent_pool().get_message_by_name(full_name);
    match (find(reader), find(writer)) {
        (Some(reader), Some(writer)) => messages(&reader, &writer, &mut HashSet::new()),
        (None, _) => Err(format!("there is no message {full_name}")),
        (_, None) => Err(format!("the value's own schema has no message {full_name}")),
    }
}

fn messages(
    reader: &MessageDescriptor,
    writer: &MessageDescriptor,
    seen: &mut HashSet<(String, String)>,
) -> Result<(), String> {
    if !seen.insert((reader.full_name().to_owned(), writer.full_name().to_owned())) {
        return Ok(());
    }
    for written in writer.fields() {
        // What is unknown is skipped.
        let Some(read) = reader.get_field(written.number()) else {
            continue;
        };
        if let (Kind::Message(read), Kind::Message(written)) = (read.kind(), written.kind()) {
            messages(&read, &written, seen)?;
        } else if group(&read) != group(&written) {
            return Err(format!(
                "field {} of {} is {:?} there and {:?} here",
                written.number(),
                writer.full_name(),
                read.kind(),
                written.kind()
            ));
        }
        if read.is_list() != written.is_list() && group(&written) != "text" {
            return Err(format!(
                "field {} of {} is a list in one only",
                written.number(),
                writer.full_name()
            ));
        }
    }
    Ok(())
}

/// Types whose bytes are read in each other's place.
fn group(field: &FieldDescriptor) -> &'static str {
    match field.kind() {
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Bool | Kind::Enum(_) => "varint",
        Kind::Sint32 | Kind::Sint64 => "zigzag",
        Kind::Fixed32 | Kind::Sfixed32 => "fixed32",
        Kind::Fixed64 | Kind::Sfixed64 => "fixed64",
        Kind::String | Kind::Bytes => "text",
        Kind::Float => "float",
        Kind::Double => "double",
        Kind::Message(_) => "message",
    }
}
