//! Sorting more rows than memory holds.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::io::{self, Write};
use std::ops::Range;

use super::Scratch;
use super::row_encoding::{decode_values, encode_values, first_encoded, write_encoded};
use super::run_reader::RunReader;
use crate::base::RecordId;
use crate::plan::Row;

/// How many runs are merged at once; more are merged in several passes, so that the readers' buffers stay small.
const FAN_IN: usize = 64;

/// By what rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    /// By key.
    Id,
    /// By the first value, and by key within equal values: keeps the records of one `groupBy` value together. A row
    /// without values sorts as if its first value were empty.
    FirstValueThenId,
}

/// The same key came twice where each record may come once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record `{id}` came more than once in one selection")]
pub struct DuplicateRow {
    /// The key.
    pub id: RecordId,
}

/// Sorts any number of rows within a fixed window of memory: what does not fit is written to a scratch file in sorted
/// runs, which are merged while they are read.
pub struct RowSorter {
    order: SortOrder,
    window: usize,
    entries: Vec<Entry>,
    values: Vec<u8>,
    spill: Option<Spill>,
    count: u64,
    scratch: Scratch,
}

/// One row in the window. A row without values costs no memory beyond this.
#[derive(Clone, Copy)]
struct Entry {
    id: RecordId,
    /// Where the row's encoded values start in the sorter's `values`, and how long they are; 0 for none.
    start: u32,
    length: u32,
}

/// Sorted runs in a scratch file, which other sorters may share.
struct Spill {
    scratch: Scratch,
    runs: Vec<Range<u64>>,
    /// The last row of the last run. Systems mostly give rows by key, and a window that goes on where the one before it
    /// ended makes no run of its own, so that nothing has to be merged then.
    last: Option<Row>,
}

impl RowSorter {
    /// The default window: 8 MiB, about 190,000 keys.
    pub const WINDOW: usize = 8 * 1024 * 1024;

    /// A sorter that spills into `scratch` once rows take more than `window` bytes. A place stands for a file of the sorter's
    /// own in that directory, which exists.
    pub fn new(scratch: impl Into<Scratch>, order: SortOrder, window: usize) -> Self {
        // Offsets into the window are 32 bits wide.
        let window = window.min(1 << 30);
        Self { order, window, entries: Vec::new(), values: Vec::new(), spill: None, count: 0, scratch: scratch.into() }
    }

    /// Takes one row, in any order.
    ///
    /// # Errors
    ///
    /// When a full window cannot be written to the directory, or one row alone is larger than a gigabyte.
    pub fn push(&mut self, row: &Row) -> io::Result<()> {
        let start = self.values.len();
        encode_values(&row.values, &mut self.values)?;
        let offset =
            |length: usize| u32::try_from(length).map_err(|_| io::Error::other("a row larger than the sort window"));
        self.entries.push(Entry { id: row.id, start: offset(start)?, length: offset(self.values.len() - start)? });
        self.count += 1;
        if self.bytes() >= self.window {
            self.spill_window()?;
        }
        Ok(())
    }

    /// What the rows in the window take.
    fn bytes(&self) -> usize {
        self.entries.len() * size_of::<Entry>() + self.values.len()
    }

    /// How many rows were taken.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Ends the taking of rows.
    ///
    /// # Errors
    ///
    /// When the last window, or an intermediate merge of very many windows, cannot be written.
    pub fn finish(self) -> io::Result<SortedRows> {
        self.finish_within(usize::MAX)
    }

    /// The same for rows that are kept for long, beside many others: more than `bytes` of them do not stay in memory.
    ///
    /// # Errors
    ///
    /// As [`RowSorter::finish`].
    pub fn finish_within(mut self, bytes: usize) -> io::Result<SortedRows> {
        if self.spill.is_some() || self.bytes() > bytes {
            self.spill_window()?;
        }
        self.sort_window();
        if let Some(spill) = &mut self.spill {
            // Everything is in the file now; the window's memory is given back before the readers take theirs.
            (self.entries, self.values) = (Vec::new(), Vec::new());
            spill.reduce_runs(self.order)?;
        }
        self.entries.shrink_to_fit();
        self.values.shrink_to_fit();
        Ok(SortedRows {
            order: self.order,
            entries: self.entries,
            values: self.values,
            spill: self.spill,
            count: self.count,
        })
    }

    fn sort_window(&mut self) {
        let (order, values) = (self.order, &self.values);
        self.entries.sort_unstable_by(|left, right| compare_entries(order, values, left, right));
    }

    fn spill_window(&mut self) -> io::Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        self.sort_window();
        let spill = match &mut self.spill {
            Some(spill) => spill,
            none => none.insert(Spill { scratch: self.scratch.clone(), runs: Vec::new(), last: None }),
        };
        let (entries, values) = (&self.entries, &self.values);
        let row_of = |entry: &Entry| decode_values(entry.values(values)).map(|values| Row { id: entry.id, values });
        let first = entries.first().map(row_of).transpose()?;
        let goes_on = match (&spill.last, &first) {
            (Some(last), Some(first)) => compare_rows(self.order, last, first) != Ordering::Greater,
            _ => false,
        };
        spill.append(goes_on, |output| {
            entries.iter().try_for_each(|entry| write_encoded(output, &entry.id, entry.values(values)))
        })?;
        spill.last = entries.last().map(row_of).transpose()?;
        self.entries.clear();
        self.values.clear();
        Ok(())
    }
}

impl Entry {
    fn values<'a>(&self, values: &'a [u8]) -> &'a [u8] {
        &values[self.start as usize..][..self.length as usize]
    }
}

impl Spill {
    /// Appends rows, which `write` writes in sorted order: to the last run where they go on from it, as one of their own
    /// otherwise.
    fn append(&mut self, goes_on: bool, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let written = self.scratch.append(write)?;
        match self.runs.last_mut() {
            // Another sorter may have written in between.
            Some(last) if goes_on && last.end == written.start => last.end = written.end,
            _ => self.runs.push(written),
        }
        Ok(())
    }

    /// Merges runs until so few are left that they can be read at once.
    fn reduce_runs(&mut self, order: SortOrder) -> io::Result<()> {
        while self.runs.len() > FAN_IN {
            let taken: Vec<Range<u64>> = self.runs.drain(..FAN_IN).collect();
            // Behind the runs that it is made of, while those are read.
            let merged = self.scratch.append(|output| {
                let mut encoded = Vec::new();
                for row in Merge::over(order, self, &taken) {
                    let row = row?;
                    encoded.clear();
                    encode_values(&row.values, &mut encoded)?;
                    write_encoded(output, &row.id, &encoded)?;
                }
                Ok(())
            })?;
            self.runs.push(merged);
        }
        Ok(())
    }
}

/// Rows in order. They can be read any number of times.
pub struct SortedRows {
    order: SortOrder,
    entries: Vec<Entry>,
    values: Vec<u8>,
    spill: Option<Spill>,
    count: u64,
}

impl SortedRows {
    /// How many rows there are, repeated keys counted each time.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The rows in order. A key that comes twice in a row is a [`DuplicateRow`] error, which ends the reading; in
    /// [`SortOrder::FirstValueThenId`] that finds only repetitions with the same first value.
    pub fn rows(&self) -> impl Iterator<Item = io::Result<Row>> + Send + '_ {
        let mut last: Option<Row> = None;
        let mut over = false;
        let mut merge = self.repeated_rows();
        std::iter::from_fn(move || {
            if over {
                return None;
            }
            let next = match merge.next()? {
                Ok(next) => next,
                Err(error) => {
                    over = true;
                    return Some(Err(error));
                }
            };
            let same_group = |last: &Row| self.order == SortOrder::Id || first_of(&last.values) == first_of(&next.values);
            if last.as_ref().is_some_and(|last| last.id == next.id && same_group(last)) {
                over = true;
                return Some(Err(io::Error::new(io::ErrorKind::InvalidData, DuplicateRow { id: next.id })));
            }
            // Only the part that is compared is kept, so that a row without values costs no allocation.
            let kept = if self.order == SortOrder::Id { Vec::new() } else { next.values.iter().take(1).cloned().collect() };
            last = Some(Row { id: next.id, values: kept });
            Some(Ok(next))
        })
    }

    /// The keys in order, each once however often it came. For selections that name a record once per child.
    ///
    /// It is meant for [`SortOrder::Id`]; in the other order a key comes once for each first value.
    pub fn distinct_ids(&self) -> impl Iterator<Item = io::Result<RecordId>> + Send + '_ {
        let mut last = None;
        self.repeated_rows().filter_map(move |row| match row {
            Ok(row) if last == Some(row.id) => None,
            Ok(row) => {
                last = Some(row.id);
                Some(Ok(row.id))
            }
            Err(error) => Some(Err(error)),
        })
    }

    /// The rows in order, also those of a key that comes several times.
    pub fn repeated_rows(&self) -> impl Iterator<Item = io::Result<Row>> + Send + '_ {
        match &self.spill {
            Some(spill) => Merge::over(self.order, spill, &spill.runs),
            None => Merge::Memory { entries: self.entries.iter(), values: &self.values },
        }
    }
}

/// Sorted rows out of one window or out of several runs.
enum Merge<'a> {
    Memory { entries: std::slice::Iter<'a, Entry>, values: &'a [u8] },
    Run { reader: RunReader<'a> },
    Runs { order: SortOrder, readers: Vec<RunReader<'a>>, heads: BinaryHeap<Reverse<Head>>, failed: Option<io::Error> },
}

/// The next row of one run.
struct Head {
    order: SortOrder,
    row: Row,
    run: usize,
}

impl<'a> Merge<'a> {
    fn over(order: SortOrder, spill: &'a Spill, runs: &[Range<u64>]) -> Self {
        if let [run] = runs {
            return Self::Run { reader: RunReader::new(&spill.scratch, run.clone()) };
        }
        let readers: Vec<RunReader<'a>> = runs.iter().map(|run| RunReader::new(&spill.scratch, run.clone())).collect();
        let mut merge = Self::Runs { order, heads: BinaryHeap::with_capacity(readers.len()), readers, failed: None };
        (0..runs.len()).for_each(|run| merge.advance(run));
        merge
    }

    fn advance(&mut self, run: usize) {
        let Self::Runs { order, readers, heads, failed } = self else { return };
        match readers[run].next_row() {
            Ok(Some(row)) => heads.push(Reverse(Head { order: *order, row, run })),
            Ok(None) => {}
            Err(error) => *failed = Some(error),
        }
    }
}

impl Iterator for Merge<'_> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<io::Result<Row>> {
        match self {
            Self::Memory { entries, values } => {
                let entry = entries.next()?;
                Some(decode_values(entry.values(values)).map(|values| Row { id: entry.id, values }))
            }
            Self::Run { reader } => {
                let next = reader.next_row();
                if next.is_err() {
                    reader.end();
                }
                next.transpose()
            }
            Self::Runs { heads, failed, .. } => {
                if let Some(error) = failed.take() {
                    heads.clear();
                    return Some(Err(error));
                }
                let Reverse(head) = heads.pop()?;
                self.advance(head.run);
                Some(Ok(head.row))
            }
        }
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_rows(self.order, &self.row, &other.row).then_with(|| self.run.cmp(&other.run))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

fn first_of(values: &[String]) -> &str {
    values.first().map_or("", String::as_str)
}

fn compare_rows(order: SortOrder, left: &Row, right: &Row) -> Ordering {
    match order {
        SortOrder::Id => left.id.cmp(&right.id),
        SortOrder::FirstValueThenId => {
            first_of(&left.values).cmp(first_of(&right.values)).then_with(|| left.id.cmp(&right.id))
        }
    }
}

fn compare_entries(order: SortOrder, values: &[u8], left: &Entry, right: &Entry) -> Ordering {
    match order {
        SortOrder::Id => left.id.cmp(&right.id),
        SortOrder::FirstValueThenId => {
            first_encoded(left.values(values)).cmp(first_encoded(right.values(values))).then_with(|| left.id.cmp(&right.id))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::store::{DiskFault, Files, Place, SimulatedDisk};

    fn row(id: &str, values: &[&str]) -> Row {
        Row { id: RecordId::new(id).expect("valid"), values: values.iter().map(|value| (*value).into()).collect() }
    }

    fn sorted(rows: &[Row], order: SortOrder, window: usize) -> SortedRows {
        let directory = tempfile::tempdir().expect("a directory");
        let mut sorter = RowSorter::new(&Place::of_machine(directory.path()), order, window);
        rows.iter().try_for_each(|row| sorter.push(row)).expect("writable");
        sorter.finish().expect("writable")
    }

    fn any_rows() -> impl Strategy<Value = Vec<Row>> {
        prop::collection::btree_map("[A-Za-z0-9_-]{1,36}", prop::collection::vec("[ab,\"\n\u{0}é]{0,3}", 0..3), 0..300)
            .prop_map(|rows| rows.into_iter().map(|(id, values)| (RecordId::new(&id).expect("valid"), values)))
            .prop_map(|rows| rows.map(|(id, values)| Row { id, values }).collect::<Vec<_>>())
            .prop_shuffle()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn sorts_as_the_standard_library_does_whatever_the_window(rows in any_rows(), window in 1..20_000_usize) {
            for order in [SortOrder::Id, SortOrder::FirstValueThenId] {
                let mut expected = rows.clone();
                match order {
                    SortOrder::Id => expected.sort_by_key(|row| row.id),
                    SortOrder::FirstValueThenId => {
                        expected.sort_by_key(|row| (row.values.first().cloned().unwrap_or_default(), row.id));
                    }
                }
                let sorted = sorted(&rows, order, window);
                prop_assert_eq!(sorted.count(), rows.len() as u64);
                for _ in 0..2 {
                    let read: Vec<Row> = sorted.rows().collect::<io::Result<_>>().expect("readable");
                    prop_assert_eq!(&read, &expected);
                }
            }
        }
    }

    #[test]
    fn merges_more_runs_than_may_be_open_at_once() {
        // A window of one byte makes a run of each row, so that the runs are merged in several passes.
        let rows: Vec<Row> = (0..1_000_u32).map(|number| row(&format!("{:04}", (number * 7_919) % 1_000), &["v"])).collect();
        let sorted = sorted(&rows, SortOrder::Id, 1);
        assert!(sorted.spill.as_ref().is_some_and(|spill| spill.runs.len() <= FAN_IN));
        let read: Vec<String> = sorted.rows().map(|row| row.expect("readable").id.to_string()).collect();
        assert_eq!(read, (0..1_000).map(|number| format!("{number:04}")).collect::<Vec<_>>());
    }

    #[test]
    fn rows_that_come_in_order_make_one_run_and_one_that_does_not_makes_another() {
        let group = |number: u32| if number < 500 { "a" } else { "b" };
        let mut rows: Vec<Row> = (0..1_000_u32).map(|number| row(&format!("{number:04}"), &[group(number)])).collect();
        let runs = |rows: &[Row], order| sorted(rows, order, 4_096).spill.map_or(0, |spill| spill.runs.len());
        for order in [SortOrder::Id, SortOrder::FirstValueThenId] {
            assert_eq!(runs(&rows, order), 1);
            rows.push(row("0000a", &["a"]));
            assert_eq!(runs(&rows, order), 2);
            let read: Vec<Row> = sorted(&rows, order, 4_096).rows().collect::<io::Result<_>>().expect("readable");
            assert_eq!(read.len(), 1_001);
            assert_eq!(read[1].id.as_str(), "0000a");
            rows.pop();
        }
    }

    #[test]
    fn names_a_key_that_came_twice_and_stops_there() {
        for window in [1, 1 << 20] {
            let sorted = sorted(&[row("b", &[]), row("c", &[]), row("a", &[]), row("b", &[])], SortOrder::Id, window);
            let read: Vec<io::Result<Row>> = sorted.rows().collect();
            assert_eq!(read.len(), 3, "window {window}");
            let error = read.last().and_then(|last| last.as_ref().err()).expect("an error at the end");
            assert_eq!(error.to_string(), "the record `b` came more than once in one selection");
            let distinct: Vec<String> = sorted.distinct_ids().map(|id| id.expect("readable").to_string()).collect();
            assert_eq!(distinct, ["a", "b", "c"]);
        }
    }

    #[test]
    fn leaves_no_file_behind_and_none_to_see_while_it_works() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut sorter = RowSorter::new(&Place::of_machine(directory.path()), SortOrder::Id, 1);
        sorter.push(&row("a", &["secret"])).expect("writable");
        let sorted = sorter.finish().expect("writable");
        assert!(sorted.spill.is_some());
        let files = || directory.path().read_dir().expect("readable").count();
        assert!(cfg!(not(unix)) || files() == 0);
        drop(sorted);
        assert_eq!(files(), 0);
    }

    #[test]
    fn whatever_the_disk_does_the_rows_are_all_there_in_order_or_an_error_names_the_place() {
        let sort = |place: &Place| -> io::Result<Vec<RecordId>> {
            let mut sorter = RowSorter::new(place, SortOrder::Id, 64);
            (0..300_u32).try_for_each(|number| sorter.push(&row(&format!("{:04}", number * 7 % 300), &["v"])))?;
            sorter.finish()?.rows().map(|row| row.map(|row| row.id)).collect()
        };
        let begin = || {
            let disk = SimulatedDisk::new(1);
            disk.create_directory(Path::new("spill")).expect("made");
            (disk.clone(), Place::new(Arc::new(disk), "spill"))
        };
        let (disk, place) = begin();
        let before = disk.operations();
        let sorted = sort(&place).expect("sorted");
        assert!(sorted.len() == 300 && sorted.is_sorted());
        let mut failures = 0;
        for number in 0..disk.operations() - before {
            for fault in [DiskFault::Refused, DiskFault::DoneButFailed, DiskFault::Short, DiskFault::NoSpace] {
                let (disk, place) = begin();
                disk.fail_at(number, fault);
                match sort(&place) {
                    Ok(rows) => assert_eq!(rows, sorted, "{fault:?} at {number}"),
                    Err(error) => {
                        failures += 1;
                        assert!(error.to_string().contains("a temporary file in `spill`"), "{fault:?} at {number}: {error}");
                    }
                }
            }
        }
        assert!(failures > 300, "{failures} failures");
    }

    #[test]
    fn sorters_that_share_a_scratch_file_keep_their_rows_apart_and_open_no_other_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let scratch = Scratch::from(&Place::of_machine(directory.path()));
        let mut sorters: Vec<RowSorter> = (0..5).map(|_| RowSorter::new(scratch.clone(), SortOrder::Id, 200)).collect();
        for number in (0..500_u32).rev() {
            let place = number as usize % sorters.len();
            sorters[place].push(&row(&format!("{number:04}"), &["v"])).expect("writable");
        }
        let sorted: Vec<SortedRows> = sorters.into_iter().map(|sorter| sorter.finish_within(0).expect("writable")).collect();
        for (place, sorted) in sorted.iter().enumerate() {
            assert!(sorted.entries.is_empty() && sorted.spill.is_some());
            let read: Vec<String> = sorted.rows().map(|row| row.expect("readable").id.to_string()).collect();
            let expected: Vec<String> = (0..100).map(|number| format!("{:04}", number * 5 + place)).collect();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn few_rows_stay_in_memory_and_more_do_not() {
        let directory = tempfile::tempdir().expect("a directory");
        for (kept, spills) in [(0, true), (1 << 10, false)] {
            let mut sorter = RowSorter::new(&Place::of_machine(directory.path()), SortOrder::Id, 1 << 20);
            sorter.push(&row("a", &[])).expect("writable");
            assert_eq!(sorter.finish_within(kept).expect("writable").spill.is_some(), spills);
        }
        // No rows take no file.
        let none = RowSorter::new(&Place::of_machine(directory.path()), SortOrder::Id, 1 << 20)
            .finish_within(0)
            .expect("nothing to write");
        assert!(none.spill.is_none());
    }
}
