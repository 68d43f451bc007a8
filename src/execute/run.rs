//! What all policies of a run share.

use tokio_util::sync::CancellationToken;

use super::earlier_runs::EarlierRuns;
use super::hold_watch::HoldWatch;
use super::opened_run::OpenedRun;
use crate::base::{Clock, Observer, Timer};
use crate::select::Context;
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
    /// The clock.
    pub clock: &'a dyn Clock,
    /// For waiting.
    pub timer: &'a dyn Timer,
    /// What pauses are drawn from.
    pub seed: u64,
    /// Is told of progress and warnings.
    pub observer: &'a dyn Observer,
    /// Cancelled when the user wants to stop: nothing new is sent, and what was sent is waited for.
    pub stop: &'a CancellationToken,
    /// Reads holds again; `None` where nothing is sent.
    pub holds: Option<&'a dyn HoldWatch>,
    /// The runs that may have deleted what is gone.
    pub earlier: Option<&'a EarlierRuns>,
    /// Whether the systems are asked what became of what was sent. Where not, it ends unknown.
    pub asks_what_happened: bool,
}

impl<'a> Run<'a> {
    /// An opened run, with the context of a command.
    #[must_use]
    pub fn new(
        context: &'a Context,
        opened: &'a OpenedRun,
        journal: &'a dyn Journal,
        stop: &'a CancellationToken,
        asks_what_happened: bool,
    ) -> Self {
        Self {
            store: &opened.store,
            scratch: &opened.scratch,
            journal,
            clock: context.clock.as_ref(),
            timer: context.timer.as_ref(),
            seed: context.seed,
            observer: context.observer.as_ref(),
            stop,
            holds: None,
            earlier: None,
            asks_what_happened,
        }
    }
}
