//! A file as the standard library has it.

use std::fs::File;
use std::io::{self, Write};

use crate::pending::Destination;

/// An open file.
#[derive(Debug)]
pub struct Output(File);

impl Output {
    pub fn open(path: &str) -> io::Result<Self> {
        super::create(path).map(Output)
    }
}

impl Destination for Output {
    fn length(&self) -> Option<u64> {
        self.0
            .metadata()
            .ok()
            .filter(|metadata| metadata.is_file())
            .map(|metadata| metadata.len())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
}
