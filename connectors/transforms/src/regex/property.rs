//! Sets of characters by name: `\p{...}`, `\d` and their kin.

use super::class::Class;

/// Kinds of characters that the engine knows under the name that Java has for them.
const CATEGORIES: &[(&str, &str)] = &[
    ("L", r"\p{L}"),
    ("Lu", r"\p{Lu}"),
    ("Ll", r"\p{Ll}"),
    ("Lt", r"\p{Lt}"),
    ("Lm", r"\p{Lm}"),
    ("Lo", r"\p{Lo}"),
    ("M", r"\p{M}"),
    ("Mn", r"\p{Mn}"),
    ("Me", r"\p{Me}"),
    ("Mc", r"\p{Mc}"),
    ("N", r"\p{N}"),
    ("Nd", r"\p{Nd}"),
    ("Nl", r"\p{Nl}"),
    ("No", r"\p{No}"),
    ("Z", r"\p{Z}"),
    ("Zs", r"\p{Zs}"),
    ("Zl", r"\p{Zl}"),
    ("Zp", r"\p{Zp}"),
    ("C", r"\p{C}"),
    ("Cc", r"\p{Cc}"),
    ("Cf", r"\p{Cf}"),
    ("Co", r"\p{Co}"),
    ("Cn", r"\p{Cn}"),
    ("P", r"\p{P}"),
    ("Pd", r"\p{Pd}"),
    ("Ps", r"\p{Ps}"),
    ("Pe", r"\p{Pe}"),
    ("Pc", r"\p{Pc}"),
    ("Po", r"\p{Po}"),
    ("Pi", r"\p{Pi}"),
    ("Pf", r"\p{Pf}"),
    ("S", r"\p{S}"),
    ("Sm", r"\p{Sm}"),
    ("Sc", r"\p{Sc}"),
    ("Sk", r"\p{Sk}"),
    ("So", r"\p{So}"),
];

/// Properties that `\p{Is...}` can name, whatever their case.
const PROPERTIES: &[(&str, &str)] = &[
    ("ALPHABETIC", r"\p{Alphabetic}"),
    ("LETTER", r"\p{L}"),
    ("IDEOGRAPHIC", r"\p{Ideographic}"),
    ("LOWERCASE", r"\p{Lowercase}"),
    ("UPPERCASE", r"\p{Uppercase}"),
    ("TITLECASE", r"\p{Lt}"),
    ("WHITE_SPACE", r"\p{White_Space}"),
    ("WHITESPACE", r"\p{White_Space}"),
    ("CONTROL", r"\p{Cc}"),
    ("PUNCTUATION", r"\p{P}"),
    ("HEX_DIGIT", r"\p{Hex_Digit}"),
    ("HEXDIGIT", r"\p{Hex_Digit}"),
    ("DIGIT", r"\p{Nd}"),
    ("JOIN_CONTROL", r"\p{Join_Control}"),
    ("JOINCONTROL", r"\p{Join_Control}"),
];

/// What a name stands for.
pub enum Property {
    Known(Class),
    /// Java knows it, but it is not supported here.
    Unsupported,
    Unknown,
}

fn find(table: &[(&str, &'static str)], name: &str) -> Option<Class> {
    let found = table.iter().find(|(known, _)| *known == name);
    found.map(|(_, class)| Class::named(class))
}

/// `\p{name}`.
pub fn property(name: &str, any_case: bool, unicode: bool) -> Property {
    let known = |class: Option<Class>| class.map_or(Property::Unknown, Property::Known);
    if let Some((key, value)) = name.split_once('=') {
        return match key.to_lowercase().as_str() {
            "sc" | "script" => script(value),
            "blk" | "block" => Property::Unsupported,
            "gc" | "general_category" => known(category(value, any_case)),
            _ => Property::Unknown,
        };
    }
    if name.starts_with("In") {
        return Property::Unsupported;
    }
    if let Some(short) = name.strip_prefix("Is") {
        let upper = short.to_uppercase();
        let found = binary(&upper, any_case).or_else(|| category(short, any_case));
        return found.map_or_else(|| script(short), Property::Known);
    }
    let by_unicode = if unicode {
        posix_by_unicode(name, any_case)
    } else {
        None
    };
    known(by_unicode.or_else(|| category(name, any_case)))
}

/// The engine knows the scripts by the names that Java has for them.
fn script(name: &str) -> Property {
    let written = format!(r"\p{{sc={name}}}");
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain && fancy_regex::Regex::new(&written).is_ok() {
        Property::Known(Class::Named(written.into()))
    } else {
        Property::Unknown
    }
}

fn binary(name: &str, any_case: bool) -> Option<Class> {
    if any_case && matches!(name, "LOWERCASE" | "UPPERCASE" | "TITLECASE") {
        return Some(cased());
    }
    if name == "ASSIGNED" {
        return find(CATEGORIES, "Cn").map(Class::not);
    }
    find(PROPERTIES, name)
}

fn cased() -> Class {
    Class::Union(vec![
        Class::named(r"\p{Lowercase}"),
        Class::named(r"\p{Uppercase}"),
        Class::named(r"\p{Lt}"),
    ])
}

/// `\p{Lu}`, `\p{Alpha}`, `\p{javaLowerCase}`.
fn category(name: &str, any_case: bool) -> Option<Class> {
    let letters = || {
        let named = ["Lu", "Ll", "Lt"].map(|name| find(CATEGORIES, name));
        Class::Union(named.into_iter().flatten().collect())
    };
    let ascii = |ranges: &[(char, char)]| Some(Class::ranges(ranges));
    match name {
        "Lu" | "Ll" | "Lt" if any_case => Some(letters()),
        "LC" => Some(letters()),
        "LD" => Some(Class::Union(vec![Class::named(r"\p{L}"), Class::named(r"\p{Nd}")])),
        "L1" => ascii(&[('\0', '\u{ff}')]),
        "all" => Some(Class::any()),
        "ASCII" => ascii(&[('\0', '\x7f')]),
        "Alnum" => ascii(&[('0', '9'), ('A', 'Z'), ('a', 'z')]),
        "Alpha" => ascii(&[('A', 'Z'), ('a', 'z')]),
        "Lower" | "Upper" if any_case => ascii(&[('A', 'Z'), ('a', 'z')]),
        "Lower" => ascii(&[('a', 'z')]),
        "Upper" => ascii(&[('A', 'Z')]),
        "Digit" => ascii(&[('0', '9')]),
        "XDigit" => ascii(&[('0', '9'), ('A', 'F'), ('a', 'f')]),
        "Punct" => ascii(&[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
        "Graph" => ascii(&[('!', '~')]),
        "Print" => ascii(&[(' ', '~')]),
        "Blank" => ascii(&[(' ', ' '), ('\t', '\t')]),
        "Cntrl" => ascii(&[('\0', '\x1f'), ('\x7f', '\x7f')]),
        "Space" => Some(space(false)),
        "javaLowerCase" | "javaUpperCase" | "javaTitleCase" if any_case => Some(cased()),
        "javaLowerCase" => find(PROPERTIES, "LOWERCASE"),
        "javaUpperCase" => find(PROPERTIES, "UPPERCASE"),
        "javaTitleCase" => find(PROPERTIES, "TITLECASE"),
        "javaAlphabetic" => find(PROPERTIES, "ALPHABETIC"),
        "javaIdeographic" => find(PROPERTIES, "IDEOGRAPHIC"),
        "javaDigit" => find(PROPERTIES, "DIGIT"),
        "javaDefined" => find(CATEGORIES, "Cn").map(Class::not),
        "javaLetter" => find(CATEGORIES, "L"),
        "javaLetterOrDigit" => category("LD", false),
        "javaISOControl" => ascii(&[('\0', '\x1f'), ('\x7f', '\u{9f}')]),
        "javaSpaceChar" => find(CATEGORIES, "Z"),
        "javaWhitespace" => {
            let breaking = Class::named(r"\p{Z}").and(Class::ranges(&NO_BREAK).not());
            Some(breaking.or(Class::ranges(&[('\t', '\r'), ('\x1c', '\x1f')])))
        }
        _ => find(CATEGORIES, name),
    }
}

const NO_BREAK: [(char, char); 3] = [('\u{a0}', '\u{a0}'), ('\u{2007}', '\u{2007}'), ('\u{202f}', '\u{202f}')];

/// The names of POSIX under the flag `U`.
fn posix_by_unicode(name: &str, any_case: bool) -> Option<Class> {
    let property = |name| find(PROPERTIES, name);
    match name.to_uppercase().as_str() {
        "ALPHA" => property("ALPHABETIC"),
        "LOWER" => binary("LOWERCASE", any_case),
        "UPPER" => binary("UPPERCASE", any_case),
        "SPACE" => property("WHITE_SPACE"),
        "PUNCT" => property("PUNCTUATION"),
        "DIGIT" => property("DIGIT"),
        "XDIGIT" => Some(Class::Union(vec![
            Class::named(r"\p{Nd}"),
            Class::named(r"\p{Hex_Digit}"),
        ])),
        "ALNUM" => Some(Class::Union(vec![
            Class::named(r"\p{Alphabetic}"),
            Class::named(r"\p{Nd}"),
        ])),
        "CNTRL" => property("CONTROL"),
        "BLANK" => Some(Class::named(r"\p{Zs}").or(Class::one('\t'))),
        "GRAPH" => Some(graph()),
        "PRINT" => Some(graph().or(Class::named(r"\p{Zs}"))),
        _ => None,
    }
}

fn graph() -> Class {
    Class::Union(vec![
        Class::named(r"\p{White_Space}"),
        Class::named(r"\p{Cc}"),
        Class::named(r"\p{Cn}"),
    ])
    .not()
}

/// `\d`
pub fn digit(unicode: bool) -> Class {
    if unicode {
        Class::named(r"\p{Nd}")
    } else {
        Class::Range('0', '9')
    }
}

/// `\s`
pub fn space(unicode: bool) -> Class {
    if unicode {
        Class::named(r"\p{White_Space}")
    } else {
        Class::ranges(&[('\t', '\r'), (' ', ' ')])
    }
}

/// `\w`
pub fn word(unicode: bool) -> Class {
    if unicode {
        let parts = [
            r"\p{Alphabetic}",
            r"\p{Mn}",
            r"\p{Me}",
            r"\p{Mc}",
            r"\p{Nd}",
            r"\p{Pc}",
            r"\p{Join_Control}",
        ];
        Class::Union(parts.map(Class::named).to_vec())
    } else {
        Class::ranges(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')])
    }
}

/// `\h`
pub fn horizontal_space() -> Class {
    Class::ranges(&[
        (' ', ' '),
        ('\t', '\t'),
        ('\u{a0}', '\u{a0}'),
        ('\u{1680}', '\u{1680}'),
        ('\u{180e}', '\u{180e}'),
        ('\u{2000}', '\u{200a}'),
        ('\u{202f}', '\u{202f}'),
        ('\u{205f}', '\u{205f}'),
        ('\u{3000}', '\u{3000}'),
    ])
}

/// `\v`
pub fn vertical_space() -> Class {
    Class::ranges(&[('\n', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')])
}
