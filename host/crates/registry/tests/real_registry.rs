//! The same converters with a registry that is not ours: `cargo x test` starts one in its end-to-end stage and names it
//! in `CAISSON_TEST_REGISTRY`.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use caisson_api::schema::{Kind, Schema, SchemaBuilder};
use caisson_api::{Decimal, SchemaRef, Value};
use caisson_config::builtin::SchemaRegistryConverter;
use caisson_convert::{Class, ConvertError, Converter};
use caisson_registry::Part;

/// The address, or `None` and a line that says so when this is no end-to-end run.
fn registry() -> Option<String> {
    let url = std::env::var("CAISSON_TEST_REGISTRY").ok();
    if url.is_none() {
        println!("skipped: needs a real schema registry; run `cargo x test --only e2e`");
    }
    url
}

fn converter(url: &str, kind: SchemaRegistryConverter, options: &[(&str, &str)]) -> Arc<dyn Converter> {
    let mut all = vec![("schema.registry.url".to_owned(), Some(url.to_owned()))];
    all.extend(
        options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))),
    );
    caisson_registry::converter(kind, Part::Value, &all, None).unwrap()
}

/// A topic that nobody had before.
fn topic(what: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("{what}-{}-{}", std::process::id(), now.as_nanos())
}

fn person(more: &[(&str, Schema)]) -> SchemaRef {
    let mut builder = SchemaBuilder::structure()
        .name("com.acme.Person")
        .field("name", Schema::new(Kind::String))
        .field("age", Schema::optional(Kind::Int32))
        .field("born", Schema::date())
        .field("wealth", Schema::decimal(2));
    for (name, schema) in more {
        builder = builder.field(*name, schema.clone());
    }
    Arc::new(builder.build().unwrap())
}

fn ada(more: &[Value]) -> Value {
    let mut values = vec![
        "Ada".into(),
        Value::Int32(36),
        Value::Date(-86_400_000 * 3),
        Value::Decimal(Decimal::new(&[0x30, 0x39], 2)),
    ];
    values.extend_from_slice(more);
    Value::Struct(values)
}

fn write(converter: &dyn Converter, topic: &str, schema: &SchemaRef, value: &Value) -> Result<Vec<u8>, ConvertError> {
    let mut out = Vec::new();
    assert!(converter.from_connect(topic, Some(schema), value, &mut out)?);
    Ok(out)
}

fn chain(error: &ConvertError) -> String {
    let all = std::iter::once(error).chain(error.causes());
    all.map(|error| error.message.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn all_formats_are_registered_found_and_read_again() {
    let Some(url) = registry() else { return };
    for kind in SchemaRegistryConverter::ALL {
        let topic = topic("round");
        let bytes = write(&*converter(&url, kind, &[]), &topic, &person(&[]), &ada(&[])).unwrap();
        let (schema, value) = converter(&url, kind, &[]).to_connect(&topic, Some(&bytes)).unwrap();
        assert_eq!(value, ada(&[]), "{kind:?}");
        assert_eq!(schema.unwrap().version, Some(1), "{kind:?}");
        // Without registering it is found as well.
        let finder = converter(&url, kind, &[("auto.register.schemas", "false")]);
        assert_eq!(
            write(&*finder, &topic, &person(&[]), &ada(&[])).unwrap(),
            bytes,
            "{kind:?}"
        );
    }
}

#[test]
fn a_schema_that_grows_by_an_optional_field_gets_a_new_version() {
    let Some(url) = registry() else { return };
    let grown = person(&[("city", Schema::optional(Kind::String))]);
    for kind in SchemaRegistryConverter::ALL {
        let topic = topic("grow");
        let writer = converter(&url, kind, &[]);
        let old = write(&*writer, &topic, &person(&[]), &ada(&[])).unwrap();
        let new = write(&*writer, &topic, &grown, &ada(&["London".into()])).unwrap();
        assert_ne!(old[..5], new[..5], "{kind:?}");
        let reader = converter(&url, kind, &[]);
        let version = |bytes: &[u8]| reader.to_connect(&topic, Some(bytes)).unwrap().0.unwrap().version;
        assert_eq!((version(&old), version(&new)), (Some(1), Some(2)), "{kind:?}");
        // The newest schema takes the value of the old one.
        let latest = [("auto.register.schemas", "false"), ("use.latest.version", "true")];
        let written = write(&*converter(&url, kind, &latest), &topic, &person(&[]), &ada(&[])).unwrap();
        assert_eq!(written[..5], new[..5], "{kind:?}");
        let (_, value) = reader.to_connect(&topic, Some(&written)).unwrap();
        assert_eq!(value.fields()[..4], *ada(&[]).fields(), "{kind:?}");
    }
}

/// The fields of a struct.
trait Fields {
    fn fields(&self) -> &[Value];
}

impl Fields for Value {
    fn fields(&self) -> &[Value] {
        match self {
            Value::Struct(values) => values,
            other => panic!("no struct: {other:?}"),
        }
    }
}

#[test]
fn a_schema_that_the_subject_does_not_allow_is_refused_in_the_registrys_words() {
    let Some(url) = registry() else { return };
    let topic = topic("refused");
    let writer = converter(&url, SchemaRegistryConverter::Avro, &[]);
    write(&*writer, &topic, &person(&[]), &ada(&[])).unwrap();
    put_compatibility(&url, &topic);
    let other = SchemaBuilder::structure()
        .name("com.acme.Person")
        .field("name", Schema::new(Kind::Int32));
    let other = Arc::new(other.build().unwrap());
    let value = Value::Struct(vec![Value::Int32(1)]);
    let error = write(&*writer, &topic, &other, &value).unwrap_err();
    assert_eq!(error.class, Class::Config, "{error:?}");
    assert!(chain(&error).contains("error code: 409"), "{error:?}");
}

/// Confluent's registry has this by default, others have not.
fn put_compatibility(url: &str, topic: &str) {
    let answer = ureq::put(format!("{url}/config/{topic}-value"))
        .header("content-type", "application/vnd.schemaregistry.v1+json")
        .send(r#"{"compatibility":"BACKWARD"}"#);
    assert!(answer.is_ok(), "{answer:?}");
}

#[test]
fn an_id_that_there_is_not_is_an_error_with_its_number() {
    let Some(url) = registry() else { return };
    for kind in SchemaRegistryConverter::ALL {
        let bytes = [0, 0x7f, 0xff, 0xff, 0xf0, 0, 0];
        let error = converter(&url, kind, &[]).to_connect("none", Some(&bytes)).unwrap_err();
        assert_eq!(error.class, Class::Data, "{error:?}");
        assert!(chain(&error).contains("for id 2147483632"), "{error:?}");
        assert!(chain(&error).contains("error code: 40403"), "{error:?}");
    }
}
