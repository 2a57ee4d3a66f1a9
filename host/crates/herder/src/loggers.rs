//! Log levels by logger, as the admin endpoint shows and sets them.
//!
//! Names are dotted, as in Kafka Connect; what writes the log maps them to its own targets ([`LevelSink`]).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::Error;

const ROOT: &str = "root";
/// Loggers are made by requests; a client that makes up names must not fill the memory.
const MOST_LOGGERS: usize = 10_000;

/// Log4j's levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Off,
    Fatal,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
    All,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Off => "OFF",
            Level::Fatal => "FATAL",
            Level::Error => "ERROR",
            Level::Warn => "WARN",
            Level::Info => "INFO",
            Level::Debug => "DEBUG",
            Level::Trace => "TRACE",
            Level::All => "ALL",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(text: &str) -> Result<Level, Error> {
        let levels = [
            Level::Off,
            Level::Fatal,
            Level::Error,
            Level::Warn,
            Level::Info,
            Level::Debug,
            Level::Trace,
            Level::All,
        ];
        if text.is_empty() {
            return Err(Error::Other("Illegal null or empty Level name.".to_owned()));
        }
        levels
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| Error::NotFound(format!("invalid log level '{text}'.")))
    }
}

/// Whom a change of level is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Worker,
    Cluster,
}

/// The level of one logger, and when it was last changed, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggerLevel {
    pub level: Level,
    pub last_modified: Option<u64>,
}

/// Puts levels into effect.
pub trait LevelSink: Send + Sync {
    /// Sets the levels of all loggers that have one of their own; the root's is under the name `root`.
    fn apply(&self, levels: &BTreeMap<String, Level>);
}

/// The loggers of this process.
pub struct Loggers {
    sink: Arc<dyn LevelSink>,
    /// Loggers with a level of their own, `root` among them. Held for the time of a lookup or a change.
    known: Mutex<BTreeMap<String, LoggerLevel>>,
}

impl Loggers {
    /// Starts with these levels, which are in effect already.
    pub fn new(sink: Arc<dyn LevelSink>, root: Level, others: BTreeMap<String, Level>) -> Loggers {
        let unmodified = |level| LoggerLevel {
            level,
            last_modified: None,
        };
        let mut known: BTreeMap<String, LoggerLevel> = others
            .into_iter()
            .map(|(name, level)| (name, unmodified(level)))
            .collect();
        known.insert(ROOT.to_owned(), unmodified(root));
        Loggers {
            sink,
            known: Mutex::new(known),
        }
    }

    /// All loggers with a level of their own, and the root.
    pub fn all(&self) -> BTreeMap<String, LoggerLevel> {
        self.known().clone()
    }

    pub fn get(&self, name: &str) -> Result<LoggerLevel, Error> {
        let known = self.known().get(canonical(name)).copied();
        known.ok_or_else(|| Error::NotFound(format!("Logger {name} not found.")))
    }

    /// Sets the level of a logger and of all whose names begin with its name. The names of those whose level is another
    /// one now, in order.
    pub fn set(&self, name: &str, level: Level) -> Result<Vec<String>, Error> {
        let name = canonical(name);
        let mut known = self.known();
        if !known.contains_key(name) {
            if known.len() >= MOST_LOGGERS {
                return Err(Error::Other(format!("there are {MOST_LOGGERS} loggers already")));
            }
            let inherited = LoggerLevel {
                level: inherited(&known, name),
                last_modified: None,
            };
            known.insert(name.to_owned(), inherited);
        }
        let mut changed = Vec::new();
        for (other, current) in known.iter_mut() {
            let concerned = name == ROOT || other.starts_with(name);
            if concerned && current.level != level {
                *current = LoggerLevel {
                    level,
                    last_modified: Some(now()),
                };
                changed.push(other.clone());
            }
        }
        let levels = known
            .iter()
            .map(|(name, current)| (name.clone(), current.level))
            .collect();
        drop(known);
        self.sink.apply(&levels);
        Ok(changed)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, LoggerLevel>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The level of the nearest logger above this name.
fn inherited(known: &BTreeMap<String, LoggerLevel>, name: &str) -> Level {
    let mut above = name;
    while let Some((shorter, _)) = above.rsplit_once('.') {
        if let Some(current) = known.get(shorter) {
            return current.level;
        }
        above = shorter;
    }
    known.get(ROOT).map_or(Level::Info, |root| root.level)
}

fn canonical(name: &str) -> &str {
    if name.eq_ignore_ascii_case(ROOT) { ROOT } else { name }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Keeps levels without putting them into effect.
#[derive(Debug, Default)]
pub struct NoSink;

impl LevelSink for NoSink {
    fn apply(&self, _levels: &BTreeMap<String, Level>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loggers() -> Loggers {
        Loggers::new(
            Arc::new(NoSink),
            Level::Info,
            BTreeMap::from([("org.reflections".to_owned(), Level::Error)]),
        )
    }

    #[test]
    fn names_below_are_set_too() {
        let loggers = loggers();
        assert_eq!(loggers.set("a.b", Level::Debug).unwrap(), ["a.b"]);
        assert_eq!(loggers.set("a.b.c", Level::Warn).unwrap(), ["a.b.c"]);
        assert_eq!(loggers.set("a", Level::Error).unwrap(), ["a", "a.b", "a.b.c"]);
        assert_eq!(loggers.get("a.b.c").unwrap().level, Level::Error);
        assert_eq!(
            loggers.set("ROOT", Level::Trace).unwrap(),
            ["a", "a.b", "a.b.c", "org.reflections", "root"]
        );
    }

    #[test]
    fn only_what_changes_is_told_and_gets_a_time() {
        let loggers = loggers();
        assert_eq!(loggers.set("root", Level::Error).unwrap(), ["root"]);
        assert_eq!(loggers.get("org.reflections").unwrap().last_modified, None);
        assert!(loggers.get("root").unwrap().last_modified.is_some());
        assert!(
            loggers.set("new.one", Level::Error).unwrap().is_empty(),
            "it is what it inherits"
        );
        assert_eq!(
            loggers.get("new.one").unwrap(),
            LoggerLevel {
                level: Level::Error,
                last_modified: None
            }
        );
    }

    #[test]
    fn levels_are_read_in_any_case() {
        assert_eq!(" debug ".parse(), Ok(Level::Debug));
        assert_eq!(
            "LOUD".parse::<Level>(),
            Err(Error::NotFound("invalid log level 'LOUD'.".to_owned()))
        );
        assert!(matches!("".parse::<Level>(), Err(Error::Other(_))));
    }

    #[test]
    fn unknown_logger_is_not_found() {
        let error = loggers().get("nope").unwrap_err();
        assert_eq!(error, Error::NotFound("Logger nope not found.".to_owned()));
    }
}
