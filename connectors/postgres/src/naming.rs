//! Names of topics, schemas and fields.

use crate::catalog::TableName;
use crate::config::{Adjustment, Naming};

impl Naming {
    /// The topic of a table.
    pub fn table_topic(&self, prefix: &str, name: &TableName) -> String {
        match self.strategy.with_schema {
            true => self.topic(&[prefix, &name.schema, &name.table]),
            false => self.topic(&[prefix, &name.table]),
        }
    }

    /// The topic of these parts, with something else for what a topic cannot have.
    pub fn topic(&self, parts: &[&str]) -> String {
        let joined = parts.join(&self.delimiter);
        let mut topic = String::with_capacity(joined.len());
        for c in joined.chars() {
            match c {
                '.' | '-' => topic.push(c),
                _ if c.is_ascii_alphanumeric() => topic.push(c),
                // It begins an escape, so that it needs one itself.
                _ if self.strategy.escapes => escape(c, &mut topic),
                _ => topic.push('_'),
            }
        }
        topic
    }

    /// The name of a schema.
    pub fn schema(&self, name: &str) -> String {
        adjusted(self.schemas, name, |c| c == '.')
    }

    /// The name of a field.
    pub fn field(&self, name: &str) -> String {
        adjusted(self.fields, name, |_| false)
    }
}

/// What Avro does not allow is replaced. A digit at the beginning is kept behind its replacement.
fn adjusted(adjustment: Adjustment, name: &str, also: impl Fn(char) -> bool) -> String {
    let underscore = match adjustment {
        Adjustment::None => return name.to_owned(),
        Adjustment::Avro => true,
        // Here the underscore begins an escape, so that it needs one itself.
        Adjustment::AvroUnicode => false,
    };
    let first = |c: char| c.is_ascii_alphabetic() || (underscore && c == '_');
    let later = |c: char| first(c) || c.is_ascii_digit() || also(c);
    let mut out = String::with_capacity(name.len());
    for (index, c) in name.chars().enumerate() {
        let good = if index == 0 { first(c) } else { later(c) };
        match adjustment {
            _ if good => out.push(c),
            Adjustment::AvroUnicode => escape(c, &mut out),
            Adjustment::None | Adjustment::Avro => {
                out.push('_');
                if index == 0 && later(c) {
                    out.push(c);
                }
            }
        }
    }
    out
}

/// The number of each of its UTF-16 units.
fn escape(c: char, out: &mut String) {
    let mut units = [0; 2];
    for unit in c.encode_utf16(&mut units) {
        out.push_str(&format!("_u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::STRATEGIES;

    fn naming(adjustment: Adjustment) -> Naming {
        Naming {
            schemas: adjustment,
            fields: adjustment,
            strategy: STRATEGIES[0],
            delimiter: ".".into(),
        }
    }

    #[test]
    fn topics_have_no_strange_characters() {
        let name = TableName {
            schema: "Strange Schema".into(),
            table: "Mixed Case.Täble-1".into(),
        };
        for (strategy, topic) in STRATEGIES.into_iter().zip([
            "dbz-names.Strange_Schema.Mixed_Case.T_ble-1",
            "dbz-names.Strange_u0020Schema.Mixed_u0020Case.T_u00e4ble-1",
            "dbz-names.Mixed_Case.T_ble-1",
            "dbz-names.Mixed_u0020Case.T_u00e4ble-1",
        ]) {
            let naming = Naming {
                strategy,
                ..naming(Adjustment::None)
            };
            assert_eq!(naming.table_topic("dbz-names", &name), topic);
        }
    }

    #[test]
    fn names_are_adjusted_for_avro() {
        let avro = naming(Adjustment::Avro);
        assert_eq!(
            avro.schema("dbz-names.Mixed_Case.Table-1.Key"),
            "dbz_names.Mixed_Case.Table_1.Key"
        );
        for (name, adjusted) in [
            ("Col With Space", "Col_With_Space"),
            ("ünïcode", "_n_code"),
            ("a.b", "a_b"),
            ("1st", "_1st"),
            ("x-y", "x_y"),
        ] {
            assert_eq!(avro.field(name), adjusted);
        }
        let unicode = naming(Adjustment::AvroUnicode);
        assert_eq!(unicode.field("a-b_c"), "a_u002db_u005fc");
    }
}
