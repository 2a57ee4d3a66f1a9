//! The envelope: an object of exactly `schema` and `payload`.

use caisson_api::{SchemaRef, Value};

use super::cache::SchemaCache;
use super::decode::to_value;
use super::fault::Fault;
use super::node::{Node, NodeBuilder};
use super::parse::Parser;
use super::plain::PlainBuilder;
use super::schema::read_schema;
use super::validate::Checker;
use crate::ConvertError;

const SHAPE: &str = "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain \
                     additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in \
                     your converter configuration.";

/// The schema and the value in an envelope.
pub(crate) fn read(
    text: &str,
    cache: &SchemaCache,
    defaults: bool,
) -> Result<Result<(Option<SchemaRef>, Value), ConvertError>, Fault> {
    match read_ordered(text, cache, defaults) {
        Some(result) => Ok(result),
        None => {
            let node = Parser::new(text).document(&mut NodeBuilder)?;
            Ok(read_any(node.as_ref(), defaults))
        }
    }
}

/// Reads an envelope as it is usually written, schema first, without parsing a known schema again. `None` means that
/// it is not such an envelope, or that something is wrong with it, and has to be looked at from the start.
fn read_ordered(
    text: &str,
    cache: &SchemaCache,
    defaults: bool,
) -> Option<Result<(Option<SchemaRef>, Value), ConvertError>> {
    let mut parser = Parser::new(text);
    parser.expect(b'{')?;
    parser.member("schema")?;
    let start = parser.position();
    let schema = match cache.last_read(&text[start..]) {
        Some((length, schema)) => {
            parser.step(length);
            schema
        }
        None => {
            parser.next_value(&mut Checker).ok()?;
            let schema_text = &text[start..parser.position()];
            match cache.read(schema_text, || parse_schema(schema_text, defaults)) {
                Ok(schema) => schema,
                // Whether this or the shape of the envelope is the error to report is decided with the whole in view.
                Err(_) => return None,
            }
        }
    };
    parser.expect(b',')?;
    parser.member("payload")?;
    let value = match &schema {
        Some(schema) => {
            let node = parser.next_value(&mut NodeBuilder).ok()?;
            to_value(schema, Some(&node), defaults)
        }
        None => Ok(parser.next_value(&mut PlainBuilder).ok()?),
    };
    parser.expect(b'}')?;
    Some(value.map(|value| (schema, value)))
}

fn parse_schema(text: &str, defaults: bool) -> Result<Option<SchemaRef>, ConvertError> {
    match Parser::new(text).document(&mut NodeBuilder) {
        Ok(Some(node)) => read_schema(&node, defaults),
        Ok(None) | Err(_) => Err(ConvertError::data(SHAPE)),
    }
}

fn read_any(node: Option<&Node<'_>>, defaults: bool) -> Result<(Option<SchemaRef>, Value), ConvertError> {
    let (schema, payload) = match node {
        Some(node @ Node::Object(members)) if members.len() == 2 => (node.get("schema"), node.get("payload")),
        Some(_) | None => (None, None),
    };
    let (Some(schema), Some(payload)) = (schema, payload) else {
        return Err(ConvertError::data(SHAPE));
    };
    let schema = read_schema(schema, defaults)?;
    let value = match &schema {
        Some(schema) => to_value(schema, Some(payload), defaults)?,
        None => payload.to_plain(),
    };
    Ok((schema, value))
}
