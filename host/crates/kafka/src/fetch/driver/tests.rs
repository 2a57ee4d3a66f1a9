//! Topics that are deleted and made anew while they are fetched.

#![allow(clippy::unwrap_used)]

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use caisson_model::TopicPartition;

use super::*;
use crate::Layer;
use crate::consumer::assignment::Assignment;
use crate::consumer::slot::Position;
use crate::fetch::Ready;
use crate::fetch::budget::Budget;
use crate::fetch::options::Options;
use crate::settings::ClientSettings;
use crate::wire::messages::TopicLeaders;

const LEADER: i32 = 1;

/// A driver of one partition that was read up to offset 5, and the partition.
fn driver() -> (Driver, Arc<Slot>) {
    let given = [("bootstrap.servers".to_owned(), "localhost:9092".to_owned())].into();
    let settings = ClientSettings::reader(&[Layer::Client(&given)]).unwrap();
    let assignment = Arc::new(Assignment::default());
    assignment.add(&TopicPartition::new("t", 0), Position::At(5), false);
    let slot = assignment.all().remove(0);
    let options = Options::of(&settings).unwrap();
    let shared = Arc::new(Shared {
        assignment,
        budget: Arc::new(Budget::new(options.buffer)),
        options,
        ready: Mutex::<Ready>::default(),
        arrived: Box::new(|| ()),
        closing: AtomicBool::new(false),
        reporter: settings.reporter(),
    });
    let mut driver = Driver::new(shared, Arc::new(Dialer::new(&settings).unwrap()));
    driver.follow_assignment();
    (driver, slot)
}

/// What brokers say of the topic; none that it is not there.
fn learn(driver: &mut Driver, id: Option<TopicId>) {
    let topic = TopicLeaders {
        code: if id.is_some() { 0 } else { 3 },
        name: "t".to_owned(),
        id,
        is_internal: false,
        partitions: id.map(|_| (0, 0, LEADER)).into_iter().collect(),
    };
    driver.learn(Ok(ClusterMetadata {
        brokers: vec![(LEADER, "localhost".to_owned(), 9092)],
        topics: vec![topic],
    }));
}

/// The broker has nothing at the offset.
fn out_of_range(driver: &mut Driver, slot: &Arc<Slot>) {
    let (epoch, position) = slot.position();
    let Position::At(offset) = position else {
        panic!("it is not fetched: {position:?}")
    };
    let asked = Asked {
        slot: slot.clone(),
        epoch,
        offset,
    };
    let refused = FetchedPartition {
        topic: "t".to_owned(),
        partition: 0,
        code: 1,
        aborted: Vec::new(),
        preferred: -1,
        records: 0..0,
    };
    let answer = FetchAnswer {
        code: 0,
        throttled: 0,
        partitions: vec![refused],
    };
    driver.take_records(&[asked], Vec::new(), answer);
}

#[test]
fn a_topic_with_another_id_is_another_one_and_nothing_else_makes_it_one() {
    let (mut driver, slot) = driver();
    for (id, times_anew) in [
        (Some([1; 16]), 0),
        (Some([1; 16]), 0),
        (None, 0),
        (Some([1; 16]), 0),
        (Some([2; 16]), 1),
        (None, 1),
        (Some([3; 16]), 2),
        (Some([3; 16]), 2),
    ] {
        learn(&mut driver, id);
        assert_eq!(slot.times_anew(), times_anew, "{id:?}");
    }
    // Where it is read is up to who reads.
    assert_eq!(slot.position().1, Position::At(5));
}

#[test]
fn whose_topic_it_is_is_known_before_an_offset_that_is_not_there_counts() {
    let (mut driver, slot) = driver();
    learn(&mut driver, Some([1; 16]));
    out_of_range(&mut driver, &slot);
    assert_eq!(slot.position().1, Position::At(5));
    assert!(driver.metadata_wanted);
    // It is another topic: what its reader makes of that comes first.
    learn(&mut driver, Some([2; 16]));
    out_of_range(&mut driver, &slot);
    assert_eq!((slot.position().1, slot.times_anew()), (Position::At(5), 1));
    // It is the same one, and has lost its end.
    learn(&mut driver, Some([2; 16]));
    out_of_range(&mut driver, &slot);
    assert_eq!((slot.position().1, slot.times_anew()), (Position::Earliest, 1));
}

#[test]
fn without_ids_an_offset_that_is_not_there_counts_at_once() {
    let (mut driver, slot) = driver();
    out_of_range(&mut driver, &slot);
    assert_eq!((slot.position().1, slot.times_anew()), (Position::Earliest, 0));
}
