//! The codec of typed values (`wit/frame.md`, "Typed values").
