//! `caisson new`: the beginning of a plugin.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::cli::{Language, NewArguments, NewKind};

/// What becomes of a template: `NAME` is the crate, `Name` the type, `SDK` the directory of the SDK.
const MANIFEST: &str = include_str!("new/Cargo.toml.txt");
const SOURCE: &str = include_str!("new/source.rs.txt");
const SINK: &str = include_str!("new/sink.rs.txt");
const TRANSFORM: &str = include_str!("new/transform.rs.txt");

pub fn run(arguments: &NewArguments) -> ExitCode {
    let Language::Rust = arguments.lang;
    match make(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("caisson: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn make(arguments: &NewArguments) -> anyhow::Result<()> {
    let directory = &arguments.directory;
    let name = crate_name(directory)?;
    let sdk = match &arguments.sdk {
        Some(sdk) => sdk.clone(),
        None => beside_program().context("where is the SDK? --sdk names its directory, guest-sdk/rust of a clone")?,
    };
    let sdk = sdk
        .canonicalize()
        .with_context(|| format!("there is no SDK in {}", sdk.display()))?;
    if directory.exists() {
        bail!("{} is there already", directory.display());
    }
    let code = match arguments.kind {
        NewKind::Source => SOURCE,
        NewKind::Sink => SINK,
        NewKind::Transform => TRANSFORM,
    };
    let fill = |template: &str| {
        let filled = template
            .replace("{{crate}}", &name)
            .replace("{{type}}", &type_name(&name));
        filled.replace("{{sdk}}", &sdk.display().to_string())
    };
    std::fs::create_dir_all(directory.join("src")).with_context(|| format!("cannot make {}", directory.display()))?;
    for (file, text) in [
        ("Cargo.toml", fill(MANIFEST)),
        ("src/lib.rs", fill(code)),
        (".gitignore", "/target\n".to_owned()),
    ] {
        let path = directory.join(file);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!(
        "made {directory}; now:\n\n    \
         rustup target add wasm32-wasip2     # once\n    \
         cd {directory}\n    \
         cargo test\n    \
         cargo build --release --target wasm32-wasip2\n    \
         caisson module package target/wasm32-wasip2/release/{file}.wasm {file}.wasm\n    \
         caisson module push {file}.wasm --activate     # to the worker at --url, or http://localhost:8083\n\n\
         after which a configuration may name it: {key}=example.{class}",
        directory = directory.display(),
        file = name.replace('-', "_"),
        key = match arguments.kind {
            NewKind::Source | NewKind::Sink => "connector.class",
            NewKind::Transform => "transforms.NAME.type",
        },
        class = type_name(&name),
    );
    Ok(())
}

/// The directory's name, if a crate can have it.
fn crate_name(directory: &Path) -> anyhow::Result<String> {
    let name = directory
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let letters = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if !letters || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        bail!("{name:?} is no name for a crate: small letters, digits and hyphens, a letter first");
    }
    Ok(name)
}

/// `my-sink` as `MySink`.
fn type_name(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split(['-', '_']).map(word).collect()
}

/// The SDK of the clone that this program was built in.
fn beside_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let target = program.ancestors().find(|directory| directory.ends_with("target"))?;
    let sdk = target.parent()?.join("guest-sdk/rust");
    sdk.is_dir().then_some(sdk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_directories_become_names_of_crates_and_types() {
        assert_eq!(crate_name(Path::new("/tmp/my-sink")).unwrap(), "my-sink");
        assert_eq!(type_name("my-sink_2"), "MySink2");
        for wrong in ["", "/", "..", "My", "2go", "a b", "a;b"] {
            assert!(crate_name(Path::new(wrong)).is_err(), "{wrong}");
        }
    }
}
