//! Taking batches apart and putting them together.

use std::borrow::Cow;

use caisson_api::frame::Encodings;
use caisson_model::Failure;

use super::{Pass, Stream, parsed};
use crate::columns::Forms;
use crate::recode::{Copied, Trust};

/// The batch in the forms that a plugin with these encodings takes.
pub fn recoded<'a>(stream: Stream<'a>, encodings: Encodings, pass: &mut Pass<'_>) -> Result<Stream<'a>, Failure> {
    let forms = pass.recoder.towards(stream.forms, encodings);
    if forms == stream.forms {
        return Ok(stream);
    }
    let frame = parsed(&stream.frame, "")?;
    let at = |index| stream.origin(index);
    let batch = pass
        .recoder
        .recode(&frame, at, (stream.forms, forms), &mut pass.faults)?;
    let kept: Vec<u32> = parsed(&batch, "")?.records().map(|record| record.origin).collect();
    let origins = match kept.len() == frame.len() {
        true => stream.origins.clone(),
        false => Some(stream.origins_of(kept)),
    };
    Ok(stream.made(batch, forms, origins))
}

/// Some records of a batch.
pub fn picked(stream: &Stream<'_>, indexes: Vec<u32>, pass: &mut Pass<'_>) -> Result<Stream<'static>, Failure> {
    let frame = parsed(&stream.frame, "")?;
    let schemas = pass.recoder.schemas_of(&frame)?;
    pass.recoder.begin(stream.forms.encodings(), indexes.len());
    for index in &indexes {
        let copied = Copied {
            frame: &frame,
            schemas: &schemas,
            index: *index as usize,
            origin: *index,
            at: stream.origin(*index),
        };
        pass.recoder
            .copy(copied, (stream.forms, stream.forms), &mut pass.faults)?;
    }
    let origins = stream.origins_of(indexes);
    Ok(stream.made(pass.recoder.builder.take(), stream.forms, Some(origins)))
}

/// The `others` of a batch, and what a transform made of the rest of it, in their old order.
pub fn merged(
    stream: &Stream<'_>,
    others: &[u32],
    done: &Stream<'_>,
    pass: &mut Pass<'_>,
) -> Result<Stream<'static>, Failure> {
    let mut order: Vec<(u32, usize, usize)> = others
        .iter()
        .map(|index| (stream.origin(*index), 0, *index as usize))
        .collect();
    let transformed = parsed(&done.frame, "")?.len();
    order.extend((0..transformed).map(|index| (done.origin(index as u32), 1, index)));
    order.sort_unstable();
    woven(&[stream, done], &order, pass)
}

/// Parts of a batch that follow each other.
pub fn joined(parts: &[Stream<'_>], pass: &mut Pass<'_>) -> Result<Stream<'static>, Failure> {
    let mut order = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let records = parsed(&part.frame, "")?.len();
        order.extend((0..records).map(|index| (part.origin(index as u32), number, index)));
    }
    let parts: Vec<_> = parts.iter().collect();
    woven(&parts, &order, pass)
}

/// Records of several batches, each given by its index at the beginning, its batch and its index there, in the forms of
/// the first batch.
fn woven(
    parts: &[&Stream<'_>],
    order: &[(u32, usize, usize)],
    pass: &mut Pass<'_>,
) -> Result<Stream<'static>, Failure> {
    let mut frames = Vec::with_capacity(parts.len());
    for part in parts {
        let frame = parsed(&part.frame, "")?;
        let schemas = pass.recoder.schemas_of(&frame)?;
        frames.push((frame, schemas));
    }
    let Some(first) = parts.first() else {
        return Ok(Stream::new(&[], Forms::SERIALIZED, Trust::Full));
    };
    pass.recoder.begin(first.forms.encodings(), order.len());
    let mut origins = Vec::with_capacity(order.len());
    for (at, part, index) in order {
        let (frame, schemas) = &frames[*part];
        let copied = Copied {
            frame,
            schemas,
            index: *index,
            origin: 0,
            at: *at,
        };
        let forms = (parts[*part].forms, first.forms);
        if pass.recoder.copy(copied, forms, &mut pass.faults)? {
            origins.push(*at);
        }
    }
    let keeps_offsets = parts.iter().all(|part| part.keeps_offsets);
    Ok(Stream {
        keeps_offsets,
        ..first.made(pass.recoder.builder.take(), first.forms, Some(origins))
    })
}

/// A batch as a predicate is given it.
pub struct Asked<'s> {
    pub frame: Cow<'s, [u8]>,
    /// Per record, its index in the batch; those that could not be converted are missing.
    pub indexes: Vec<u32>,
}

/// The batch in the forms that a predicate takes; it stays as it is itself.
pub fn asked<'s>(stream: &'s Stream<'_>, encodings: Encodings, pass: &mut Pass<'_>) -> Result<Asked<'s>, Failure> {
    let frame = parsed(&stream.frame, "")?;
    let forms = pass.recoder.towards(stream.forms, encodings);
    if forms == stream.forms {
        return Ok(Asked {
            frame: Cow::Borrowed(&stream.frame),
            indexes: (0..frame.len() as u32).collect(),
        });
    }
    let at = |index| stream.origin(index);
    let batch = pass
        .recoder
        .recode(&frame, at, (stream.forms, forms), &mut pass.faults)?;
    let indexes = parsed(&batch, "")?.records().map(|record| record.origin).collect();
    Ok(Asked {
        frame: Cow::Owned(batch),
        indexes,
    })
}
