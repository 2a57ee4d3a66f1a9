use caisson_model::TargetState::{Paused, Started, Stopped};

use super::*;

fn entry(target: TargetState, tasks: usize) -> ConnectorEntry {
    ConnectorEntry {
        config: Arc::new(Config::new()),
        target,
        tasks: (0..tasks).map(|_| Arc::new(Config::new())).collect(),
        most_tasks: tasks as u32,
        revision: 1,
        task_revision: 1,
        resumed: 0,
        made_from: None,
        fencing: Default::default(),
    }
}

/// All of it is to run here.
fn everything(entry: &ConnectorEntry) -> Wanted {
    Wanted {
        entry: Arc::new(entry.clone()),
        connector: true,
        tasks: (0..entry.tasks.len() as u32).collect(),
    }
}

/// A store and a worker in which every command succeeds, in a few lines.
struct World {
    wanted: Option<ConnectorEntry>,
    running: Running,
    /// How many task configurations the connector makes.
    makes: usize,
    fails: bool,
    trace: Vec<&'static str>,
}

impl World {
    fn new(target: TargetState, makes: usize) -> World {
        World {
            wanted: Some(entry(target, 0)),
            running: Running::default(),
            makes,
            fails: false,
            trace: Vec::new(),
        }
    }

    /// Acts until there is nothing to do; the names of the actions.
    fn settle(&mut self) -> Vec<&'static str> {
        for _ in 0..1000 {
            let wanted = self.wanted.as_ref().map(everything);
            let Some(action) = next(wanted.as_ref(), &self.running) else {
                return std::mem::take(&mut self.trace);
            };
            self.perform(action);
        }
        panic!("never at rest: {:?} {:?}", self.wanted, self.running);
    }

    fn perform(&mut self, action: Action) {
        let condition = if self.fails {
            Condition::Failed
        } else {
            Condition::Started
        };
        self.trace.push(match action {
            Action::StopTasks(numbers) => {
                self.running.tasks_stopped(&numbers);
                "stop tasks"
            }
            Action::StopConnector => {
                assert!(self.running.connector.is_some(), "nothing to stop");
                self.running.connector_stopped();
                "stop"
            }
            Action::StartConnector { revision, target, .. } => {
                assert!(self.running.connector.is_none(), "two instances of a connector");
                self.running.connector_started(revision, target, condition);
                "start"
            }
            Action::SetConnectorState(target) => {
                self.running.connector_set(target);
                "set"
            }
            Action::MakeTaskConfigs { config, resumed, .. } => {
                self.running.making_task_configs(resumed);
                let made = vec![Config::new(); self.makes];
                let wanted = self.wanted.as_mut().unwrap();
                if self.running.task_configs_made(wanted, &config, &made) {
                    wanted.tasks = made.into_iter().map(Arc::new).collect();
                    wanted.made_from = Some(config);
                    wanted.task_revision += 1;
                }
                "make"
            }
            Action::StartTask {
                number,
                task_revision,
                target,
                ..
            } => {
                let task = RunningTask {
                    task_revision,
                    target,
                    condition,
                };
                assert!(
                    self.running.tasks.insert(number, task).is_none(),
                    "two instances of a task"
                );
                "start task"
            }
            Action::SetTaskState { number, target } => {
                self.running.tasks.get_mut(&number).unwrap().target = target;
                "set task"
            }
        });
    }

    fn target(&mut self, target: TargetState) -> Vec<&'static str> {
        change_target(self.wanted.as_mut().unwrap(), target);
        self.settle()
    }
}

/// As the config store does it.
fn change_target(wanted: &mut ConnectorEntry, target: TargetState) {
    if target == Started && wanted.target != Started {
        wanted.resumed += 1;
    }
    wanted.target = target;
    if target == Stopped {
        wanted.tasks.clear();
        wanted.task_revision += 1;
    }
}

#[test]
fn a_connector_stopped_and_resumed_before_anybody_looks_makes_its_tasks_again() {
    let mut world = World::new(Started, 2);
    world.settle();
    let wanted = world.wanted.as_mut().unwrap();
    change_target(wanted, Stopped);
    change_target(wanted, Started);
    assert_eq!(world.settle(), ["stop tasks", "make", "start task", "start task"]);
}

#[test]
fn new_connector_starts_and_then_its_tasks() {
    assert_eq!(
        World::new(Started, 2).settle(),
        ["start", "make", "start task", "start task"]
    );
}

#[test]
fn connector_that_begins_paused_has_no_tasks_until_resumed() {
    let mut world = World::new(Paused, 1);
    assert_eq!(world.settle(), ["start"]);
    assert_eq!(world.target(Started), ["set", "make", "start task"]);
}

#[test]
fn pause_and_resume_stop_nothing() {
    let mut world = World::new(Started, 1);
    world.settle();
    assert_eq!(world.target(Paused), ["set", "set task"]);
    assert_eq!(world.target(Started), ["set", "make", "set task"]);
}

#[test]
fn stop_takes_the_tasks_first() {
    let mut world = World::new(Started, 2);
    world.settle();
    assert_eq!(world.target(Stopped), ["stop tasks", "set"]);
    assert_eq!(world.target(Paused), ["set"]);
    assert_eq!(world.target(Started), ["set", "make", "start task", "start task"]);
}

#[test]
fn new_configuration_restarts_connector_then_tasks() {
    let mut world = World::new(Started, 1);
    world.settle();
    let wanted = world.wanted.as_mut().unwrap();
    wanted.revision = 2;
    wanted.config = Arc::new(Config::from([("a".to_owned(), None)]));
    assert_eq!(world.settle(), ["stop", "start", "make", "stop tasks", "start task"]);
}

#[test]
fn same_configuration_again_leaves_tasks_alone() {
    let mut world = World::new(Started, 1);
    world.settle();
    world.wanted.as_mut().unwrap().revision = 2;
    assert_eq!(world.settle(), ["stop", "start", "make"]);
}

#[test]
fn fewer_tasks_stop_the_rest() {
    let mut world = World::new(Started, 3);
    world.settle();
    world.makes = 1;
    world.running.task_configs = TaskConfigs::Due;
    assert_eq!(world.settle(), ["make", "stop tasks", "start task"]);
    assert_eq!(world.running.tasks.len(), 1);
}

#[test]
fn restart_of_one_task_touches_no_other() {
    let mut world = World::new(Started, 3);
    world.settle();
    world.running.restart_tasks.insert(1);
    assert_eq!(world.settle(), ["stop tasks", "start task"]);
}

#[test]
fn failed_start_is_not_tried_again_by_itself() {
    let mut world = World::new(Started, 1);
    world.fails = true;
    assert_eq!(world.settle(), ["start"]);
    assert_eq!(world.target(Paused), [""; 0]);
    world.running.restart_connector = true;
    assert_eq!(world.settle(), ["stop", "start"]);
}

#[test]
fn failed_connector_can_be_stopped() {
    let mut world = World::new(Started, 1);
    world.fails = true;
    world.settle();
    world.fails = false;
    assert_eq!(world.target(Stopped), ["stop", "start"]);
    assert_eq!(world.target(Started), ["set", "make", "start task"]);
}

#[test]
fn deleted_connector_leaves_nothing() {
    let mut world = World::new(Started, 2);
    world.settle();
    world.wanted = None;
    assert_eq!(world.settle(), ["stop tasks", "stop"]);
    assert!(world.running.is_empty());
}

/// Any order of requests, failures and half-done actions ends at rest, with what was asked for last.
#[test]
fn thousands_of_random_histories_come_to_rest() {
    for seed in 1..5000u64 {
        let mut random = seed;
        let mut roll = |sides: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % sides
        };
        let mut world = World::new(Started, 2);
        for _ in 0..30 {
            for _ in 0..roll(4) {
                if let Some(action) = next(world.wanted.as_ref().map(everything).as_ref(), &world.running) {
                    world.perform(action);
                }
            }
            random_request(&mut world, &mut roll);
        }
        world.settle();
        check_rest(&world, seed);
    }
}

fn random_request(world: &mut World, roll: &mut impl FnMut(u64) -> u64) {
    let (makes, number) = (roll(4) as usize, roll(3) as u32);
    let Some(wanted) = &mut world.wanted else {
        world.wanted = Some(ConnectorEntry {
            revision: 100 + roll(1 << 30),
            ..entry(Started, 0)
        });
        return;
    };
    match roll(9) {
        0 => world.wanted = None,
        1 => wanted.revision += 1,
        2 => change_target(wanted, Started),
        3 => change_target(wanted, Paused),
        4 => change_target(wanted, Stopped),
        5 => world.running.restart_connector = world.running.connector.is_some(),
        6 => {
            world.running.restart_tasks.insert(number);
            world
                .running
                .restart_tasks
                .retain(|number| world.running.tasks.contains_key(number));
        }
        7 => {
            world.makes = makes;
            world.running.task_configs = TaskConfigs::Due;
        }
        _ => world.fails = !world.fails,
    }
}

fn check_rest(world: &World, seed: u64) {
    let running = &world.running;
    let Some(wanted) = &world.wanted else {
        assert!(running.is_empty(), "seed {seed}: something is left: {running:?}");
        return;
    };
    let connector = running.connector.as_ref().unwrap();
    assert_eq!(connector.revision, wanted.revision, "seed {seed}");
    if connector.condition == Condition::Started {
        assert_eq!(connector.target, wanted.target, "seed {seed}");
    }
    let numbers: Vec<u32> = (0..wanted.tasks.len() as u32).collect();
    assert_eq!(
        running.tasks.keys().copied().collect::<Vec<_>>(),
        numbers,
        "seed {seed}"
    );
    for task in running.tasks.values() {
        assert_eq!(task.task_revision, wanted.task_revision, "seed {seed}");
        assert!(
            task.condition == Condition::Failed || task.target == wanted.target,
            "seed {seed}"
        );
    }
    if wanted.target == Stopped {
        assert!(running.tasks.is_empty(), "seed {seed}");
    }
}
