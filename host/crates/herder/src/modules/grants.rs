//! What one version of a plugin asks for beyond another.

use caisson_api::manifest::{Grants, Plugin};

/// The grants that `new` asks for and `old` does not; none if there is nothing of that kind.
pub fn wider(old: &Plugin, new: &Plugin) -> Option<Grants> {
    let beyond = |old: &[String], new: &[String]| -> Vec<String> {
        let is_new = |grant: &&String| !old.contains(grant);
        new.iter().filter(is_new).cloned().collect()
    };
    let grants = Grants {
        network: beyond(&old.grants.network, &new.grants.network),
        read: beyond(&old.grants.read, &new.grants.read),
        write: beyond(&old.grants.write, &new.grants.write),
        environment: beyond(&old.grants.environment, &new.grants.environment),
    };
    (grants != Grants::default()).then_some(grants)
}

#[cfg(test)]
mod tests {
    use caisson_api::manifest::PluginKind;

    use super::*;

    fn plugin(network: &[&str]) -> Plugin {
        let mut plugin = Plugin::new("c", PluginKind::Sink, "1");
        plugin.grants.network = network.iter().map(|&entry| entry.to_owned()).collect();
        plugin
    }

    #[test]
    fn only_what_is_new_counts() {
        let (little, much) = (plugin(&["${url}"]), plugin(&["${url}", "example.org:443"]));
        assert_eq!(wider(&little, &little), None);
        assert_eq!(wider(&much, &little), None);
        assert_eq!(wider(&little, &much).unwrap().network, ["example.org:443"]);
    }
}
