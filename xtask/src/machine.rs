//! What the machine must have before anything can be built: C libraries for the Kafka client, Java for the test
//! broker, the Wasm target for components. What is missing is installed where that is allowed, and named where not.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::process;

/// The target that components are built for.
pub const WASM_TARGET: &str = "wasm32-wasip2";

/// Something that Debian has in a package.
struct Need {
    /// What it is for, as the message says it.
    purpose: &'static str,
    package: &'static str,
    present: fn() -> bool,
}

/// For building the worker: librdkafka is compiled from source and links TLS and compression.
const BUILD: [Need; 6] = [
    Need {
        purpose: "a C compiler",
        package: "gcc",
        present: || program("cc"),
    },
    Need {
        purpose: "a C++ compiler",
        package: "g++",
        present: || program("c++"),
    },
    Need {
        purpose: "make",
        package: "make",
        present: || program("make"),
    },
    Need {
        purpose: "pkg-config",
        package: "pkg-config",
        present: || program("pkg-config"),
    },
    Need {
        purpose: "OpenSSL's headers",
        package: "libssl-dev",
        present: || library("openssl"),
    },
    Need {
        purpose: "zlib's headers",
        package: "zlib1g-dev",
        present: || library("zlib"),
    },
];

/// For a real Kafka: its jars come by Maven.
const BROKER: [Need; 4] = [
    Need {
        purpose: "Java 17 or newer",
        package: "default-jre-headless",
        present: java,
    },
    Need {
        purpose: "Maven",
        package: "maven",
        present: || program("mvn"),
    },
    Need {
        purpose: "curl",
        package: "curl",
        present: || program("curl"),
    },
    Need {
        purpose: "setsid",
        package: "util-linux",
        present: || program("setsid"),
    },
];

/// For playing recorded requests.
const PLAYER: [Need; 2] = [
    Need {
        purpose: "Python",
        package: "python3",
        present: || program("python3"),
    },
    Need {
        purpose: "kcat",
        package: "kcat",
        present: || program("kcat"),
    },
];

/// Makes sure that recorded requests can be played.
pub fn prepare_player() -> Result<()> {
    provide(&PLAYER)
}

/// Makes sure that the worker can be built.
pub fn prepare_build() -> Result<()> {
    provide(&BUILD)
}

/// Makes sure that Kafka can be fetched and run.
pub fn prepare_broker() -> Result<()> {
    provide(&BROKER)
}

/// Makes sure that components can be built.
pub fn prepare_wasm(root: &Path) -> Result<()> {
    let sysroot = process::answer(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root))?;
    if Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(WASM_TARGET)
        .join("lib")
        .is_dir()
    {
        return Ok(());
    }
    if !program("rustup") {
        bail!("this Rust has no target {WASM_TARGET} and no rustup to add it: install Rust by https://rustup.rs");
    }
    println!("adding the Rust target {WASM_TARGET}");
    process::visible(
        Command::new("rustup")
            .args(["target", "add", WASM_TARGET])
            .current_dir(root),
    )
}

fn provide(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let purposes: Vec<&str> = missing.iter().map(|need| need.purpose).collect();
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let (purposes, packages) = (purposes.join(", "), packages.join(" "));
    if !program("apt-get") {
        bail!("missing: {purposes}; install them with your system's package manager (in Debian: {packages})");
    }
    if !rustix::process::geteuid().is_root() {
        bail!(
            "missing: {purposes}; install them with\n\n    sudo apt-get update && sudo apt-get install -y {packages}\n"
        );
    }
    println!("installing {packages}");
    process::visible(apt().args(["-qq", "update"]))?;
    process::visible(
        apt()
            .args(["-qq", "install", "-y", "--no-install-recommends"])
            .args(packages.split(' ')),
    )?;
    match missing.iter().find(|need| !(need.present)()) {
        Some(need) => bail!("{} is still missing after installing {}", need.purpose, need.package),
        None => Ok(()),
    }
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

fn program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(name).is_file())
}

fn library(name: &str) -> bool {
    Command::new("pkg-config")
        .args(["--exists", name])
        .status()
        .is_ok_and(|status| status.success())
}

/// `java -version` writes `openjdk version "17.0.18" ...` to standard error.
fn java() -> bool {
    let Ok(output) = Command::new("java").arg("-version").output() else {
        return false;
    };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let major = text
        .split('"')
        .nth(1)
        .and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    output.status.success() && major.is_some_and(|major| major >= 17)
}
