//! What a component says of itself without being compiled or run: kind of file, exports, imports, manifest section.
//!
//! Refuses here what a compiler should not be bothered with.

use std::collections::BTreeSet;

use wasmparser::{Encoding, Parser, Payload};

use crate::Error;
use crate::bindings::{PACKAGE, VERSION};

/// Core modules and components inside one component, at any depth.
const MAX_NESTED: usize = 256;
/// Functions in all core modules together.
const MAX_FUNCTIONS: u64 = 200_000;
/// Bytes of one function: far above what compilers emit, far below what makes register allocation explode.
const MAX_BODY: usize = 4 << 20;
/// Names of imports and exports that are remembered.
const MAX_NAMES: usize = 1_000;

/// The roles that a component may export, by the names of their interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    Manifest,
    SourceConnector,
    SourceTask,
    SinkConnector,
    SinkTask,
    Transform,
    Predicate,
    Converter,
    Handover,
}

impl Interface {
    const ALL: [Interface; 9] = [
        Interface::Manifest,
        Interface::SourceConnector,
        Interface::SourceTask,
        Interface::SinkConnector,
        Interface::SinkTask,
        Interface::Transform,
        Interface::Predicate,
        Interface::Converter,
        Interface::Handover,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Interface::Manifest => "manifest",
            Interface::SourceConnector => "source-connector",
            Interface::SourceTask => "source-task",
            Interface::SinkConnector => "sink-connector",
            Interface::SinkTask => "sink-task",
            Interface::Transform => "transform",
            Interface::Predicate => "predicate",
            Interface::Converter => "converter",
            Interface::Handover => "handover",
        }
    }
}

/// What was found in the bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) interfaces: BTreeSet<Interface>,
    pub(crate) imports: Vec<String>,
    /// The bytes of the section `caisson:manifest`.
    pub(crate) manifest: Option<Vec<u8>>,
}

/// Reads the outline of `bytes`; `name` is for the texts of errors.
pub(crate) fn inspect(name: &str, bytes: &[u8]) -> Result<Found, Error> {
    require_component(name, bytes)?;
    let mut found = Found::default();
    let mut exports = Vec::new();
    let malformed = |error: wasmparser::BinaryReaderError| Error::Malformed {
        name: name.into(),
        detail: error.to_string(),
    };
    let mut depth = 0_usize;
    let mut nested = 0_usize;
    let mut functions = 0_u64;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth += 1;
                nested += 1;
                if nested > MAX_NESTED {
                    return Err(bomb(name, format!("more than {MAX_NESTED} modules inside")));
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CodeSectionStart { count, .. } => {
                functions += u64::from(count);
                if functions > MAX_FUNCTIONS {
                    return Err(bomb(name, format!("more than {MAX_FUNCTIONS} functions")));
                }
            }
            Payload::CodeSectionEntry(body) if body.range().len() > MAX_BODY => {
                return Err(bomb(name, format!("a function of {} bytes", body.range().len())));
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    remember(&mut found.imports, import.map_err(malformed)?.name.name);
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    remember(&mut exports, export.map_err(malformed)?.name.name);
                }
            }
            Payload::CustomSection(section) if depth == 0 && section.name() == caisson_api::manifest::SECTION => {
                found.manifest = Some(section.data().to_vec());
            }
            // Whatever else the file holds is the compiler's to judge.
            _ => {}
        }
    }
    found.interfaces = known(name, &exports, &found.imports)?;
    Ok(found)
}

fn remember(names: &mut Vec<String>, name: &str) {
    if names.len() < MAX_NAMES {
        names.push(name.to_owned());
    }
}

fn bomb(name: &str, what: String) -> Error {
    Error::Malformed {
        name: name.into(),
        detail: format!("{what}, which no toolchain makes"),
    }
}

/// Says what the file is, if it is no component.
fn require_component(name: &str, bytes: &[u8]) -> Result<(), Error> {
    let not = |found: &str| {
        Err(Error::NotAComponent {
            name: name.into(),
            found: found.into(),
        })
    };
    if bytes.is_empty() {
        return not("the file is empty");
    }
    if bytes.starts_with(b"\x7fELF") {
        return not("it is a compiled (ELF) file, which is never accepted");
    }
    if !bytes.starts_with(b"\0asm") {
        return not("it does not begin with the Wasm magic");
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version {
            encoding: Encoding::Component,
            ..
        })) => Ok(()),
        Some(Ok(Payload::Version {
            encoding: Encoding::Module,
            ..
        })) => not("it is a core module"),
        Some(Ok(_) | Err(_)) | None => not("its version is not one of a component"),
    }
}

/// The interfaces of our contract among `exports`; refuses other versions of it, and a component without any.
fn known(name: &str, exports: &[String], imports: &[String]) -> Result<BTreeSet<Interface>, Error> {
    for interface in exports.iter().chain(imports) {
        if let Some((_, version)) = ours(interface)
            && !version.is_some_and(compatible)
        {
            return Err(Error::NewerContract {
                name: name.into(),
                interface: interface.clone(),
                offered: format!("{}.{}.{}", VERSION.0, VERSION.1, VERSION.2),
            });
        }
    }
    let named = |export: &String| {
        let (interface, _) = ours(export)?;
        Interface::ALL.into_iter().find(|known| known.name() == interface)
    };
    let found: BTreeSet<Interface> = exports.iter().filter_map(named).collect();
    if found.is_empty() {
        let exports = if exports.is_empty() {
            "nothing".to_owned()
        } else {
            exports.join(", ")
        };
        return Err(Error::ExportsNothing {
            name: name.into(),
            exports,
        });
    }
    Ok(found)
}

/// The interface and version of a name such as `caisson:connect/sink-task@0.1.0`.
fn ours(name: &str) -> Option<(&str, Option<&str>)> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix('/')?;
    match rest.split_once('@') {
        Some((interface, version)) => Some((interface, Some(version))),
        None => Some((rest, None)),
    }
}

/// Before 1.0 the minor number is the track: a guest of `0.1.x` runs on a worker of `0.1.y` if it imports no more than
/// that one offers (`wit/VERSIONING.md`).
fn compatible(version: &str) -> bool {
    let mut numbers = version.split('.').map(str::parse::<u64>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return false;
    };
    (major, minor) == (VERSION.0, VERSION.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_track_of_the_contract_is_accepted() {
        assert!(compatible("0.1.0"));
        assert!(compatible("0.1.7"));
        for other in ["0.2.0", "1.0.0", "0.0.1", "", "x", "0", "0.x"] {
            assert!(!compatible(other), "{other}");
        }
    }
}
