//! Which module serves a class: every change is one more generation, and the ones before it are kept.

use caisson_model::Digest;
use serde::{Deserialize, Serialize};

/// Generations of one class that are kept; older ones are forgotten.
const KEPT: usize = 50;

/// One decision about a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// From 1, without gaps.
    pub generation: u64,
    /// None: what the worker has besides uploads, the newest version first.
    pub module: Option<Digest>,
    /// The version of the plugin in that module.
    #[serde(default)]
    pub version: Option<String>,
    /// Who decided: a user, `upload`, or `rollback` for the worker itself.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// Why, where nobody asked for it.
    #[serde(default)]
    pub reason: Option<String>,
}

/// The decisions about a class, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History(Vec<Binding>);

impl History {
    /// What holds now; none if nobody has decided.
    pub fn current(&self) -> Option<&Binding> {
        self.0.last()
    }

    /// What held before.
    pub fn previous(&self) -> Option<&Binding> {
        self.0.iter().rev().nth(1)
    }

    /// Oldest first.
    pub fn all(&self) -> &[Binding] {
        &self.0
    }

    pub fn generation(&self) -> u64 {
        self.current().map_or(0, |binding| binding.generation)
    }

    /// The module that serves the class by decision.
    pub fn module(&self) -> Option<Digest> {
        self.current().and_then(|binding| binding.module)
    }

    /// The decision that would follow the current one, made now.
    pub fn next(&self, module: Option<Digest>, version: Option<String>, by: &str, reason: Option<String>) -> Binding {
        Binding {
            generation: self.generation() + 1,
            module,
            version,
            by: by.to_owned(),
            at: super::now(),
            reason,
        }
    }

    pub(super) fn push(&mut self, next: Binding) {
        self.0.push(next);
        let old = self.0.len().saturating_sub(KEPT);
        self.0.drain(..old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_keeps_its_last_generations_and_counts_on() {
        let mut history = History::default();
        assert_eq!((history.current(), history.previous()), (None, None));
        for round in 1..=KEPT as u64 + 5 {
            let next = history.next(Some(Digest::of(&round.to_le_bytes())), None, "me", None);
            assert_eq!(next.generation, round);
            history.push(next);
        }
        assert_eq!(history.all().len(), KEPT);
        assert_eq!(history.previous().unwrap().generation, KEPT as u64 + 4);
    }
}
