//! `ReplaceField`: leaves out and renames fields.

use std::marker::PhantomData;

use caisson_sdk::api::Members;
use caisson_sdk::api::config::{ConfigError, Setting};
use caisson_sdk::api::schema::Field;
use caisson_sdk::prelude::*;

use crate::cache::SchemaCache;
use crate::cast::split;
use crate::fields::{Nulls, structure_like};
use crate::registry::ByMember;
use crate::side::{self, Side};
use crate::{require, standard};

const PURPOSE: &str = "field replacement";

/// So many fields to leave out are looked for one by one.
const FEW: usize = 8;

#[derive(Debug)]
pub struct ReplaceField<S> {
    names: Names,
    replace_null_with_default: bool,
    schemas: SchemaCache<Plan>,
    side: PhantomData<S>,
}

/// Which fields stay, and what they are called.
#[derive(Debug)]
struct Names {
    exclude: Vec<String>,
    include: Vec<String>,
    /// Old and new.
    renames: Vec<(String, String)>,
    /// The renames get into each other's way, whatever fields there are.
    tangled: bool,
}

#[derive(Debug)]
struct Plan {
    updated: SchemaRef,
    /// For each new field the place of its value.
    sources: Vec<usize>,
    /// Whether no value has to move, so that the struct only gets shorter.
    in_order: bool,
    nulls: Nulls,
    /// New fields whose values come from a field of another schema, and have to be looked at.
    foreign: Vec<usize>,
}

impl<S: Side> Transform for ReplaceField<S> {
    fn plugin() -> Plugin {
        let list = |name: &str, validator, documentation: &str| {
            Key::new(name, Type::List)
                .default("")
                .validator(validator)
                .importance(Importance::Medium)
                .documentation(documentation)
        };
        let renames = Validator::code(standard::PAIRS, |_, value| match value {
            Setting::List(mappings) => parse_renames(mappings).map(drop),
            _ => Err(ConfigError::invalid("renames", value, "there are none")),
        });
        let exclude = "Fields to leave out, even if include has them.";
        standard::transform_of::<S>("ReplaceField", "Leaves out and renames fields.")
            .key(list("exclude", standard::entries(true), exclude))
            .key(list(
                "include",
                standard::entries(true),
                "Fields to keep; empty for all.",
            ))
            .key(list(
                "renames",
                renames,
                "New names, as pairs old:new separated by commas.",
            ))
            .key(standard::replace_null_with_default())
    }

    fn start(settings: &Settings) -> Result<Self, Error> {
        let renames = parse_renames(settings.list("renames"))?;
        Ok(ReplaceField {
            names: Names {
                exclude: settings.list("exclude").to_vec(),
                include: settings.list("include").to_vec(),
                tangled: are_tangled(&renames),
                renames,
            },
            replace_null_with_default: settings.boolean(standard::REPLACE_NULL_WITH_DEFAULT)?,
            schemas: SchemaCache::default(),
            side: PhantomData,
        })
    }

    fn apply(&mut self, mut record: Record) -> Result<Option<Record>, Error> {
        let (schema, value) = S::of(&mut record);
        if value.is_null() {
            return Ok(Some(record));
        }
        match schema {
            None => self.names.apply(require::map(value, PURPOSE)?)?,
            Some(schema) => {
                let values = require::structure(value, PURPOSE)?;
                let (names, replace) = (&self.names, self.replace_null_with_default);
                let plan = self
                    .schemas
                    .get_or_try_insert(schema, |schema| Plan::new(schema, names, replace))?;
                plan.apply(values)?;
                *schema = plan.updated.clone();
            }
        }
        Ok(Some(record))
    }
}

impl ByMember for ReplaceField<side::Value> {
    fn edit(&self, members: &mut dyn Members, _: &Record, _: Origin) -> Result<(), Error> {
        self.names.apply(members)
    }
}

/// Pairs of names. Of several for one field the last one counts.
fn parse_renames(mappings: &[String]) -> Result<Vec<(String, String)>, ConfigError> {
    let mut renames: Vec<(String, String)> = Vec::new();
    for mapping in mappings {
        let [old, new] = split(mapping)[..] else {
            let value = Setting::List(mappings.to_vec());
            let text = format!("Invalid rename mapping: {mapping}");
            return Err(ConfigError::invalid("renames", value, &text));
        };
        renames.retain(|(known, _)| known != old);
        renames.push((old.to_owned(), new.to_owned()));
    }
    Ok(renames)
}

/// Whether a new name is given twice, or is another field's old one.
fn are_tangled(renames: &[(String, String)]) -> bool {
    let mut each = renames.iter().enumerate();
    each.any(|(at, (_, new))| {
        renames.iter().any(|(old, _)| old == new) || renames[..at].iter().any(|(_, earlier)| earlier == new)
    })
}

impl Names {
    fn keeps(&self, field: &str) -> bool {
        !self.exclude.iter().any(|name| name == field)
            && (self.include.is_empty() || self.include.iter().any(|name| name == field))
    }

    fn renamed<'n>(&'n self, field: &'n str) -> &'n str {
        let rename = self.renames.iter().find(|(old, _)| old == field);
        rename.map_or(field, |(_, new)| new)
    }

    /// The name that a field of the result had before.
    fn original<'n>(&'n self, field: &'n str) -> &'n str {
        let rename = self.renames.iter().find(|(_, new)| new == field);
        rename.map_or(field, |(old, _)| old)
    }

    fn apply(&self, members: &mut dyn Members) -> Result<(), Error> {
        members.check_names()?;
        if self.include.is_empty() && self.exclude.len() <= FEW {
            for name in &self.exclude {
                if let Some(place) = members.find(name) {
                    members.remove(place);
                }
            }
        } else {
            members.retain(&mut |name| self.keeps(name));
        }
        if self.tangled {
            self.rename_in_turn(members);
            return Ok(());
        }
        for (old, new) in &self.renames {
            let Some(place) = members.find(old) else { continue };
            if members.find(new).is_some() {
                // No matter which fields have their new names already.
                self.rename_in_turn(members);
                return Ok(());
            }
            members.rename(place, new);
        }
        Ok(())
    }

    /// One field after the other gets its new name. If an earlier one has it, that gets the value.
    fn rename_in_turn(&self, members: &mut dyn Members) {
        let mut place = 0;
        while place < members.len() {
            let name = members.name(place);
            let new = self.renames.iter().find(|(old, _)| old == name).map(|(_, new)| new);
            let wanted = new.map_or(name, |new| new);
            match members.find(wanted) {
                Some(earlier) if earlier < place => {
                    members.absorb(earlier, place);
                    continue;
                }
                Some(_) | None => {}
            }
            if let Some(new) = new {
                members.rename(place, new);
            }
            place += 1;
        }
    }
}

impl Plan {
    fn new(schema: &Schema, names: &Names, replace_null_with_default: bool) -> Result<Self, Error> {
        let mut builder = structure_like(schema);
        for field in schema.fields().iter().filter(|field| names.keeps(&field.name)) {
            builder = builder.field(names.renamed(&field.name), field.schema.clone());
        }
        let updated = builder.build()?;
        let mut sources = Vec::new();
        let mut fields = Vec::new();
        let mut foreign = Vec::new();
        for (index, field) in updated.fields().iter().enumerate() {
            let original = names.original(&field.name);
            let Some(place) = schema.field_index(original) else {
                return Err(Error::data(format!("{original} is not a valid field name")));
            };
            sources.push(place);
            if schema.fields()[place].schema != field.schema {
                foreign.push(index);
            }
            // The value's own schema knows the default, but messages name the new field.
            fields.push(Field {
                name: field.name.clone(),
                schema: schema.fields()[place].schema.clone(),
            });
        }
        Ok(Plan {
            in_order: sources.is_sorted_by(|one, next| one < next),
            nulls: Nulls::of_fields(&fields, replace_null_with_default),
            updated: updated.into(),
            sources,
            foreign,
        })
    }

    fn apply(&self, values: &mut Vec<Value>) -> Result<(), Error> {
        if self.in_order {
            for (new, old) in self.sources.iter().enumerate() {
                values.swap(new, *old);
            }
            values.truncate(self.sources.len());
        } else {
            // One value may be the source of two fields.
            *values = self.sources.iter().map(|place| values[*place].clone()).collect();
        }
        self.nulls.replace(values)?;
        for place in &self.foreign {
            let field = &self.updated.fields()[*place];
            field.schema.validate_field(&field.name, &values[*place])?;
        }
        Ok(())
    }
}
