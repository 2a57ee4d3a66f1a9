//! Default expressions: the literal that one stands for, as far as the original reads them.

use super::decimal;

/// The text of the default, or a stand-in for what a function would give. `None`: types whose defaults are not shown.
pub fn literal_of(type_name: &str, expression: &str) -> Option<String> {
    let stand_in = match type_name {
        "bool" => "false",
        "bit" | "varbit" => "0",
        "bpchar" | "char" | "name" | "text" | "varchar" | "xml" => "",
        "date" | "timestamp" => "1970-01-01",
        "timestamptz" => "1970-01-01 00:00:00+00",
        "float4" | "float8" | "numeric" => "0.0",
        "int2" | "int4" | "int8" | "serial" | "bigserial" | "smallserial" => "0",
        "interval" => "PT0S",
        "json" | "jsonb" => "{}",
        "time" => "00:00",
        "uuid" => "00000000-0000-0000-0000-000000000000",
        _ => return None,
    };
    if is_function(expression) || is_current_time(expression) {
        return Some(stand_in.to_owned());
    }
    match quoted(expression) {
        Some(text) if type_name == "numeric" && decimal::special(text.as_bytes()).is_some() => None,
        Some(text) => Some(text.to_owned()),
        None if expression.starts_with("NULL::") => None,
        None => Some(expression.to_owned()),
    }
}

/// The same for the label of an enum.
pub fn label_of(expression: &str) -> Option<String> {
    let is_literal = !is_function(expression) && !is_calculation(expression);
    quoted(expression).filter(|_| is_literal).map(str::to_owned)
}

/// `now()`, `nextval('s'::regclass)`, `(f(x))`.
fn is_function(expression: &str) -> bool {
    let rest = expression.strip_prefix('(').unwrap_or(expression);
    let name = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.')))
        .unwrap_or(rest.len());
    name > 0 && rest[name..].starts_with('(') && rest.contains(')')
}

/// Functions without parentheses.
fn is_current_time(expression: &str) -> bool {
    [
        "current_timestamp",
        "current_time",
        "current_date",
        "localtime",
        "localtimestamp",
    ]
    .iter()
    .any(|name| expression.eq_ignore_ascii_case(name))
}

/// `(a + b)`: anything in parentheses with an operator between operands.
fn is_calculation(expression: &str) -> bool {
    let Some(inner) = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return false;
    };
    let operator = |c: char| "+-*/<>=~!@#%^&|`?".contains(c);
    inner
        .char_indices()
        .any(|(at, c)| at > 0 && operator(c) && at + c.len_utf8() < inner.len())
}

/// The first text in quotes, up to the next quote.
fn quoted(expression: &str) -> Option<&str> {
    let (_, rest) = expression.split_once('\'')?;
    rest.split_once('\'').map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_and_functions_stood_in_for() {
        for (name, expression, literal) in [
            ("int4", "5", Some("5")),
            ("int4", "'-1'::integer", Some("-1")),
            ("int8", "'9000000000'::bigint", Some("9000000000")),
            ("int4", "nextval('ledger_id_seq'::regclass)", Some("0")),
            ("text", "'it''s'::text", Some("it")),
            ("text", "CURRENT_USER", Some("CURRENT_USER")),
            (
                "uuid",
                "gen_random_uuid()",
                Some("00000000-0000-0000-0000-000000000000"),
            ),
            ("timestamptz", "now()", Some("1970-01-01 00:00:00+00")),
            ("jsonb", "'{\"a\": 1}'::jsonb", Some("{\"a\": 1}")),
            ("int4", "(1 + 2)", Some("(1 + 2)")),
            ("numeric", "'NaN'::numeric", None),
            ("float8", "'NaN'::double precision", Some("NaN")),
            ("date", "CURRENT_DATE", Some("1970-01-01")),
            ("timestamptz", "CURRENT_TIMESTAMP", Some("1970-01-01 00:00:00+00")),
            ("varchar", "NULL::character varying", None),
            ("text", "'NULL::text'::text", Some("NULL::text")),
            ("text", "('x'::text || 'y'::text)", Some("x")),
            ("citext", "'c'::citext", None),
            ("money", "1.5", None),
            ("bytea", "'\\x0102'::bytea", None),
            ("_int4", "'{1,2}'::integer[]", None),
            ("inet", "'127.0.0.1'::inet", None),
            ("mood", "'ok'::mood", None),
        ] {
            assert_eq!(literal_of(name, expression).as_deref(), literal, "{expression}");
        }
        assert_eq!(label_of("'b c'::mood").as_deref(), Some("b c"));
        assert_eq!(label_of("pick('a'::text)"), None);
    }
}
