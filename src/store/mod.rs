//! Bytes on disk: bundle, journal, state file, lock, atomic writes. An adapter: the only room that touches files.

mod answer_pairing;
mod answers_file;
mod atomic;
mod backend;
mod bundle;
mod bundle_error;
mod bundle_writer;
mod call_memory;
mod command_error;
mod directory;
mod ids_file;
mod journal_file;
mod lock;
pub mod manifest_files;
mod outcomes_file;
mod outcomes_reader;
mod records_file;
mod row_encoding;
mod run_directory;
mod scratch;
mod sort;
mod state_file;

pub use answer_pairing::{AnswerPairing, PairingReport};
pub use answers_file::{EncodedStatus, MessagesFile, StatusCount, StatusFile};
pub use atomic::{
    FileError, StagedDirectory, parent_of, repair_replacement, replace_file, sync_directory, write_atomically,
};
pub use backend::{Backend, Key, KeyError, Lease, LeaseError, MOST_OBJECT_BYTES, Object, StoreError, Version};
pub use bundle::Bundle;
pub use bundle_error::BundleError;
pub use bundle_writer::BundleWriter;
pub use call_memory::CallMemoryFile;
pub use directory::{make_directory, make_empty_directory, read_text, remove_directory};
pub use ids_file::{BatchIds, IdNote, IdsFile, IdsIterator, IdsWriter};
pub use journal_file::{Journal, JournalError, JournalFile, read_journal};
pub use lock::{LockError, LockedState, Unlocked};
pub use outcomes_file::OutcomesWriter;
pub use outcomes_reader::{OutcomeRow, read_outcomes};
pub use records_file::{RecordsReader, RecordsWriter};
pub use run_directory::{RunDirectory, SkippedWriter, read_skipped};
pub use scratch::Scratch;
pub use sort::{DuplicateRow, RowSorter, SortOrder, SortedRows};
pub use state_file::{StateError, StateStore};
