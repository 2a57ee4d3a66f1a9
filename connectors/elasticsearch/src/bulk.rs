//! A bulk request: the operations of some records, and where in Kafka each of them came from.

pub(crate) mod answer;

use std::time::Instant;

/// A partition by its number in [`crate::flow::Flow`].
pub(crate) type PartitionNumber = u32;

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub partition: PartitionNumber,
    pub offset: i64,
    /// Where its lines begin in the body; they end where the next one's begin.
    start: usize,
}

/// Operations that go to the server together.
#[derive(Debug)]
pub(crate) struct Batch {
    /// What operations without a target of their own go to.
    pub target: String,
    pub body: Vec<u8>,
    items: Vec<Item>,
    /// The lowest offset of each partition.
    first: Vec<(PartitionNumber, i64)>,
    /// When its first operation came.
    pub born: Instant,
    /// Attempts that the server has seen.
    pub attempts: u32,
    /// Since when there is no connection for it.
    pub unreachable: Option<Instant>,
}

impl Batch {
    pub fn new(target: &str, born: Instant) -> Self {
        Batch {
            target: target.to_owned(),
            body: Vec::new(),
            items: Vec::new(),
            first: Vec::new(),
            born,
            attempts: 0,
            unreachable: None,
        }
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The lowest offset of each partition that is in it.
    pub fn first(&self) -> &[(PartitionNumber, i64)] {
        &self.first
    }

    /// Notes the operation whose lines begin at `start` and end with the body.
    pub fn push(&mut self, partition: PartitionNumber, offset: i64, start: usize) {
        self.items.push(Item {
            partition,
            offset,
            start,
        });
        match self.first.iter_mut().find(|(known, _)| *known == partition) {
            Some((_, lowest)) => *lowest = offset.min(*lowest),
            None => self.first.push((partition, offset)),
        }
    }

    fn lines(&self, index: usize) -> &[u8] {
        let end = self.items.get(index + 1).map_or(self.body.len(), |next| next.start);
        &self.body[self.items[index].start..end]
    }

    /// The operations that `keep` says yes to, by their index, as a batch of their own with the same past.
    pub fn subset(&self, mut keep: impl FnMut(usize, &Item) -> bool) -> Batch {
        let mut kept = Batch {
            attempts: self.attempts,
            unreachable: self.unreachable,
            ..Batch::new(&self.target, self.born)
        };
        for (index, item) in self.items.iter().enumerate() {
            if keep(index, item) {
                let start = kept.body.len();
                kept.body.extend_from_slice(self.lines(index));
                kept.push(item.partition, item.offset, start);
            }
        }
        kept
    }

    /// Both halves.
    pub fn halves(&self) -> [Batch; 2] {
        let middle = self.len() / 2;
        [
            self.subset(|index, _| index < middle),
            self.subset(|index, _| index >= middle),
        ]
    }

    /// Takes the last operation out, into a batch of its own.
    pub fn split_last(&mut self, now: Instant) -> Batch {
        let last = self.len().saturating_sub(1);
        let mut split = self.subset(|index, _| index == last);
        split.born = now;
        if let Some(item) = self.items.pop() {
            self.body.truncate(item.start);
        }
        self.first.clear();
        for (partition, offset) in self.items.iter().map(|item| (item.partition, item.offset)) {
            match self.first.iter_mut().find(|(known, _)| *known == partition) {
                Some((_, lowest)) => *lowest = offset.min(*lowest),
                None => self.first.push((partition, offset)),
            }
        }
        split
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        let mut batch = Batch::new("i", Instant::now());
        for (partition, offset, lines) in [(0, 5, "a\n"), (1, 2, "bb\n"), (0, 6, "ccc\n")] {
            let start = batch.body.len();
            batch.body.extend_from_slice(lines.as_bytes());
            batch.push(partition, offset, start);
        }
        batch
    }

    #[test]
    fn a_batch_knows_its_lowest_offsets_and_gives_parts_of_itself() {
        let batch = batch();
        assert_eq!(batch.first(), [(0, 5), (1, 2)]);
        let part = batch.subset(|index, _| index != 1);
        assert_eq!((part.body.as_slice(), part.first()), (&b"a\nccc\n"[..], &[(0, 5)][..]));
        let [one, two] = batch.halves();
        assert_eq!(
            (one.body.as_slice(), two.body.as_slice()),
            (&b"a\n"[..], &b"bb\nccc\n"[..])
        );
        assert_eq!(two.lines(1), b"ccc\n");
    }

    #[test]
    fn the_last_operation_can_go_into_the_next_batch() {
        let mut batch = batch();
        let last = batch.split_last(Instant::now());
        assert_eq!((batch.body.as_slice(), batch.len()), (&b"a\nbb\n"[..], 2));
        assert_eq!((last.body.as_slice(), last.first()), (&b"ccc\n"[..], &[(0, 6)][..]));
    }
}
