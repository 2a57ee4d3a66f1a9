//! `cargo x demo`: one file's lines travel through a sandboxed source, a Kafka topic, a sandboxed transform and a
//! sandboxed sink into another file, before your eyes.

mod lines;
mod pipeline;
mod rest;
mod session;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::json;

use crate::cli::{DemoArguments, DemoKind};
use crate::demo::lines::{Input, Output};
use crate::demo::session::Session;
use crate::interrupt::Interrupt;
use crate::tree::Tree;
use crate::{guests, machine, worker};

/// The example transform, a module of its own in `connectors/`: it masks e-mail addresses.
const TRANSFORM: &str = "caisson.example.MaskEmail";
/// How long a line may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines that show the path before the burst.
const FIRST_LINES: u64 = 3;

pub fn run(tree: &Tree, arguments: &DemoArguments) -> Result<ExitCode> {
    match arguments.what {
        Some(DemoKind::Pipeline) => pipeline::run(tree, arguments),
        None => lines(tree, arguments),
    }
}

fn lines(tree: &Tree, arguments: &DemoArguments) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    println!("1/4 the worker and its components");
    machine::prepare_broker()?;
    worker::build(tree)?;
    guests::bundled(tree)?;
    let mut session = Session::open(tree, arguments)?;
    let shown = show(&mut session, arguments, &interrupt);
    if shown.is_err() && !interrupt.requested() {
        session.keep_for_inspection();
    }
    drop(session);
    match shown {
        // Ctrl-C is how a demo ends.
        Err(_) if interrupt.requested() => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

fn show(session: &mut Session<'_>, arguments: &DemoArguments, interrupt: &Interrupt) -> Result<()> {
    println!("2/4 Kafka");
    let bootstrap = session.start_kafka()?;
    println!("    {bootstrap}");
    interrupt.check()?;
    println!("3/4 the worker");
    let started = session.start_worker(&bootstrap)?;
    println!(
        "    REST at {} answered {} ms after the start",
        session.rest.address,
        started.as_millis()
    );
    let mut input = Input::create(&session.file("input.txt"))?;
    create_connectors(session)?;
    println!(
        "4/4 lines of {} become lines of {}",
        session.file("input.txt").display(),
        session.file("output.txt").display()
    );
    let mut output = Output::new(&session.file("output.txt"));
    for _ in 0..FIRST_LINES {
        one_line(session, &mut input, &mut output, interrupt)?;
    }
    burst(session, &mut input, &mut output, arguments.burst, interrupt)?;
    if arguments.once {
        return Ok(());
    }
    suggestions(session);
    let end = arguments
        .seconds
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    watch(session, &mut input, &mut output, end, interrupt)
}

/// Writes a line each second and shows what arrives, whatever the user does to the connectors and the file meanwhile.
fn watch(
    session: &mut Session<'_>,
    input: &mut Input,
    output: &mut Output,
    end: Option<Instant>,
    interrupt: &Interrupt,
) -> Result<()> {
    let mut next_line = Instant::now();
    let mut shown = Instant::now();
    while end.is_none_or(|end| Instant::now() < end) {
        if Instant::now() >= next_line {
            input.line()?;
            next_line += Duration::from_secs(1);
        }
        let before = output.lines;
        output.read()?;
        if output.lines > before {
            let (arrived, memory) = (output.lines - before, session.worker_memory());
            println!("    {:<44} ({arrived} new, worker {memory} MiB)", output.last);
            shown = Instant::now();
        } else if shown.elapsed() > Duration::from_secs(5) {
            println!("    nothing arrives; {}", session.rest.states()?);
            shown = Instant::now();
        }
        session.check_worker()?;
        wait(Duration::from_millis(50), interrupt)?;
    }
    Ok(())
}

fn create_connectors(session: &Session<'_>) -> Result<()> {
    let text = "org.apache.kafka.connect.storage.StringConverter";
    session.rest.create(
        "demo-source",
        &json!({
            "connector.class": "FileStreamSource", "tasks.max": "1", "topic": "demo",
            "file": session.file("input.txt"), "key.converter": text, "value.converter": text,
        }),
    )?;
    session.rest.create(
        "demo-sink",
        &json!({
            "connector.class": "FileStreamSink", "tasks.max": "1", "topics": "demo",
            "file": session.file("output.txt"), "key.converter": text, "value.converter": text,
            "consumer.override.auto.offset.reset": "earliest",
            "transforms": "mask", "transforms.mask.type": TRANSFORM,
        }),
    )?;
    for name in ["demo-source", "demo-sink"] {
        session.rest.await_running(name, PATIENCE)?;
        println!("    {name} is RUNNING");
    }
    Ok(())
}

/// Writes a line and shows it when it has arrived.
fn one_line(session: &mut Session<'_>, input: &mut Input, output: &mut Output, interrupt: &Interrupt) -> Result<()> {
    let written = input.line()?;
    let began = Instant::now();
    await_lines(session, output, input.lines, interrupt, &mut |_| {})?;
    let (took, memory) = (began.elapsed().as_millis(), session.worker_memory());
    println!(
        "    {written:<34} → {:<44} {took:>5} ms, worker {memory} MiB",
        output.last
    );
    Ok(())
}

/// Writes many lines at once and shows how fast they arrive.
fn burst(
    session: &mut Session<'_>,
    input: &mut Input,
    output: &mut Output,
    lines: u64,
    interrupt: &Interrupt,
) -> Result<()> {
    println!("    a burst of {} lines of 100 bytes", grouped(lines));
    let before = output.lines;
    let began = Instant::now();
    input.burst(lines)?;
    let mut shown = Instant::now();
    await_lines(session, output, input.lines, interrupt, &mut |arrived| {
        if shown.elapsed() >= Duration::from_secs(1) {
            shown = Instant::now();
            println!("    {:>12} arrived", grouped(arrived - before));
        }
    })?;
    let rate = lines as f64 / began.elapsed().as_secs_f64();
    println!(
        "    all {} arrived: {} records/s from file to topic to file, worker {} MiB",
        grouped(lines),
        grouped(rate as u64),
        session.worker_memory(),
    );
    Ok(())
}

/// Waits until the sink's file has so many lines.
fn await_lines(
    session: &mut Session<'_>,
    output: &mut Output,
    lines: u64,
    interrupt: &Interrupt,
    progress: &mut dyn FnMut(u64),
) -> Result<()> {
    let mut moved = Instant::now();
    loop {
        if output.read()? {
            moved = Instant::now();
        }
        if output.lines >= lines {
            return Ok(());
        }
        session.check_worker()?;
        if moved.elapsed() > PATIENCE {
            let (source, sink) = (session.rest.status("demo-source")?, session.rest.status("demo-sink")?);
            bail!(
                "{} of {lines} lines arrived, and none for a minute; status: {source} {sink}",
                output.lines
            );
        }
        progress(output.lines);
        wait(Duration::from_millis(5), interrupt)?;
    }
}

/// Sleeps, unless Ctrl-C comes.
fn wait(duration: Duration, interrupt: &Interrupt) -> Result<()> {
    let end = Instant::now() + duration;
    while Instant::now() < end {
        interrupt.check()?;
        std::thread::sleep(duration.min(Duration::from_millis(50)));
    }
    interrupt.check()
}

fn suggestions(session: &Session<'_>) {
    let rest = &session.rest.address;
    println!();
    println!("Play with it from another terminal; Ctrl-C here ends everything:");
    println!("    curl -s {rest}/connectors/demo-sink/status");
    println!("    curl -s '{rest}/connectors?expand=status'");
    println!("    curl -s {rest}/connector-plugins");
    println!("    curl -s -X PUT {rest}/connectors/demo-sink/pause");
    println!("    curl -s -X PUT {rest}/connectors/demo-sink/resume");
    println!("    curl -s -X POST '{rest}/connectors/demo-source/restart?includeTasks=true'");
    println!("    echo 'a line of yours' >> {}", session.file("input.txt").display());
    println!("    tail -f {}", session.file("output.txt").display());
    println!();
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            ["0", "999", "1,000", "12,345,678"],
            [0, 999, 1_000, 12_345_678].map(grouped).each_ref().map(String::as_str)
        );
    }
}
