//! Sets of characters.

use std::borrow::Cow;

/// A set. Written in the engine's syntax, inner sets stand in brackets of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    Range(char, char),
    /// A set that the engine knows by name, such as `\p{Lu}`.
    Named(Cow<'static, str>),
    /// Any letters' case is good, by Unicode's rules.
    AnyCase(Box<Class>),
    Union(Vec<Class>),
    Both(Box<Class>, Box<Class>),
    Not(Box<Class>),
}

/// What ends a line, as a set.
pub const LINE_ENDS: &[(char, char)] = &[
    ('\n', '\n'),
    ('\r', '\r'),
    ('\u{85}', '\u{85}'),
    ('\u{2028}', '\u{2029}'),
];

impl Class {
    pub fn one(c: char) -> Self {
        Class::Range(c, c)
    }

    pub const fn named(name: &'static str) -> Self {
        Class::Named(Cow::Borrowed(name))
    }

    pub fn ranges(ranges: &[(char, char)]) -> Self {
        Class::Union(ranges.iter().map(|(from, to)| Class::Range(*from, *to)).collect())
    }

    pub fn any() -> Self {
        Class::Range('\0', char::MAX)
    }

    #[must_use]
    pub fn not(self) -> Self {
        Class::Not(Box::new(self))
    }

    #[must_use]
    pub fn and(self, other: Class) -> Self {
        Class::Both(Box::new(self), Box::new(other))
    }

    #[must_use]
    pub fn or(self, other: Class) -> Self {
        match self {
            Class::Union(mut all) => {
                all.push(other);
                Class::Union(all)
            }
            one => Class::Union(vec![one, other]),
        }
    }

    /// A range with the other case of its ASCII letters.
    pub fn range_in_any_ascii_case(from: char, to: char) -> Self {
        let mut all = vec![Class::Range(from, to)];
        let mut add = |first: char, last: char, other: fn(&char) -> char| {
            let (start, end) = (from.max(first), to.min(last));
            if start <= end {
                all.push(Class::Range(other(&start), other(&end)));
            }
        };
        add('a', 'z', char::to_ascii_uppercase);
        add('A', 'Z', char::to_ascii_lowercase);
        if all.len() == 1 {
            Class::Range(from, to)
        } else {
            Class::Union(all)
        }
    }

    /// Appends it in the engine's syntax.
    pub fn write(&self, out: &mut String) {
        match self {
            Class::Range(from, to) if from == to => {
                out.push('[');
                write_char(*from, out);
                out.push(']');
            }
            Class::Range(from, to) => {
                out.push('[');
                write_char(*from, out);
                out.push('-');
                write_char(*to, out);
                out.push(']');
            }
            Class::Named(name) => {
                out.push('[');
                out.push_str(name);
                out.push(']');
            }
            Class::AnyCase(class) => {
                out.push_str("(?i:");
                class.write(out);
                out.push(')');
            }
            // No set at all: what is both a thing and not that thing.
            Class::Union(all) if all.is_empty() => out.push_str(r"[^\x{0}-\x{10FFFF}]"),
            Class::Union(all) => {
                out.push('[');
                all.iter().for_each(|class| class.write(out));
                out.push(']');
            }
            Class::Both(one, other) => {
                out.push('[');
                one.write(out);
                out.push_str("&&");
                other.write(out);
                out.push(']');
            }
            Class::Not(class) => {
                out.push_str("[^");
                class.write(out);
                out.push(']');
            }
        }
    }
}

/// By number, so that no character means anything.
fn write_char(c: char, out: &mut String) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else {
        out.push_str(&format!(r"\x{{{:X}}}", u32::from(c)));
    }
}
