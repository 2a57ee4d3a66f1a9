//! Signals while a snapshot goes on.

#![allow(clippy::unwrap_used)]

use caisson_sdk::api::config::{Config, ConfigDef};
use caisson_sdk::settings::Settings;

use super::*;
use crate::catalog::Identity;
use crate::config::keys;

#[test]
fn a_paused_snapshot_is_stopped_when_it_would_go_on() {
    let definitions: ConfigDef = keys::definitions().collect();
    let config: Config = [
        ("topic.prefix", "t"),
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.dbname", "d"),
        ("signal.data.collection", "public.signals"),
    ]
    .into_iter()
    .collect();
    let options = Options::read(&Settings::parse(&definitions, config).unwrap()).unwrap();
    let mut incremental = Incremental::new(&options, None);
    let name = TableName {
        schema: "public".into(),
        table: "t".into(),
    };
    let info = TableInfo {
        oid: 1,
        name: name.clone(),
        columns: Vec::new(),
        key: Vec::new(),
        identity: Identity::Default,
    };
    let known = HashMap::from([(name, info)]);
    let execute = Execute {
        id: "1".into(),
        tables: vec!["public.t".into()],
        ..Execute::default()
    };
    let about = |kind| Notification::incremental("1", kind).with("data_collections", "public.t");
    let mut tell = |signal| {
        assert!(incremental.signalled(signal, &known).is_none());
        (incremental.notifications(), incremental.state().is_some())
    };
    assert_eq!(tell(Signal::Execute(execute)), (vec![about("STARTED")], true));
    assert_eq!(tell(Signal::Pause), (vec![about("PAUSED")], true));
    assert_eq!(tell(Signal::Stop(None)), (Vec::new(), true));
    assert_eq!(tell(Signal::Resume), (vec![about("RESUMED"), about("ABORTED")], false));
}
