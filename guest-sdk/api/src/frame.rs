//! The codec of the batch frame (`wit/frame.md`).
