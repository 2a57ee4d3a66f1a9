//! Fields to leave out of a key or value, as a header of the record names them.

use caisson_sdk::prelude::*;

use crate::fields::structure_like;

/// As many lists of fields as are remembered.
const CAPACITY: usize = 16;

/// What is left of structs when fields are left out.
#[derive(Debug, Default)]
pub struct Projections {
    known: Vec<Projection>,
}

#[derive(Debug)]
struct Projection {
    of: SchemaRef,
    without: Vec<String>,
    schema: SchemaRef,
    /// Places of the fields that stay; all of them: nothing is left out.
    kept: Vec<usize>,
}

/// Which fields may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Droppable {
    /// Those that a reader of the old schema can do without.
    Optional,
    All,
}

impl Projections {
    /// Leaves fields out of a struct.
    pub fn apply(
        &mut self,
        schema: &mut Option<SchemaRef>,
        value: &mut Value,
        without: &[String],
        droppable: Droppable,
    ) -> Result<(), Error> {
        let (Some(of), Value::Struct(values)) = (schema.as_ref(), &mut *value) else {
            return Ok(());
        };
        let known = self
            .known
            .iter()
            .position(|known| SchemaRef::ptr_eq(&known.of, of) && known.without == without);
        let place = match known {
            Some(place) => place,
            None => {
                if self.known.len() == CAPACITY {
                    self.known.remove(0);
                }
                self.known.push(Projection::new(of, without, droppable)?);
                self.known.len() - 1
            }
        };
        let projection = &self.known[place];
        if projection.kept.len() < values.len() {
            let kept = projection.kept.iter().map(|place| std::mem::take(&mut values[*place]));
            *value = Value::Struct(kept.collect());
            *schema = Some(projection.schema.clone());
        }
        Ok(())
    }
}

impl Projection {
    fn new(of: &SchemaRef, without: &[String], droppable: Droppable) -> Result<Self, Error> {
        let stays = |place: &usize| {
            let field = &of.fields()[*place];
            !without.contains(&field.name) || droppable == Droppable::Optional && !field.schema.optional
        };
        let kept: Vec<usize> = (0..of.fields().len()).filter(stays).collect();
        let builder = kept.iter().fold(structure_like(of), |builder, place| {
            let field = &of.fields()[*place];
            builder.field(field.name.clone(), field.schema.clone())
        });
        Ok(Projection {
            schema: builder.build()?.into(),
            of: of.clone(),
            without: without.to_vec(),
            kept,
        })
    }
}
