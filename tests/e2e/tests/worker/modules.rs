//! Modules by REST: what is uploaded is there at once and after a restart, what is garbage leaves nothing behind, and
//! what serves a class changes only because somebody said so.

use caisson_e2e::{Rest, System};
use serde_json::{Value, json};

pub const PASS: &str = "changeling.Pass";

/// The changeling as another module: with this behaviour and version.
pub fn changeling(system: &System, behaviour: &str, version: u32) -> Vec<u8> {
    let path = system.guests.join("changeling.wasm");
    let mut bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut overwrite = |old: &str, new: String| {
        assert_eq!(old.len(), new.len());
        let places: Vec<usize> = (0..bytes.len())
            .filter(|at| bytes[*at..].starts_with(old.as_bytes()))
            .collect();
        assert!(!places.is_empty(), "{old} is in the changeling");
        for place in places {
            bytes[place..place + new.len()].copy_from_slice(new.as_bytes());
        }
    };
    overwrite(
        "changeling:ok...................",
        format!("{:.<32}", format!("changeling:{behaviour}")),
    );
    overwrite("1.0.0001", format!("1.0.{version:04}"));
    bytes
}

/// Uploads a version of the changeling and returns its digest.
#[track_caller]
pub fn upload(system: &System, rest: &Rest, behaviour: &str, version: u32) -> String {
    let answer = rest
        .upload("/modules", &changeling(system, behaviour, version))
        .expect(201);
    answer["digest"].as_str().unwrap().to_owned()
}

fn versions(rest: &Rest, class: &str) -> Vec<String> {
    let plugins = rest.get("/connector-plugins?connectorsOnly=false").expect(200);
    let of_class = |plugin: &&Value| plugin["class"] == class;
    let version = |plugin: &Value| plugin["version"].as_str().unwrap().to_owned();
    plugins
        .as_array()
        .unwrap()
        .iter()
        .filter(of_class)
        .map(version)
        .collect()
}

fn files(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "lock").collect();
    names.sort();
    names
}

#[test]
fn a_module_is_there_at_once_and_after_a_restart() {
    let Some(system) = System::get() else { return };
    let mut worker = system.worker("modules").start();
    let rest = worker.rest.clone();
    let bytes = changeling(&system, "ok", 1);
    let module = rest.upload("/modules", &bytes).expect(201);
    let digest = module["digest"].as_str().unwrap().to_owned();
    assert_eq!(module["plugins"][0]["version"], "1.0.0001", "{module}");
    assert_eq!(module["serves"], json!(["changeling.Pass", "changeling.Sink"]));
    let sink = module["plugins"]
        .as_array()
        .unwrap()
        .iter()
        .find(|plugin| plugin["type"] == "sink")
        .unwrap();
    assert_eq!(
        (&sink["config"][0]["name"], &sink["capabilities"]["write"][0]),
        (&json!("file"), &json!("${file}"))
    );
    assert_eq!(rest.upload("/modules", &bytes).expect(200)["digest"], digest);
    assert_eq!(versions(&rest, PASS), ["1.0.0001"]);
    assert_eq!(rest.bytes(&format!("/modules/{digest}/bytes")), bytes);

    // A second version is there to be named, and changes nothing by itself.
    let second = upload(&system, &rest, "ok", 2);
    assert_eq!(versions(&rest, PASS), ["1.0.0001", "1.0.0002"]);
    let binding = rest.get("/bindings/changeling.Pass").expect(200);
    assert_eq!(
        (&binding["module"], &binding["generation"], &binding["by"]),
        (&json!(digest), &json!(1), &json!("upload"))
    );
    let config = |version: Option<&str>| {
        let mut config = json!({ "connector.class": "changeling.Sink", "topics": "t", "file": worker.path("out.txt") });
        if let Some(version) = version {
            config["connector.plugin.version"] = version.into();
        }
        config
    };
    for (name, version, expected) in [
        ("bound", None, "1.0.0001"),
        ("ranged", Some("[1.0.0002,2)"), "1.0.0002"),
    ] {
        rest.create(name, &config(version));
        let status = rest.await_states(name, "RUNNING", "RUNNING");
        assert_eq!(status["connector"]["version"], expected, "{name}");
    }
    let refused = rest.delete(&format!("/modules/{second}")).expect(409);
    assert!(
        refused["message"].as_str().unwrap().contains("ranged, ranged-0"),
        "{refused}"
    );
    rest.delete("/connectors/ranged").expect(204);

    let bound = rest
        .call("PUT", "/bindings/changeling.Pass", Some(&json!({ "module": second })))
        .expect(200);
    assert_eq!(
        (&bound["generation"], &bound["previous"]["module"]),
        (&json!(2), &json!(digest))
    );
    worker.kill();
    worker.start_again();
    assert_eq!(rest.get("/bindings/changeling.Pass").expect(200)["module"], second);
    assert_eq!(versions(&rest, PASS), ["1.0.0001", "1.0.0002"]);
    let back = rest
        .call("POST", "/bindings/changeling.Pass/rollback", None)
        .expect(200);
    assert_eq!((&back["generation"], &back["module"]), (&json!(3), &json!(digest)));
    assert_eq!(
        rest.get("/bindings/changeling.Pass/history")
            .expect(200)
            .as_array()
            .unwrap()
            .len(),
        3
    );
    rest.delete(&format!("/modules/{second}")).expect(204);
    rest.delete(&format!("/modules/{second}")).expect(404);
    rest.get(&format!("/modules/{second}")).expect(404);
    assert_eq!(versions(&rest, PASS), ["1.0.0001"]);
}

#[test]
fn a_module_that_asks_for_more_waits_for_consent() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("consent").start();
    let rest = &worker.rest;
    upload(&system, rest, "ok", 1);
    let greedy = upload(&system, rest, "grants", 2);
    let body = json!({ "module": greedy });
    let refused = rest.call("PUT", "/bindings/changeling.Pass", Some(&body)).expect(409);
    assert_eq!(
        refused["capabilities"]["network"],
        json!(["changeling.example:443"]),
        "{refused}"
    );
    assert_eq!(rest.get("/bindings/changeling.Pass").expect(200)["generation"], 1);
    let path = "/bindings/changeling.Pass?consent=true";
    assert_eq!(rest.call("PUT", path, Some(&body)).expect(200)["module"], greedy);
}

#[test]
fn garbage_is_refused_with_a_reason_and_leaves_nothing() {
    let Some(system) = System::get() else { return };
    let setup = system.worker("garbage").property("sandbox.module.max.bytes", "8MiB");
    let directory = setup.path("modules");
    let worker = setup
        .property("module.storage.directory", &directory.display().to_string())
        .start();
    let rest = &worker.rest;
    let good = changeling(&system, "ok", 1);
    let before = rest.get("/connector-plugins").expect(200);
    let mut corrupt = good.clone();
    let middle = corrupt.len() / 2;
    corrupt[middle..middle + 2_000].fill(0xff);
    for (what, bytes, reason) in [
        ("nothing", Vec::new(), "not a WebAssembly component"),
        (
            "a text",
            b"this is no WebAssembly".to_vec(),
            "not a WebAssembly component",
        ),
        (
            "a core module",
            b"\0asm\x01\0\0\0".to_vec(),
            "not a WebAssembly component",
        ),
        ("an empty component", b"\0asm\x0d\0\x01\0".to_vec(), ""),
        ("the first half", good[..middle].to_vec(), "damaged"),
        ("all but the last byte", good[..good.len() - 1].to_vec(), ""),
        ("a corrupt one", corrupt, ""),
    ] {
        let answer = rest.upload("/modules", &bytes);
        assert_eq!(answer.status, 400, "{what}: {}", answer.body);
        let message = answer.body["message"].as_str().unwrap();
        assert!(message.contains(reason) && !message.is_empty(), "{what}: {message}");
    }
    // What is announced as too large need not even be read; what is not announced ends where it becomes too large.
    let huge = vec![0; 9 << 20];
    let sent = [
        rest.send("/modules", "application/wasm", &huge),
        rest.upload_in_pieces("/modules", &huge),
    ];
    for answer in sent.into_iter().flatten() {
        let refused = answer.expect(413);
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains("sandbox.module.max.bytes"), "{message}");
    }
    let status = |content_type| rest.send("/modules", content_type, b"{}").unwrap().status;
    assert_eq!([status("application/json"), status("text/plain")], [415, 415]);
    let gone = format!("/modules/{}", "0".repeat(64));
    assert_eq!(rest.get(&gone).status, 404);
    assert_eq!(rest.get("/modules/no-digest/bytes").status, 404);
    assert_eq!(rest.delete(&gone).status, 404);
    for (body, status) in [
        (json!({}), 400),
        (json!({ "module": "x" }), 404),
        (json!({ "module": "0".repeat(64) }), 404),
    ] {
        assert_eq!(
            rest.call("PUT", "/bindings/changeling.Pass", Some(&body)).status,
            status,
            "{body}"
        );
    }
    assert_eq!(rest.get("/connector-plugins").expect(200), before);
    assert_eq!(files(&directory), Vec::<String>::new());
    rest.upload_in_pieces("/modules", &good).unwrap().expect(201);
    let stolen = rest.get("/bindings").expect(200);
    assert_eq!(stolen.as_array().unwrap().len(), 2);
}

#[test]
fn the_command_line_brings_modules_to_a_worker_and_takes_them_away() {
    let Some(system) = System::get() else { return };
    let worker = system.worker("push").start();
    let caisson = |arguments: &[&str]| {
        let ended = system
            .caisson(&[&["module"], arguments].concat())
            .on(&worker.rest)
            .run("");
        (ended.is_well(), ended.out, ended.error)
    };
    let file = |version: u32, behaviour: &str| {
        let path = worker.path(&format!("{version}.wasm"));
        std::fs::write(&path, changeling(&system, behaviour, version)).unwrap();
        path.display().to_string()
    };
    let (first, second, greedy) = (file(1, "ok"), file(2, "ok"), file(3, "grants"));
    let (valid, offered, _) = caisson(&["validate", &first]);
    assert!(valid && offered.contains("sink changeling.Sink 1.0.0001"), "{offered}");
    let (pushed, told, error) = caisson(&["push", &first]);
    assert!(pushed && told.contains("serves changeling.Pass"), "{told} {error}");
    let before = told[..12].to_owned();
    let (_, told, _) = caisson(&["push", &second, "--activate"]);
    assert!(
        told.contains("changeling.Pass is served by") && told.contains("generation 2"),
        "{told}"
    );
    let (refused, _, error) = caisson(&["push", &greedy, "--activate"]);
    assert!(!refused && error.contains("changeling.example:443"), "{error}");
    let (_, list, _) = caisson(&["list"]);
    assert_eq!(
        list.lines().filter(|line| line.contains("changeling 0.1.0")).count(),
        3,
        "{list}"
    );
    let digest = told.lines().next().unwrap()[..12].to_owned();
    let (tried, _, error) = caisson(&["activate", "--canary", PASS, &before]);
    assert!(!tried && error.contains("no running task"), "{error}");
    let (back, told, error) = caisson(&["rollback", PASS]);
    assert!(back && told.contains("generation 3"), "{told} {error}");
    let (_, told, error) = caisson(&["activate", PASS, &digest]);
    assert!(told.contains("generation 4"), "{told} {error}");
    caisson(&["rollback", PASS]);
    caisson(&["rollback", "changeling.Sink"]);
    let (gone, told, error) = caisson(&["rm", &digest]);
    assert!(gone && told.contains(&digest), "{told} {error}");
    let (again, _, error) = caisson(&["rm", &digest]);
    assert!(!again && error.contains("has no module"), "{error}");
    let (found, _, error) = caisson(&["push", "no-such-file.wasm"]);
    assert!(!found && error.contains("no-such-file.wasm"), "{error}");
}
