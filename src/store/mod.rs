//! Bytes on disk: bundle, journal, state file, lock, atomic writes. An adapter: the only room that touches files.

mod atomic;
mod sort;

pub use atomic::{FileError, StagedDirectory, parent_of, repair_replacement, sync_directory, write_atomically};
pub use sort::{DuplicateRow, RowSorter, SortOrder, SortedRows};
