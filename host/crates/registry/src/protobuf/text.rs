//! Writing the text of a file, line by line as Confluent's converter does.

use std::fmt::Write as _;

use super::model::{Enum, Field, File, Message};
use super::options::WRAPPERS;

pub fn write(file: &File) -> String {
    let mut out = String::from("syntax = \"proto3\";\n");
    if let Some(package) = &file.package {
        let _ = writeln!(out, "package {package};");
    }
    if !file.imports.is_empty() {
        out.push('\n');
    }
    for import in &file.imports {
        let _ = writeln!(out, "import \"{import}\";");
    }
    out.push('\n');
    message(&file.message, 0, &mut out);
    out
}

/// The file of the messages that wrap one value.
pub fn wrappers() -> String {
    let mut out = String::from("syntax = \"proto3\";\npackage google.protobuf;\n\n");
    for (name, kind) in WRAPPERS {
        let name = name.rsplit('.').next().unwrap_or(name);
        let _ = write!(out, "message {name} {{\n  {kind} value = 1;\n}}\n");
    }
    out
}

fn message(message: &Message, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let _ = write!(out, "{indent}message {} {{", message.name);
    if message.fields.is_empty() && message.oneofs.is_empty() && message.messages.is_empty() && message.enums.is_empty()
    {
        out.push_str("}\n");
        return;
    }
    out.push('\n');
    for one in &message.fields {
        field(one, depth + 1, out);
    }
    for (name, fields) in &message.oneofs {
        let _ = write!(out, "\n{indent}  oneof {name} {{\n");
        for one in fields {
            field(one, depth + 2, out);
        }
        let _ = writeln!(out, "{indent}  }}");
    }
    if !message.messages.is_empty() || !message.enums.is_empty() {
        out.push('\n');
    }
    for inner in &message.messages {
        self::message(inner, depth + 1, out);
    }
    for inner in &message.enums {
        enumeration(inner, depth + 1, out);
    }
    let _ = writeln!(out, "{indent}}}");
}

fn enumeration(values: &Enum, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let _ = writeln!(out, "{indent}enum {} {{", values.name);
    for (symbol, number) in &values.values {
        let _ = writeln!(out, "{indent}  {symbol} = {number};");
    }
    let _ = writeln!(out, "{indent}}}");
}

fn field(field: &Field, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let label = field.label.map(|label| format!("{label} ")).unwrap_or_default();
    let _ = write!(out, "{indent}{label}{} {} = {}", field.kind, field.name, field.number);
    if !field.parameters.is_empty() {
        let _ = writeln!(out, " [(confluent.field_meta) = {{\n{indent}  params: [");
        for (at, (key, value)) in field.parameters.iter().enumerate() {
            let comma = if at + 1 < field.parameters.len() { "," } else { "" };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            let _ = writeln!(
                out,
                "{indent}    {{\n{indent}      key: \"{key}\",\n{indent}      value: \"{value}\"\n{indent}    }}{comma}"
            );
        }
        let _ = write!(out, "{indent}  ]\n{indent}}}]");
    }
    out.push_str(";\n");
}
