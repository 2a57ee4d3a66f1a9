//! The types of a database, as its catalogue lists them.

use std::collections::{HashMap, HashSet};

use super::kind::{self, Kind, NO_MODIFIER};
use crate::error::Result;
use crate::protocol::Session;

/// What the catalogue says of a type.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    /// Made by `create type`, not by PostgreSQL or an extension.
    class: Class,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Class {
    Base,
    Enum,
    /// What it stands on, and with which modifier.
    Domain(u32, i32),
    /// Of these elements.
    Array(u32),
    Composite,
}

/// All types by their numbers.
#[derive(Clone, Debug, Default)]
pub struct TypeRegistry {
    entries: HashMap<u32, Entry>,
    labels: HashMap<u32, Vec<String>>,
    /// Numbers that were looked up in vain.
    missing: HashSet<u32>,
}

/// How a type is called, and with which size and scale the JDBC driver would describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    pub name: String,
    pub length: i32,
    pub scale: i32,
}

/// Domains on domains on domains.
const MAX_DEPTH: usize = 32;

const TYPES: &str = "select t.oid, t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype, t.typtypmod \
     from pg_catalog.pg_type t where t.typtype <> 'p' and (t.typrelid = 0 or exists (select from pg_catalog.pg_class c \
     where c.oid = t.typrelid and c.relkind = 'c'))";
const LABELS: &str = "select enumtypid, enumlabel from pg_catalog.pg_enum order by enumtypid, enumsortorder";

impl TypeRegistry {
    pub fn load(session: &mut Session) -> Result<Self> {
        let mut registry = TypeRegistry::default();
        registry.reload(session)?;
        Ok(registry)
    }

    /// Looks again for types that were not there; those that are known stay as they were.
    pub fn ensure(&mut self, session: &mut Session, types: impl Iterator<Item = u32>) -> Result<()> {
        let unknown: Vec<u32> = types
            .filter(|oid| !self.entries.contains_key(oid) && !self.missing.contains(oid))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        self.reload(session)?;
        let still = unknown.into_iter().filter(|oid| !self.entries.contains_key(oid));
        self.missing.extend(still.collect::<Vec<_>>());
        Ok(())
    }

    fn reload(&mut self, session: &mut Session) -> Result<()> {
        for row in session.query(TYPES)?.rows {
            let cell = |index: usize| row.get(index).and_then(Option::as_deref).unwrap_or_default();
            let number = |index: usize| cell(index).parse::<u32>().unwrap_or(0);
            let class = match (cell(2), cell(3), number(4)) {
                ("e", _, _) => Class::Enum,
                ("c", _, _) => Class::Composite,
                ("d", _, _) => Class::Domain(number(5), cell(6).parse().unwrap_or(NO_MODIFIER)),
                (_, "A", element) if element != 0 => Class::Array(element),
                _ => Class::Base,
            };
            let name = cell(1).to_owned();
            self.entries.entry(number(0)).or_insert(Entry { name, class });
        }
        let mut labels: HashMap<u32, Vec<String>> = HashMap::new();
        for row in session.query(LABELS)?.rows {
            if let [Some(oid), Some(label)] = row.as_slice() {
                labels.entry(oid.parse().unwrap_or(0)).or_default().push(label.clone());
            }
        }
        for (oid, labels) in labels {
            self.labels.entry(oid).or_insert(labels);
        }
        Ok(())
    }

    /// What a type is.
    pub fn kind(&self, oid: u32, modifier: i32) -> Kind {
        self.kind_within(oid, modifier, MAX_DEPTH)
    }

    fn kind_within(&self, oid: u32, modifier: i32, depth: usize) -> Kind {
        let (Some(entry), true) = (self.entries.get(&oid), depth > 0) else {
            return Kind::Unknown;
        };
        match entry.class {
            Class::Base => kind::by_name(&entry.name, modifier),
            Class::Composite => Kind::Unknown,
            Class::Enum => Kind::Enum(self.labels.get(&oid).cloned().unwrap_or_default()),
            Class::Domain(base, own) => {
                let modifier = if own == NO_MODIFIER { modifier } else { own };
                self.kind_within(base, modifier, depth - 1)
            }
            // Of a domain the original knows nothing there.
            Class::Array(element) if self.is_domain(element) => Kind::Array(Box::new(Kind::Unknown)),
            Class::Array(element) => match self.kind_within(element, modifier, depth - 1) {
                Kind::Bits(bits) if self.name(element) == "bit" => Kind::BitArray(bits),
                Kind::Bits(_) | Kind::Interval | Kind::Money | Kind::Xml | Kind::Point => Kind::LeftOut,
                Kind::OtherText if self.name(element) == "name" => Kind::LeftOut,
                Kind::Shape | Kind::Array(_) => Kind::Unknown,
                element => Kind::Array(Box::new(element)),
            },
        }
    }

    fn is_domain(&self, oid: u32) -> bool {
        matches!(
            self.entries.get(&oid).map(|entry| &entry.class),
            Some(Class::Domain(..))
        )
    }

    /// The type's own name: that of the domain, not of what it stands on.
    pub fn name(&self, oid: u32) -> &str {
        self.entries.get(&oid).map_or("unknown", |entry| entry.name.as_str())
    }

    /// The name of what a domain stands on, or an array consists of.
    pub fn base_name(&self, oid: u32) -> &str {
        self.base(oid, NO_MODIFIER).0
    }

    /// Name, size and scale as the JDBC driver gives them.
    pub fn describe(&self, oid: u32, modifier: i32) -> TypeName {
        let name = self.name(oid).to_owned();
        let (base, modifier) = self.base(oid, modifier);
        let (length, scale) = sizes(base, modifier);
        TypeName { name, length, scale }
    }

    /// What a domain stands on, or an array consists of, with the modifier that holds there.
    fn base(&self, oid: u32, modifier: i32) -> (&str, i32) {
        let (mut oid, mut modifier) = (oid, modifier);
        for _ in 0..MAX_DEPTH {
            match self.entries.get(&oid).map(|entry| &entry.class) {
                Some(Class::Domain(base, own)) => {
                    oid = *base;
                    modifier = if *own == NO_MODIFIER { modifier } else { *own };
                }
                Some(Class::Array(element)) => oid = *element,
                Some(Class::Base | Class::Enum | Class::Composite) | None => break,
            }
        }
        (self.name(oid), modifier)
    }
}

/// `TypeInfoCache.getPrecision` (or the display size, where that is 0) and `getScale`.
fn sizes(name: &str, modifier: i32) -> (i32, i32) {
    const UNLIMITED: i32 = i32::MAX;
    let limited = |less: i32| {
        if modifier == NO_MODIFIER {
            UNLIMITED
        } else {
            modifier - less
        }
    };
    let fraction = match modifier {
        NO_MODIFIER => 7,
        0 => 0,
        1 => 3,
        digits => digits.saturating_add(1),
    };
    let digits = if modifier == NO_MODIFIER { 6 } else { modifier };
    match name {
        "int2" => (5, 0),
        "int4" | "oid" => (10, 0),
        "int8" => (19, 0),
        "float4" => (8, 8),
        "float8" => (17, 17),
        "numeric" if modifier == NO_MODIFIER => (131_089, 0),
        "numeric" => (((modifier - 4) >> 16) & 0xffff, (modifier - 4) & 0xffff),
        "bool" | "char" => (1, 0),
        "date" => (13, 0),
        "time" => (8 + fraction, digits),
        "timetz" => (14 + fraction, digits),
        "timestamp" => (22 + fraction, digits),
        "timestamptz" => (28 + fraction, digits),
        "interval" => (49, if modifier == NO_MODIFIER { 6 } else { modifier & 0xffff }),
        "bit" => (modifier, 0),
        "varbit" => (limited(0), 0),
        "varchar" | "bpchar" => (limited(4), 0),
        _ => (UNLIMITED, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_jdbc_driver() {
        assert_eq!(sizes("int4", -1), (10, 0));
        assert_eq!(sizes("text", -1), (2_147_483_647, 0));
        assert_eq!(sizes("varchar", 104), (100, 0));
        assert_eq!(sizes("numeric", (6 << 16 | 2) + 4), (6, 2));
        assert_eq!(sizes("timestamp", -1), (29, 6));
        assert_eq!(sizes("timestamptz", 3), (32, 3));
    }
}
