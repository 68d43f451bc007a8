//! How records are deleted: the machine, batches, retry, pace, journal entries and outcomes. No I/O.
//!
//! Data in, data out: journal entries are told to a [`lane`], which says what to do next. A crash is then nothing
//! special: tell it the same entries again and ask.

mod answer;
mod batch;
mod entry;
mod outcome;

pub use answer::{Answer, AnswerVerdict, JobProgress, JobStage, Presence, Ticket};
pub use batch::{Batch, IdSource, Order};
pub use entry::{Entry, Event};
pub use outcome::{Evidence, Outcome, OutcomeKind, SkipCause, Tally};
