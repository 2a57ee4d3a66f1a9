//! The files that are given.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use caisson_config::{ConnectorFile, connector_file, properties};

/// The connectors of all files, in their order.
pub fn connectors(files: &[PathBuf], name: Option<&str>) -> anyhow::Result<Vec<ConnectorFile>> {
    let mut connectors: Vec<ConnectorFile> = Vec::new();
    for file in files {
        let (file, bytes) = read(file)?;
        connectors.extend(connector_file::parse_all(&bytes, &file, name)?);
    }
    let mut names = BTreeSet::new();
    match connectors.iter().find(|connector| !names.insert(&connector.name)) {
        Some(twice) => bail!("connector {} is given twice", twice.name),
        None => Ok(connectors),
    }
}

pub fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

/// A file's name for messages, and what is in it, as far as configurations go: a little more than the largest that is
/// taken, so that a larger one is found to be too large.
pub fn read(file: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let most = properties::MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let (name, read) = match is_standard_input(file) {
        true => {
            let read = std::io::stdin().lock().take(most).read_to_end(&mut bytes);
            ("standard input".to_owned(), read)
        }
        false => {
            let opened = std::fs::File::open(file);
            let read = opened.and_then(|opened| opened.take(most).read_to_end(&mut bytes));
            (file.display().to_string(), read)
        }
    };
    read.with_context(|| format!("cannot read {name}"))?;
    Ok((name, bytes))
}
