//! Bytes on disk: bundle, journal, state file, lock, atomic writes. An adapter: the only room that touches files.

mod answer_pairing;
mod answers;
mod atomic;
mod backend;
mod bundle;
mod bundle_error;
mod bundle_writer;
mod call_memory;
mod command_error;
mod directory;
mod ids_file;
mod large_object;
mod lock;
pub mod manifest_files;
mod messages_file;
mod outcomes_file;
mod outcomes_reader;
mod records_file;
mod run_journal;
mod run_scratch;
mod run_store;
mod sort;
mod state_file;
mod status_file;
mod stored_bundle;

pub use answer_pairing::{AnswerPairing, PairingReport};
pub use answers::{restore_answers, restore_stored_answers, write_answers};
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
pub use large_object::{LargeName, LargeReader, LargeWriter};
pub use messages_file::MessagesFile;
pub use lock::{LockError, LockedState, Unlocked};
pub use outcomes_file::OutcomesWriter;
pub use outcomes_reader::{OutcomeRow, read_outcomes};
pub use records_file::{RecordsReader, RecordsWriter};
pub use run_journal::{Journal, JournalEnd, JournalError, RunJournal, compact_journal, read_journal};
pub use run_scratch::RunScratch;
pub use run_store::RunStore;
pub use sort::{DuplicateRow, RowSorter, SortOrder, SortedRows};
pub use state_file::{StateError, StateStore};
pub use stored_bundle::{fetch_bundle, keep_bundle, kept_header, remove_kept_bundle};
pub use status_file::{EncodedStatus, StatusCount, StatusFile, StatusRuns};
