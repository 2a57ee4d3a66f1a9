//! Keys of topic creation: those of the default group, and one set for each group that a configuration names.

use caisson_api::config::{Setting, Type};

use super::links::embed;
use super::source;
use crate::definition::{Check, Definition, definitions};
use crate::given::Given;

/// The group that every topic belongs to that is in no other.
pub const DEFAULT_GROUP: &str = "default";

/// Keys of the default group, without a prefix.
pub fn default_group() -> Vec<Definition> {
    definitions(source::TOPIC_GROUP)
}

/// Keys of another group, without a prefix: what the default group has to say, the others may leave to it.
pub fn group(name: &str, replication_factor: i16, partitions: i32) -> Vec<Definition> {
    let mut all = default_group();
    for definition in &mut all {
        let key = &mut definition.key;
        key.display = key.display.replace(DEFAULT_GROUP, name);
        key.group = Some(name.to_owned());
        let default = match key.name.as_str() {
            "replication.factor" => replication_factor.to_string(),
            "partitions" => partitions.to_string(),
            // Patterns: none. Kafka Connect describes them as if they were numbers.
            _ => {
                key.validator = Check::Patterns("Positive number, or -1 to use the broker's default").validator();
                String::new()
            }
        };
        key.default = caisson_api::config::Default::Text(default);
    }
    all
}

/// The keys that stand below the names of all groups of a configuration. It names a group by itself only if there are
/// keys below `topic.creation.` at all.
pub fn embedded(given: &Given) -> Vec<Definition> {
    let text = |key: &str| given.get(&format!("topic.creation.{DEFAULT_GROUP}.{key}"));
    let number = |key: &str| text(key).and_then(|text| text.trim().parse::<i32>().ok()).unwrap_or(-1);
    let replication_factor = i16::try_from(number("replication.factor")).unwrap_or(-1);
    let mut all = default_group();
    embed(&mut all, &format!("topic.creation.{DEFAULT_GROUP}."), DEFAULT_GROUP, 0);
    for name in names(given) {
        let title = format!("Topic Creation: {name}");
        let mut own = group(&title, replication_factor, number("partitions"));
        embed(&mut own, &format!("topic.creation.{name}."), &title, 0);
        all.extend(own);
    }
    all
}

/// The groups that `topic.creation.groups` names, without the default one.
fn names(given: &Given) -> Vec<String> {
    let text = given.get("topic.creation.groups").unwrap_or_default();
    match Setting::parse("topic.creation.groups", text, Type::List) {
        Ok(Setting::List(mut names)) => {
            names.retain(|name| name != DEFAULT_GROUP);
            names
        }
        Ok(_) | Err(_) => Vec::new(),
    }
}
