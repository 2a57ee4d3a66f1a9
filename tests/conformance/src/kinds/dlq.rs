//! Dead letters: what is sent for a record, with which headers.

use caisson_config::ConnectorKind;
use caisson_config::connector::{DeadLetterHeaders, Flow};
use caisson_task::errors::{Letter, LetterHeaders, Place, Subject};
use serde_json::Value as Json;

use super::failure::{Built, Message, bytes, config, outcome, stage, task, throwable};
use crate::Outcome;
use crate::notation::Unbuildable;

pub fn replay(input: &Json, expect: &Json) -> Outcome {
    match letter(input) {
        Ok(letter) => check_letter(letter, &expect["produced"]),
        Err(Unbuildable(what)) => Outcome::Skipped(what),
    }
}

fn letter(input: &Json) -> Built<Option<(String, Letter)>> {
    let Flow::Sink(sink) = config(input, ConnectorKind::Sink)?.flow else {
        return Ok(None);
    };
    let Some(settings) = sink.dead_letters else {
        return Ok(None);
    };
    let message = Message::read(&input["record"])?;
    let subject = match &input["record"] {
        Json::Null => Subject::Unknown,
        record => Subject::Consumed(message.consumed(record)),
    };
    let place = Place {
        task: &task(input),
        stage: stage(input)?,
        class: input["class"].as_str().unwrap_or_default(),
    };
    let headers = LetterHeaders {
        context: settings.headers == DeadLetterHeaders::On,
        class: false,
    };
    let error = throwable(&input["exception"]);
    let letter = Letter::new(&subject, place, error.as_ref(), headers);
    Ok(letter.map(|letter| (settings.topic, letter)))
}

fn check_letter(letter: Option<(String, Letter)>, expect: &Json) -> Outcome {
    let Some((topic, letter)) = letter else {
        return outcome(expect.is_null(), || format!("no letter, expected {expect}"));
    };
    let same_bytes = |json: &Json, given: &Option<Vec<u8>>| bytes(json).is_ok_and(|bytes| bytes == *given);
    let same_header = |(json, (name, value)): (&Json, &(String, Option<Vec<u8>>))| {
        let same_value = match json["firstLine"].as_str() {
            Some(line) => value.as_ref().is_some_and(|value| first_line(value) == line),
            None => same_bytes(&json["value"], value),
        };
        json["key"] == **name && same_value
    };
    let headers: Vec<_> = expect["headers"].as_array().into_iter().flatten().collect();
    let same = expect["topic"] == topic
        && expect["timestamp"].as_i64() == letter.timestamp
        && same_bytes(&expect["key"], &letter.key)
        && same_bytes(&expect["value"], &letter.value)
        && headers.len() == letter.headers.len()
        && headers.into_iter().zip(&letter.headers).all(same_header);
    outcome(same, || format!("expected {expect}, got {letter:?} for {topic}"))
}

fn first_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}
