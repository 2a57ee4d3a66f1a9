//! Modules that one task tries before the others, on its own worker or on another.

use caisson_store::CanaryStage;

use super::*;

fn tries(module: Digest) -> Scope {
    let task = "t-0".to_owned();
    Scope::Canary { task, module }
}

fn has_failed(binding: &BindingInfo) -> bool {
    let stage = binding.canary.as_ref().map(|canary| &canary.stage);
    matches!(stage, Some(CanaryStage::Failed { .. }))
}

#[tokio::test]
async fn a_canary_that_proves_itself_is_followed_by_the_others() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    let second = bench.upload("c 2").await.unwrap().module.digest;
    let verdict = bench.next_trial();
    let canary = bench.try_out(second).await.unwrap().binding.canary.unwrap();
    assert_eq!(
        (canary.module, canary.task.as_str(), canary.stage),
        (second, "t-0", CanaryStage::Probation)
    );
    assert_eq!(
        (bench.binding().current.module, bench.serving()),
        (Some(first), Some(first))
    );
    verdict.send(Ok(())).unwrap();
    let binding = bench.until(|_| bench.scopes().contains(&Scope::All)).await;
    assert_eq!((binding.canary, binding.current.generation), (None, 2));
    assert_eq!(
        (bench.serving(), bench.scopes()),
        (Some(second), vec![tries(second), Scope::All])
    );
}

#[tokio::test]
async fn a_canary_that_fails_goes_back_alone_and_says_why() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    let second = bench.upload("c 2").await.unwrap().module.digest;
    let verdict = bench.next_trial();
    bench.try_out(second).await.unwrap();
    verdict.send(Err(Failure::host("it trapped"))).unwrap();
    let binding = bench.until(has_failed).await;
    let canary = binding.canary.unwrap();
    assert!(matches!(canary.stage, CanaryStage::Failed { reason } if reason.contains("it trapped")));
    assert_eq!((binding.current.module, binding.current.generation), (Some(first), 1));
    let told = |scopes: Vec<Scope>| scopes.last() == Some(&Scope::Task("t-0".to_owned()));
    bench.until(|_| told(bench.scopes())).await;

    // One whose task ends proves nothing.
    drop(bench.next_trial());
    bench.try_out(second).await.unwrap();
    let binding = bench.until(has_failed).await;
    assert_eq!(binding.current.generation, 1);
    // One that cannot start, or for which there is no task, is refused.
    bench.next_swap(Err(Failure::host("it does not start")));
    let refused = bench.try_out(second).await.unwrap_err();
    assert!(refused.to_string().contains("it does not start"), "{refused}");
    let refused = bench.try_out(second).await.unwrap_err();
    assert!(refused.to_string().contains("cannot take it"), "{refused}");
    bench.worker.tasks.lock().unwrap().clear();
    let refused = bench.try_out(second).await.unwrap_err();
    assert!(refused.to_string().contains("no running task"), "{refused}");
    assert_eq!((bench.binding().current.generation, bench.serving()), (1, Some(first)));
}

#[tokio::test]
async fn a_decision_ends_a_canary() {
    let bench = bench().await;
    let first = bench.upload("c 1").await.unwrap().module.digest;
    let second = bench.upload("c 2").await.unwrap().module.digest;
    let third = bench.upload("c 3").await.unwrap().module.digest;
    let early = bench.next_trial();
    bench.try_out(second).await.unwrap();
    // Back to where it was: by going back, or by deciding for what is there.
    bench.desk.roll_back(CLASS.to_owned(), "me".to_owned()).await.unwrap();
    assert_eq!(bench.scopes().last(), Some(&Scope::Task("t-0".to_owned())));
    let next = bench.next_trial();
    bench.try_out(second).await.unwrap();
    let bound = bench.bind(first).await.unwrap();
    assert_eq!((bound.binding.canary, bound.binding.current.generation), (None, 1));
    let late = bench.next_trial();
    bench.try_out(second).await.unwrap();
    bench.bind(third).await.unwrap();
    for verdict in [early, next, late] {
        verdict.send(Ok(())).unwrap();
    }
    // Verdicts are heard in turn with decisions; a later one is heard after them.
    let last = bench.next_trial();
    bench.bind(first).await.unwrap();
    last.send(Ok(())).unwrap();
    let binding = bench.until(|binding| binding.state == BindingState::Settled).await;
    assert_eq!((binding.current.module, binding.current.generation), (Some(first), 3));
}

/// Three workers, of which the last one runs the task; the versions that they have of the class.
async fn three() -> (Vec<Bench>, Digest, Digest) {
    let workers = cluster(3).await;
    let first = workers[0].upload("c 1").await.unwrap().module.digest;
    let second = workers[0].upload("c 2").await.unwrap().module.digest;
    for bench in &workers {
        bench.desk.catch_up().await.unwrap();
    }
    workers[0].connector("t").await;
    workers[2].worker.tasks.lock().unwrap().push("t-0".to_owned());
    (workers, first, second)
}

#[tokio::test]
async fn a_canary_runs_on_whichever_worker_has_the_task_and_the_cluster_follows() {
    let (workers, first, second) = three().await;
    let verdict = workers[2].next_trial();
    let bound = workers[0].try_out(second).await.unwrap();
    assert_eq!(
        (bound.swapped, bound.binding.current.module),
        (vec!["t-0".to_owned()], Some(first))
    );
    assert_eq!(workers[1].binding().canary.unwrap().stage, CanaryStage::Probation);
    assert_eq!(workers[2].scopes().last(), Some(&tries(second)));
    // It is what the module is used by, on every worker.
    let refused = workers[1].desk.remove(second, "me".to_owned()).await.unwrap_err();
    assert!(refused.to_string().ends_with("in use by t-0"), "{refused}");
    verdict.send(Ok(())).unwrap();
    for bench in &workers {
        let serves = |binding: &BindingInfo| binding.canary.is_none() && bench.serving() == Some(second);
        let binding = bench.until(serves).await;
        assert_eq!((binding.current.module, binding.current.generation), (Some(second), 2));
    }
}

#[tokio::test]
async fn a_canary_elsewhere_that_fails_is_said_to_have_failed_everywhere() {
    let (workers, first, second) = three().await;
    workers[2].next_swap(Err(Failure::host("it does not start")));
    let refused = workers[0].try_out(second).await.unwrap_err();
    assert!(refused.to_string().contains("it does not start"), "{refused}");
    let verdict = workers[2].next_trial();
    workers[1].try_out(second).await.unwrap();
    verdict.send(Err(Failure::host("it trapped"))).unwrap();
    for bench in &workers {
        let binding = bench.until(has_failed).await;
        assert_eq!((binding.current.module, bench.serving()), (Some(first), Some(first)));
    }
    // One that was ended by another worker goes back where it runs.
    let verdict = workers[2].next_trial();
    workers[1].try_out(second).await.unwrap();
    let back = workers[0]
        .desk
        .roll_back(CLASS.to_owned(), "me".to_owned())
        .await
        .unwrap();
    assert_eq!((back.binding.current.generation, back.binding.canary), (1, None));
    let put_back = |scopes: Vec<Scope>| scopes.last() == Some(&Scope::Task("t-0".to_owned()));
    workers[2].until(|_| put_back(workers[2].scopes())).await;
    drop(verdict);
}

#[tokio::test(start_paused = true)]
async fn a_canary_whose_worker_is_gone_is_given_up_by_whoever_gets_the_task() {
    let (mut workers, _, second) = three().await;
    let _verdict = workers[2].next_trial();
    workers[0].try_out(second).await.unwrap();
    workers[2].worker.tasks.lock().unwrap().clear();
    workers.pop();
    workers[1].worker.tasks.lock().unwrap().push("t-0".to_owned());
    let mut changes = workers[0].desk.shared.store.changes().unwrap();
    while !has_failed(&workers[0].binding()) {
        changes.changed().await.unwrap();
    }
    let canary = workers[0].binding().canary.unwrap();
    assert!(matches!(canary.stage, CanaryStage::Failed { reason } if reason.contains("another worker")));

    // Nobody takes the offer of a task that nobody runs.
    workers[1].worker.tasks.lock().unwrap().clear();
    let refused = workers[0].try_out(second).await.unwrap_err();
    assert!(refused.to_string().contains("has not answered"), "{refused}");
}
