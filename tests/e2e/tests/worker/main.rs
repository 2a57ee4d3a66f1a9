//! The worker as a process, on a real Kafka. One program with many modules: its tests share the cores.

#![allow(clippy::unwrap_used)]

mod tools;
