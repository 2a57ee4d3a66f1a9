//! The tools that the other tests trust.

use caisson_e2e::System;

#[test]
fn what_the_console_producer_writes_the_console_consumer_reads() {
    let Some(system) = System::get() else { return };
    let topic = system.topic("tools", 1, &[]);
    system.produce(&topic, Some("\t"), "k1\tone\nk2\ttwo\n");
    assert_eq!(system.consume(&topic, 2), ["k1\tone", "k2\ttwo"]);
    assert_eq!(system.end_offset(&topic), 2);
}
