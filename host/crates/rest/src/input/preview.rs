//! The body of `POST /preview`.

use caisson_api::value::base64;
use caisson_model::preview::{Flow, LARGEST_SAMPLE, MOST_SAMPLES, Payload, PreviewRequest, Sample, Samples};

use super::Unreadable;
use super::jackson::{elements, members, mismatch, text, text_map, value};

const REQUEST: &str = "PreviewRequest";
const RECORD: &str = "PreviewRecord";
const HEADER: &str = "PreviewHeader";

/// Reads the body. Members that nobody knows are refused: a typing error would be tried as something else.
pub fn parse_preview(body: &[u8]) -> Result<PreviewRequest, Unreadable> {
    let missing = |what: &str| Unreadable(format!("The request has no {what}"));
    let raw = value(body)?.ok_or_else(|| missing("body"))?;
    let (mut config, mut flow, mut records, mut topic, mut last) = (None, Flow::Sink, None, None, None);
    for (member, raw) in members(raw, REQUEST)? {
        match member.as_str() {
            _ if raw == "null" => {}
            "config" => config = Some(text_map(raw)?),
            "type" => flow = self::flow(raw)?,
            "records" => records = Some(samples(raw)?),
            "topic" => topic = text(raw)?,
            "last" => last = Some(number(&member, raw)?),
            _ => return Err(unknown(&member, r#""config", "type", "records", "topic", "last""#)),
        }
    }
    let samples = match (records, topic, last) {
        (Some(records), None, None) => Samples::Given(records),
        (None, Some(topic), last) => Samples::Last {
            topic,
            records: count(last)?,
        },
        (Some(_), _, _) => return Err(Unreadable("Give either records, or topic and last".to_owned())),
        (None, None, _) => return Err(missing("records: give records, or topic and last")),
    };
    Ok(PreviewRequest {
        config: config.ok_or_else(|| missing("configuration"))?,
        flow,
        samples,
    })
}

fn flow(raw: &str) -> Result<Flow, Unreadable> {
    match text(raw)?.as_deref() {
        Some("sink") => Ok(Flow::Sink),
        Some("source") => Ok(Flow::Source),
        _ => Err(Unreadable(format!("type has to be \"source\" or \"sink\", not {raw}"))),
    }
}

/// How many records of a topic.
fn count(last: Option<i64>) -> Result<usize, Unreadable> {
    let count = last.map_or(Some(1), |last| usize::try_from(last).ok());
    count
        .filter(|count| (1..=MOST_SAMPLES).contains(count))
        .ok_or_else(|| Unreadable(format!("last has to be between 1 and {MOST_SAMPLES}")))
}

fn samples(raw: &str) -> Result<Vec<Sample>, Unreadable> {
    let raw = elements(raw, "PreviewRecord[]")?;
    if raw.is_empty() || raw.len() > MOST_SAMPLES {
        let text = format!("records has {} records, it takes 1 to {MOST_SAMPLES}", raw.len());
        return Err(Unreadable(text));
    }
    let named = |(index, raw): (usize, &&str)| {
        sample(raw).map_err(|Unreadable(problem)| Unreadable(format!("record {index}: {problem}")))
    };
    raw.iter().enumerate().map(named).collect()
}

fn sample(raw: &str) -> Result<Sample, Unreadable> {
    let (mut topic, mut partition, mut offset, mut timestamp, mut headers) = (None, None, None, None, Vec::new());
    let (mut key, mut value) = (Given::default(), Given::default());
    for (member, raw) in members(raw, RECORD)? {
        match member.as_str() {
            "key" => key.json = Some(raw),
            "key_schema" => key.schema = Some(raw),
            "key_base64" => key.base64 = text(raw)?,
            "value" => value.json = Some(raw),
            "value_schema" => value.schema = Some(raw),
            "value_base64" => value.base64 = text(raw)?,
            _ if raw == "null" => {}
            "topic" => topic = text(raw)?,
            "partition" => partition = Some(number(&member, raw)?),
            "offset" => offset = Some(number(&member, raw)?),
            "timestamp" => timestamp = Some(number(&member, raw)?),
            "headers" => {
                let all = elements(raw, "PreviewHeader[]")?;
                headers = all.into_iter().map(header).collect::<Result<_, _>>()?;
            }
            _ => {
                let known = r#""topic", "partition", "offset", "timestamp", "key", "value", each with _schema or _base64, "headers""#;
                return Err(unknown(&member, known));
            }
        }
    }
    let partition: Option<i64> = partition;
    let partition = partition.map(i32::try_from).transpose();
    let sample = Sample {
        topic: topic.filter(|topic| !topic.is_empty()),
        partition: partition.map_err(|_| Unreadable("partition is too large".to_owned()))?,
        offset,
        timestamp,
        key: key.payload("key")?,
        value: value.payload("value")?,
        headers,
    };
    match sample.size() {
        size if size > LARGEST_SAMPLE => Err(Unreadable(format!(
            "{size} bytes of key, value and headers are more than {LARGEST_SAMPLE}"
        ))),
        _ => Ok(sample),
    }
}

fn header(raw: &str) -> Result<(String, Payload), Unreadable> {
    let (mut name, mut value) = (None, Given::default());
    for (member, raw) in members(raw, HEADER)? {
        match member.as_str() {
            "name" => name = text(raw)?,
            "value" => value.json = Some(raw),
            "value_schema" => value.schema = Some(raw),
            "value_base64" => value.base64 = text(raw)?,
            _ => return Err(unknown(&member, r#""name", "value", "value_schema", "value_base64""#)),
        }
    }
    let name = name.ok_or_else(|| Unreadable("a header has no name".to_owned()))?;
    let value = value.payload(&name)?;
    Ok((name, value))
}

/// What was said of a payload.
#[derive(Default)]
struct Given<'a> {
    json: Option<&'a str>,
    schema: Option<&'a str>,
    base64: Option<String>,
}

impl Given<'_> {
    fn payload(self, what: &str) -> Result<Payload, Unreadable> {
        let schema = self.schema.filter(|schema| *schema != "null");
        match (self.json, self.base64) {
            (None, None) if schema.is_none() => Ok(Payload::Null),
            (Some("null"), None) if schema.is_none() => Ok(Payload::Null),
            (json, None) => Ok(Payload::Value {
                json: json.unwrap_or("null").to_owned(),
                schema: schema.map(str::to_owned),
            }),
            (None, Some(text)) if schema.is_none() => match base64::decode(&text) {
                Some(bytes) => Ok(Payload::Bytes(bytes)),
                None => Err(Unreadable(format!("{what}: {text:.20} is no Base64"))),
            },
            (_, Some(_)) => Err(Unreadable(format!("{what} is given twice, or Base64 with a schema"))),
        }
    }
}

fn number(member: &str, raw: &str) -> Result<i64, Unreadable> {
    let number: i64 = raw.parse().map_err(|_| mismatch("long", raw))?;
    match number {
        0.. => Ok(number),
        _ => Err(Unreadable(format!("{member} is negative"))),
    }
}

fn unknown(member: &str, known: &str) -> Unreadable {
    Unreadable(format!("Unrecognized field \"{member}\", known are {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview(body: &str) -> Result<PreviewRequest, String> {
        parse_preview(body.as_bytes()).map_err(|Unreadable(problem)| problem)
    }

    fn value(json: &str) -> Payload {
        Payload::Value {
            json: json.to_owned(),
            schema: None,
        }
    }

    #[test]
    fn payloads_are_json_as_it_was_written_or_bytes() {
        let body = r#"{"config": {"a": 1}, "type": "source", "records": [{"topic": "t", "partition": 2, "timestamp": 5,
            "key": null, "value": {"n": 1.50}, "value_schema": {"type": "string"},
            "headers": [{"name": "h", "value_base64": "AAE="}, {"name": "i", "value": "x"}]}]}"#;
        let request = preview(body).unwrap();
        assert_eq!(
            (request.flow, &request.config["a"]),
            (Flow::Source, &Some("1".to_owned()))
        );
        let Samples::Given(samples) = request.samples else {
            panic!()
        };
        assert_eq!(samples.len(), 1);
        let sample = &samples[0];
        assert_eq!((sample.topic.as_deref(), sample.partition), (Some("t"), Some(2)));
        assert_eq!((sample.offset, sample.timestamp), (None, Some(5)));
        assert_eq!(sample.key, Payload::Null);
        let schema = Some(r#"{"type": "string"}"#.to_owned());
        assert_eq!(
            sample.value,
            Payload::Value {
                json: r#"{"n": 1.50}"#.to_owned(),
                schema
            }
        );
        let headers = [
            ("h".to_owned(), Payload::Bytes(vec![0, 1])),
            ("i".to_owned(), value(r#""x""#)),
        ];
        assert_eq!(sample.headers, headers);
    }

    #[test]
    fn the_last_records_of_a_topic_are_one_unless_it_says_more() {
        let last = |body| preview(body).map(|request| request.samples);
        let of = |records| {
            Ok(Samples::Last {
                topic: "t".to_owned(),
                records,
            })
        };
        assert_eq!(last(r#"{"config": {}, "topic": "t"}"#), of(1));
        assert_eq!(last(r#"{"config": {}, "topic": "t", "last": 100}"#), of(100));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let long = format!(r#"{{"config": {{}}, "records": [{}]}}"#, vec!["{}"; 101].join(","));
        let large = format!(
            r#"{{"config": {{}}, "records": [{{"value": "{}"}}]}}"#,
            "x".repeat(1 << 20)
        );
        for body in [
            "",
            "null",
            "[]",
            "{}",
            "{\"config\"",
            r#"{"config": {}}"#,
            r#"{"records": [{}]}"#,
            r#"{"config": {"a": {}}, "records": [{}]}"#,
            r#"{"config": {}, "records": []}"#,
            r#"{"config": {}, "records": {}}"#,
            r#"{"config": {}, "records": [5]}"#,
            r#"{"config": {}, "records": [{"vale": 1}]}"#,
            r#"{"config": {}, "records": [{"partition": -1}]}"#,
            r#"{"config": {}, "records": [{"partition": 5000000000}]}"#,
            r#"{"config": {}, "records": [{"offset": "x"}]}"#,
            r#"{"config": {}, "records": [{"value": 1, "value_base64": "AA=="}]}"#,
            r#"{"config": {}, "records": [{"value_base64": "A"}]}"#,
            r#"{"config": {}, "records": [{"headers": [{"value": 1}]}]}"#,
            r#"{"config": {}, "type": "transform", "records": [{}]}"#,
            r#"{"config": {}, "records": [{}], "topic": "t"}"#,
            r#"{"config": {}, "topic": "t", "last": 0}"#,
            r#"{"config": {}, "topic": "t", "last": 101}"#,
            r#"{"config": {}, "last": 1}"#,
            &long,
            &large,
        ] {
            assert!(preview(body).is_err(), "{body:.100}");
        }
    }
}
