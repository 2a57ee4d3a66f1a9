//! Keys of Kafka Connect's transforms and predicates.

use caisson_api::config::Importance::{High, Low, Medium};
use caisson_api::config::Type;

use crate::definition::Default::{Null, Required, Text};
use crate::definition::{Check, Line, line};

/// Casts a whole or fields of it.
pub static CAST: &[Line] = &[
    line(
        "spec",
        Type::List,
        Required,
        High,
        "Type to cast to (int8, int16, int32, int64, float32, float64, boolean, string), or pairs of field and type such as a:int32,b:string for single fields.",
    )
    .check(Check::CastSpec),
    line(
        "replace.null.with.default",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether a field that is null counts as its default value, where its schema has one.",
    ),
];

/// Puts a field in place of the whole.
pub static EXTRACT_FIELD: &[Line] = &[
    line(
        "field",
        Type::String,
        Required,
        Medium,
        "Name or, with field.syntax.version V2, path of the field.",
    ),
    line(
        "replace.null.with.default",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether a field that is null counts as its default value, where its schema has one.",
    ),
    line(
        "field.syntax.version",
        Type::String,
        Text("V1"),
        High,
        "V1: a field is its plain name. V2: dots lead into fields of fields; names with dots stand in backticks.",
    )
    .check(Check::OneOfIgnoringCase(&["V1", "V2"])),
];

/// Makes fields of fields fields.
pub static FLATTEN: &[Line] = &[line(
    "delimiter",
    Type::String,
    Text("."),
    Medium,
    "What stands between the names of outer and inner fields.",
)];

/// Makes headers of fields.
pub static HEADER_FROM: &[Line] = &[
    line(
        "fields",
        Type::List,
        Required,
        High,
        "Fields to put into headers, separated by commas.",
    )
    .check(Check::NonEmptyList),
    line(
        "headers",
        Type::List,
        Required,
        High,
        "Names of the headers, in the order of the fields.",
    )
    .check(Check::NonEmptyList),
    line(
        "operation",
        Type::String,
        Required,
        High,
        "move takes the fields out of the record, copy leaves them.",
    )
    .check(Check::OneOf(&["move", "copy"])),
    line(
        "replace.null.with.default",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether a field that is null counts as its default value, where its schema has one.",
    ),
];

/// Makes a whole a field.
pub static HOIST_FIELD: &[Line] = &[line(
    "field",
    Type::String,
    Required,
    Medium,
    "Name of the only field of the struct or map that the whole becomes.",
)];

/// Adds what is known of a record.
pub static INSERT_FIELD: &[Line] = &[
    line(
        "topic.field",
        Type::String,
        Null,
        Medium,
        "Field for the topic. A ! behind the name makes it required, a ? optional, which is the default; so for all of these.",
    ),
    line(
        "partition.field",
        Type::String,
        Null,
        Medium,
        "Field for the partition.",
    ),
    line(
        "offset.field",
        Type::String,
        Null,
        Medium,
        "Field for the offset; of sinks only.",
    ),
    line(
        "timestamp.field",
        Type::String,
        Null,
        Medium,
        "Field for the timestamp.",
    ),
    line("static.field", Type::String, Null, Medium, "Field for a fixed value."),
    line("static.value", Type::String, Null, Medium, "The fixed value."),
    line(
        "replace.null.with.default",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether a field that is null counts as its default value, where its schema has one.",
    ),
];

/// Hides values.
pub static MASK_FIELD: &[Line] = &[
    line(
        "fields",
        Type::List,
        Required,
        High,
        "Fields to mask, separated by commas.",
    )
    .check(Check::Entries {
        empty: false,
        null: false,
    }),
    line(
        "replacement",
        Type::String,
        Null,
        Low,
        "What to put in place of a number or text; absent for an empty value of the type.",
    )
    .check(Check::NonEmpty),
    line(
        "replace.null.with.default",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether a field that is null counts as its default value, where its schema has one.",
    ),
];

/// Leaves out and renames fields.
pub static REPLACE_FIELD: &[Line] = &[
    line(
        "exclude",
        Type::List,
        Text(""),
        Medium,
        "Fields to leave out, even if include has them.",
    )
    .check(Check::Entries {
        empty: true,
        null: false,
    }),
    line(
        "include",
        Type::List,
        Text(""),
        Medium,
        "Fields to keep; empty for all.",
    )
    .check(Check::Entries {
        empty: true,
        null: false,
    }),
    line(
        "renames",
        Type::List,
        Text(""),
        Medium,
        "New names, as pairs old:new separated by commas.",
    )
    .check(Check::Renames),
    line(
        "replace.null.with.default",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether a field that is null counts as its default value, where its schema has one.",
    ),
];

/// Names a schema.
pub static SET_SCHEMA_METADATA: &[Line] = &[
    line("schema.name", Type::String, Null, High, "Name for the schema."),
    line("schema.version", Type::Int, Null, High, "Version for the schema."),
    line(
        "replace.null.with.default",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether a field that is null counts as its default value, where its schema has one.",
    ),
];

/// Converts times.
pub static TIMESTAMP_CONVERTER: &[Line] = &[
    line(
        "field",
        Type::String,
        Text(""),
        High,
        "Field with the timestamp; empty if the whole is one.",
    ),
    line(
        "target.type",
        Type::String,
        Required,
        High,
        "What it becomes: string, unix, Date, Time or Timestamp.",
    )
    .check(Check::OneOf(&["string", "unix", "Date", "Time", "Timestamp"])),
    line(
        "format",
        Type::String,
        Text(""),
        Medium,
        "Pattern of Java's SimpleDateFormat for times that are text, read or written.",
    ),
    line(
        "unix.precision",
        Type::String,
        Text("milliseconds"),
        Low,
        "Unit of times that are numbers, read or written.",
    )
    .check(Check::OneOf(&[
        "nanoseconds",
        "microseconds",
        "milliseconds",
        "seconds",
    ])),
    line(
        "replace.null.with.default",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether a field that is null counts as its default value, where its schema has one.",
    ),
];

/// Takes headers away.
pub static DROP_HEADERS: &[Line] = &[line(
    "headers",
    Type::List,
    Required,
    High,
    "Names of headers to take away, separated by commas.",
)
.check(Check::Entries {
    empty: false,
    null: false,
})];

/// Adds a header.
pub static INSERT_HEADER: &[Line] = &[
    line("header", Type::String, Required, High, "Name of the header.").check(Check::NonNull),
    line(
        "value.literal",
        Type::String,
        Required,
        High,
        "Its value, in the text form from which types are inferred.",
    )
    .check(Check::NonNull),
];

/// Renames topics.
pub static REGEX_ROUTER: &[Line] = &[
    line(
        "regex",
        Type::String,
        Required,
        High,
        "Regular expression that a whole topic has to match.",
    )
    .check(Check::Regex),
    line(
        "replacement",
        Type::String,
        Required,
        High,
        "New topic; $1 and so on stand for groups of the expression.",
    ),
];

/// Adds the time to topics.
pub static TIMESTAMP_ROUTER: &[Line] = &[
    line(
        "topic.format",
        Type::String,
        Text("${topic}-${timestamp}"),
        High,
        "New topic, with ${topic} for the old one and ${timestamp} for the time.",
    ),
    line(
        "timestamp.format",
        Type::String,
        Text("yyyyMMdd"),
        High,
        "Pattern of Java's SimpleDateFormat for the time.",
    ),
];

/// Makes a key of fields.
pub static VALUE_TO_KEY: &[Line] = &[
    line(
        "fields",
        Type::List,
        Required,
        High,
        "Fields of the value that make the new key, separated by commas.",
    )
    .check(Check::Entries {
        empty: false,
        null: false,
    }),
    line(
        "replace.null.with.default",
        Type::Boolean,
        Text("true"),
        Medium,
        "Whether a field that is null counts as its default value, where its schema has one.",
    ),
];

/// Whether there is a header.
pub static HAS_HEADER_KEY: &[Line] =
    &[line("name", Type::String, Required, Medium, "Name of the header.").check(Check::NonEmpty)];

/// Whether the topic has such a name.
pub static TOPIC_NAME_MATCHES: &[Line] = &[line(
    "pattern",
    Type::String,
    Required,
    Medium,
    "Regular expression that the whole topic has to match.",
)
.check(Check::NonEmptyRegex)];
