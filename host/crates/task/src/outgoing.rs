//! What a chain of transforms made of a batch, as the sink takes it: in the sink's forms, with the offsets that the
//! records had in Kafka, whatever the transforms say of them.

use caisson_api::frame::{Encodings, Frame, Role};
use caisson_model::Failure;

use crate::chain::Stream;
use crate::errors::Errors;
use crate::recode::{Copied, Recoder};
use crate::settings::TaskSettings;

pub struct SinkFrames {
    recoder: Recoder,
    encodings: Encodings,
}

impl SinkFrames {
    pub fn new(task: &TaskSettings, encodings: Encodings) -> Self {
        SinkFrames {
            recoder: Recoder::new(task, Role::Sink),
            encodings,
        }
    }

    /// The frame for the sink. `before` is the batch that entered the chain.
    pub fn for_sink(&mut self, before: &[u8], stream: Stream, errors: &mut Errors) -> Result<Vec<u8>, Failure> {
        let to = stream.forms.towards(self.encodings);
        let Some(origins) = &stream.origins else {
            if to == stream.forms {
                return Ok(stream.frame);
            }
            let frame = parse(&stream.frame)?;
            return self.recoder.recode(&frame, (stream.forms, to), errors);
        };
        let (original, frame) = (parse(before)?, parse(&stream.frame)?);
        let schemas = self.recoder.schemas_of(&frame)?;
        self.recoder.begin(to.encodings(), frame.len());
        for (index, origin) in origins.iter().enumerate() {
            self.recoder.offset = original.record(*origin as usize).offset;
            let copied = Copied {
                frame: &frame,
                schemas: &schemas,
                index,
                origin: 0,
            };
            self.recoder.copy(copied, (stream.forms, to), errors)?;
        }
        self.recoder.offset = None;
        Ok(self.recoder.builder.take())
    }
}

fn parse(frame: &[u8]) -> Result<Frame<'_>, Failure> {
    Frame::parse(frame).map_err(|error| Failure::host(format!("wrong batch in a chain: {error}")))
}
