//! The compiler process and its cache.

use std::path::Path;
use std::time::Duration;

use caisson_sandbox::{Error, Sandbox};

use crate::common::*;

fn files(cache: &Path, extension: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.extension().is_some_and(|own| own == extension))
        .collect()
}

fn plain() -> Vec<u8> {
    core("plain.wat", TRANSFORM, |text| text)
}

async fn load(cache: &Path) -> Sandbox {
    let sandbox = Sandbox::new(options(cache)).unwrap();
    sandbox
        .load("plain.wasm", plain())
        .await
        .unwrap()
        .prepare()
        .await
        .unwrap();
    sandbox
}

#[tokio::test]
async fn code_is_compiled_once_and_found_again() {
    let cache = tempfile::tempdir().unwrap();
    assert_eq!(load(cache.path()).await.compilations(), 1);
    assert_eq!(load(cache.path()).await.compilations(), 0);
    assert_eq!(files(cache.path(), "cwasm").len(), 1);
    assert!(files(cache.path(), "partial").is_empty());
}

#[tokio::test]
async fn a_cache_entry_that_changed_is_compiled_again() {
    let cache = tempfile::tempdir().unwrap();
    load(cache.path()).await;
    let code = files(cache.path(), "cwasm").pop().unwrap();
    let whole = std::fs::read(&code).unwrap();
    let mut flipped = whole.clone();
    let middle = whole.len() / 2;
    flipped[middle] ^= 1;
    for damaged in [
        flipped,
        whole[..middle].to_vec(),
        Vec::new(),
        b"no code at all".to_vec(),
    ] {
        std::fs::write(&code, damaged).unwrap();
        assert_eq!(load(cache.path()).await.compilations(), 1);
        assert_eq!(std::fs::read(&code).unwrap().len(), whole.len());
    }
    std::fs::remove_file(files(cache.path(), "sum").pop().unwrap()).unwrap();
    assert_eq!(load(cache.path()).await.compilations(), 1);
}

#[tokio::test]
async fn a_cache_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let cache = tempfile::tempdir().unwrap();
    std::fs::set_permissions(cache.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let Err(error) = Sandbox::new(options(cache.path())) else {
        panic!("accepted")
    };
    assert!(error.to_string().contains("others may write here"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_are_compiled_once_however_many_ask() {
    let cache = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(options(cache.path())).unwrap();
    let ask = |_| {
        let sandbox = sandbox.clone();
        tokio::spawn(async move {
            let module = sandbox.load("plain.wasm", plain()).await.unwrap();
            module.prepare().await.unwrap();
            module
        })
    };
    let mut modules = Vec::new();
    for asked in (0..8).map(ask).collect::<Vec<_>>() {
        modules.push(asked.await.unwrap());
    }
    assert_eq!(sandbox.compilations(), 1);
    assert!(
        modules
            .windows(2)
            .all(|pair| std::sync::Arc::ptr_eq(&pair[0], &pair[1]))
    );
}

/// A small module that costs a compiler much: many locals that live across many loops.
fn bomb(locals: usize, loops: usize) -> Vec<u8> {
    let body = "(loop $l (br_if $l (local.get 0)))".repeat(loops);
    let function = format!("(func $bomb (local {}) {body})", "i32 ".repeat(locals));
    core("plain.wat", TRANSFORM, |text| text.replace("(;more;)", &function))
}

/// A module of so many functions that do nothing.
fn crowd(functions: usize) -> Vec<u8> {
    core("plain.wat", TRANSFORM, |text| {
        text.replace("(;more;)", &"(func)".repeat(functions))
    })
}

async fn bombed(bytes: Vec<u8>, change: impl FnOnce(&mut caisson_sandbox::CompilerOptions)) -> Error {
    let cache = tempfile::tempdir().unwrap();
    let mut own = options(cache.path());
    change(&mut own.compiler);
    let sandbox = Sandbox::new(own).unwrap();
    let error = sandbox.load("bomb.wasm", bytes).await.expect_err("it compiled");
    assert!(files(cache.path(), "cwasm").is_empty());
    error
}

#[tokio::test]
async fn a_compile_bomb_is_stopped_by_its_processor_time() {
    let error = bombed(bomb(49_000, 4_000), |compiler| compiler.cpu = Duration::from_secs(1)).await;
    let text = error.to_string();
    assert!(
        matches!(error, Error::CompileLimit { .. }) && text.contains("more than 1s of processor time"),
        "{text}"
    );
}

#[tokio::test]
async fn a_compile_bomb_is_stopped_by_the_clock() {
    let error = bombed(bomb(49_000, 4_000), |compiler| {
        compiler.time = Duration::from_millis(300)
    })
    .await;
    let text = error.to_string();
    assert!(
        matches!(error, Error::CompileLimit { .. }) && text.contains("longer than 300ms"),
        "{text}"
    );
}

#[tokio::test]
async fn a_compile_bomb_is_stopped_by_its_memory() {
    let error = bombed(crowd(100_000), |compiler| compiler.memory = 400 << 20).await;
    let text = error.to_string();
    assert!(
        matches!(error, Error::CompileLimit { .. }) && text.contains("bytes of memory"),
        "{text}"
    );
}

#[tokio::test]
async fn code_that_is_too_large_is_stopped() {
    let cache = tempfile::tempdir().unwrap();
    let mut own = options(cache.path());
    own.compiler.output = 4096;
    let error = Sandbox::new(own)
        .unwrap()
        .load("plain.wasm", plain())
        .await
        .expect_err("it fitted");
    assert!(
        error.to_string().contains("larger than 4096 bytes") || error.to_string().contains("writing the code"),
        "{error}"
    );
}

#[tokio::test]
async fn a_compiler_that_is_not_there_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let mut own = options(cache.path());
    own.compiler.program = Some("/no/such/caisson".into());
    let error = Sandbox::new(own)
        .unwrap()
        .load("plain.wasm", plain())
        .await
        .expect_err("it compiled");
    assert!(
        error.to_string().contains("/no/such/caisson cannot be started"),
        "{error}"
    );
}

#[tokio::test]
async fn what_does_not_validate_is_invalid() {
    let mut bytes = plain();
    // The last instruction of a body becomes one that does not exist.
    let at = bytes
        .windows(4)
        .rposition(|window| window == [0x41, 0x80, 0x01, 0x0b])
        .unwrap();
    bytes[at] = 0x27;
    let error = sandbox().load("bad.wasm", bytes).await.expect_err("it compiled");
    assert!(
        matches!(&error, Error::Invalid { name, .. } if name == "bad.wasm"),
        "{error:?}"
    );
}
