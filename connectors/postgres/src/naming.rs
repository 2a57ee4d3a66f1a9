//! Names of topics, schemas and fields.

use crate::config::{Adjustment, Naming};

/// The topic of a table: prefix, schema and table, with `_` for what a topic cannot have.
pub fn topic(parts: &[&str]) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    parts
        .join(".")
        .chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect()
}

impl Naming {
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
            Adjustment::AvroUnicode => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("_u{unit:04x}"));
                }
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_have_no_strange_characters() {
        assert_eq!(
            topic(&["dbz-names", "Strange Schema", "Mixed Case.Täble-1"]),
            "dbz-names.Strange_Schema.Mixed_Case.T_ble-1"
        );
    }

    #[test]
    fn names_are_adjusted_for_avro() {
        let avro = Naming {
            schemas: Adjustment::Avro,
            fields: Adjustment::Avro,
        };
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
        let unicode = Naming {
            schemas: Adjustment::AvroUnicode,
            fields: Adjustment::AvroUnicode,
        };
        assert_eq!(unicode.field("a-b_c"), "a_u002db_u005fc");
    }
}
