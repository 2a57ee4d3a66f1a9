//! What is accepted as a module, and what is said of what is not.

use caisson_api::manifest::{PluginKind, SECTION};
use caisson_sandbox::{Error, Interface, Sandbox, Transform, package};

use crate::common::*;

const MANIFEST: &str = r#"{"plugins":[{"class":"core.Transform","kind":"transform"}]}"#;

/// The core `plain.wat` with another manifest.
fn claiming(manifest: &str) -> Vec<u8> {
    core("plain.wat", TRANSFORM, |text| {
        let quoted = |text: &str| text.replace('"', "\\\"");
        text.replace(&quoted(MANIFEST), &quoted(manifest))
            .replace("(;manifest-length;) 59", &manifest.len().to_string())
    })
}

async fn refused(bytes: Vec<u8>) -> Error {
    match sandbox().load("bad.wasm", bytes).await {
        Err(error) => error,
        Ok(module) => module.prepare().await.expect_err("it was accepted"),
    }
}

/// The text of the refusal, which has to name the module and hold every part.
async fn refusal(bytes: Vec<u8>, parts: &[&str]) {
    let text = refused(bytes).await.to_string();
    for part in ["bad.wasm"].iter().chain(parts) {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
}

fn with_section(mut component: Vec<u8>, text: &str) -> Vec<u8> {
    let mut body = vec![u8::try_from(SECTION.len()).unwrap()];
    body.extend_from_slice(SECTION.as_bytes());
    body.extend_from_slice(text.as_bytes());
    component.push(0);
    let mut length = body.len();
    while length >= 0x80 {
        component.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    component.push(length as u8);
    component.extend(body);
    component
}

#[tokio::test]
async fn a_module_is_what_it_says() {
    let module = module().await;
    assert_eq!(module.manifest.plugins.len(), 5);
    assert_eq!(module.plugin("ProbeSink").unwrap().kind, PluginKind::Sink);
    assert!(module.interfaces.contains(&Interface::SourceTask));
    assert!(!module.interfaces.contains(&Interface::Handover));
}

#[tokio::test]
async fn what_is_no_component_is_named() {
    for (bytes, found) in [
        (vec![], "the file is empty"),
        (b"\x7fELF\x02\x01\x01".to_vec(), "compiled (ELF) file"),
        (b"hello, world".to_vec(), "does not begin with the Wasm magic"),
        (wat::parse_str("(module)").unwrap(), "it is a core module"),
        (b"\0asm\x0d\0\x07\0".to_vec(), "its version is not one of a component"),
        (b"\0asm".to_vec(), "its version is not one of a component"),
    ] {
        let error = refused(bytes).await;
        assert!(matches!(&error, Error::NotAComponent { .. }), "{error:?}");
        assert!(error.to_string().contains(found), "{found}: {error}");
    }
}

#[tokio::test]
async fn a_truncated_component_is_damaged() {
    let whole = core("plain.wat", TRANSFORM, |text| text);
    for keep in [9, 100, whole.len() / 2, whole.len() - 1] {
        let error = refused(whole[..keep].to_vec()).await;
        assert!(
            matches!(
                error,
                Error::Malformed { .. } | Error::ExportsNothing { .. } | Error::Invalid { .. }
            ),
            "{keep}: {error:?}"
        );
    }
}

#[tokio::test]
async fn flipped_bytes_never_harm() {
    let whole = core("plain.wat", TRANSFORM, |text| text);
    let sandbox = sandbox();
    let mut accepted = 0;
    for at in (8..whole.len()).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x5a;
        if let Ok(module) = sandbox.load("flipped.wasm", bytes).await
            && module.prepare().await.is_ok()
        {
            accepted += 1;
        }
    }
    // Names and constants may change without harm.
    assert!(accepted < 30, "{accepted}");
}

#[tokio::test]
async fn a_component_that_exports_nothing_we_know_is_refused() {
    refusal(
        wat::parse_str("(component)").unwrap(),
        &["exports no interface of caisson:connect", "nothing"],
    )
    .await;
    let other = wrap(r#"(module (func (export "run")))"#, "export run: func();", |text| text);
    refusal(other, &["exports no interface", "it exports run"]).await;
}

#[tokio::test]
async fn another_version_of_the_contract_is_refused() {
    let newer = core("plain.wat", TRANSFORM, |text| text.replace("@0.1.0", "@0.2.0"));
    refusal(
        newer,
        &[
            "asks for caisson:connect/",
            "@0.2.0",
            "offers caisson:connect@0.1.0",
            "upgrade the worker",
        ],
    )
    .await;
    let patch = core("plain.wat", TRANSFORM, |text| text.replace("@0.1.0", "@0.1.9"));
    sandbox()
        .load("patch.wasm", patch)
        .await
        .unwrap()
        .prepare()
        .await
        .unwrap();
}

#[tokio::test]
async fn an_import_that_is_not_offered_is_named() {
    let edit = |text: String| {
        text.replace("(;more;)", r#"(import "other:system/shell" "run" (func))"#)
            .replace("(module\n", "(module\n(import \"other:system/shell\" \"run\" (func))\n")
    };
    let world = format!("import other:system/shell; {TRANSFORM}");
    let shell = wrap_with_shell(&edit, &world);
    refusal(shell, &["imports other:system/shell", "does not offer"]).await;
}

fn wrap_with_shell(edit: &impl Fn(String) -> String, world: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(tree().join("tests/guests/cores/plain.wat")).unwrap();
    // An import stands before everything else of a module.
    let text = edit(text.replace("(;more;)", ""));
    wrap(&text, world, |text| {
        match text.contains("package caisson:connect@0.1.0;") {
            true => format!("{text}\npackage other:system {{ interface shell {{ run: func(); }} }}"),
            false => text,
        }
    })
}

#[tokio::test]
async fn a_function_of_another_type_is_refused() {
    let other = core("plain.wat", TRANSFORM, |text| {
        // The same core signature, another meaning.
        text.replace("describe: func() -> json;", "describe: func() -> list<u8>;")
    });
    let error = refused(other).await;
    assert!(matches!(&error, Error::WrongType { .. }), "{error:?}");
    assert!(error.to_string().contains("regenerate its bindings"), "{error}");
}

#[tokio::test]
async fn a_manifest_that_claims_too_much_is_refused() {
    refusal(
        claiming(r#"{"plugins":[{"class":"x.Sink","kind":"sink"}]}"#),
        &[
            "offers x.Sink as sink",
            "does not export caisson:connect/sink-connector",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_manifest_that_cannot_be_read_is_refused() {
    refusal(claiming("{"), &["its manifest is not acceptable"]).await;
    refusal(claiming(r#"{"plugins":[]}"#), &["it offers no plugin"]).await;
    refusal(claiming(r#"{"plugins":[{"class":"x","kind":"wizard"}]}"#), &["wizard"]).await;
    refusal(
        claiming(r#"{"plugins":[{"class":7,"kind":"transform"}]}"#),
        &["its manifest is not acceptable"],
    )
    .await;
    refusal(
        claiming(r#"{"plugins":[{"class":" ","kind":"transform"}]}"#),
        &["is no class name"],
    )
    .await;
    refusal(
        claiming(r#"{"format":2,"plugins":[{"class":"x","kind":"transform"}]}"#),
        &["format 2"],
    )
    .await;
    let twice = r#"{"plugins":[{"class":"x","kind":"transform"},{"class":"x","kind":"transform"}]}"#;
    refusal(claiming(twice), &["x twice"]).await;
}

#[tokio::test]
async fn a_section_that_differs_from_describe_is_refused() {
    let honest = with_section(claiming(MANIFEST), &format!(" {MANIFEST}"));
    sandbox()
        .load("honest.wasm", honest)
        .await
        .unwrap()
        .prepare()
        .await
        .unwrap();
    let other = r#"{"plugins":[{"class":"core.Transform","kind":"transform","version":"9"}]}"#;
    refusal(
        with_section(claiming(MANIFEST), other),
        &["differs from what describe() returns"],
    )
    .await;
    refusal(
        with_section(claiming(MANIFEST), "\u{0}"),
        &["its manifest is not acceptable"],
    )
    .await;
}

#[tokio::test]
async fn a_module_with_a_section_is_listed_without_compiling() {
    let cache = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(options(cache.path())).unwrap();
    let packaged = package("probe.wasm", &probe()).await.unwrap();
    let module = sandbox.load("probe.wasm", packaged.clone()).await.unwrap();
    assert_eq!(module.manifest.plugins.len(), 5);
    assert_eq!(sandbox.compilations(), 0);
    module.prepare().await.unwrap();
    assert_eq!(sandbox.compilations(), 1);
    // Packaging again changes nothing.
    assert_eq!(package("probe.wasm", &packaged).await.unwrap(), packaged);
}

#[tokio::test]
async fn a_describe_that_misbehaves_is_refused() {
    let spin = |text: String| text.replace("(;describe;)", "(loop $again br $again)");
    let mut own = options(&std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    own.describe_time = std::time::Duration::from_millis(200);
    let spinning = core("plain.wat", TRANSFORM, spin);
    let Err(error) = Sandbox::new(own).unwrap().load("bad.wasm", spinning).await else {
        panic!("accepted")
    };
    assert!(
        error
            .to_string()
            .contains("describe() failed: describe did not return within 200ms"),
        "{error}"
    );
    let trap = |text: String| text.replace("(;describe;)", "unreachable");
    refusal(
        core("plain.wat", TRANSFORM, trap),
        &["describe() failed", "unreachable"],
    )
    .await;
    let start = |text: String| text.replace("(;more;)", "(func $run (loop $again br $again)) (start $run)");
    let mut own = options(&std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    own.describe_time = std::time::Duration::from_millis(200);
    let Err(error) = Sandbox::new(own)
        .unwrap()
        .load("bad.wasm", core("plain.wat", TRANSFORM, start))
        .await
    else {
        panic!("accepted")
    };
    assert!(error.to_string().contains("instantiation did not return"), "{error}");
}

#[tokio::test]
async fn declared_monsters_are_refused_before_they_exist() {
    let memory = core("plain.wat", TRANSFORM, |text| text.replace("(;pages;) 2", "65536"));
    refusal(
        memory,
        &["4294967296 bytes of memory", "sandbox.memory.bytes allows 1073741824"],
    )
    .await;
    let table = core("plain.wat", TRANSFORM, |text| {
        text.replace("(;elements;) 1", "10000000")
    });
    refusal(table, &["minimum element size of 10000000", "sandbox.table.elements"]).await;
}

#[tokio::test]
async fn a_module_that_is_too_large_is_refused() {
    let cache = tempfile::tempdir().unwrap();
    let mut own = options(cache.path());
    own.module_bytes = 1000;
    let sandbox = Sandbox::new(own).unwrap();
    let error = sandbox.load("big.wasm", vec![0; 1001]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("1001 bytes are more than sandbox.module.max.bytes allows (1000)"),
        "{error}"
    );
    let error = sandbox
        .load_file(std::path::Path::new("/no/such/file.wasm"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("/no/such/file.wasm"), "{error}");
}

#[tokio::test]
async fn the_plainest_module_works() {
    let module = sandbox().load("plain.wasm", claiming(MANIFEST)).await.unwrap();
    let mut transform = Transform::start(spec_of(module, "core.Transform", &[])).await.unwrap();
    transform.apply(&batch(1, 1)).await.unwrap();
}
