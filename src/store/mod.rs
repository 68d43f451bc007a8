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
#[cfg(test)]
mod conformance;
mod directory;
mod directory_lease;
mod directory_store;
#[cfg(test)]
mod durability_tests;
mod fault_schedule;
mod faulty_store;
mod files;
#[cfg(test)]
mod files_tests;
mod ids_file;
mod journal_file;
mod local_files;
mod lock;
pub mod manifest_files;
mod memory_store;
mod outcomes_file;
mod outcomes_reader;
mod records_file;
mod run_directory;
mod simulated_disk;
mod sort;
mod state_file;

pub use answer_pairing::{AnswerPairing, PairingReport};
pub use answers_file::{EncodedStatus, MessagesFile, StatusCount, StatusFile};
pub use atomic::{FileError, StagedDirectory, repair_replacement, replace_file, sync_directory, write_atomically};
pub use backend::{Backend, Key, KeyError, Lease, LeaseError, MOST_OBJECT_BYTES, Object, StoreError, Version};
pub use bundle::Bundle;
pub use bundle_error::BundleError;
pub use bundle_writer::BundleWriter;
pub use call_memory::CallMemoryFile;
pub use directory::{make_directory, make_empty_directory, read_text, remove_directory};
pub use directory_lease::Unlocked as LeaseUnlocked;
pub use directory_store::DirectoryStore;
pub use faulty_store::{FaultyStore, StoreFault};
pub use files::{FileHandle, FileKind, FileMetadata, FileStream, Files, OpenMode, create_directories, parent_of};
pub use ids_file::{BatchIds, IdNote, IdsFile, IdsIterator, IdsWriter};
pub use journal_file::{Journal, JournalError, JournalFile, read_journal};
pub use local_files::LocalFiles;
pub use lock::{LockError, LockedState, Unlocked};
pub use memory_store::MemoryStore;
pub use outcomes_file::OutcomesWriter;
pub use outcomes_reader::{OutcomeRow, read_outcomes};
pub use records_file::{RecordsReader, RecordsWriter};
pub use run_directory::{RunDirectory, SkippedWriter, read_skipped};
pub use simulated_disk::{DiskFault, SimulatedDisk};
pub use sort::{DuplicateRow, RowSorter, SortOrder, SortedRows};
pub use state_file::{StateError, StateStore};
