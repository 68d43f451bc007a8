//! Bytes on disk: bundle, journal, state file, lock, atomic writes. An adapter: the only room that touches files.

mod sort;

pub use sort::{DuplicateRow, RowSorter, SortOrder, SortedRows};
