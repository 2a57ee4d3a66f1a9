//! The `caisson` binary: a Kafka Connect worker whose connectors run as WebAssembly components.

mod adapter;
mod cli;
mod client;
mod cluster;
mod compose;
mod distributed;
mod logging;
mod module;
mod new;
mod offsets;
mod run;
mod signals;
mod standalone;

use std::process::ExitCode;

use clap::Parser;

/// Batches are allocated by one thread and freed by another, which this allocator does well. C's `malloc` stays C's: librdkafka
/// has four threads for each sink with little to do, and each would get pages of its own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli.command {
        cli::Command::Standalone(arguments) => {
            small_pages();
            standalone::run(&arguments)
        }
        cli::Command::Distributed(arguments) => {
            small_pages();
            distributed::run(&arguments)
        }
        cli::Command::Client(command) => client::run(&command),
        cli::Command::Run(arguments) => run::run(&arguments),
        cli::Command::Module(command) => module::run(&command),
        cli::Command::New(arguments) => new::run(&arguments),
        cli::Command::Docs => {
            print!("{}", caisson_config::docs::render(&caisson_sandbox::properties()));
            ExitCode::SUCCESS
        }
        cli::Command::Compile(_) => caisson_sandbox::compiler::child_main(),
    }
}

/// The allocator asks for huge pages. For a worker they are not worth it: 30 MB resident before the first connector.
fn small_pages() {
    // Where the kernel has no such switch, memory is only larger than it need be.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
