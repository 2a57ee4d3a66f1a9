//! A configuration as somebody gave it: names in order, null allowed, values perhaps secret.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

use caisson_api::config::{Config, Properties};

/// Settings for one client or converter, as other crates take them: sorted, prefix removed.
pub type Entries = BTreeMap<String, String>;

/// Names and values in the order in which they were given. A value is null where JSON said so.
///
/// Printed with `{:?}` it shows the names only: values may be passwords.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Given {
    entries: Vec<(String, Option<String>)>,
    /// Where in `entries` a name is; sorted, so that a prefix is a range.
    places: BTreeMap<String, usize>,
}

impl Given {
    /// The value, with a null like a missing one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given(name).flatten()
    }

    /// `None`: not given. `Some(None)`: given as null.
    pub fn given(&self, name: &str) -> Option<Option<&str>> {
        self.places.get(name).map(|place| self.entries[*place].1.as_deref())
    }

    pub fn contains(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Sets a value; one that is there already keeps its place.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Option<String>>) {
        let (name, value) = (name.into(), value.into());
        if let Some(place) = self.places.get(&name) {
            self.entries[*place].1 = value;
            return;
        }
        self.places.insert(name.clone(), self.entries.len());
        self.entries.push((name, value));
    }

    /// Takes a name away, and says what it was.
    pub fn remove(&mut self, name: &str) -> Option<Option<String>> {
        let place = self.places.remove(name)?;
        let (_, value) = self.entries.remove(place);
        for other in self.places.values_mut().filter(|other| **other > place) {
            *other -= 1;
        }
        Some(value)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// In the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.entries
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// Those whose name begins with `prefix`, without it, sorted. Nulls are among them.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        self.places
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(name, _)| name.starts_with(prefix))
            .map(move |(name, place)| (&name[prefix.len()..], self.entries[*place].1.as_deref()))
    }

    /// As [`Self::below`], without nulls.
    pub fn entries_below(&self, prefix: &str) -> Entries {
        self.below(prefix)
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect()
    }

    /// Everything that is not null.
    pub fn to_entries(&self) -> Entries {
        self.entries_below("")
    }

    /// What a plugin is given: everything that is not null, in order.
    pub fn to_config(&self) -> Config {
        Config {
            entries: self
                .iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
                .collect(),
        }
    }
}

impl Properties for Given {
    fn property(&self, key: &str) -> Option<Option<&str>> {
        self.given(key)
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Given ")?;
        formatter
            .debug_set()
            .entries(self.entries.iter().map(|(name, _)| name))
            .finish()
    }
}

impl<N: Into<String>, V: Into<Option<String>>> FromIterator<(N, V)> for Given {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut given = Given::default();
        for (name, value) in pairs {
            given.set(name, value);
        }
        given
    }
}

/// Prints the names of entries whose values may be secret.
pub(crate) struct Names<'a>(pub &'a Entries);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(names: &[&str]) -> Given {
        names
            .iter()
            .map(|name| (*name, Some(format!("value of {name}"))))
            .collect()
    }

    #[test]
    fn a_prefix_is_found_and_removed() {
        let given = given(&["b", "a.x", "a", "a.y", "ab"]);
        let below: Vec<_> = given.below("a.").map(|(name, _)| name).collect();
        assert_eq!(below, ["x", "y"]);
    }

    #[test]
    fn setting_again_keeps_the_place_and_removing_closes_the_gap() {
        let mut given = given(&["a", "b", "c"]);
        given.set("a", Some("new".to_owned()));
        given.remove("b");
        let all: Vec<_> = given.iter().collect();
        assert_eq!(all, [("a", Some("new")), ("c", Some("value of c"))]);
        assert_eq!(given.get("c"), Some("value of c"));
    }

    #[test]
    fn values_are_not_printed() {
        let text = format!("{:?}", given(&["password"]));
        assert!(text.contains("password") && !text.contains("value of"));
    }
}
