//! JSON that is only checked.

use super::parse::{Builder, Number};
use super::text::Text;

/// Builds nothing.
pub(crate) struct Checker;

impl<'a> Builder<'a> for Checker {
    type Value = ();
    type Array = ();
    type Object = ();

    fn null(&mut self) {}
    fn boolean(&mut self, _value: bool) {}
    fn number(&mut self, _number: Number<'a>) {}
    fn string(&mut self, _text: Text<'a>) {}
    fn begin_array(&mut self) {}
    fn element(&mut self, _array: &mut (), _value: ()) {}
    fn end_array(&mut self, _array: ()) {}
    fn begin_object(&mut self) {}
    fn member(&mut self, _object: &mut (), _name: Text<'a>, _value: ()) {}
    fn end_object(&mut self, _object: ()) {}
}
