//! What providers gave, so that it can be kept out of everything that people see.

use std::collections::BTreeMap;
use std::fmt;

use super::Resolved;
use crate::given::Given;

/// Parts of values that are shorter mean nothing by themselves: hiding them would only spoil texts.
const LEAST: usize = 4;

/// Values of one configuration that came from providers, and what stands in their place.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Key, its value with variables looked up, and as it was written.
    whole: Vec<(String, String, String)>,
    /// What a variable stands for, and the variable; the longest first, so that none hides a part of another.
    parts: Vec<(String, String)>,
}

impl Secrets {
    /// The secrets of a configuration that resolved to this.
    pub fn new(written: &Given, resolved: &Resolved) -> Secrets {
        let whole = |name: &String| {
            let (secret, text) = (resolved.given.get(name)?, written.get(name)?);
            Some((name.clone(), secret.to_owned(), text.to_owned()))
        };
        let mut parts: Vec<_> = resolved
            .looked_up
            .iter()
            .filter(|(value, _)| value.trim().len() >= LEAST)
            .cloned()
            .collect();
        parts.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        Secrets {
            whole: resolved.secret.iter().filter_map(whole).collect(),
            parts,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// What was written for a key, if that held a variable.
    pub fn written(&self, name: &str) -> Option<&str> {
        self.whole
            .iter()
            .find(|(key, _, _)| key == name)
            .map(|(_, _, text)| text.as_str())
    }

    /// Writes variables in the place of values in a configuration that was made from this one, so that it can be kept and
    /// shown: under the keys that held them, and under others whose value is one of them.
    pub fn put_back(&self, made: &mut BTreeMap<String, Option<String>>) {
        for (name, value) in made {
            let Some(text) = value else { continue };
            let renamed = || {
                let same = self
                    .whole
                    .iter()
                    .find(|(_, secret, _)| secret == text && text.len() >= LEAST);
                same.map(|(_, _, written)| written.as_str())
            };
            if let Some(written) = self.written(name).or_else(renamed) {
                *value = Some(written.to_owned());
            }
        }
    }

    /// A text for people: an error of a plugin can quote a password.
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        let whole = self.whole.iter().map(|(_, secret, written)| (secret, written));
        for (secret, written) in whole.chain(self.parts.iter().map(|(value, variable)| (value, variable))) {
            for quoted in [secret.as_str(), secret.trim()] {
                if !quoted.is_empty() && hidden.contains(quoted) {
                    hidden = hidden.replace(quoted, written);
                }
            }
        }
        hidden
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_set()
            .entries(self.whole.iter().map(|(name, _, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let written: Given = [("url", "db://u:${f:p:pw}@host"), ("token", "${f:p:token}"), ("x", "1")]
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        let given: Given = [("url", "db://u:hunter2@host"), ("token", "t0ken"), ("x", "1")]
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        let pair = |value: &str, variable: &str| (value.to_owned(), variable.to_owned());
        let resolved = Resolved {
            given,
            secret: vec!["url".to_owned(), "token".to_owned()],
            looked_up: vec![pair("hunter2", "${f:p:pw}"), pair("t0ken", "${f:p:token}")],
            warnings: Vec::new(),
        };
        Secrets::new(&written, &resolved)
    }

    #[test]
    fn task_configurations_hold_variables_again() {
        let mut made: BTreeMap<String, Option<String>> = [
            ("url", Some("db://u:hunter2@host/part")),
            ("password", Some("t0ken")),
            ("x", Some("1")),
            ("none", None),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
        .collect();
        secrets().put_back(&mut made);
        assert_eq!(made["url"].as_deref(), Some("db://u:${f:p:pw}@host"));
        assert_eq!(made["password"].as_deref(), Some("${f:p:token}"));
        assert_eq!((made["x"].as_deref(), &made["none"]), (Some("1"), &None));
    }

    #[test]
    fn texts_for_people_hold_variables_again() {
        let text = secrets().hide("cannot log in to db://u:hunter2@host with hunter2, t0ken");
        assert_eq!(
            text,
            "cannot log in to db://u:${f:p:pw}@host with ${f:p:pw}, ${f:p:token}"
        );
        assert!(!format!("{:?}", secrets()).contains("t0ken"));
    }
}
