//! `caisson apply`: connectors as files say. What it changes is shown key by key, and checked by the worker, before
//! anything is written.

mod diff;
pub mod documents;
mod plan;

use std::io::{IsTerminal, Write};

use anyhow::bail;
use caisson_rest::Remote;
use serde_json::Value;

use self::documents::is_standard_input;
use self::plan::{Action, Plan};
use super::Ending;
use super::connection::{patiently, remote};
use super::screen::{line, show, show_json};
use crate::cli::{ApplyArguments, Output};

pub async fn run(arguments: &ApplyArguments) -> anyhow::Result<Ending> {
    let documents = documents::connectors(&arguments.files, arguments.name.as_deref())?;
    let worker = remote(&arguments.worker)?;
    let mut plans = Vec::with_capacity(documents.len());
    for document in documents {
        plans.push(Plan::of(&worker, document).await?);
    }
    match arguments.output.form {
        Output::Json => show_json(&plans.iter().map(Plan::to_json).collect::<Vec<Value>>().into())?,
        Output::Table => plans.iter().try_for_each(|plan| show(&plan.render()))?,
    }
    let errors: usize = plans.iter().map(Plan::error_count).sum();
    if errors > 0 {
        bail!("nothing is written: {errors} {}", plural(errors, "error"));
    }
    let changes = plans.iter().filter(|plan| plan.action != Action::None).count();
    if changes == 0 {
        return Ok(Ending::Done);
    }
    if arguments.dry_run {
        return Ok(Ending::Differs);
    }
    if !arguments.yes && !asked(arguments, changes)? {
        return Ok(Ending::Differs);
    }
    for plan in &plans {
        write(&worker, plan, arguments.output.form).await?;
    }
    Ok(Ending::Done)
}

/// Whether whoever sits at the terminal wants it.
fn asked(arguments: &ApplyArguments, changes: usize) -> anyhow::Result<bool> {
    let input_is_taken = arguments.files.iter().any(|file| is_standard_input(file));
    if input_is_taken || !std::io::stdin().is_terminal() {
        bail!("nothing is written: there is nobody to ask; --yes writes without asking");
    }
    let mut terminal = std::io::stderr().lock();
    write!(terminal, "Write {changes} {}? [y/N] ", plural(changes, "connector"))?;
    terminal.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

async fn write(worker: &Remote, plan: &Plan, form: Output) -> anyhow::Result<()> {
    let name = &plan.connector.name;
    let done = match plan.action {
        Action::None => return Ok(()),
        Action::Create => {
            let body = plan.request();
            patiently(async || worker.post_json("/connectors", &body).await).await?;
            "created"
        }
        Action::Change => {
            let (path, config) = (super::connection::of_connector(name, "/config"), plan.config());
            patiently(async || worker.put(&path, &config).await).await?;
            "changed"
        }
    };
    match form {
        Output::Table => show(&format!("{done} {}\n", line(name))),
        // It has told what it is going to do.
        Output::Json => Ok(()),
    }
}

fn plural(count: usize, what: &str) -> String {
    format!("{what}{}", if count == 1 { "" } else { "s" })
}
