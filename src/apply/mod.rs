//! How records are deleted: the machine, batches, retry, pace, journal entries and outcomes. No I/O.
//!
//! Data in, data out: journal entries are told to a [`Lane`], which says what to do next. A crash is then nothing
//! special: tell it the same entries again and ask.

mod active;
mod answer;
mod batch;
mod entry;
mod fault;
mod lane;
mod mark;
mod outcome;
mod pace;
mod step;

pub use answer::{Answer, AnswerVerdict, JobProgress, JobStage, Presence, Ticket};
pub use batch::{Batch, IdSource, Order};
pub use entry::{Entry, Event, Withheld};
pub use fault::{Fault, FaultKind};
pub use lane::{Lane, LaneError, LaneSettings, LaneStatus, WAVES};
pub use mark::{AtomicMarks, Mark, marks_of_atomic};
pub use outcome::{Evidence, Outcome, OutcomeKind, SkipCause, Tally};
pub use pace::back_off;
pub use step::{Step, StepEnd};
