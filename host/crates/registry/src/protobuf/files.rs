//! Reading the text of a schema with the files that it imports: those that the registry knows as references, and those
//! that everybody knows.

use prost_reflect::{DescriptorPool, ExtensionDescriptor, FileDescriptor, MessageDescriptor, Value};
use protox::Compiler;
use protox::file::{File, FileResolver, GoogleFileResolver};

/// More brackets within each other than any honest schema has; the parser calls itself for each.
const MAX_NESTING: usize = 100;
/// What the file of a schema is called if nothing imports it.
pub const MAIN: &str = "default";

/// Files that Confluent's serializers do not register, beside those of Protobuf itself.
const KNOWN: [(&str, &str); 4] = [
    ("confluent/meta.proto", META),
    ("confluent/type/decimal.proto", DECIMAL),
    ("google/type/date.proto", DATE),
    ("google/type/timeofday.proto", TIME),
];

const META: &str = r#"syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Meta {
  string doc = 1;
  map<string, string> params = 2;
  repeated string tags = 3;
}
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }
"#;

const DECIMAL: &str = r#"syntax = "proto3";
package confluent.type;
message Decimal {
  bytes value = 1;
  uint32 precision = 2;
  int32 scale = 3;
}
"#;

const DATE: &str = r#"syntax = "proto3";
package google.type;
message Date {
  int32 year = 1;
  int32 month = 2;
  int32 day = 3;
}
"#;

const TIME: &str = r#"syntax = "proto3";
package google.type;
message TimeOfDay {
  int32 hours = 1;
  int32 minutes = 2;
  int32 seconds = 3;
  int32 nanos = 4;
}
"#;

/// The file of a schema.
pub fn parse(references: &[(String, String)], text: &str) -> Result<FileDescriptor, String> {
    for text in references.iter().map(|(_, text)| text.as_str()).chain([text]) {
        check_nesting(text)?;
    }
    let mut compiler = Compiler::with_file_resolver(Files {
        references: references.to_vec(),
        text: text.to_owned(),
    });
    compiler.include_imports(true);
    compiler.open_file(MAIN).map_err(|error| describe(&error))?;
    let pool: DescriptorPool = compiler.descriptor_pool();
    pool.get_file_by_name(MAIN)
        .ok_or_else(|| "the schema has no file of its own".to_owned())
}

/// An error and what caused it.
fn describe(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn check_nesting(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' | b'<' | b'(' => depth += 1,
            b'}' | b']' | b'>' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(format!("the schema is nested deeper than {MAX_NESTING} levels"));
        }
    }
    Ok(())
}

/// The resolver lives as long as it likes, so it owns what it knows.
struct Files {
    references: Vec<(String, String)>,
    text: String,
}

impl FileResolver for Files {
    fn resolve_path(&self, path: &std::path::Path) -> Option<String> {
        path.to_str().map(str::to_owned)
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name == MAIN {
            return File::from_source(name, &self.text);
        }
        if let Some((_, text)) = self.references.iter().find(|(known, _)| known == name) {
            return File::from_source(name, text);
        }
        if let Some((_, text)) = KNOWN.iter().find(|(known, _)| *known == name) {
            return File::from_source(name, text);
        }
        GoogleFileResolver::new().open_file(name)
    }
}

/// The message at a place: its index in the file, then that of each message within. Entries of maps do not count.
pub fn message_at(file: &FileDescriptor, indexes: &[usize]) -> Option<MessageDescriptor> {
    let (first, rest) = indexes.split_first()?;
    let top = file.messages().nth(*first)?;
    rest.iter().try_fold(top, |message, index| {
        message
            .child_messages()
            .filter(|inner| !inner.is_map_entry())
            .nth(*index)
    })
}

/// The place of a message in a file.
pub fn place_of(file: &FileDescriptor, full_name: &str) -> Option<Vec<usize>> {
    fn within(messages: impl Iterator<Item = MessageDescriptor>, name: &str) -> Option<Vec<usize>> {
        let counted = messages.filter(|message| !message.is_map_entry()).enumerate();
        for (index, message) in counted {
            if message.full_name() == name {
                return Some(vec![index]);
            }
            let is_outer = name
                .strip_prefix(message.full_name())
                .is_some_and(|rest| rest.starts_with('.'));
            if is_outer && let Some(rest) = within(message.child_messages(), name) {
                return Some([vec![index], rest].concat());
            }
        }
        None
    }
    within(file.messages(), full_name)
}

/// A parameter of a field, as Confluent's converter leaves it in its options.
pub fn field_parameter(pool: &DescriptorPool, options: &prost_reflect::DynamicMessage, name: &str) -> Option<String> {
    let extension: ExtensionDescriptor = pool.get_extension_by_name("confluent.field_meta")?;
    let meta = options.get_extension(&extension);
    let parameters = meta.as_message()?.get_field_by_name("params")?;
    match parameters
        .as_map()?
        .get(&prost_reflect::MapKey::String(name.to_owned()))?
    {
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}
