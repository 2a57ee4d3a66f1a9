//! Parsed expressions in the engine's syntax.

use super::RegexError;
use super::class::{Class, LINE_ENDS};
use super::node::{Greed, Node};
use super::property;

pub fn write(node: &Node) -> Result<String, RegexError> {
    let mut out = String::new();
    write_node(node, &mut out)?;
    Ok(out)
}

fn write_node(node: &Node, out: &mut String) -> Result<(), RegexError> {
    match node {
        Node::Empty => out.push_str("(?:)"),
        Node::Never => Class::any().not().write(out),
        Node::Class(class) => class.write(out),
        Node::Sequence(nodes) => nodes.iter().try_for_each(|node| write_node(node, out))?,
        Node::Alternatives(nodes) => {
            out.push_str("(?:");
            for (index, node) in nodes.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "|" });
                write_node(node, out)?;
            }
            out.push(')');
        }
        Node::Capture(node) => within("(", node, out)?,
        Node::Group(node) => within("(?:", node, out)?,
        Node::Atomic(node) => within("(?>", node, out)?,
        Node::Look { ahead, negated, inside } => {
            let open = match (ahead, negated) {
                (true, false) => "(?=",
                (true, true) => "(?!",
                (false, false) => "(?<=",
                (false, true) => "(?<!",
            };
            within(open, inside, out)?;
        }
        Node::Repeat {
            node,
            least,
            most,
            greed,
        } => repeat(node, *least, *most, *greed, out)?,
        // In a group of its own, so that a digit behind it stays a digit.
        Node::Reference { group, any_case: false } => out.push_str(&format!(r"(?:\{group})")),
        Node::Reference { group, any_case: true } => out.push_str(&format!(r"(?i:\{group})")),
        Node::Begin => out.push_str(r"\A"),
        Node::End => out.push_str(r"\z"),
        Node::EndOrLast { unix: true } => out.push_str(r"(?=\n?\z)"),
        Node::EndOrLast { unix: false } => out.push_str(&end_or_last()),
        Node::LineBegin { unix: true } => out.push_str(r"(?:\A|(?<=\n)(?!\z))"),
        Node::LineBegin { unix: false } => {
            // Not between the two characters of one line's end, nor at the very end.
            out.push_str(&format!(
                r"(?:\A|(?:(?<=[{}])|(?<=\r)(?!\n))(?!\z))",
                r"\n\x{85}\x{2028}\x{2029}"
            ));
        }
        Node::LineEnd { unix: true } => out.push_str(r"(?=\n|\z)"),
        Node::LineEnd { unix: false } => {
            out.push_str(r"(?:(?=[\r\x{85}\x{2028}\x{2029}]|\z)|(?<!\r)(?=\n))");
        }
        Node::Bound { negated, unicode } => bound(*negated, *unicode, out),
        Node::LineBreak => out.push_str(r"(?:\r\n|[\n-\r\x{85}\x{2028}\x{2029}])"),
    }
    Ok(())
}

fn within(open: &str, node: &Node, out: &mut String) -> Result<(), RegexError> {
    out.push_str(open);
    write_node(node, out)?;
    out.push(')');
    Ok(())
}

/// The engine is not asked for more copies of a part than that.
const MAX_REPEAT: u32 = 10_000;

fn repeat(node: &Node, least: u32, most: Option<u32>, greed: Greed, out: &mut String) -> Result<(), RegexError> {
    if least.max(most.unwrap_or(0)) > MAX_REPEAT {
        return Err(RegexError(format!(
            "more than {MAX_REPEAT} repetitions are not supported"
        )));
    }
    if node.is_empty() {
        // Once is as good as many times.
        return match (least, greed) {
            (0, Greed::Reluctant) => within("(?:|", node, out),
            (0, Greed::Greedy | Greed::Possessive) => {
                out.push_str("(?:");
                write_node(node, out)?;
                out.push_str("|)");
                Ok(())
            }
            (_, _) => write_node(node, out),
        };
    }
    // What is possessive never gives back what it has taken.
    out.push_str(if greed == Greed::Possessive { "(?>" } else { "(?:" });
    within("(?:", node, out)?;
    match (least, most) {
        (0, Some(1)) => out.push('?'),
        (0, None) => out.push('*'),
        (1, None) => out.push('+'),
        (least, None) => out.push_str(&format!("{{{least},}}")),
        (least, Some(most)) => out.push_str(&format!("{{{least},{most}}}")),
    }
    if greed == Greed::Reluctant {
        out.push('?');
    }
    out.push(')');
    Ok(())
}

fn end_or_last() -> String {
    let mut ends = String::new();
    Class::ranges(LINE_ENDS).write(&mut ends);
    format!(r"(?:\z|(?=\r\n\z)|(?=(?!\n){ends}\z)|(?<!\r)(?=\n\z))")
}

/// Java 17 counts letters and digits of all scripts as parts of words here, though `\w` does not.
fn bound(negated: bool, unicode: bool, out: &mut String) {
    let word = if unicode {
        property::word(true)
    } else {
        Class::Union(vec![Class::one('_'), Class::named(r"\p{L}"), Class::named(r"\p{Nd}")])
    };
    let mut w = String::new();
    word.write(&mut w);
    out.push_str(&match negated {
        false => format!("(?:(?<={w})(?!{w})|(?<!{w})(?={w}))"),
        true => format!("(?:(?<={w})(?={w})|(?<!{w})(?!{w}))"),
    });
}
