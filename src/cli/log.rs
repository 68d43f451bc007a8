//! The log: on standard error, for people who look for a cause.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts the log. It names methods, hosts, paths, statuses and counts; it never holds a header or a record's field.
pub fn start(verbose: u8, colours: bool) {
    let by_flag = match verbose {
        0 => "sexton=warn",
        1 => "sexton=info",
        2 => "sexton=debug",
        _ => "sexton=trace",
    };
    let filter = super::machine::log_filter().unwrap_or_else(|| by_flag.to_owned());
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(by_flag));
    // A second start, as in the demo's inner commands, keeps the first.
    let coloured = colours && std::io::stderr().is_terminal();
    let _ = tracing_subscriber::fmt().with_ansi(coloured).with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
