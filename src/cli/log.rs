//! The log: on standard error, for people who look for a cause.

use tracing_subscriber::EnvFilter;

/// Starts the log. It names methods, hosts, paths, statuses and counts; it never holds a header or a record's field.
pub fn start(verbose: u8, colours: bool) {
    let by_flag = match verbose {
        0 => "sexton=warn",
        1 => "sexton=info",
        2 => "sexton=debug",
        _ => "sexton=trace",
    };
    let asked = super::machine::log_filter();
    let for_people = verbose == 0 && asked.is_none();
    let filter = asked.unwrap_or_else(|| by_flag.to_owned());
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(by_flag));
    let log = tracing_subscriber::fmt().with_ansi(colours).with_env_filter(filter).with_writer(std::io::stderr);
    // It would tell on standard error that standard error cannot be written, and panic.
    let log = log.log_internal_errors(false);
    let _ = match for_people {
        // A warning among a command's own lines: when it came and from which part of the program is for those who look for a cause.
        true => log.without_time().with_target(false).try_init(),
        false => log.try_init(),
    };
}
