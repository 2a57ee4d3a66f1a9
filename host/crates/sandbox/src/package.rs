//! Writing a module's manifest into the module, so that it can be listed without being run.

use wasm_encoder::{ComponentSection as _, CustomSection};

use crate::Sandbox;
use crate::error::Error;
use crate::options::SandboxOptions;

/// Runs `describe` of `component` and returns the component with what it says in the section `caisson:manifest`.
///
/// For authors: the component is compiled in this process, without limits. An older section is replaced.
pub async fn package(name: &str, component: &[u8]) -> Result<Vec<u8>, Error> {
    let bare = without_section(name, component)?;
    let scratch = Scratch::new();
    let mut options = SandboxOptions::new(&scratch.0);
    options.instances = 1;
    let sandbox = Sandbox::new(options)?;
    let module = sandbox.load(name, bare.clone()).await?;
    let text = module.described().await?;
    let mut packaged = bare;
    let section = CustomSection {
        name: caisson_api::manifest::SECTION.into(),
        data: text.as_bytes().into(),
    };
    section.append_to_component(&mut packaged);
    Ok(packaged)
}

/// The component without its manifest section.
fn without_section(name: &str, component: &[u8]) -> Result<Vec<u8>, Error> {
    let malformed = |error: wasmparser::BinaryReaderError| Error::Malformed {
        name: name.into(),
        detail: error.to_string(),
    };
    // Not worth parsing what is no component at all: loading says so better.
    if !wasmparser::Parser::is_component(component) {
        return Ok(component.to_vec());
    }
    let mut depth = 0_usize;
    let mut kept = Vec::with_capacity(component.len());
    let mut copied = 0;
    for payload in wasmparser::Parser::new(0).parse_all(component) {
        match payload.map_err(malformed)? {
            wasmparser::Payload::ModuleSection { .. } | wasmparser::Payload::ComponentSection { .. } => depth += 1,
            wasmparser::Payload::End(_) => depth = depth.saturating_sub(1),
            wasmparser::Payload::CustomSection(section)
                if depth == 0 && section.name() == caisson_api::manifest::SECTION =>
            {
                let range = section.range();
                // The range holds the contents; before it lie the section's id and its length in LEB128.
                let start = range.start - 1 - leb_length(range.len());
                kept.extend_from_slice(&component[copied..start]);
                copied = range.end;
            }
            // Everything else stays.
            _ => {}
        }
    }
    kept.extend_from_slice(&component[copied..]);
    Ok(kept)
}

/// Bytes of `value` as unsigned LEB128, in its shortest form.
fn leb_length(value: usize) -> usize {
    (usize::BITS - value.max(1).leading_zeros()).div_ceil(7) as usize
}

/// A directory for compiled code that nobody needs afterwards.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> Self {
        // Nobody else makes a directory of this name at this nanosecond.
        let unique = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos());
        Scratch(std::env::temp_dir().join(format!("caisson-package-{}-{unique}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
