//! What `caisson new` makes compiles and passes its own test.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[test]
fn new_projects_compile_and_pass_their_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("new");
    let _ = std::fs::remove_dir_all(scratch.join("projects"));
    for kind in ["source", "sink", "transform"] {
        let project = scratch.join("projects").join(format!("my-{kind}"));
        let made = caisson(&root, kind, &project);
        assert!(
            made.status.success(),
            "{kind}: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        assert!(
            !caisson(&root, kind, &project).status.success(),
            "what is there is left alone"
        );
        // The versions that this tree is built with need no network.
        std::fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
        let tested = Command::new(env!("CARGO"))
            .args(["test", "--offline", "--quiet"])
            .env("CARGO_TARGET_DIR", scratch.join("target"))
            .env_remove("CARGO_PROFILE_DEV_OPT_LEVEL")
            .current_dir(&project)
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&tested.stdout),
            String::from_utf8_lossy(&tested.stderr),
        );
        assert!(
            tested.status.success() && out.contains("1 passed"),
            "{kind}:\n{out}\n{err}"
        );
    }
}

fn caisson(root: &Path, kind: &str, project: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_caisson"))
        .args(["new", kind])
        .arg(project)
        .arg("--sdk")
        .arg(root.join("guest-sdk/rust"))
        .output()
        .unwrap()
}
