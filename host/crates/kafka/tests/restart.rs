//! A broker that goes away under load. A test binary of its own, as others would suffer with it.
#![allow(clippy::unwrap_used)]

#[path = "broker/harness.rs"]
#[allow(dead_code, reason = "shared with other tests, which use more of it")]
mod harness;

use std::process::Command;
use std::time::Duration;

use caisson_kafka::ConsumerEvent;

use harness::*;

/// `CAISSON_TEST_RESTART` is a shell command that kills the broker and starts it again.
#[test]
fn a_broker_that_restarts_under_load_loses_nothing() {
    const TEST: &str = "a_broker_that_restarts_under_load_loses_nothing";
    let Some(bootstrap) = bootstrap(TEST) else { return };
    let Ok(restart) = std::env::var("CAISSON_TEST_RESTART") else {
        println!("{TEST}: skipped, CAISSON_TEST_RESTART is not set");
        return;
    };
    let (topic, group) = (fresh("restart"), fresh("group"));
    let producer = producer(&bootstrap, &[]);
    send_numbers(&producer, &topic, Some(0), 0..1000);
    let (consumer, mut events) = consumer(&bootstrap, &group, &[&topic], &[]);
    let last = 300_000;
    let mut highest = 0;
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            for start in (1000..last).step_by(10_000) {
                send_numbers(&producer, &topic, Some(0), start..(start + 10_000).min(last));
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        std::thread::sleep(Duration::from_millis(500));
        assert!(Command::new("sh").args(["-c", &restart]).status().unwrap().success());
        block_on(async {
            while highest + 1 < last {
                match next(&mut events).await {
                    ConsumerEvent::Records(batch) => {
                        for message in batch.messages() {
                            let number = number(message.value());
                            // A request whose answer was lost is repeated, and repeats no records.
                            assert!(
                                number == highest + 1 || number + highest == 0,
                                "{number} after {highest}"
                            );
                            highest = number;
                        }
                    }
                    ConsumerEvent::Assigned(_) => {}
                    ConsumerEvent::Revoked { done, .. } => done.complete(),
                    event => panic!("unexpected {event:?}"),
                }
            }
        });
        sending.join().unwrap();
    });
    assert!(consumer.close(LONG));
}
