//! Bytes on disk: bundle, journal, state file, lock, atomic writes. An adapter: the only room that touches files.

mod atomic;
mod bundle;
mod bundle_error;
mod bundle_writer;
mod lock;
mod records_file;
mod sort;
mod state_file;

pub use atomic::{FileError, StagedDirectory, parent_of, repair_replacement, sync_directory, write_atomically};
pub use bundle::Bundle;
pub use bundle_error::BundleError;
pub use bundle_writer::BundleWriter;
pub use lock::{LockError, LockedState, Unlocked};
pub use records_file::{RecordsReader, RecordsWriter};
pub use sort::{DuplicateRow, RowSorter, SortOrder, SortedRows};
pub use state_file::{StateError, StateStore};
