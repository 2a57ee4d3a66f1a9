//! A parsed expression.

use super::class::Class;

/// A part of an expression. What flags say is worked into the parts.
#[derive(Clone, Debug)]
pub enum Node {
    Empty,
    /// Never matches: what a reference to a group that does not exist comes to.
    Never,
    /// One character out of a set.
    Class(Class),
    Sequence(Vec<Node>),
    Alternatives(Vec<Node>),
    Capture(Box<Node>),
    /// `(?:...)`
    Group(Box<Node>),
    /// `(?>...)`
    Atomic(Box<Node>),
    Look {
        ahead: bool,
        negated: bool,
        inside: Box<Node>,
    },
    Repeat {
        node: Box<Node>,
        least: u32,
        /// None: any number.
        most: Option<u32>,
        greed: Greed,
    },
    /// What a group has matched.
    Reference {
        group: usize,
        any_case: bool,
    },
    /// `^` without flags, `\A`, and `\G`, which for the first match is the same.
    Begin,
    /// `\z`
    End,
    /// `$` and `\Z`: the end, or before a line's end at the end.
    EndOrLast {
        unix: bool,
    },
    /// `^` and `$` where each line counts.
    LineBegin {
        unix: bool,
    },
    LineEnd {
        unix: bool,
    },
    /// `\b`, or `\B`.
    Bound {
        negated: bool,
        unicode: bool,
    },
    /// `\R`
    LineBreak,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greed {
    Greedy,
    Reluctant,
    Possessive,
}

impl Node {
    /// Whether what it matches has a greatest length, which Java asks of what it looks back at.
    pub fn is_bounded(&self) -> bool {
        match self {
            Node::Sequence(nodes) | Node::Alternatives(nodes) => nodes.iter().all(Node::is_bounded),
            Node::Capture(node) | Node::Group(node) | Node::Atomic(node) => node.is_bounded(),
            // Single characters, however many, have a bound of their own in Java.
            Node::Repeat { node, most, .. } => matches!(**node, Node::Class(_)) || most.is_some() && node.is_bounded(),
            Node::Reference { .. } => false,
            Node::Empty
            | Node::Never
            | Node::Class(_)
            | Node::Look { .. }
            | Node::Begin
            | Node::End
            | Node::EndOrLast { .. }
            | Node::LineBegin { .. }
            | Node::LineEnd { .. }
            | Node::Bound { .. }
            | Node::LineBreak => true,
        }
    }

    /// Whether it matches without taking a character.
    pub fn is_empty(&self) -> bool {
        match self {
            Node::Sequence(nodes) | Node::Alternatives(nodes) => nodes.iter().all(Node::is_empty),
            Node::Group(node) | Node::Atomic(node) | Node::Repeat { node, .. } => node.is_empty(),
            Node::Empty
            | Node::Look { .. }
            | Node::Begin
            | Node::End
            | Node::EndOrLast { .. }
            | Node::LineBegin { .. }
            | Node::LineEnd { .. }
            | Node::Bound { .. } => true,
            Node::Never | Node::Class(_) | Node::Capture(_) | Node::Reference { .. } | Node::LineBreak => false,
        }
    }
}
