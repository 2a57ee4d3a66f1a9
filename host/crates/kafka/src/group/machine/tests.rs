//! Single decisions of the machine.

use super::simulation::{REBALANCE, SESSION, options};
use super::*;
use crate::error::ErrorCode;
use crate::wire::messages::{JoinAnswer, SyncAnswer};

/// A machine that wants to join and knows where the coordinator is, and the time.
fn about_to_join() -> (Machine, Moment) {
    let start = Moment::from_start(Duration::from_secs(1000));
    let mut machine = Machine::new(options(), start, 1);
    machine.join("start".to_owned(), start);
    machine.tick(start, start, true);
    machine.found(start);
    (machine, start)
}

#[test]
fn a_member_that_nobody_polls_leaves() {
    let (mut machine, start) = about_to_join();
    machine.tick(start + REBALANCE, start, true);
    assert!(machine.has_given_up());
    machine.take_actions();
    machine.tick(start + REBALANCE + SESSION, start, true);
    assert!(machine.take_actions().is_empty());
    let polled = start + REBALANCE + SESSION;
    machine.tick(polled, polled, true);
    assert!(!machine.has_given_up());
}

/// A heartbeat that was sent before the answer to the sync may be told of the very rebalance that the sync has ended.
#[test]
fn what_a_heartbeat_hears_of_a_rebalance_that_is_over_begins_none() {
    let (mut machine, start) = about_to_join();
    machine.tick(start, start, true);
    machine.prepared(Some(Vec::new()));
    let joined = JoinAnswer {
        code: 0,
        generation: 1,
        protocol: "default".to_owned(),
        leader: "other".to_owned(),
        skips_assignment: false,
        member_id: "member".to_owned(),
        members: Vec::new(),
    };
    machine.join_answered(Ok(joined), start);
    machine.take_actions();
    machine.tick(start, start, true);
    let beat = match machine.take_actions().as_slice() {
        [Action::Heartbeat(beat)] => beat.clone(),
        actions => panic!("{actions:?}"),
    };
    let rebalancing = || Ok(ErrorCode::REBALANCE_IN_PROGRESS.0 as i16);
    let synced = start + Duration::from_millis(2);
    let part = SyncAnswer {
        code: 0,
        assignment: Vec::new(),
    };
    machine.sync_answered(Ok(part), start, synced);
    machine.heartbeat_answered(&beat, rebalancing(), start, synced);
    machine.take_actions();
    // Whether there is another one is asked at once.
    machine.tick(synced, synced, true);
    assert!(matches!(machine.take_actions().as_slice(), [Action::Heartbeat(_)]));
    machine.heartbeat_answered(&beat, rebalancing(), synced, synced);
    machine.tick(synced, synced, true);
    assert!(matches!(machine.take_actions().as_slice(), [Action::Prepare { .. }]));
}
