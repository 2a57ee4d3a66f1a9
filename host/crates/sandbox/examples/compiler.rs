//! What the worker's hidden subcommand does, as a program of its own for tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    caisson_sandbox::compiler::child_main()
}
