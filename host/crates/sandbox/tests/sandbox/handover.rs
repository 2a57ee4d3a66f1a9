//! State that goes from one instance to the next.

use std::sync::{Arc, OnceLock};

use caisson_sandbox::{CallError, InstanceSpec, Module, SinkTask, Transform};

use crate::common::*;

/// The module of the guest that hands over, kept so that it is linked once.
async fn keeper(class: &str) -> InstanceSpec {
    static KEPT: OnceLock<Arc<Module>> = OnceLock::new();
    let module = sandbox()
        .load("keeper.wasm", built("tests/guests", "keeper.wasm"))
        .await
        .unwrap();
    spec_of(KEPT.get_or_init(|| module).clone(), class, &[])
}

#[tokio::test]
async fn a_sink_gives_its_state_to_the_next_one() {
    let spec = keeper("keeper.Tally").await;
    let mut old = SinkTask::start(spec.clone()).await.unwrap();
    let mut new = SinkTask::start(spec.clone()).await.unwrap();
    assert!(old.hands_over() && new.hands_over() && !old.is_suspended());
    old.put(&batch(3, 10)).await.unwrap();
    let state = old.suspend().await.unwrap();
    assert_eq!(state, b"3");
    assert!(old.is_suspended() && old.is_alive());
    old.stop().await.unwrap();
    new.resume("0.9", &state).await.unwrap();
    new.put(&batch(2, 10)).await.unwrap();
    assert_eq!(new.suspend().await.unwrap(), b"5");

    // What is refused is the guest's error, both ways.
    let mut third = SinkTask::start(spec).await.unwrap();
    let refused = third.resume("0.9", b"no number").await.unwrap_err();
    assert!(
        matches!(&refused, CallError::Guest(error) if error.to_string().contains("no count")),
        "{refused}"
    );
    third.resume("fails", b"1").await.unwrap();
    assert!(matches!(third.suspend().await.unwrap_err(), CallError::Guest(_)));
}

#[tokio::test]
async fn a_transform_hands_over_and_a_module_that_does_not_export_it_has_nothing_to_give() {
    let spec = keeper("keeper.Count").await;
    let mut old = Transform::start(spec.clone()).await.unwrap();
    assert!(old.hands_over());
    let state = old.suspend().await.unwrap();
    assert_eq!(state, b"0");
    let mut new = Transform::start(spec).await.unwrap();
    new.resume("1", b"41").await.unwrap();
    assert_eq!(new.suspend().await.unwrap(), b"41");

    let mut other = sink(&[]).await;
    assert!(!other.hands_over());
    assert_eq!(other.suspend().await.unwrap(), b"");
    other.resume("1", b"ignored").await.unwrap();
}
