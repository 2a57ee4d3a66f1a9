//! Files in `plugin.path` that are not what they should be: each is named in the log, and the worker starts without it.

use caisson_e2e::System;

/// The custom section that holds a module's manifest.
const SECTION: &str = "caisson:manifest";

#[test]
fn bad_modules_are_named_and_the_others_serve() {
    let Some(system) = System::get() else { return };
    let setup = system.worker("bad-modules");
    let directory = setup.path("modules");
    std::fs::create_dir(&directory).unwrap();
    let good = std::fs::read(a_component(&system)).unwrap();
    let manifest = r#"{"format":1,"module":{"name":"liar","version":"1"},"plugins":[{"class":"liar.Source","kind":"source","version":"1"}]}"#;
    for (file, bytes) in [
        ("text.wasm", b"this is no WebAssembly".to_vec()),
        ("empty.wasm", Vec::new()),
        ("core.wasm", b"\0asm\x01\0\0\0".to_vec()),
        ("nothing.wasm", b"\0asm\x0d\0\x01\0".to_vec()),
        ("newer.wasm", with_contract(&good, "0.9.0")),
        ("liar.wasm", with_manifest(&good, manifest)),
        ("garbled.wasm", with_manifest(&good, "{\"format\":")),
    ] {
        std::fs::write(directory.join(file), bytes).unwrap();
    }
    let path = format!("{},{}", directory.display(), system.components.display());
    let worker = setup.property("plugin.path", &path).start();
    for file in [
        "text.wasm",
        "empty.wasm",
        "core.wasm",
        "nothing.wasm",
        "newer.wasm",
        "liar.wasm",
        "garbled.wasm",
    ] {
        worker.await_log(&[file]);
    }
    worker.await_log(&["newer.wasm", "0.9.0"]);
    let plugins = worker.rest.get("/connector-plugins").expect(200).to_string();
    assert!(!plugins.contains("liar.Source"), "{plugins}");
    assert!(plugins.contains("FileStreamSourceConnector"), "{plugins}");
}

/// Some bundled sink, which therefore is no source.
fn a_component(system: &System) -> std::path::PathBuf {
    let entries = std::fs::read_dir(&system.components).unwrap();
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| holds(path, "caisson.DiscardSink"))
        .collect();
    found.pop().expect("a component with DiscardSink")
}

fn holds(path: &std::path::Path, text: &str) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm")
        && std::fs::read(path)
            .unwrap()
            .windows(text.len())
            .any(|window| window == text.as_bytes())
}

/// The same component, as if built against another version of the contract, whose text is as long as ours.
fn with_contract(component: &[u8], version: &str) -> Vec<u8> {
    let mut bytes = component.to_vec();
    let (name, old) = (b"caisson:connect/", b"@0.1.0");
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
    for place in places {
        if let Some(at) = (place..bytes.len().min(place + 80)).find(|at| bytes[*at..].starts_with(old)) {
            bytes[at + 1..at + old.len()].copy_from_slice(version.as_bytes());
        }
    }
    bytes
}

/// The same component with another manifest in its custom section.
fn with_manifest(component: &[u8], manifest: &str) -> Vec<u8> {
    let (header, mut rest) = component.split_at(8);
    let mut bytes = header.to_vec();
    while !rest.is_empty() {
        let (length, width) = leb128(&rest[1..]);
        let (section, after) = rest.split_at(1 + width + length);
        let is_manifest = section[0] == 0 && section[1 + width..][1..].starts_with(SECTION.as_bytes());
        if !is_manifest {
            bytes.extend_from_slice(section);
        }
        rest = after;
    }
    bytes.push(0);
    let length = 1 + SECTION.len() + manifest.len();
    assert!(length < 1 << 14, "two bytes hold the length");
    bytes.extend([(length & 0x7f) as u8 | 0x80, (length >> 7) as u8, SECTION.len() as u8]);
    bytes.extend_from_slice(SECTION.as_bytes());
    bytes.extend_from_slice(manifest.as_bytes());
    bytes
}

/// An unsigned number as WebAssembly writes it, and how many bytes it took.
fn leb128(bytes: &[u8]) -> (usize, usize) {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return (value, index + 1);
        }
    }
    panic!("a number without an end")
}
