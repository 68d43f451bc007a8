//! What all policies of a run share.

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::base::{Clock, Observer, Timer};
use crate::store::{Journal, RunScratch, RunStore};

/// What all policies share.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// What the run keeps.
    pub store: &'a RunStore,
    /// Where this process works on it.
    pub scratch: &'a RunScratch,
    /// The journal in the store, for appending.
    pub journal: &'a dyn Journal,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The passing of time.
    pub timer: &'a dyn Timer,
    /// What pauses are drawn from.
    pub seed: u64,
    /// Who looks on.
    pub observer: &'a dyn Observer,
    /// Cancelled when the user wants to stop: nothing new is sent, and what was sent is waited for.
    pub stop: &'a CancellationToken,
    /// How many policies may have files open at once.
    pub permits: &'a Semaphore,
    /// Whether the systems are asked what became of what was sent. Where not, it ends unknown.
    pub asks_what_happened: bool,
}
