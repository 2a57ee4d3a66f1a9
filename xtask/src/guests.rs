//! Components: every crate of the guest workspaces that makes one is built for WebAssembly, and its manifest is
//! written into it by the worker, so that it can be listed without running it.
//!
//! A crate that must stay as its compiler made it, because it is there to be refused, says so in its `Cargo.toml`:
//! `[package.metadata.caisson] package = false`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cli::GuestsArguments;
use crate::tree::Tree;
use crate::{machine, packages, process, worker};

/// The source that the README shows.
const EXAMPLE: &str = "counter";

/// A workspace of crates that become components.
pub struct Workspace {
    pub directory: PathBuf,
    /// Where its modules go.
    output: PathBuf,
}

/// A crate that becomes a component.
struct Guest {
    package: String,
    /// The file's name without `.wasm`.
    module: String,
    built: PathBuf,
    packaged: bool,
}

pub fn run(tree: &Tree, arguments: &GuestsArguments) -> Result<()> {
    machine::prepare_wasm(&tree.root)?;
    worker::build(tree)?;
    let only = &arguments.crates;
    let mut built = Vec::new();
    for workspace in workspaces(tree)? {
        built.extend(build(tree, &workspace, only, arguments.force)?);
    }
    if only.is_empty() {
        example(tree, arguments.force)?;
    }
    match only.iter().find(|name| !built.contains(name)) {
        Some(name) => bail!("no guest workspace has a component crate `{name}`"),
        None => Ok(()),
    }
}

/// The bundled connectors alone, by a worker that is built already.
pub fn bundled(tree: &Tree) -> Result<()> {
    machine::prepare_wasm(&tree.root)?;
    build(tree, &connectors(tree), &[], false)?;
    Ok(())
}

/// Builds and packages the crates of a workspace, or those among them that are named; returns their names.
fn build(tree: &Tree, workspace: &Workspace, only: &[String], force: bool) -> Result<Vec<String>> {
    std::fs::create_dir_all(&workspace.output)?;
    let mut guests = discover(workspace)?;
    guests.retain(|guest| only.is_empty() || only.contains(&guest.package));
    if guests.is_empty() {
        return Ok(Vec::new());
    }
    println!(
        "building {} components of {}",
        guests.len(),
        tree.shown(&workspace.directory)
    );
    let mut command = wasm_cargo(workspace);
    command.args(["build", "--release", "--target", machine::WASM_TARGET]);
    command.args(guests.iter().flat_map(|guest| ["--package", &guest.package]));
    process::visible(&mut command)?;
    for guest in &guests {
        package(tree, &workspace.output, guest, force)?;
    }
    Ok(guests.into_iter().map(|guest| guest.package).collect())
}

/// The SDK's example, which the README shows, as a module for the tests.
fn example(tree: &Tree, force: bool) -> Result<()> {
    // A target directory of its own, as the guest workspaces have: nobody waits for the worker's release build.
    let target = tree.root.join("guest-sdk/target");
    let mut command = process::cargo(&tree.root);
    command.env("CARGO_TARGET_DIR", &target);
    command.args(["build", "--release", "--package", "caisson-sdk", "--example", EXAMPLE]);
    process::visible(command.args(["--target", machine::WASM_TARGET]))?;
    let release = target.join(machine::WASM_TARGET).join("release");
    let built = release.join("examples").join(EXAMPLE).with_extension("wasm");
    let guest = Guest {
        module: EXAMPLE.to_owned(),
        package: EXAMPLE.to_owned(),
        built,
        packaged: true,
    };
    package(tree, &tree.test_guests(), &guest, force)
}

/// The workspace of the bundled connectors.
pub fn connectors(tree: &Tree) -> Workspace {
    Workspace {
        directory: tree.root.join("connectors"),
        output: tree.components(),
    }
}

/// The guest workspaces that this tree has.
pub fn workspaces(tree: &Tree) -> Result<Vec<Workspace>> {
    let mut found = vec![connectors(tree)];
    let mut tests = vec![tree.root.join("tests/guests")];
    let frozen = std::fs::read_dir(tree.root.join("tests/frozen")).context("cannot list tests/frozen")?;
    for entry in frozen {
        tests.push(entry?.path());
    }
    tests.retain(|directory| directory.join("Cargo.toml").is_file());
    tests.sort();
    found.extend(tests.into_iter().map(|directory| Workspace {
        directory,
        output: tree.test_guests(),
    }));
    Ok(found)
}

/// Cargo in a guest workspace, with the target directory that its own lock file goes with.
pub fn wasm_cargo(workspace: &Workspace) -> Command {
    let mut command = process::cargo(&workspace.directory);
    command.env("CARGO_TARGET_DIR", workspace.directory.join("target"));
    command
}

fn discover(workspace: &Workspace) -> Result<Vec<Guest>> {
    let release = workspace
        .directory
        .join("target")
        .join(machine::WASM_TARGET)
        .join("release");
    let mut guests = Vec::new();
    for package in packages::metadata(&workspace.directory)? {
        let targets = package["targets"]
            .as_array()
            .context("cargo metadata lists no targets")?;
        let library = targets.iter().find(|target| is_component(target));
        let (Some(library), Some(name)) = (library, package["name"].as_str()) else {
            continue;
        };
        let library = library["name"]
            .as_str()
            .context("a target without a name")?
            .replace('-', "_");
        guests.push(Guest {
            package: name.to_owned(),
            module: name.to_owned(),
            built: release.join(library).with_extension("wasm"),
            packaged: package["metadata"]["caisson"]["package"] != Value::Bool(false),
        });
    }
    Ok(guests)
}

fn is_component(target: &Value) -> bool {
    target["crate_types"]
        .as_array()
        .is_some_and(|types| types.iter().any(|one| one == "cdylib"))
}

fn package(tree: &Tree, directory: &Path, guest: &Guest, force: bool) -> Result<()> {
    let output = directory.join(&guest.module).with_extension("wasm");
    if !force && is_newer(&output, &guest.built) {
        return Ok(());
    }
    // Written beside and renamed: a worker that looks at the directory sees a whole module or none.
    let unfinished = output.with_extension("part");
    if guest.packaged {
        process::answer(
            Command::new(tree.worker())
                .args(["module", "package"])
                .arg(&guest.built)
                .arg(&unfinished),
        )?;
    } else {
        std::fs::copy(&guest.built, &unfinished).with_context(|| format!("cannot copy {}", guest.built.display()))?;
    }
    std::fs::rename(&unfinished, &output)?;
    let bytes = std::fs::metadata(&output)?.len();
    println!("    {} ({} KiB)", tree.shown(&output), bytes.div_ceil(1024));
    Ok(())
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified());
    matches!((modified(file), modified(than)), (Ok(file), Ok(than)) if file > than)
}
