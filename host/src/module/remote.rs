//! Modules of a worker that runs somewhere.

use std::path::Path;

use anyhow::{Context, bail};
use caisson_rest::{Remote, RemoteError};
use serde_json::{Value, json};

use crate::cli::{ConsentArgument, WorkerArguments};
use crate::client::remote;

/// Digits of a digest that are shown.
const SHORT: usize = 12;

/// What a refusal says to people: what a module asks for stands in a line of its own.
fn told(error: RemoteError) -> anyhow::Error {
    match &error {
        RemoteError::Refused { body, .. } if body["capabilities"].is_object() => {
            let wants = format!("it asks for {}", body["capabilities"]);
            anyhow::Error::from(error).context(wants)
        }
        _ => error.into(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn short(value: &Value) -> &str {
    let digest = text(value);
    digest.get(..SHORT).unwrap_or(digest)
}

pub async fn push(
    worker: &WorkerArguments,
    file: &Path,
    activate: bool,
    consent: &ConsentArgument,
) -> anyhow::Result<()> {
    let module = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let path = format!("/modules?activate={activate}&consent={}", consent.consent);
    let answer = remote(worker)?
        .post(&path, "application/wasm", &module)
        .await
        .map_err(told)?;
    println!("{}", text(&answer["digest"]));
    for class in answer["serves"].as_array().into_iter().flatten() {
        println!("serves {}", text(class));
    }
    for binding in answer["activated"].as_array().into_iter().flatten() {
        println!("{}", swapped(binding));
    }
    Ok(())
}

pub async fn list(worker: &WorkerArguments) -> anyhow::Result<()> {
    let modules = remote(worker)?.get("/modules").await.map_err(told)?;
    for module in modules.as_array().into_iter().flatten() {
        let serves: Vec<&str> = module["serves"].as_array().into_iter().flatten().map(text).collect();
        let users = module["used_by"].as_array().map_or(0, Vec::len);
        println!(
            "{} {:11} {} {} used by {users}{}{}",
            short(&module["digest"]),
            text(&module["origin"]),
            text(&module["name"]),
            text(&module["version"]),
            if serves.is_empty() { "" } else { ", serves " },
            serves.join(", ")
        );
    }
    Ok(())
}

pub async fn remove(worker: &WorkerArguments, digest: &str) -> anyhow::Result<()> {
    let remote = remote(worker)?;
    let digest = whole(&remote, digest).await?;
    remote.delete(&format!("/modules/{digest}")).await.map_err(told)?;
    println!("removed {digest}");
    Ok(())
}

pub async fn activate(
    worker: &WorkerArguments,
    class: &str,
    (digest, canary): (&str, bool),
    consent: &ConsentArgument,
) -> anyhow::Result<()> {
    let remote = remote(worker)?;
    let digest = whole(&remote, digest).await?;
    let path = format!("/bindings/{}?consent={}", Remote::segment(class), consent.consent);
    let body = match canary {
        true => json!({ "module": digest, "canary": true }),
        false => json!({ "module": digest }),
    };
    let binding = remote.put(&path, &body).await.map_err(told)?;
    println!("{}", swapped(&binding));
    Ok(())
}

pub async fn roll_back(worker: &WorkerArguments, class: &str) -> anyhow::Result<()> {
    let path = format!("/bindings/{}/rollback", Remote::segment(class));
    let binding = remote(worker)?
        .post(&path, "application/json", &[])
        .await
        .map_err(told)?;
    println!("{}", swapped(&binding));
    Ok(())
}

/// The digest that begins so.
async fn whole(remote: &Remote, digits: &str) -> anyhow::Result<String> {
    let modules = remote.get("/modules").await.map_err(told)?;
    let digests = modules
        .as_array()
        .into_iter()
        .flatten()
        .map(|module| text(&module["digest"]));
    let found: Vec<&str> = digests.filter(|digest| digest.starts_with(digits)).collect();
    match found.as_slice() {
        [digest] => Ok((*digest).to_owned()),
        [] => bail!("the worker has no module {digits}"),
        several => bail!("{digits} may be one of {} modules", several.len()),
    }
}

/// What a change of a binding came to.
fn swapped(binding: &Value) -> String {
    let names = |key: &str| -> Vec<&str> { binding[key].as_array().into_iter().flatten().map(text).collect() };
    let mut line = format!(
        "{} is served by {} (generation {}, {})",
        text(&binding["class"]),
        if binding["module"].is_null() {
            "what the worker has itself"
        } else {
            short(&binding["module"])
        },
        binding["generation"],
        text(&binding["state"])
    );
    if let Some(task) = binding["canary"]["task"].as_str() {
        let (module, state) = (short(&binding["canary"]["module"]), text(&binding["canary"]["state"]));
        line.push_str(&format!("; {task} tries {module} ({state})"));
    }
    for (key, words) in [("swapped", "swapped"), ("waiting", "at their next start")] {
        if !names(key).is_empty() {
            line.push_str(&format!("; {words}: {}", names(key).join(", ")));
        }
    }
    line
}
