//! This machine: its clock, its randomness, who is at it.
#![expect(
    clippy::disallowed_methods,
    reason = "the one adapter that reads the clock and the environment for the whole program"
)]

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::base::{Actor, Clock, Timer};

/// The machine's own clock.
#[derive(Clone, Copy, Debug)]
pub struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The runtime's own timer.
#[derive(Clone, Copy, Debug)]
pub struct MachineTimer;

#[async_trait]
impl Timer for MachineTimer {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Who runs this, as far as the machine says.
pub fn actor() -> Actor {
    let host_name = std::fs::read_to_string("/etc/hostname").ok();
    Actor::read(&|name| std::env::var(name).ok(), host_name.as_deref())
}

/// A new random UUID.
pub fn fresh_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// An unpredictable number.
pub fn seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}

/// Whether the user allows colours: `NO_COLOR` (<https://no-color.org>) is not set, and the terminal is not a dumb one.
pub fn allows_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && std::env::var("TERM").as_deref() != Ok("dumb")
}

/// What `SEXTON_LOG` says, where it is set.
pub fn log_filter() -> Option<String> {
    std::env::var("SEXTON_LOG").ok().filter(|filter| !filter.is_empty())
}

/// Whether whoever started this process had SIGHUP ignored, as `nohup` does. Known on Linux only.
pub fn ignores_hangup() -> bool {
    // `SigIgn` is a hexadecimal mask; signal 1 is its lowest bit (proc_pid_status(5)).
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Ends the process at once.
#[expect(clippy::exit, reason = "the second interrupt; the journal is durable at every moment")]
pub fn leave(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
