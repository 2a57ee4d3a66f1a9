//! The names of an object's members, to be found again: records of a topic mostly have the same ones in the same order, and
//! a name that is expected is compared, which is less than reading it and looking for it among those before.

use super::parse::Parser;
use super::plain::FEW;

/// Names longer than this together are not worth it.
const LONGEST: usize = 4096;

/// Different names in their order.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Each as it stands in JSON: with its quotes and a colon.
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Layout {
    /// Steps over the name at a place and its colon, if they stand there. Where the name itself begins and ends.
    #[inline]
    pub fn step_over(&self, place: usize, parser: &mut Parser<'_>) -> Option<(usize, usize)> {
        let end = *self.ends.get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        let expected = self.text.get(start..end)?;
        let start = parser.literal(expected)?;
        Some((start + 1, start + expected.len() - 2))
    }

    /// The names of an object, none of which is there twice; `None` is one that is not written as it is.
    pub fn remember<'n>(&mut self, names: impl Iterator<Item = Option<&'n str>>) {
        self.text.clear();
        self.ends.clear();
        for name in names.take(FEW) {
            let Some(name) = name else { break };
            if self.text.len() + name.len() > LONGEST {
                break;
            }
            self.text.push('"');
            self.text.push_str(name);
            self.text.push_str("\":");
            self.ends.push(self.text.len());
        }
    }
}
