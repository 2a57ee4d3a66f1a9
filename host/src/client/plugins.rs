//! `caisson plugins`.

use caisson_rest::Remote;
use serde_json::Value;

use super::connection::remote;
use super::screen::{Table, cut, show, show_json, text};
use crate::cli::{Output, PluginsArguments};

/// Of a key's documentation in a table; JSON has all of it.
const DOCUMENTATION: usize = 80;

pub async fn run(arguments: &PluginsArguments) -> anyhow::Result<()> {
    let worker = remote(&arguments.worker)?;
    let (answer, table): (Value, fn(&[Value]) -> Table) = match &arguments.class {
        None => (worker.get("/connector-plugins?connectorsOnly=false").await?, plugins),
        Some(class) => {
            let path = format!("/connector-plugins/{}/config", Remote::segment(class));
            (worker.get(&path).await?, keys)
        }
    };
    match arguments.output.form {
        Output::Json => show_json(&answer),
        Output::Table => show(&table(answer.as_array().map_or(&[], Vec::as_slice)).render()),
    }
}

fn plugins(plugins: &[Value]) -> Table {
    let mut table = Table::new(&["CLASS", "TYPE", "VERSION"]);
    for plugin in plugins {
        table.row(
            ["class", "type", "version"]
                .map(|member| text(&plugin[member]))
                .to_vec(),
        );
    }
    table
}

fn keys(keys: &[Value]) -> Table {
    let mut table = Table::new(&["KEY", "TYPE", "DEFAULT", "IMPORTANCE", "WHAT IT IS"]);
    for key in keys {
        let default = match (&key["default_value"], &key["required"]) {
            (_, Value::Bool(true)) => "(required)".to_owned(),
            (Value::String(text), _) if text.is_empty() => "\"\"".to_owned(),
            (default, _) => text(default),
        };
        table.row(vec![
            text(&key["name"]),
            text(&key["type"]),
            default,
            text(&key["importance"]),
            cut(key["documentation"].as_str().unwrap_or_default(), DOCUMENTATION),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_say_whether_they_are_required_and_what_they_are_otherwise() {
        let found = json!([
            {"name": "a", "type": "STRING", "required": true, "default_value": null, "importance": "HIGH", "documentation": "What a is."},
            {"name": "b", "type": "INT", "required": false, "default_value": "1", "importance": "LOW", "documentation": null},
            {},
        ]);
        assert_eq!(
            keys(found.as_array().unwrap()).render(),
            "KEY   TYPE     DEFAULT      IMPORTANCE   WHAT IT IS\n\
             a     STRING   (required)   HIGH         What a is.\n\
             b     INT      1            LOW\n\
             -     -        -            -\n"
        );
    }
}
