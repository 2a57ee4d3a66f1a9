//! Expressions as `java.util.regex.Pattern` reads them, with its messages.

mod escape;
mod scan;
mod set;

use std::collections::BTreeMap;

use super::RegexError;
use super::class::{Class, LINE_ENDS};
use super::node::{Greed, Node};

use escape::Escape;
use scan::Scan;

/// An expression, and its groups.
#[derive(Debug)]
pub struct Parsed {
    pub node: Node,
    pub groups: usize,
    pub names: BTreeMap<String, usize>,
}

pub fn parse(pattern: &str) -> Result<Parsed, RegexError> {
    let mut parser = Parser {
        scan: Scan::new(pattern),
        flags: Flags::default(),
        groups: 0,
        open: Vec::new(),
        names: BTreeMap::new(),
        depth: 0,
    };
    let node = parser.alternatives()?;
    if !parser.scan.is_at_end() {
        let what = if parser.scan.peek() == ')' {
            "Unmatched closing ')'"
        } else {
            "Unexpected internal error"
        };
        return Err(parser.scan.error(what));
    }
    Ok(Parsed {
        node,
        groups: parser.groups,
        names: parser.names,
    })
}

/// `(?idmsuxU)`
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    any_case: bool,
    unix_lines: bool,
    multiline: bool,
    dot_all: bool,
    unicode_case: bool,
    unicode_classes: bool,
}

struct Parser {
    scan: Scan,
    flags: Flags,
    /// How many have been opened.
    groups: usize,
    /// Those that are not closed yet: they cannot be referred to.
    open: Vec<usize>,
    names: BTreeMap<String, usize>,
    depth: usize,
}

type Parse<T> = Result<T, RegexError>;

/// Deeper expressions would need a deeper stack.
const MAX_DEPTH: usize = 200;

impl Parser {
    fn alternatives(&mut self) -> Parse<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(RegexError(format!(
                "more than {MAX_DEPTH} groups in each other are not supported"
            )));
        }
        let mut alternatives = vec![self.sequence()?];
        while self.scan.peek() == '|' {
            self.scan.next();
            alternatives.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(match alternatives.pop() {
            Some(only) if alternatives.is_empty() => only,
            Some(last) => {
                alternatives.push(last);
                Node::Alternatives(alternatives)
            }
            None => Node::Empty,
        })
    }

    fn sequence(&mut self) -> Parse<Node> {
        let mut nodes = Vec::new();
        loop {
            let node = match self.scan.peek() {
                '(' => match self.group()? {
                    Some(node) => node,
                    // Flags, which are no node.
                    None => continue,
                },
                '[' => Node::Class(self.folded_set()?),
                '\\' => self.escape()?,
                '^' => {
                    self.scan.next();
                    let unix = self.flags.unix_lines;
                    if self.flags.multiline {
                        Node::LineBegin { unix }
                    } else {
                        Node::Begin
                    }
                }
                '$' => {
                    self.scan.next();
                    let unix = self.flags.unix_lines;
                    if self.flags.multiline {
                        Node::LineEnd { unix }
                    } else {
                        Node::EndOrLast { unix }
                    }
                }
                '.' => {
                    self.scan.next();
                    Node::Class(self.dot())
                }
                '|' | ')' => break,
                dangling @ ('?' | '*' | '+') => {
                    self.scan.next();
                    return Err(self.scan.error(&format!("Dangling meta character '{dangling}'")));
                }
                '\0' if self.scan.is_beyond() => break,
                // Java finds nothing here to repeat, and says so of the brace.
                '{' => Node::Empty,
                literal => {
                    self.scan.next();
                    Node::Class(self.literal(literal))
                }
            };
            nodes.push(self.repeated(node)?);
        }
        Ok(match nodes.pop() {
            Some(only) if nodes.is_empty() => only,
            Some(last) => {
                nodes.push(last);
                Node::Sequence(nodes)
            }
            None => Node::Empty,
        })
    }

    fn dot(&self) -> Class {
        if self.flags.dot_all {
            Class::any()
        } else if self.flags.unix_lines {
            Class::one('\n').not()
        } else {
            Class::ranges(LINE_ENDS).not()
        }
    }

    /// One character, in the cases that are good.
    fn literal(&self, c: char) -> Class {
        match (self.flags.any_case, self.flags.unicode_case) {
            (false, _) => Class::one(c),
            (true, false) => Class::range_in_any_ascii_case(c, c),
            (true, true) => Class::AnyCase(Box::new(Class::one(c))),
        }
    }

    /// A set in brackets.
    fn folded_set(&mut self) -> Parse<Class> {
        let set = self.set(true)?;
        Ok(if self.flags.any_case && self.flags.unicode_case {
            Class::AnyCase(Box::new(set))
        } else {
            set
        })
    }

    fn escape(&mut self) -> Parse<Node> {
        if matches!(self.scan.at(1), 'p' | 'P') {
            return Ok(Node::Class(self.property()?));
        }
        Ok(match self.escaped(escape::Place::Outside)? {
            Escape::Char(c) => Node::Class(self.literal(c)),
            Escape::Class(class) => Node::Class(class),
            Escape::Node(node) => node,
        })
    }

    /// What a number of times is read behind a node.
    fn repeated(&mut self, node: Node) -> Parse<Node> {
        let (least, most) = match self.scan.peek() {
            '?' => (0, Some(1)),
            '*' => (0, None),
            '+' => (1, None),
            '{' => return self.counted(node),
            _ => return Ok(node),
        };
        self.scan.next();
        Ok(self.greed(node, least, most))
    }

    fn greed(&mut self, node: Node, least: u32, most: Option<u32>) -> Node {
        let greed = match self.scan.peek() {
            '?' => Greed::Reluctant,
            '+' => Greed::Possessive,
            _ => Greed::Greedy,
        };
        if greed != Greed::Greedy {
            self.scan.next();
        }
        Node::Repeat {
            node: Box::new(node),
            least,
            most,
            greed,
        }
    }

    /// `{2}`, `{2,}`, `{2,3}`
    fn counted(&mut self, node: Node) -> Parse<Node> {
        let first = self.scan.skip();
        if !first.is_ascii_digit() {
            return Err(self.scan.error("Illegal repetition"));
        }
        let (least, mut c) = self.number(first)?;
        let most = if c == ',' {
            c = self.scan.read();
            if c == '}' {
                None
            } else if c.is_ascii_digit() {
                let (most, after) = self.number(c)?;
                c = after;
                Some(most)
            } else {
                return Err(self.scan.error("Unclosed counted closure"));
            }
        } else {
            Some(least)
        };
        if c != '}' {
            return Err(self.scan.error("Unclosed counted closure"));
        }
        if most.is_some_and(|most| most < least) {
            return Err(self.scan.error("Illegal repetition range"));
        }
        Ok(self.greed(node, least, most))
    }

    /// A number, and the character behind it.
    fn number(&mut self, first: char) -> Parse<(u32, char)> {
        let mut number = 0_i32;
        let mut c = first;
        while let Some(digit) = c.to_digit(10) {
            number = number
                .checked_mul(10)
                .and_then(|number| number.checked_add(digit as i32))
                .ok_or_else(|| self.scan.error("Illegal repetition range"))?;
            c = self.scan.read();
        }
        Ok((number as u32, c))
    }

    /// A group; flags for what follows are none.
    fn group(&mut self) -> Parse<Option<Node>> {
        let (flags, comments) = (self.flags, self.scan.comments);
        let node = if self.scan.next() == '?' {
            match self.scan.skip() {
                ':' => Node::Group(self.inside()?),
                '=' => self.look(true, false)?,
                '!' => self.look(true, true)?,
                '>' => Node::Atomic(self.inside()?),
                '<' => match self.scan.read() {
                    '=' => self.look(false, false)?,
                    '!' => self.look(false, true)?,
                    first => self.named(first)?,
                },
                '$' | '@' => return Err(self.scan.error("Unknown group type")),
                _ => {
                    self.scan.unread();
                    self.set_flags()?;
                    match self.scan.read() {
                        ')' => return Ok(None),
                        ':' => Node::Group(self.inside()?),
                        _ => return Err(self.scan.error("Unknown inline modifier")),
                    }
                }
            }
        } else {
            self.capture()?
        };
        if self.scan.read() != ')' {
            return Err(self.scan.error("Unclosed group"));
        }
        (self.flags, self.scan.comments) = (flags, comments);
        Ok(Some(node))
    }

    fn inside(&mut self) -> Parse<Box<Node>> {
        self.alternatives().map(Box::new)
    }

    fn capture(&mut self) -> Parse<Node> {
        self.groups += 1;
        self.open.push(self.groups);
        let inside = self.inside()?;
        self.open.pop();
        Ok(Node::Capture(inside))
    }

    fn named(&mut self, first: char) -> Parse<Node> {
        let name = self.group_name(first)?;
        if self.names.contains_key(&name) {
            return Err(self
                .scan
                .error(&format!("Named capturing group <{name}> is already defined")));
        }
        self.names.insert(name, self.groups + 1);
        self.capture()
    }

    fn group_name(&mut self, first: char) -> Parse<String> {
        if !first.is_ascii_alphabetic() {
            return Err(self
                .scan
                .error("capturing group name does not start with a Latin letter"));
        }
        let mut name = String::from(first);
        let mut c = self.scan.read();
        while c.is_ascii_alphanumeric() {
            name.push(c);
            c = self.scan.read();
        }
        if c != '>' {
            return Err(self.scan.error("named capturing group is missing trailing '>'"));
        }
        Ok(name)
    }

    fn look(&mut self, ahead: bool, negated: bool) -> Parse<Node> {
        let inside = self.inside()?;
        if !ahead && !inside.is_bounded() {
            return Err(self
                .scan
                .error("Look-behind group does not have an obvious maximum length"));
        }
        Ok(Node::Look { ahead, negated, inside })
    }

    fn set_flags(&mut self) -> Parse<()> {
        let mut on = true;
        let mut c = self.scan.peek();
        loop {
            match c {
                'i' => self.flags.any_case = on,
                'm' => self.flags.multiline = on,
                's' => self.flags.dot_all = on,
                'd' => self.flags.unix_lines = on,
                'u' => self.flags.unicode_case = on,
                'x' => self.scan.comments = on,
                'U' => {
                    self.flags.unicode_classes = on;
                    self.flags.unicode_case = on;
                }
                'c' => return Err(RegexError("canonical equivalence is not supported".to_owned())),
                '-' if on => on = false,
                _ => return Ok(()),
            }
            c = self.scan.next();
        }
    }
}
