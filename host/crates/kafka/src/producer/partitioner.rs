//! The choice of a partition, as Kafka's Java producer makes it: by the key's murmur2 hash, and without a key the same
//! one for about a batch, then another (KIP-480).

/// Which records have a partition by their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Partitioner {
    /// Those with a key.
    ByKey,
    /// None (`partitioner.ignore.keys`).
    IgnoringKeys,
}

/// The partition of records without a key, for a while.
#[derive(Debug)]
pub(crate) struct Sticky {
    partition: usize,
    bytes: usize,
    /// State of a small generator (xorshift): the choice has to be even, not unpredictable.
    random: u64,
}

impl Sticky {
    pub(crate) fn new(seed: u64) -> Self {
        Sticky {
            partition: seed as usize,
            bytes: 0,
            random: seed | 1,
        }
    }

    /// The partition for a record of `size` bytes; another one after `batch` bytes.
    pub(crate) fn next(&mut self, partitions: usize, size: usize, batch: usize) -> usize {
        if self.bytes >= batch {
            self.bytes = 0;
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            self.partition = self.random as usize;
        }
        self.bytes += size;
        self.partition % partitions
    }
}

/// The partition of a key.
pub(crate) fn of_key(key: &[u8], partitions: usize) -> usize {
    (murmur2(key) & 0x7fff_ffff) as usize % partitions
}

/// `org.apache.kafka.common.utils.Utils.murmur2`.
pub(crate) fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Kafka's own `UtilsTest.testMurmur2`.
    #[test]
    fn keys_hash_as_in_java() {
        let cases: [(&str, i32); 6] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (key, hash) in cases {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }

    #[test]
    fn records_without_a_key_stay_for_a_batch_and_reach_every_partition() {
        let mut sticky = Sticky::new(12345);
        let first = sticky.next(4, 10, 100);
        for _ in 1..10 {
            assert_eq!(sticky.next(4, 10, 100), first);
        }
        let mut counts = [0; 4];
        for _ in 0..40_000 {
            counts[sticky.next(4, 100, 100)] += 1;
        }
        assert!(counts.iter().all(|count| (8_000..12_000).contains(count)), "{counts:?}");
    }
}
