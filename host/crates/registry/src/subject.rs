//! Under which subject the schema of a topic's keys or values stands in the registry.

use crate::error::Error;

/// What a converter converts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Key,
    Value,
}

impl Part {
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Key => "key",
            Part::Value => "value",
        }
    }
}

/// A `SubjectNameStrategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    Topic,
    Record,
    TopicRecord,
}

const PACKAGE: &str = "io.confluent.kafka.serializers.subject.";

impl Naming {
    /// By the name of the class; the package may be missing.
    pub fn find(key: &str, class: &str) -> Result<Self, Error> {
        match class.strip_prefix(PACKAGE).unwrap_or(class) {
            "TopicNameStrategy" => Ok(Naming::Topic),
            "RecordNameStrategy" => Ok(Naming::Record),
            "TopicRecordNameStrategy" => Ok(Naming::TopicRecord),
            _ => Err(Error::config(
                key,
                format!(
                    "{class} is none of {PACKAGE}TopicNameStrategy, RecordNameStrategy and TopicRecordNameStrategy"
                ),
            )),
        }
    }

    /// Whether the name of the schema is part of the subject.
    pub fn uses_schema(self) -> bool {
        match self {
            Naming::Topic => false,
            Naming::Record | Naming::TopicRecord => true,
        }
    }

    /// The subject; fails with the text of the exception if it needs the name of a schema that has none.
    pub fn subject(self, topic: &str, part: Part, name: Option<&str>) -> Result<String, String> {
        let name = || {
            name.ok_or_else(|| {
                let part = part.as_str();
                format!(
                    "In configuration {part}.subject.name.strategy = {PACKAGE}{self:?}NameStrategy, the message {part} \
                     must only be a record schema"
                )
            })
        };
        Ok(match self {
            Naming::Topic => format!("{topic}-{}", part.as_str()),
            Naming::Record => name()?.to_owned(),
            Naming::TopicRecord => format!("{topic}-{}", name()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_strategy_has_its_subject() {
        let subject = |naming: Naming, name| naming.subject("t", Part::Key, name);
        assert_eq!(subject(Naming::Topic, None).unwrap(), "t-key");
        assert_eq!(subject(Naming::Record, Some("a.B")).unwrap(), "a.B");
        assert_eq!(subject(Naming::TopicRecord, Some("a.B")).unwrap(), "t-a.B");
        assert!(
            subject(Naming::Record, None)
                .unwrap_err()
                .contains("RecordNameStrategy")
        );
    }

    #[test]
    fn strategies_are_found_with_and_without_their_package() {
        let key = "value.subject.name.strategy";
        assert_eq!(Naming::find(key, "RecordNameStrategy").unwrap(), Naming::Record);
        let class = "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy";
        assert_eq!(Naming::find(key, class).unwrap(), Naming::TopicRecord);
        assert!(
            Naming::find(key, "com.example.Mine")
                .unwrap_err()
                .to_string()
                .contains(key)
        );
    }
}
