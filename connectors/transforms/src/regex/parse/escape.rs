//! What a backslash begins.

use super::super::RegexError;
use super::super::class::Class;
use super::super::node::Node;
use super::super::property::{self, Property};
use super::{Parse, Parser};

/// What it stands for.
pub enum Escape {
    Char(char),
    Class(Class),
    Node(Node),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Outside,
    Set,
    /// An end of a range in a set, where `\v` is a character.
    Range,
}

impl Parser {
    /// Reads an escape sequence other than `\p`; the backslash is the current character.
    pub(super) fn escaped(&mut self, place: Place) -> Parse<Escape> {
        let unicode = self.flags.unicode_classes;
        let outside = place == Place::Outside;
        let c = self.scan.skip();
        let class = |class: Class, plain: bool| Ok(Escape::Class(if plain { class } else { class.not() }));
        Ok(match c {
            '0' => Escape::Char(self.octal()?),
            '1'..='9' if outside => Escape::Node(self.reference(c as usize - '0' as usize)?),
            'A' | 'G' if outside => Escape::Node(Node::Begin),
            'z' if outside => Escape::Node(Node::End),
            'Z' if outside => Escape::Node(Node::EndOrLast {
                unix: self.flags.unix_lines,
            }),
            'b' if outside && self.scan.at(0) == '{' => {
                return Err(RegexError("\\b{g} is not supported".to_owned()));
            }
            'b' | 'B' if outside => Escape::Node(Node::Bound {
                negated: c == 'B',
                unicode,
            }),
            'R' if outside => Escape::Node(Node::LineBreak),
            'k' if outside => Escape::Node(self.named_reference()?),
            'X' if outside => return Err(RegexError("\\X is not supported".to_owned())),
            'N' => return Err(RegexError("\\N is not supported".to_owned())),
            'd' | 'D' => return class(property::digit(unicode), c == 'd'),
            's' | 'S' => return class(property::space(unicode), c == 's'),
            'w' | 'W' => return class(property::word(unicode), c == 'w'),
            'h' | 'H' => return class(property::horizontal_space(), c == 'h'),
            'v' if place == Place::Range => Escape::Char('\x0b'),
            'v' | 'V' => return class(property::vertical_space(), c == 'v'),
            'a' => Escape::Char('\x07'),
            'e' => Escape::Char('\x1b'),
            'f' => Escape::Char('\x0c'),
            'n' => Escape::Char('\n'),
            'r' => Escape::Char('\r'),
            't' => Escape::Char('\t'),
            'c' => Escape::Char(self.control()?),
            'u' => Escape::Char(self.utf16()?),
            'x' => Escape::Char(self.hexadecimal()?),
            c if c.is_ascii_alphanumeric() => return Err(self.scan.error("Illegal/unsupported escape sequence")),
            c => Escape::Char(c),
        })
    }

    /// `\p{name}`, `\pL` and their negations; the backslash is the current character.
    pub(super) fn property(&mut self) -> Parse<Class> {
        let negated = self.scan.next_escaped() == 'P';
        let name = if self.scan.next() == '{' {
            self.scan.next();
            match self.scan.until('}') {
                None => {
                    self.scan.go_to_end();
                    return Err(self.scan.error("Unclosed character family"));
                }
                Some(name) if name.is_empty() => return Err(self.scan.error("Empty character family")),
                Some(name) => name,
            }
        } else {
            self.scan.read().to_string()
        };
        let class = match property::property(&name, self.flags.any_case, self.flags.unicode_classes) {
            Property::Known(class) => class,
            Property::Unsupported => return Err(RegexError(format!("\\p{{{name}}} is not supported"))),
            Property::Unknown => {
                let what = match name.split_once('=') {
                    Some((key, value)) => {
                        let key = key.to_lowercase();
                        format!("Unknown Unicode property {{name=<{key}>, value=<{value}>}}")
                    }
                    None => format!("Unknown character property name {{{name}}}"),
                };
                return Err(self.scan.error(&what));
            }
        };
        Ok(if negated { class.not() } else { class })
    }

    /// A number means as many of its digits as there is a group for.
    fn reference(&mut self, first: usize) -> Parse<Node> {
        let mut number = first;
        while let Some(digit) = self.scan.peek().to_digit(10) {
            let longer = number * 10 + digit as usize;
            if longer > self.groups {
                break;
            }
            number = longer;
            self.scan.read();
        }
        self.reference_to(number)
    }

    fn named_reference(&mut self) -> Parse<Node> {
        if self.scan.read() != '<' {
            return Err(self.scan.error("\\k is not followed by '<' for named capturing group"));
        }
        let first = self.scan.read();
        let name = self.group_name(first)?;
        match self.names.get(&name) {
            Some(number) => self.reference_to(*number),
            None => Err(self
                .scan
                .error(&format!("named capturing group <{name}> does not exist"))),
        }
    }

    fn reference_to(&self, number: usize) -> Parse<Node> {
        if self.open.contains(&number) {
            // Nothing is in a group before it is through.
            return Ok(Node::Never);
        }
        if number > self.groups {
            // Outside of groups nothing is read a second time, when the group might hold something.
            return match self.depth > 1 && self.scan.opens_more() {
                true => Err(RegexError(format!(
                    "\\{number} refers to a group that comes later, which is not supported"
                ))),
                false => Ok(Node::Never),
            };
        }
        Ok(Node::Reference {
            group: number,
            any_case: self.flags.any_case,
        })
    }

    /// `\0n`, `\0nn`, `\0mnn`
    fn octal(&mut self) -> Parse<char> {
        let digit = |c: char| c.to_digit(8);
        let Some(first) = digit(self.scan.read()) else {
            return Err(self.scan.error("Illegal octal escape sequence"));
        };
        let mut number = first;
        for place in 0..2 {
            let next = self.scan.read();
            match digit(next) {
                Some(next) if place == 0 || first <= 3 => number = number * 8 + next,
                Some(_) | None => {
                    self.scan.unread();
                    break;
                }
            }
        }
        Ok(char::from_u32(number).unwrap_or_default())
    }

    fn control(&mut self) -> Parse<char> {
        if self.scan.is_beyond() {
            return Err(self.scan.error("Illegal control escape sequence"));
        }
        let c = self.scan.read();
        char::from_u32(u32::from(c) ^ 64).ok_or_else(|| RegexError(format!("\\c{c} is not supported")))
    }

    fn hexadecimal(&mut self) -> Parse<char> {
        let first = self.scan.read();
        if let Some(high) = first.to_digit(16) {
            if let Some(low) = self.scan.read().to_digit(16) {
                return Ok(char::from_u32(high * 16 + low).unwrap_or_default());
            }
        } else if first == '{' && self.scan.peek().is_ascii_hexdigit() {
            let mut number = 0;
            let mut c = self.scan.read();
            while let Some(digit) = c.to_digit(16) {
                number = number << 4 | digit;
                if number > u32::from(char::MAX) {
                    return Err(self.scan.error("Hexadecimal codepoint is too big"));
                }
                c = self.scan.read();
            }
            if c != '}' {
                return Err(self.scan.error("Unclosed hexadecimal escape sequence"));
            }
            return surrogate_checked(number);
        }
        Err(self.scan.error("Illegal hexadecimal escape sequence"))
    }

    /// `\u` with four digits; two of them may be the halves of one character.
    fn utf16(&mut self) -> Parse<char> {
        let unit = self.four_digits()?;
        if (0xd800..0xdc00).contains(&unit) && self.scan.at(0) == '\\' && self.scan.at(1) == 'u' {
            self.scan.skip();
            let low = self.four_digits()?;
            if (0xdc00..0xe000).contains(&low) {
                return surrogate_checked(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            }
            return Err(RegexError("half a character is not supported".to_owned()));
        }
        surrogate_checked(unit)
    }

    fn four_digits(&mut self) -> Parse<u32> {
        let mut number = 0;
        for _ in 0..4 {
            let Some(digit) = self.scan.read().to_digit(16) else {
                return Err(self.scan.error("Illegal Unicode escape sequence"));
            };
            number = number * 16 + digit;
        }
        Ok(number)
    }
}

fn surrogate_checked(number: u32) -> Parse<char> {
    char::from_u32(number).ok_or_else(|| RegexError("half a character is not supported".to_owned()))
}
