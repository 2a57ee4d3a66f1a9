//! The compression of record batches (`compression.type`), in the framings that Kafka's own clients read.

use std::io::{Error, Read, Result, Write};

/// `compression.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    /// With its level.
    Gzip(u32),
    Snappy,
    Lz4,
    Zstd(i32),
}

/// Snappy blocks are compressed one by one, as Java's `SnappyOutputStream` does.
const SNAPPY_BLOCK: usize = 32 << 10;
/// What Java's framing of Snappy begins with: a magic word, its version and the oldest one that can read it.
const SNAPPY_HEADER: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";

impl Compression {
    /// Kafka's name of the kind, and the level where the kind has one.
    pub(crate) fn parse(name: &str, level: Option<i32>) -> Option<Compression> {
        Some(match name {
            "none" => Compression::None,
            // 6 is zlib's own default; -1 asks for it.
            "gzip" => Compression::Gzip(level.and_then(|level| u32::try_from(level).ok()).unwrap_or(6).min(9)),
            "snappy" => Compression::Snappy,
            "lz4" => Compression::Lz4,
            "zstd" => Compression::Zstd(level.filter(|level| *level != -1).unwrap_or(3)),
            _ => return None,
        })
    }

    /// Its number in a batch's attributes.
    pub(crate) fn attribute(self) -> i16 {
        match self {
            Compression::None => 0,
            Compression::Gzip(_) => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd(_) => 4,
        }
    }

    /// The records in fewer bytes; nothing if they are to stay as they are, which is always right.
    pub(crate) fn compress(self, records: &[u8]) -> Option<Vec<u8>> {
        let compressed = match self {
            Compression::None => return None,
            Compression::Gzip(level) => gzip(records, level),
            Compression::Snappy => snappy(records),
            Compression::Lz4 => lz4(records),
            Compression::Zstd(level) => zstd::bulk::compress(records, level),
        };
        compressed
            .inspect_err(|error| tracing::warn!(%error, "records could not be compressed, and are sent as they are"))
            .ok()
    }
}

fn gzip(records: &[u8], level: u32) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(records)?;
    encoder.finish()
}

fn snappy(records: &[u8]) -> Result<Vec<u8>> {
    let mut framed = SNAPPY_HEADER.to_vec();
    let mut encoder = snap::raw::Encoder::new();
    for block in records.chunks(SNAPPY_BLOCK) {
        let compressed = encoder.compress_vec(block).map_err(Error::other)?;
        framed.extend_from_slice(&(compressed.len() as u32).to_be_bytes());
        framed.extend_from_slice(&compressed);
    }
    Ok(framed)
}

fn lz4(records: &[u8]) -> Result<Vec<u8>> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let info = FrameInfo::new()
        .block_size(BlockSize::Max64KB)
        .block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(records)?;
    encoder.finish().map_err(Error::other)
}

/// Unpacks records that were compressed in the way of this attribute, and appends them. Fails if they are not whole, or
/// more than `limit` bytes.
pub(crate) fn decompress(attribute: i16, records: &[u8], unpacked: &mut Vec<u8>, limit: usize) -> Result<()> {
    match attribute {
        1 => limited(flate2::read::MultiGzDecoder::new(records), unpacked, limit),
        2 => unsnap(records, unpacked, limit),
        3 => limited(lz4_flex::frame::FrameDecoder::new(records), unpacked, limit),
        4 => limited(zstd::stream::read::Decoder::with_buffer(records)?, unpacked, limit),
        other => Err(Error::other(format!("there is no compression of type {other}"))),
    }
}

fn limited(reader: impl Read, unpacked: &mut Vec<u8>, limit: usize) -> Result<()> {
    let read = reader.take(limit as u64 + 1).read_to_end(unpacked)?;
    if read > limit {
        return Err(too_large(limit));
    }
    Ok(())
}

/// Snappy in Java's framing, or one bare block, as other clients write it.
fn unsnap(records: &[u8], unpacked: &mut Vec<u8>, limit: usize) -> Result<()> {
    let Some(mut blocks) = records.strip_prefix(&SNAPPY_HEADER[..8]) else {
        return unsnap_block(records, unpacked, limit);
    };
    // The versions are of no consequence.
    blocks = blocks.get(8..).ok_or_else(|| Error::other("the head is not whole"))?;
    let begin = unpacked.len();
    while let Some((length, rest)) = blocks.split_first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        let (block, rest) = rest
            .split_at_checked(length)
            .ok_or_else(|| Error::other("a block is not whole"))?;
        unsnap_block(block, unpacked, limit.saturating_sub(unpacked.len() - begin))?;
        blocks = rest;
    }
    Ok(())
}

fn unsnap_block(block: &[u8], unpacked: &mut Vec<u8>, limit: usize) -> Result<()> {
    let length = snap::raw::decompress_len(block).map_err(Error::other)?;
    if length > limit {
        return Err(too_large(limit));
    }
    // Three bytes of a block stand for 64 at most; what claims more is not given memory for it.
    if length / 64 > block.len() {
        return Err(Error::other("a block claims to be longer than it can be"));
    }
    let begin = unpacked.len();
    unpacked.resize(begin + length, 0);
    let written = snap::raw::Decoder::new()
        .decompress(block, &mut unpacked[begin..])
        .map_err(Error::other)?;
    unpacked.truncate(begin + written);
    Ok(())
}

fn too_large(limit: usize) -> Error {
    Error::other(format!("it unpacks to more than {limit} bytes"))
}
