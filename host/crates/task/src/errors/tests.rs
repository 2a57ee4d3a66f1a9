use super::*;
use crate::settings::Direction;

fn errors(tolerance: Tolerance) -> (Errors, watch::Sender<Wish>) {
    let policy = ErrorPolicy {
        tolerance,
        retry: RetryPolicy {
            timeout: Some(Duration::ZERO),
            longest_delay: Duration::from_secs(60),
        },
        log: ErrorLog::WithRecord,
    };
    let (sender, wish) = watch::channel(Wish::Run);
    let meters = Arc::new(Meters::new(Direction::FromKafka));
    (Errors::new(TaskId::new("c", 0), policy, None, wish, meters), sender)
}

fn fail(errors: &mut Errors, at: u32, message: &str) {
    let error = Throwable::new("org.apache.kafka.connect.errors.DataException", message);
    let failed = Failed {
        stage: Stage::ValueConverter,
        class: "JsonConverter",
        error: &error,
        occasion: Occasion::Operation,
    };
    errors.fail(at, failed, Origin::Unknown);
}

#[test]
fn without_tolerance_the_task_fails_and_names_stage_class_and_cause() {
    let (mut errors, _wish) = errors(Tolerance::None);
    fail(&mut errors, 0, "bad JSON");
    let trace = errors.check().expect_err("it must fail").trace();
    for part in [
        "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler",
        "Caused by: org.apache.kafka.connect.errors.DataException: bad JSON",
        "VALUE_CONVERTER",
        "JsonConverter",
    ] {
        assert!(trace.contains(part), "{part} in {trace}");
    }
}

#[test]
fn the_first_record_that_failed_ends_the_task_whichever_step_met_it_first() {
    let (mut errors, _wish) = errors(Tolerance::None);
    fail(&mut errors, 5, "five");
    fail(&mut errors, 3, "three");
    fail(&mut errors, 4, "four");
    assert_eq!(errors.fatal_at(), Some(3));
    assert!(errors.check().expect_err("it must fail").trace().contains("three"));
    assert!(errors.check().is_ok(), "it is said once");
}

#[test]
fn with_tolerance_the_record_is_counted_and_left_out() {
    let (mut errors, _wish) = errors(Tolerance::All);
    fail(&mut errors, 0, "no");
    assert!(errors.check().is_ok());
    assert_eq!(errors.skipped, 1);
}

#[test]
fn a_task_that_is_to_stop_does_not_wait_for_another_attempt() {
    let (mut errors, wish) = errors(Tolerance::All);
    errors.policy.retry.timeout = None;
    let mut attempts = errors.begin();
    wish.send(Wish::Stop).expect("somebody listens");
    assert!(!errors.again(&mut attempts));
}
