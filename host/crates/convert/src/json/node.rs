//! JSON as a tree that borrows from its text, for what has to be looked at twice: envelopes, schemas, and values that
//! a schema gives meaning to.

use std::borrow::Cow;

use caisson_api::Value;

use super::number;
use super::parse::{Builder, Number};
use super::plain::{FEW, MEMBERS, PlainBuilder, Seen};
use super::text::Text;

#[derive(Debug)]
pub enum Node<'a> {
    Null,
    Boolean(bool),
    Number(Number<'a>),
    String(Text<'a>),
    Array(Vec<Node<'a>>),
    /// In order, names unique.
    Object(Vec<(Text<'a>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// The member of an object; `None` for whatever is no object.
    pub fn get(&self, name: &str) -> Option<&Node<'a>> {
        match self {
            Node::Object(members) => members.iter().find(|(known, _)| known.is(name)).map(|(_, node)| node),
            Node::Null | Node::Boolean(_) | Node::Number(_) | Node::String(_) | Node::Array(_) => None,
        }
    }

    /// `JsonNodeType`
    pub fn type_name(&self) -> &'static str {
        match self {
            Node::Null => "NULL",
            Node::Boolean(_) => "BOOLEAN",
            Node::Number(_) => "NUMBER",
            Node::String(_) => "STRING",
            Node::Array(_) => "ARRAY",
            Node::Object(_) => "OBJECT",
        }
    }

    pub fn text(&self) -> Option<Cow<'a, str>> {
        if let Node::String(text) = self {
            Some(text.decode())
        } else {
            None
        }
    }

    /// The value without a schema.
    pub fn to_plain(&self) -> Value {
        match self {
            Node::Null => Value::Null,
            Node::Boolean(value) => Value::Boolean(*value),
            Node::Number(number) => PlainBuilder.number(*number),
            Node::String(text) => PlainBuilder.string(*text),
            Node::Array(nodes) => Value::Array(nodes.iter().map(Node::to_plain).collect()),
            Node::Object(members) => Value::Map(
                members
                    .iter()
                    .map(|(name, node)| (Value::String(name.decode().into_owned()), node.to_plain()))
                    .collect(),
            ),
        }
    }

    /// `longValue()`: the low 64 bits of a number cut at its point, 0 for what is no number.
    pub fn integer(&self) -> i64 {
        match self {
            Node::Number(number) if number.is_integral() => number::long(number),
            Node::Number(number) => number::truncated(number),
            Node::Null | Node::Boolean(_) | Node::String(_) | Node::Array(_) | Node::Object(_) => 0,
        }
    }

    /// `doubleValue()`, 0 for what is no number.
    pub fn double(&self) -> f64 {
        self.number().map_or(0.0, number::double)
    }

    /// `floatValue()`, 0 for what is no number.
    pub fn float(&self) -> f32 {
        self.number().map_or(0.0, number::float)
    }

    pub fn number(&self) -> Option<&Number<'a>> {
        if let Node::Number(number) = self {
            Some(number)
        } else {
            None
        }
    }
}

/// Builds the tree.
pub(crate) struct NodeBuilder;

impl<'a> Builder<'a> for NodeBuilder {
    type Value = Node<'a>;
    type Array = Vec<Node<'a>>;
    type Object = (Vec<(Text<'a>, Node<'a>)>, Seen);

    fn null(&mut self) -> Node<'a> {
        Node::Null
    }

    fn boolean(&mut self, value: bool) -> Node<'a> {
        Node::Boolean(value)
    }

    fn number(&mut self, number: Number<'a>) -> Node<'a> {
        Node::Number(number)
    }

    fn string(&mut self, text: Text<'a>) -> Node<'a> {
        Node::String(text)
    }

    fn begin_array(&mut self) -> Self::Array {
        Vec::new()
    }

    fn element(&mut self, array: &mut Self::Array, value: Node<'a>) {
        array.push(value);
    }

    fn end_array(&mut self, array: Self::Array) -> Node<'a> {
        Node::Array(array)
    }

    fn begin_object(&mut self) -> Self::Object {
        (Vec::with_capacity(MEMBERS), Seen::default())
    }

    fn member(&mut self, (members, seen): &mut Self::Object, name: Text<'a>, value: Node<'a>) {
        let find = |wanted: &str| members.iter().take(FEW).position(|(known, _)| known.is(wanted));
        match seen.insert(&name.decode(), members.len(), find) {
            Some(index) => members[index].1 = value,
            None => members.push((name, value)),
        }
    }

    fn end_object(&mut self, (members, _): Self::Object) -> Node<'a> {
        Node::Object(members)
    }
}
