//! The ledger of a whole cluster: it writes exactly once, its source and its transform are replaced again and again by good
//! and by bad versions, a worker is killed meanwhile, and at the end every record is there once.

use caisson_e2e::cluster::Cluster;
use caisson_e2e::{Rest, System, Worker, measured};

use crate::cluster::Numbers;
use crate::modules::{PASS, upload};
use crate::swaps::{await_rollback, bind, rebuilt, sharing_modules};

const SWAPS: u32 = 20;
const SOURCE: &str = "caisson.DatagenSource";
const BAD: [&str; 6] = ["trap", "hang", "leak", "fail-start", "trap-start", "fail"];

/// Replacements in one test: the usual number, unless `CAISSON_TEST_SWAPS` asks for another.
pub fn swaps(usual: u32) -> u32 {
    let asked = std::env::var("CAISSON_TEST_SWAPS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// What serves the transform now, and how often what had been replaced.
struct Replacing<'a> {
    system: &'a System,
    serving: String,
    version: u32,
    bad: usize,
}

impl Replacing<'_> {
    /// The transform or the source by a good version.
    fn well(&mut self, by: &Rest) {
        self.version += 1;
        if self.version.is_multiple_of(3) {
            let file = self.system.components.join("caisson-datagen.wasm");
            let digest = rebuilt(by, &file, self.version as u8);
            assert_eq!(bind(by, SOURCE, &digest).0, 200);
        } else {
            self.serving = upload(self.system, by, "ok", self.version);
            assert_eq!(bind(by, PASS, &self.serving).0, 200);
        }
    }

    /// The transform by a version that fails, and goes back by itself.
    fn badly(&mut self, by: &Rest) {
        self.version += 1;
        let behaviour = BAD[self.bad % BAD.len()];
        self.bad += 1;
        let digest = upload(self.system, by, behaviour, self.version);
        bind(by, PASS, &digest);
        await_rollback(by, PASS, &self.serving);
    }
}

#[test]
fn every_record_is_there_once_after_good_and_bad_swaps_and_a_kill() {
    let Some(system) = System::get() else { return };
    let name = system.name("ledger");
    let swaps = swaps(SWAPS);
    // At full speed where many swaps are asked for; beside other tests at a rate that they bear.
    let rate = if swaps > SWAPS { "-1" } else { "5000" };
    let start = |index: usize| -> Worker {
        let setup = sharing_modules(&system, &format!("ledger-{index}"), &name);
        // Bad versions fail with their third batch, which may have thousands of records, as those before it may.
        setup
            .property("module.probation.records", "100000")
            .property("module.probation.ms", "15000")
            .property("exactly.once.source.support", "enabled")
            .property("sandbox.call.timeout.ms", "1000")
            .start()
    };
    let cluster = Cluster {
        workers: (0..3).map(start).collect(),
    };
    let rests: Vec<Rest> = cluster.workers.iter().map(|worker| worker.rest.clone()).collect();
    let mut replacing = Replacing {
        system: &system,
        serving: upload(&system, &rests[0], "ok", 1),
        version: 1,
        bad: 0,
    };
    let more = [("transforms", "pass"), ("transforms.pass.type", PASS), ("rate", rate)];
    let mut numbers = Numbers::start(system.clone(), cluster, &more);
    numbers.await_work(&[0, 1, 2]);
    let began = std::time::Instant::now();
    for swap in 1..=swaps {
        if swap == swaps / 2 {
            // Nothing bad while work moves: a task that starts anew has no version before to go back to.
            numbers.cluster.workers[2].kill();
            replacing.well(&rests[0]);
            numbers.await_work(&[0, 1]);
            replacing.well(&rests[1]);
            numbers.cluster.workers[2].start_again();
            numbers.await_work(&[0, 1, 2]);
        } else if swap % 4 == 0 {
            replacing.badly(&rests[swap as usize % 3]);
        } else {
            replacing.well(&rests[swap as usize % 3]);
        }
    }
    let made = numbers.stop(0);
    let speed = made as f64 / began.elapsed().as_secs_f64();
    assert_eq!(numbers.verify(0, made), 0, "records were written twice");
    measured(&format!(
        "ledger: {swaps} swaps, {} of them to versions that failed, and a worker killed: {made} records at {speed:.0} a second, none lost, none twice",
        replacing.bad
    ));
}
