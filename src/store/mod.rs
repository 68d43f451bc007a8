//! What outlives a command: the store and its backends, and under a directory's the files of this machine. An adapter: the only folder
//! that touches files.

mod answer_pairing;
mod answers;
mod atomic;
mod backend;
mod bundle;
#[cfg(test)]
mod bundle_durability_tests;
mod bundle_error;
mod bundle_writer;
mod call_memory;
mod command_error;
#[cfg(test)]
mod conformance;
mod directory;
mod directory_lease;
mod directory_name;
mod directory_store;
#[cfg(test)]
mod durability_tests;
mod fault_schedule;
mod faulty_store;
mod file_error;
mod file_node;
mod files;
#[cfg(test)]
mod files_tests;
mod ids_file;
mod large_object;
mod local_files;
pub mod manifest_files;
mod memory_store;
mod messages_file;
mod outcomes_file;
mod outcomes_reader;
mod place;
mod records_file;
mod row_encoding;
mod run_journal;
mod run_scratch;
mod run_store;
mod scratch;
mod simulated_disk;
mod simulated_tree;
mod sort;
mod state_file;
mod status_file;
mod stored_bundle;
mod work_folder;

pub use answer_pairing::{AnswerPairing, PairingReport};
pub use answers::{restore_answers, restore_stored_answers, write_answers};
pub use atomic::{StagedDirectory, repair_replacement, write_atomically};
pub use backend::{Backend, Key, KeyError, Lease, LeaseError, MOST_OBJECT_BYTES, Object, StoreError, Version};
pub use bundle::Bundle;
pub use bundle_error::BundleError;
pub use bundle_writer::BundleWriter;
pub use call_memory::StoredCalls;
pub use directory::{make_directory, make_empty_directory, read_text};
pub use directory_lease::Unlocked;
pub use directory_store::DirectoryStore;
pub use faulty_store::{FaultyStore, StoreFault};
pub use file_error::FileError;
pub use files::{FileHandle, FileKind, FileMetadata, FileStream, Files, OpenMode, create_directories, parent_of};
pub use ids_file::{BatchIds, IdNote, IdsFile, IdsIterator, IdsWriter};
pub use large_object::{LargeName, LargeReader, LargeWriter};
pub use local_files::LocalFiles;
pub use memory_store::MemoryStore;
pub use messages_file::MessagesFile;
pub use outcomes_file::OutcomesWriter;
pub use outcomes_reader::{OutcomeRow, read_outcomes};
pub use place::Place;
pub use records_file::{RecordsReader, RecordsWriter};
pub use run_journal::{Journal, JournalEnd, JournalError, RunJournal, compact_journal, read_journal};
pub use run_scratch::RunScratch;
pub use run_store::RunStore;
pub use scratch::Scratch;
pub use simulated_disk::{DiskFault, SimulatedDisk};
pub use sort::{DuplicateRow, RowSorter, SortOrder, SortedRows};
pub use state_file::{LockedState, StateError, StateStore};
pub use status_file::{EncodedStatus, StatusCount, StatusFile, StatusRuns};
pub use stored_bundle::{fetch_bundle, keep_bundle, kept_header, remove_kept_bundle};
pub use work_folder::WorkFolder;
