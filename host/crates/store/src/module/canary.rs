//! One task of all workers that tries a module before the others: who runs it hears of it here, and tells here how it went.

use caisson_model::Digest;
use serde::{Deserialize, Serialize};

/// A module that one task tries, or has tried in vain. One that has proved itself is the binding, and no canary any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// Distinguishes it from those before and after.
    pub id: u64,
    pub module: Digest,
    /// The version of the plugin in that module.
    #[serde(default)]
    pub version: Option<String>,
    /// `name-0`.
    pub task: String,
    /// Who asked for it.
    pub by: String,
    /// The generation of the class's binding when it began.
    pub generation: u64,
    pub stage: CanaryStage,
}

/// How a canary does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum CanaryStage {
    /// The worker that runs the task is to have it take the module.
    Offered,
    /// The task runs with the module.
    Probation,
    /// Why the module was given up.
    Failed { reason: String },
}

impl Canary {
    /// Whether it is the same attempt, wherever it has come to.
    pub fn is_same(&self, other: &Canary) -> bool {
        self.id == other.id
    }

    /// Whether its end is still to come.
    pub fn is_open(&self) -> bool {
        match self.stage {
            CanaryStage::Offered | CanaryStage::Probation => true,
            CanaryStage::Failed { .. } => false,
        }
    }

    /// The same attempt, come to that.
    pub fn at(&self, stage: CanaryStage) -> Canary {
        Canary { stage, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_garbage_is_not() {
        let canary = Canary {
            id: u64::MAX,
            module: Digest::of(b"new"),
            version: Some("2".to_owned()),
            task: "t-0".to_owned(),
            by: "me".to_owned(),
            generation: 3,
            stage: CanaryStage::Offered,
        };
        let failed = canary.at(CanaryStage::Failed {
            reason: "it trapped".to_owned(),
        });
        assert!(canary.is_open() && !failed.is_open() && canary.is_same(&failed));
        for canary in [canary, failed] {
            let text = serde_json::to_string(&canary).unwrap();
            assert_eq!(serde_json::from_str::<Canary>(&text).unwrap(), canary, "{text}");
        }
        for text in ["", "{}", "[]", "null", r#"{"id": -1}"#] {
            assert!(serde_json::from_str::<Canary>(text).is_err(), "{text}");
        }
    }
}
