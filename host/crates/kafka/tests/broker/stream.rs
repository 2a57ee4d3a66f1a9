//! Records from one end to the other.

use caisson_kafka::ConsumerEvent;

use crate::harness::*;

#[test]
fn two_hundred_thousand_records_arrive_in_order() {
    let Some(bootstrap) = bootstrap("two_hundred_thousand_records_arrive_in_order") else {
        return;
    };
    let topic = fresh("order");
    let producer = producer(&bootstrap, &[]);
    send_numbers(&producer, &topic, Some(0), 0..200_000);
    let (consumer, mut events) = consumer(&bootstrap, &fresh("group"), &[&topic], &[]);
    let mut seen = Seen::default();
    block_on(async {
        let ConsumerEvent::Assigned(positions) = next(&mut events).await else {
            panic!("assigned first")
        };
        assert_eq!((positions.len(), positions[0].offset), (1, 0));
        while seen.len() < 200_000 {
            match next(&mut events).await {
                ConsumerEvent::Records(batch) => seen.take(&batch),
                event => panic!("unexpected {event:?}"),
            }
        }
    });
    assert_eq!(seen.0[&0], (0..200_000).collect::<Vec<_>>());
    assert!(consumer.close(LONG));
}
