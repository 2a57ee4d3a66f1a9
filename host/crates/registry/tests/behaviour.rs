//! What converters ask of their registry, and what becomes of its answers.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use caisson_api::schema::{Kind, Schema, SchemaBuilder};
use caisson_api::{SchemaRef, Value};
use caisson_config::builtin::SchemaRegistryConverter::Avro;
use caisson_convert::{Class, ConvertError, Converter};
use serde_json::{Value as Json, json};
use support::FakeRegistry;

fn person() -> SchemaRef {
    let builder = SchemaBuilder::structure().name("com.acme.Person");
    let builder = builder.field("name", Schema::new(Kind::String));
    Arc::new(builder.field("age", Schema::optional(Kind::Int32)).build().unwrap())
}

fn ada() -> Value {
    Value::Struct(vec!["Ada".into(), Value::Int32(36)])
}

fn write(converter: &dyn Converter, topic: &str) -> Result<Vec<u8>, ConvertError> {
    let mut out = Vec::new();
    assert!(converter.from_connect(topic, Some(&person()), &ada(), &mut out)?);
    Ok(out)
}

/// Methods and paths, without what follows a question mark.
fn asked(registry: &FakeRegistry) -> Vec<String> {
    let line = |request: &support::Request| {
        let path = request.path.split('?').next().unwrap().to_owned();
        format!("{} {path}", request.method)
    };
    registry.requests().iter().map(line).collect()
}

/// An error's classes and texts, outermost first.
fn chain(error: &ConvertError) -> Vec<String> {
    std::iter::once(error)
        .chain(error.causes())
        .map(|error| format!("{}: {}", error.class.name().rsplit('.').next().unwrap(), error.message))
        .collect()
}

#[test]
fn a_schema_is_registered_once_and_found_again_by_another_converter() {
    let registry = FakeRegistry::start();
    let converter = registry.converter(Avro, &[]);
    let first = write(&*converter, "people").unwrap();
    assert_eq!(write(&*converter, "people").unwrap(), first);
    assert_eq!(asked(&registry), ["POST /subjects/people-value/versions"]);
    assert_eq!(first[..5], [0, 0, 0, 0, 1]);

    let reader = registry.converter(Avro, &[]);
    for _ in 0..3 {
        let (schema, value) = reader.to_connect("people", Some(&first)).unwrap();
        assert_eq!(value, ada());
        assert_eq!(schema.unwrap().version, Some(1));
    }
    assert_eq!(
        asked(&registry)[1..],
        ["GET /schemas/ids/1", "POST /subjects/people-value"]
    );
}

#[test]
fn an_address_that_the_gate_refuses_is_not_connected_to() {
    let registry = FakeRegistry::start();
    let options = [
        ("schema.registry.url".to_owned(), Some(registry.url.clone())),
        ("max.retries".to_owned(), Some("0".to_owned())),
    ];
    let gate: caisson_registry::Gate = Arc::new(|host, address| Err(format!("nobody may reach {host} at {address}")));
    let converter = caisson_registry::converter(Avro, caisson_registry::Part::Value, &options, Some(gate)).unwrap();
    let error = format!("{:?}", write(&*converter, "t").unwrap_err());
    assert!(error.contains("nobody may reach 127.0.0.1 at 127.0.0.1:"), "{error}");
    assert!(registry.requests().is_empty());
}

#[test]
fn readers_give_the_very_same_schema_for_all_records() {
    let registry = FakeRegistry::start();
    let converter = registry.converter(Avro, &[]);
    let bytes = write(&*converter, "t").unwrap();
    let schema = || converter.to_connect("t", Some(&bytes)).unwrap().0.unwrap();
    assert!(Arc::ptr_eq(&schema(), &schema()));
}

#[test]
fn tombstones_pass_without_the_registry() {
    let registry = FakeRegistry::start();
    let converter = registry.converter(Avro, &[]);
    assert_eq!(converter.to_connect("t", None).unwrap(), (None, Value::Null));
    let mut out = Vec::new();
    assert!(!converter.from_connect("t", None, &Value::Null, &mut out).unwrap());
    let optional = Arc::new(Schema::optional(Kind::String));
    assert!(
        !converter
            .from_connect("t", Some(&optional), &Value::Null, &mut out)
            .unwrap()
    );
    assert!(out.is_empty() && registry.requests().is_empty());
}

#[test]
fn subjects_are_named_as_the_strategy_says() {
    let package = "io.confluent.kafka.serializers.subject";
    for (strategy, subject) in [
        ("TopicNameStrategy", "t-value"),
        ("RecordNameStrategy", "com.acme.Person"),
        ("TopicRecordNameStrategy", "t-com.acme.Person"),
    ] {
        let registry = FakeRegistry::start();
        let class = format!("{package}.{strategy}");
        let converter = registry.converter(Avro, &[("value.subject.name.strategy", &class)]);
        let bytes = write(&*converter, "t").unwrap();
        assert_eq!(converter.to_connect("t", Some(&bytes)).unwrap().1, ada());
        let paths = asked(&registry);
        assert_eq!(paths[0], format!("POST /subjects/{subject}/versions"));
        assert_eq!(paths[2], format!("POST /subjects/{subject}"));
    }
}

#[test]
fn without_registering_the_schema_has_to_be_there() {
    let registry = FakeRegistry::start();
    let converter = registry.converter(Avro, &[("auto.register.schemas", "false")]);
    let error = write(&*converter, "t").unwrap_err();
    let chain = chain(&error);
    assert_eq!(chain[0], "DataException: Failed to serialize Avro data from topic t :");
    assert!(
        chain[1].starts_with("SerializationException: Error retrieving Avro schema{"),
        "{chain:?}"
    );
    assert_eq!(chain[2], "RestClientException: Schema not found; error code: 40403");
    let id = write(&*registry.converter(Avro, &[]), "t").unwrap()[..5].to_vec();
    assert_eq!(write(&*converter, "t").unwrap()[..5], id);
}

/// A schema like that of [`person`], with other fields.
fn latest(fields: &Json) -> Json {
    let schema = json!({ "type": "record", "name": "Person", "namespace": "com.acme", "fields": fields });
    json!({ "schema": schema.to_string() })
}

#[test]
fn the_newest_schema_is_written_field_by_field() {
    let registry = FakeRegistry::start();
    let id = registry.add(
        "t-value",
        &latest(&json!([
            { "name": "age", "type": ["null", "long"] },
            { "name": "city", "type": "string", "default": "London" },
            { "name": "name", "type": "string" },
        ])),
    );
    let options = [("auto.register.schemas", "false"), ("use.latest.version", "true")];
    let converter = registry.converter(Avro, &options);
    let bytes = write(&*converter, "t").unwrap();
    assert_eq!(bytes[..5], [&[0][..], &id.to_be_bytes()].concat());
    let (_, value) = converter.to_connect("t", Some(&bytes)).unwrap();
    assert_eq!(
        value,
        Value::Struct(vec![Value::Int64(36), "London".into(), "Ada".into()])
    );
}

#[test]
fn a_newest_schema_that_cannot_read_ours_is_an_error_unless_told_otherwise() {
    let registry = FakeRegistry::start();
    registry.add(
        "t-value",
        &latest(&json!([{ "name": "name", "type": "string" }, { "name": "city", "type": "string" }])),
    );
    let strict = [("auto.register.schemas", "false"), ("use.latest.version", "true")];
    let error = write(&*registry.converter(Avro, &strict), "t").unwrap_err();
    let text = chain(&error).join("\n");
    assert!(
        text.contains("Incompatible schema {") && text.contains("latest.compatibility.strict=false"),
        "{text}"
    );
    let lenient = [strict[0], strict[1], ("latest.compatibility.strict", "false")];
    // Then it is up to the value, which lacks the city.
    let error = write(&*registry.converter(Avro, &lenient), "t").unwrap_err();
    assert!(chain(&error).join("\n").contains("city"), "{error:?}");
}

#[test]
fn an_id_or_metadata_can_choose_the_schema() {
    let registry = FakeRegistry::start();
    let fields = json!([{ "name": "name", "type": "string" }, { "name": "age", "type": ["null", "int"] }]);
    let id = registry.add("t-value", &latest(&fields)).to_string();
    registry.add("t-value", &json!({ "schema": "\"int\"" }));
    let off = ("auto.register.schemas", "false");
    for options in [
        vec![off, ("use.schema.id", id.as_str())],
        vec![off, ("use.latest.with.metadata", "application.version=v1")],
    ] {
        assert_eq!(
            write(&*registry.converter(Avro, &options), "t").unwrap()[..5],
            [0, 0, 0, 0, 1]
        );
    }
}

#[test]
fn schemas_that_refer_to_others_are_put_together() {
    let registry = FakeRegistry::start();
    let city = json!({ "type": "record", "name": "City", "namespace": "geo", "fields": [{ "name": "name", "type": "string" }] });
    let place = json!({ "type": "record", "name": "Place", "namespace": "geo", "fields": [{ "name": "city", "type": "City" }] });
    let person = json!({ "type": "record", "name": "P", "fields": [
        { "name": "home", "type": "geo.Place" }, { "name": "born", "type": "geo.City" }] });
    let reference = |name: &str| json!({ "name": name, "subject": name, "version": 1 });
    registry.add("geo.City", &json!({ "schema": city.to_string() }));
    registry.add(
        "geo.Place",
        &json!({ "schema": place.to_string(), "references": [reference("geo.City")] }),
    );
    let references = [reference("geo.Place"), reference("geo.City")];
    let id = registry.add(
        "t-value",
        &json!({ "schema": person.to_string(), "references": references }),
    );
    let bytes = [&[0][..], &id.to_be_bytes(), b"\x02A\x02B"].concat();
    let (_, value) = registry.converter(Avro, &[]).to_connect("t", Some(&bytes)).unwrap();
    let city = |name: &str| Value::Struct(vec![name.into()]);
    assert_eq!(value, Value::Struct(vec![Value::Struct(vec![city("A")]), city("B")]));
}

#[test]
fn schemas_that_refer_to_each_other_are_an_error() {
    let registry = FakeRegistry::start();
    let reference = |name: &str| json!([{ "name": name, "subject": name, "version": 1 }]);
    registry.add("A", &json!({ "schema": "\"B\"", "references": reference("B") }));
    registry.add("B", &json!({ "schema": "\"A\"", "references": reference("A") }));
    let id = registry.add("t-value", &json!({ "schema": "\"A\"", "references": reference("A") }));
    let bytes = [&[0][..], &id.to_be_bytes()].concat();
    let error = registry.converter(Avro, &[]).to_connect("t", Some(&bytes)).unwrap_err();
    assert!(chain(&error).join("\n").contains("is not a defined name"), "{error:?}");
}

#[test]
fn bytes_without_an_id_are_named_as_what_they_are() {
    let registry = FakeRegistry::start();
    let converter = registry.converter(Avro, &[]);
    let error = converter.to_connect("t", Some(b"{\"a\":1}")).unwrap_err();
    let text = chain(&error);
    assert_eq!(
        text[0],
        "DataException: Failed to deserialize data for topic t to Avro: "
    );
    assert!(
        text[1].starts_with("SerializationException: Unknown magic byte!"),
        "{text:?}"
    );
    for bytes in [&b""[..], b"\0", b"\0\0\0\0"] {
        assert_eq!(converter.to_connect("t", Some(bytes)).unwrap_err().class, Class::Data);
    }
    assert!(registry.requests().is_empty());
}

#[test]
fn an_unknown_id_is_asked_for_once_in_a_while() {
    let registry = FakeRegistry::start();
    let converter = registry.converter(Avro, &[]);
    for _ in 0..100 {
        let error = converter.to_connect("t", Some(&[0, 0, 0, 0, 42, 1])).unwrap_err();
        assert_eq!(
            chain(&error),
            [
                "DataException: Failed to deserialize data for topic t to Avro: ",
                "SerializationException: Error retrieving Avro schema for id 42",
                "RestClientException: Schema 42 not found; error code: 40403",
            ]
        );
    }
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn a_refused_schema_is_an_error_of_the_configuration() {
    let registry = FakeRegistry::start();
    let message = "Schema being registered is incompatible with an earlier schema for subject \"t-value\"";
    registry.before(move |_| Some((409, json!({ "error_code": 409, "message": message }))));
    let error = write(&*registry.converter(Avro, &[]), "t").unwrap_err();
    assert_eq!(
        chain(&error),
        [format!(
            "ConfigException: Failed to access Avro data from topic t : {message}; error code: 409"
        )]
    );
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn a_registry_that_fails_for_a_moment_is_asked_again() {
    let registry = FakeRegistry::start();
    let failures = Arc::new(AtomicUsize::new(2));
    registry.before(move |_| {
        let left = failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.ok()
            .map(|_| (503, json!({ "error_code": 50301, "message": "no leader" })))
    });
    assert!(write(&*registry.converter(Avro, &[]), "t").is_ok());
    assert_eq!(registry.requests().len(), 3);
}

#[test]
fn a_registry_that_goes_on_failing_is_a_reason_to_try_later() {
    let registry = FakeRegistry::start();
    registry.before(|_| Some((500, json!("not even JSON"))));
    let converter = registry.converter(Avro, &[("max.retries", "2")]);
    let error = write(&*converter, "t").unwrap_err();
    assert_eq!(error.class, Class::Retriable);
    let chain = chain(&error);
    assert_eq!(
        chain[0],
        "RetriableException: Failed to serialize Avro data from topic t :"
    );
    assert!(
        chain[2].starts_with("RestClientException: ") && chain[2].contains("500"),
        "{chain:?}"
    );
    assert_eq!(registry.requests().len(), 3);
    // And later it succeeds.
    registry.before(|_| None);
    assert!(write(&*converter, "t").is_ok());
}

#[test]
fn a_registry_that_is_not_there_is_named_without_its_password() {
    let registry = FakeRegistry::start();
    let url = "http://user:secret@127.0.0.1:9";
    let options = [("schema.registry.url", url), ("max.retries", "1")];
    let error = write(&*registry.converter(Avro, &options), "t").unwrap_err();
    assert_eq!(error.class, Class::Retriable);
    let text = chain(&error).join("\n");
    assert!(text.contains("127.0.0.1:9") && !text.contains("secret"), "{text}");
}

#[test]
fn the_next_address_is_asked_where_one_does_not_answer() {
    let registry = FakeRegistry::start();
    let urls = format!("http://127.0.0.1:9, {}/", registry.url);
    let options = [("schema.registry.url", urls.as_str()), ("max.retries", "0")];
    let converter = registry.converter(Avro, &options);
    assert!(write(&*converter, "t").is_ok());
    assert_eq!(asked(&registry), ["POST /subjects/t-value/versions"]);
}

#[test]
fn an_answer_that_is_none_is_an_error() {
    for answer in [json!("<html>"), json!({ "id": "x" }), json!([]), json!({})] {
        let registry = FakeRegistry::start();
        registry.before(move |_| Some((200, answer.clone())));
        let converter = registry.converter(Avro, &[]);
        let error = write(&*converter, "t").unwrap_err();
        assert!(
            chain(&error).join("\n").contains("is not a schema registry's"),
            "{error:?}"
        );
        assert!(converter.to_connect("t", Some(&[0, 0, 0, 0, 1, 0])).is_err());
    }
}

#[test]
fn an_endless_answer_is_cut_off() {
    let registry = FakeRegistry::start();
    registry.before(|_| Some((200, json!({ "schema": "x".repeat(20 << 20) }))));
    let converter = registry.converter(Avro, &[("max.retries", "0")]);
    let error = converter.to_connect("t", Some(&[0, 0, 0, 0, 1, 0])).unwrap_err();
    assert!(chain(&error).join("\n").contains("limit"), "{error:?}");
}

fn authorization(options: &[(&str, &str)]) -> support::Request {
    let registry = FakeRegistry::start();
    write(&*registry.converter(Avro, options), "t").unwrap();
    registry.requests().remove(0)
}

#[test]
fn credentials_come_from_where_the_configuration_says() {
    let basic = "Basic dXNlcjpwdw==";
    let source = |name: &'static str| ("basic.auth.credentials.source", name);
    let request = authorization(&[source("USER_INFO"), ("basic.auth.user.info", "user:pw")]);
    assert_eq!(request.header("authorization"), Some(basic));
    let request = authorization(&[source("USER_INFO"), ("schema.registry.basic.auth.user.info", "user:pw")]);
    assert_eq!(request.header("authorization"), Some(basic));
    let jaas = r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="user" password="pw";"#;
    let request = authorization(&[source("SASL_INHERIT"), ("sasl.jaas.config", jaas)]);
    assert_eq!(request.header("authorization"), Some(basic));
    let request = authorization(&[
        ("bearer.auth.credentials.source", "STATIC_TOKEN"),
        ("bearer.auth.token", "abc"),
        ("bearer.auth.logical.cluster", "lsrc-1"),
        ("request.header.x-own", "1"),
    ]);
    assert_eq!(request.header("authorization"), Some("Bearer abc"));
    assert_eq!(request.header("target-sr-cluster"), Some("lsrc-1"));
    assert_eq!(request.header("x-own"), Some("1"));
    let registry = FakeRegistry::start();
    let url = registry.url.replace("http://", "http://user:pw@");
    write(&*registry.converter(Avro, &[("schema.registry.url", &url)]), "t").unwrap();
    assert_eq!(registry.requests()[0].header("authorization"), Some(basic));
}

#[test]
fn a_token_of_an_identity_provider_is_fetched_once() {
    let registry = FakeRegistry::start();
    registry.before(|request| {
        (request.path == "/token").then(|| (200, json!({ "access_token": "tok", "expires_in": 3600 })))
    });
    let token = format!("{}/token", registry.url);
    let converter = registry.converter(
        Avro,
        &[
            ("bearer.auth.credentials.source", "OAUTHBEARER"),
            ("bearer.auth.issuer.endpoint.url", &token),
            ("bearer.auth.client.id", "id"),
            ("bearer.auth.client.secret", "secret"),
        ],
    );
    write(&*converter, "t").unwrap();
    write(&*converter, "u").unwrap();
    let requests = registry.requests();
    assert_eq!(requests.iter().filter(|request| request.path == "/token").count(), 1);
    assert_eq!(requests[2].header("authorization"), Some("Bearer tok"));
}

#[test]
fn credentials_that_are_missing_are_found_before_the_first_record() {
    let registry = FakeRegistry::start();
    for options in [
        vec![("basic.auth.credentials.source", "USER_INFO")],
        vec![("basic.auth.credentials.source", "OTHER")],
        vec![
            ("basic.auth.credentials.source", "URL"),
            ("bearer.auth.credentials.source", "STATIC_TOKEN"),
        ],
        vec![("bearer.auth.credentials.source", "STATIC_TOKEN")],
        vec![("schema.registry.ssl.truststore.location", "/no/such/file")],
        vec![("schema.registry.ssl.truststore.certificates", "no certificate")],
        vec![("schema.registry.ssl.endpoint.identification.algorithm", "")],
        vec![("schema.registry.url", "ftp://x")],
        vec![("value.subject.name.strategy", "com.acme.Own")],
    ] {
        let error = registry.try_converter(Avro, &options).err().unwrap();
        assert_eq!(error.class, Class::Config, "{options:?}");
    }
}

#[test]
fn a_schema_without_a_place_in_kafka_connect_is_an_error() {
    let registry = FakeRegistry::start();
    let list = json!({ "type": "record", "name": "List", "fields": [
        { "name": "next", "type": ["null", "List"], "default": null }] });
    // Each type twice the one before: few words for very many schemas.
    let mut fields = Vec::new();
    for level in 0..40 {
        let inner: Json = match level {
            0 => json!("int"),
            _ => json!(format!("L{}", level - 1)),
        };
        let both = json!([{ "name": "a", "type": inner }, { "name": "b", "type": inner }]);
        fields.push(json!({ "name": format!("f{level}"), "type": { "type": "record", "name": format!("L{level}"), "fields": both } }));
    }
    let bomb = json!({ "type": "record", "name": "Bomb", "fields": fields });
    for (schema, text) in [
        (list.to_string(), "contains itself"),
        (bomb.to_string(), "stands for more than"),
        ("[".repeat(5000), "recursion limit"),
        ("{".to_owned(), "EOF"),
        ("\"nothing\"".to_owned(), "is not a defined name"),
        ("\"null\"".to_owned(), "Standalone null schemas"),
    ] {
        let id = registry.add("t-value", &json!({ "schema": schema }));
        let bytes = [&[0][..], &id.to_be_bytes(), &[0; 64]].concat();
        let error = registry.converter(Avro, &[]).to_connect("t", Some(&bytes)).unwrap_err();
        assert!(chain(&error).join("\n").contains(text), "{text}: {error:?}");
    }
}

#[test]
fn a_record_of_thousands_of_fields_is_written_and_read() {
    let registry = FakeRegistry::start();
    let builder = (0..5000).fold(SchemaBuilder::structure(), |builder, index| {
        builder.field(format!("f{index}"), Schema::optional(Kind::Int64))
    });
    let schema = Arc::new(builder.build().unwrap());
    let value = Value::Struct((0..5000).map(Value::Int64).collect());
    let converter = registry.converter(Avro, &[]);
    let mut out = Vec::new();
    assert!(converter.from_connect("t", Some(&schema), &value, &mut out).unwrap());
    assert_eq!(converter.to_connect("t", Some(&out)).unwrap().1, value);
}

#[test]
fn hostile_payloads_end_in_errors() {
    let registry = FakeRegistry::start();
    let schema = json!({ "type": "record", "name": "R", "fields": [
        { "name": "s", "type": "string" },
        { "name": "l", "type": { "type": "array", "items": { "type": "record", "name": "Empty", "fields": [] } } },
        { "name": "u", "type": ["null", "int", "string"] },
        { "name": "e", "type": { "type": "enum", "name": "E", "symbols": ["A"] } },
    ] });
    let id = registry.add("t-value", &json!({ "schema": schema.to_string() }));
    let converter = registry.converter(Avro, &[]);
    let huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let read = |payload: &[u8]| converter.to_connect("t", Some(&[&[0][..], &id.to_be_bytes(), payload].concat()));
    assert!(read(&[0, 0, 0, 0]).is_ok());
    for payload in [
        // A text of nine exabytes, and one of a negative length.
        [&huge[..], b"abc"].concat(),
        vec![1, 0, 0, 0],
        // As many records that take no bytes.
        [&[0][..], &huge, &[0, 0, 0]].concat(),
        // Branches and symbols that there are not.
        vec![0, 0, 6, 0],
        vec![0, 0, 1, 0],
        vec![0, 0, 0, 2],
        vec![0xff; 100],
        Vec::new(),
    ] {
        let error = read(&payload).unwrap_err();
        assert_eq!(error.class, Class::Data, "{payload:x?}");
        assert!(chain(&error)[1].contains(&format!("Error deserializing Avro message for id {id}")));
    }
}
