//! The sandbox against guests that probe and attack it (`tests/guests`).
#![allow(clippy::unwrap_used)]

mod calls;
mod common;
mod compilation;
mod failures;
mod files;
mod floods;
mod frozen;
mod handover;
mod http;
mod modules;
mod nesting;
mod network;
