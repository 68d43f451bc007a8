//! Waiting.

use std::time::Duration;

use async_trait::async_trait;

/// Lets time pass. Handed in like the [`super::Clock`], so that a simulation can have its own.
#[async_trait]
pub trait Timer: Send + Sync {
    /// Comes back when so much time has passed.
    async fn sleep(&self, duration: Duration);
}
