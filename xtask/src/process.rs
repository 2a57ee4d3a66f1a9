//! Running other programs: with their output on the screen, or into a log with a sign of life now and then.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};

use crate::interrupt::Interrupt;

/// How often a long part shows a sign of life where no terminal could show a moving line.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// Lines that may wait to be looked at; a faster program waits for us.
const LINES: usize = 1024;

/// A cargo command without what `cargo run` told this program about itself.
pub fn cargo(directory: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(name.as_ref());
        }
    }
    command.current_dir(directory);
    command
}

/// What a reader would type to get the same.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let mut line = program.into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

/// Runs a program with its output on the screen; an error if it fails.
pub fn visible(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a program for what it prints; an error with its complaints if it fails.
pub fn answer(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}): {}", shown(command), output.status, complaint.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How a program that ran into a log ended.
pub enum Ending {
    Finished(ExitStatus),
    TimedOut,
    Interrupted,
}

impl Ending {
    pub fn is_success(&self) -> bool {
        match self {
            Self::Finished(status) => status.success(),
            Self::TimedOut | Self::Interrupted => false,
        }
    }
}

/// Runs a program with all its output appended to `log`; `look` sees each line and may return what to show of it.
pub fn logged(
    command: &mut Command,
    log: &Path,
    interrupt: &Interrupt,
    limit: Duration,
    look: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<Ending> {
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))?;
    writeln!(file, "$ {}", shown(command))?;
    let (output, input) = std::io::pipe()?;
    // A process group of its own: at the time limit everything that it started ends with it.
    command
        .stdin(Stdio::null())
        .stdout(input.try_clone()?)
        .stderr(input)
        .process_group(0);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    // The command keeps the pipe's writing end open until it is told to let go.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let lines = read_lines(output);
    let ending = follow(&mut child, &lines, &mut file, interrupt, limit, look)?;
    Ok(ending)
}

fn follow(
    child: &mut Child,
    lines: &Receiver<String>,
    file: &mut File,
    interrupt: &Interrupt,
    limit: Duration,
    look: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<Ending> {
    let began = Instant::now();
    let mut status = Status::new();
    let mut exited = None;
    loop {
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => {
                writeln!(file, "{line}")?;
                match look(&line) {
                    Some(text) => status.print(&text),
                    None => status.update(&line),
                }
                continue;
            }
            // A daemon that the program left behind may hold the pipe: the program's own end is what counts.
            Err(RecvTimeoutError::Timeout) if exited.is_none() => status.tick(),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                status.clear();
                let ended = match exited {
                    Some(ended) => ended,
                    None => child.wait()?,
                };
                return Ok(Ending::Finished(ended));
            }
        }
        exited = child.try_wait()?;
        if interrupt.requested() || began.elapsed() > limit {
            status.clear();
            end_group(child)?;
            return Ok(if interrupt.requested() {
                Ending::Interrupted
            } else {
                Ending::TimedOut
            });
        }
    }
}

fn read_lines(output: std::io::PipeReader) -> Receiver<String> {
    let (sender, receiver) = sync_channel(LINES);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(output);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(length) if length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// Asks a program and all it started to end, and makes them after ten seconds.
fn end_group(child: &mut Child) -> Result<()> {
    let Some(group) = Pid::from_raw(i32::try_from(child.id())?) else {
        return Ok(());
    };
    for signal in [Signal::TERM, Signal::KILL] {
        // It may be gone already, which is what we want.
        let _ = rustix::process::kill_process_group(group, signal);
        if ended_within(child, Duration::from_secs(10))?.is_some() {
            return Ok(());
        }
    }
    Ok(())
}

/// Sends a signal to one program.
pub fn signal(child: &Child, signal: Signal) {
    if let Ok(id) = i32::try_from(child.id())
        && let Some(pid) = Pid::from_raw(id)
    {
        // An ended program needs no signal.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Waits for a program's end, but not for ever.
pub fn ended_within(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The sign of life: a moving line on a terminal, a line each half minute elsewhere.
struct Status {
    terminal: bool,
    began: Instant,
    shown: Instant,
    last: String,
}

impl Status {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            terminal: std::io::stdout().is_terminal(),
            began: now,
            shown: now,
            last: String::new(),
        }
    }

    /// Remembers what the program is at.
    fn update(&mut self, line: &str) {
        let line = line.trim();
        if !line.is_empty() {
            self.last = line.chars().take(90).collect();
        }
        self.tick();
    }

    /// Shows it, if it is time to.
    fn tick(&mut self) {
        let wait = if self.terminal {
            Duration::from_millis(200)
        } else {
            HEARTBEAT
        };
        if self.shown.elapsed() < wait {
            return;
        }
        self.shown = Instant::now();
        let seconds = self.began.elapsed().as_secs();
        if self.terminal {
            print!("\r\x1b[K    {seconds} s  {}", self.last);
            let _ = std::io::stdout().flush();
        } else {
            println!("    … {seconds} s, {}", self.last);
        }
    }

    fn print(&mut self, text: &str) {
        self.clear();
        println!("    {text}");
    }

    fn clear(&mut self) {
        if self.terminal {
            print!("\r\x1b[K");
            let _ = std::io::stdout().flush();
        }
    }
}
