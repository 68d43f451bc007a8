//! The sandbox's own time.

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::base::Clock;

/// A clock that starts at a given moment, runs with tokio's time, and can be pushed forward.
///
/// It is not the machine's clock: tests give it a fixed start, and paused tokio time stops it. Retention, session
/// lifetimes and bulk jobs are driven by it alone. It never runs backward.
#[derive(Debug)]
pub struct SandboxClock {
    start: Timestamp,
    origin: Instant,
    advanced: Mutex<Duration>,
}

impl SandboxClock {
    /// A clock that shows `start` now.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, origin: Instant::now(), advanced: Mutex::new(Duration::ZERO) }
    }

    /// The moment the clock was started at.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Pushes the clock forward, as if `duration` had passed.
    pub fn advance(&self, duration: Duration) {
        let mut advanced = self.advanced.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *advanced = advanced.saturating_add(duration);
    }
}

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        let advanced = *self.advanced.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let passed = self.origin.elapsed().saturating_add(advanced);
        self.start.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn follows_tokio_time_and_can_be_pushed() {
        let start: Timestamp = "2026-11-21T10:00:00Z".parse().expect("valid");
        let clock = SandboxClock::starting_at(start);
        assert_eq!(clock.now(), start);
        tokio::time::advance(Duration::from_secs(60)).await;
        clock.advance(Duration::from_secs(86_400));
        assert_eq!(clock.now().to_string(), "2026-11-22T10:01:00Z");
        assert_eq!(clock.start(), start);
    }
}
