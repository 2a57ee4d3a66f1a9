//! Sets in brackets.

use super::super::RegexError;
use super::super::class::Class;
use super::escape::{Escape, Place};
use super::{MAX_DEPTH, Parse, Parser};

impl Parser {
    /// A set; the current character is the bracket, or with `consume` false the one before the rest of an intersection,
    /// whose closing bracket is left.
    pub(super) fn set(&mut self, consume: bool) -> Parse<Class> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(RegexError(format!(
                "more than {MAX_DEPTH} sets in each other are not supported"
            )));
        }
        let opened = self.scan.at(0) == '[';
        let mut c = self.scan.next();
        let negated = opened && c == '^';
        if negated {
            c = self.scan.next();
        }
        let mut set: Option<Class> = None;
        loop {
            match c {
                '[' => add(&mut set, self.set(true)?),
                '&' if self.scan.next() == '&' => self.intersection(&mut set)?,
                '&' => {
                    self.scan.unread();
                    add(&mut set, self.range()?);
                }
                '\0' if self.scan.is_beyond() => return Err(self.scan.error("Unclosed character class")),
                ']' if set.is_some() => break,
                _ => add(&mut set, self.range()?),
            }
            c = self.scan.peek();
        }
        if consume {
            self.scan.next();
        }
        self.depth -= 1;
        let set = set.unwrap_or(Class::Union(Vec::new()));
        Ok(if negated { set.not() } else { set })
    }

    /// What follows `&&`, up to the end of the set or another one.
    fn intersection(&mut self, set: &mut Option<Class>) -> Parse<()> {
        let mut right: Option<Class> = None;
        let mut c = self.scan.next();
        while c != ']' && c != '&' {
            if c == '[' {
                add(&mut right, self.set(true)?);
            } else {
                self.scan.unread();
                add(&mut right, self.set(false)?);
            }
            c = self.scan.peek();
        }
        *set = match (set.take(), right) {
            (None, None) => return Err(self.scan.error("Bad class syntax")),
            (None, Some(only)) | (Some(only), None) => Some(only),
            (Some(left), Some(right)) => Some(left.and(right)),
        };
        Ok(())
    }

    /// One character, a range of them, or a named set.
    fn range(&mut self) -> Parse<Class> {
        let from = match self.scan.peek() {
            '\\' if matches!(self.scan.at(1), 'p' | 'P') => return self.property(),
            '\\' => {
                let place = if self.scan.at(2) == '-' {
                    Place::Range
                } else {
                    Place::Set
                };
                match self.escaped(place)? {
                    Escape::Char(c) => c,
                    Escape::Class(class) => return Ok(class),
                    Escape::Node(_) => return Err(self.scan.error("Illegal/unsupported escape sequence")),
                }
            }
            c => {
                self.scan.next();
                c
            }
        };
        if self.scan.peek() != '-' || matches!(self.scan.at(1), '[' | ']') {
            return Ok(self.in_case(from, from));
        }
        self.scan.next();
        let to = match self.scan.peek() {
            '\\' => match self.escaped(Place::Range)? {
                Escape::Char(c) => c,
                // The original compares the number that stands for a set.
                Escape::Class(_) | Escape::Node(_) => return Err(self.scan.error("Illegal character range")),
            },
            c => {
                self.scan.next();
                c
            }
        };
        if to < from {
            return Err(self.scan.error("Illegal character range"));
        }
        Ok(self.in_case(from, to))
    }

    fn in_case(&self, from: char, to: char) -> Class {
        if self.flags.any_case && !self.flags.unicode_case {
            Class::range_in_any_ascii_case(from, to)
        } else {
            Class::Range(from, to)
        }
    }
}

fn add(set: &mut Option<Class>, more: Class) {
    *set = Some(match set.take() {
        None => Class::Union(vec![more]),
        Some(set) => set.or(more),
    });
}
