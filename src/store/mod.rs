//! Bytes on disk: bundle, journal, state file, lock, atomic writes. An adapter: the only room that touches files.

mod answer_pairing;
mod answers_file;
mod atomic;
mod ids_file;
mod journal_file;
mod outcomes_file;
mod run_directory;
mod sort;

pub use answer_pairing::{AnswerPairing, PairingReport};
pub use answers_file::{MarkCount, MarksFile, RawMark, TextsFile};
pub use atomic::{FileError, StagedDirectory, parent_of, repair_replacement, sync_directory, write_atomically};
pub use ids_file::{BatchIds, IdsFile, IdsIterator, IdsWriter};
pub use journal_file::{Journal, JournalError, JournalFile, read_journal};
pub use outcomes_file::OutcomesWriter;
pub use run_directory::{RunDirectory, SkippedWriter, read_skipped};
pub use sort::{DuplicateRow, RowSorter, SortOrder, SortedRows};
