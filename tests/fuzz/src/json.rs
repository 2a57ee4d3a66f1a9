//! The JSON converter and the typed block, with their shortcuts: whichever way a value goes, it is the same.

use caisson_api::schema::Schema;
use caisson_api::typed::{decode, encode};
use caisson_convert::{Converter, JsonConverter, JsonObject, JsonOptions, ObjectParts};

use crate::{exercise, split};

/// A byte that chooses the options, and what Kafka would hold.
pub fn json(input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else {
        return;
    };
    let converter = JsonConverter::new(JsonOptions {
        schemas_enable: choice & 1 == 1,
        ..JsonOptions::default()
    });
    let read = converter.to_connect("t", Some(bytes));
    assert_eq!(
        read.is_ok(),
        converter.check("t", bytes).is_ok(),
        "check says otherwise: {read:?}"
    );
    let mut block = Vec::new();
    let typed = converter.to_typed("t", bytes, &mut block);
    let mut text = Vec::new();
    let _ = converter.to_json("t", bytes, &mut text);
    let mut raw = Vec::new();
    let _ = converter.from_json("t", bytes, &mut raw);
    let mut parts = ObjectParts::default();
    let object = JsonObject::read(bytes, &mut parts);
    let Ok((schema, value)) = read else {
        assert!(typed.is_err(), "a block of what cannot be read");
        assert!(object.is_none() || choice & 1 == 1, "an object of what cannot be read");
        return;
    };
    let mut again = Vec::new();
    let _ = converter.from_connect("t", schema.as_ref(), &value, &mut again);
    if let (Some(object), 0) = (object, choice & 1) {
        let mut left = Vec::new();
        object.write(&mut left).unwrap();
        assert_eq!(left, again, "members that are left as they are differ");
        assert_eq!(format!("{:?}", object.into_value()), format!("{value:?}"));
    }
    if let Ok(typed) = typed
        && typed.present
    {
        // By way of a value it is the same; a decimal gets the scale of its schema.
        let mut longer = Vec::new();
        assert!(encode(schema.as_deref(), &value, &mut longer).unwrap());
        let (short, long) = (
            decode(typed.schema.as_deref(), &block),
            decode(schema.as_deref(), &longer),
        );
        assert_eq!(format!("{:?}", short.unwrap()), format!("{:?}", long.unwrap()));
    }
}

/// The text of a schema, a zero byte, and a value under it. What can be decoded is encoded again, and has to come back.
pub fn typed(input: &[u8]) {
    let (text, bytes) = split(input);
    let schema = std::str::from_utf8(text)
        .ok()
        .and_then(|text| Schema::from_json(text).ok());
    exercise::typed(schema.as_ref(), bytes);
    let Ok(value) = decode(schema.as_ref(), bytes) else {
        return;
    };
    let mut again = Vec::new();
    if encode(schema.as_ref(), &value, &mut again).unwrap() {
        let back = decode(schema.as_ref(), &again).unwrap();
        assert_eq!(format!("{back:?}"), format!("{value:?}"));
    }
}
