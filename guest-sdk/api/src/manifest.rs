//! What a module says of itself (`wit/manifest.md`).
