//! What a chain of transforms made of a batch, as the sink takes it: in the sink's forms, with the offsets that the
//! records had in Kafka, whatever the transforms say of them.

use std::borrow::Cow;

use caisson_api::frame::{Encodings, Frame, Role};
use caisson_model::Failure;

use crate::chain::Stream;
use crate::errors::Faults;
use crate::recode::{Copied, Order, Recoder};
use crate::settings::Converters;

pub struct SinkFrames {
    recoder: Recoder,
    encodings: Encodings,
}

/// A frame for a sink.
pub struct Outgoing<'a> {
    pub frame: Cow<'a, [u8]>,
    /// Per record, its index in the batch that was read from Kafka; `None` if that is its own index.
    pub origins: Option<Vec<u32>>,
}

impl Outgoing<'_> {
    /// The index that a record had in the batch that was read from Kafka.
    pub fn origin(&self, index: u32) -> u32 {
        self.origins.as_ref().map_or(index, |origins| origins[index as usize])
    }
}

impl SinkFrames {
    pub fn new(converters: &Converters, encodings: Encodings) -> Self {
        SinkFrames {
            recoder: Recoder::new(converters, Role::Sink, Order::HeadersLast),
            encodings,
        }
    }

    /// The frame for the sink.
    pub fn for_sink<'a>(&mut self, stream: Stream<'a>, faults: &mut Faults<'_>) -> Result<Outgoing<'a>, Failure> {
        let to = self.recoder.towards(stream.forms, self.encodings);
        if stream.keeps_offsets && to == stream.forms {
            return Ok(Outgoing {
                frame: stream.frame,
                origins: stream.origins,
            });
        }
        let frame = parse(&stream.frame)?;
        let schemas = self.recoder.schemas_of(&frame)?;
        let mut origins = Vec::with_capacity(frame.len());
        self.recoder.begin(to.encodings(), frame.len());
        for index in 0..frame.len() {
            let at = stream.origin(index as u32);
            self.recoder.offset = faults.trail.entry.record(at as usize).offset;
            let copied = Copied {
                frame: &frame,
                schemas: &schemas,
                index,
                origin: 0,
                at,
            };
            if self.recoder.copy(copied, (stream.forms, to), faults)? {
                origins.push(at);
            }
        }
        self.recoder.offset = None;
        Ok(Outgoing {
            frame: Cow::Owned(self.recoder.builder.take()),
            origins: Some(origins),
        })
    }
}

fn parse(frame: &[u8]) -> Result<Frame<'_>, Failure> {
    Frame::parse(frame).map_err(|error| Failure::host(format!("wrong batch in a chain: {error}")))
}
