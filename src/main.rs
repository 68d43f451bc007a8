//! The `sexton` program: argv in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(sexton::cli::run(std::env::args_os().collect()))
}
