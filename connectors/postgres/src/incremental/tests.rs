//! Signals while a snapshot goes on.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::catalog::Identity;
use crate::config;

#[test]
fn a_paused_snapshot_is_stopped_when_it_would_go_on() {
    let options = config::options_of(&[("signal.data.collection", "public.signals")]);
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
