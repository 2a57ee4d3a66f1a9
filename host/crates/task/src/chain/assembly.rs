//! Putting a chain together: which links there are, and which of them are one section.

use caisson_api::frame::{Encoding, Encodings};
use caisson_model::Failure;
use caisson_sandbox::Column;

use super::guest::{GuestLink, Job};
use super::native::both;
use super::{Link, Work};
use crate::preview::VALUES;
use crate::settings::{ConverterPlugin, Direction, TaskSettings};

/// The links of a task's configuration.
pub(super) async fn started(task: &TaskSettings) -> Result<Vec<Link>, Failure> {
    let mut links = Vec::with_capacity(task.chain.len());
    for link in &task.chain {
        links.push(Link::start(task, link).await?);
    }
    Ok(links)
}

/// The links; of the worker's own, those that follow each other are one.
pub(super) fn joined(links: Vec<Link>) -> Vec<Link> {
    let mut joined: Vec<Link> = Vec::with_capacity(links.len());
    for link in links {
        match (link, joined.last_mut().and_then(Link::section)) {
            (
                Link {
                    work: Work::Native(next),
                    condition: None,
                    ..
                },
                Some(section),
            ) => section.append(next),
            (link, _) => joined.push(link),
        }
    }
    joined
}

/// The links as they are. From Kafka, those that would be one section look at the same columns, so that a record is decoded
/// before the first of them and encoded behind the last one as it is in a section. To Kafka they look at all columns, for
/// what is encoded early would be encoded for the topic that the record has then.
pub(super) fn apart(mut links: Vec<Link>, direction: Direction) -> Vec<Link> {
    for run in links.chunk_by_mut(|one, next| one.is_section() && next.is_section()) {
        let sections = run.iter_mut().filter_map(Link::section);
        let looks = match direction {
            Direction::ToKafka => VALUES,
            Direction::FromKafka => sections.fold(Encodings::default(), |looks, section| both(looks, section.looks())),
        };
        for section in run.iter_mut().filter_map(Link::section) {
            section.look_at(looks);
        }
    }
    links
}

/// The links with those that convert around them, where a converter is a component: from Kafka as soon as anybody wants
/// values, to Kafka as late as can be.
pub(super) async fn converted(task: &TaskSettings, links: Vec<Link>) -> Result<Vec<Link>, Failure> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    // In Kafka Connect's order, for of a record that fails in two places the first one is told.
    let columns = match task.direction {
        Direction::ToKafka => [Column::Headers, Column::Key, Column::Value],
        Direction::FromKafka => [Column::Key, Column::Value, Column::Headers],
    };
    for column in columns {
        let ConverterPlugin::Guest { plugin, config } = &task.converters.of(column).converter else {
            continue;
        };
        let link = async |job| -> Result<Link, Failure> {
            let guest = GuestLink::converter(task, (plugin, config), job).await?;
            Ok(Link {
                // A converter's place is nobody's alias.
                alias: String::new(),
                work: Work::Guest(Box::new(guest)),
                condition: None,
            })
        };
        match task.direction {
            Direction::ToKafka => after.push(link(Job::Serialize(column)).await?),
            Direction::FromKafka => {
                let wants_bytes = of(task.plugin.encodings(), column) == Encoding::Bytes;
                if wants_bytes && links.is_empty() {
                    continue;
                }
                before.push(link(Job::Deserialize(column)).await?);
                if wants_bytes {
                    after.push(link(Job::Serialize(column)).await?);
                }
            }
        }
    }
    Ok(before.into_iter().chain(links).chain(after).collect())
}

fn of(encodings: Encodings, column: Column) -> Encoding {
    match column {
        Column::Key => encodings.key,
        Column::Value => encodings.value,
        Column::Headers => encodings.headers,
    }
}
