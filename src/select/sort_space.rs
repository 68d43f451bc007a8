//! Where rows are sorted, and how much memory that takes.

use std::io;

use super::side_by_side::AT_ONCE;
use crate::store::{Place, RowSorter, Scratch, SortOrder, SortedRows};

/// More bytes of rows that are kept for the whole command do not stay in memory: there are as many of them as holds.
const KEPT_IN_MEMORY: usize = 64 * 1024;

/// The same of what policies matched before: there are as many of them as policies.
const EARLIER_IN_MEMORY: usize = 4 * 1024;

/// Where rows go that do not fit into memory, and how many may stay in it.
#[derive(Clone)]
pub(super) struct SortSpace {
    scratch: Scratch,
    window: usize,
    kept: usize,
}

impl SortSpace {
    /// For one of `works` policies: a file in `directory` of its own, and its part of the memory that one alone would have.
    pub(super) fn for_policy(directory: &Place, works: usize) -> Self {
        Self { scratch: Scratch::from(directory), window: Self::window(works), kept: usize::MAX }
    }

    /// For all of `works` holds: one file in `directory`, and little memory for what was read.
    pub(super) fn for_holds(directory: &Place, works: usize) -> Self {
        Self { scratch: Scratch::from(directory), window: Self::window(works), kept: KEPT_IN_MEMORY }
    }

    /// For what `works` policies matched before: one file in `directory`, and next to no memory for what was read, which is kept until
    /// the gates were asked.
    pub(super) fn for_earlier(directory: &Place, works: usize) -> Self {
        Self { kept: EARLIER_IN_MEMORY, ..Self::for_holds(directory, works) }
    }

    fn window(works: usize) -> usize {
        RowSorter::WINDOW / works.clamp(1, AT_ONCE)
    }

    /// Where the rows go, in words for people.
    pub(super) fn directory(&self) -> &Place {
        self.scratch.directory()
    }

    /// A sorter by id.
    pub(super) fn sorter(&self) -> RowSorter {
        RowSorter::new(self.scratch.clone(), SortOrder::Id, self.window)
    }

    /// Ends the taking of rows.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub(super) fn finish(&self, sorter: RowSorter) -> io::Result<SortedRows> {
        sorter.finish_within(self.kept)
    }
}
