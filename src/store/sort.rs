//! Sorting more rows than memory holds.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::base::RecordId;
use crate::plan::Row;

/// How many runs are merged at once; more are merged in several passes, so that the readers' buffers stay small.
const FAN_IN: usize = 64;

/// The buffer of each run's reader while merging.
const READ_BUFFER: usize = 64 * 1024;

/// A record's length byte has this bit when values follow the key.
const HAS_VALUES: u8 = 0x80;

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

/// Sorts any number of rows within a fixed window of memory: what does not fit is written to a temporary file in sorted
/// runs, which are merged while they are read.
///
/// The file has no name where the system allows that, so it is gone when the sorter is, also when the process is
/// killed.
pub struct RowSorter {
    order: SortOrder,
    window: usize,
    entries: Vec<Entry>,
    values: Vec<u8>,
    spill: Option<Spill>,
    count: u64,
    directory: PathBuf,
}

/// One row in the window. A row without values costs no memory beyond this.
#[derive(Clone, Copy)]
struct Entry {
    id: RecordId,
    /// Where the row's encoded values start in the sorter's `values`, and how long they are; 0 for none.
    start: u32,
    length: u32,
}

/// Sorted runs in one file without a name.
struct Spill {
    file: Mutex<std::fs::File>,
    length: u64,
    runs: Vec<Range<u64>>,
    /// The last row of the last run. Systems mostly give rows by key, and a window that goes on where the one before it
    /// ended makes no run of its own, so that nothing has to be merged then.
    last: Option<Row>,
}

impl RowSorter {
    /// The window to use where there is no reason for another: 8 MiB, some 190,000 keys.
    pub const WINDOW: usize = 8 * 1024 * 1024;

    /// A sorter that spills into `directory`, which exists, once rows take more than `window` bytes.
    pub fn new(directory: impl Into<PathBuf>, order: SortOrder, window: usize) -> Self {
        // Offsets into the window are 32 bits wide.
        let window = window.min(1 << 30);
        Self { order, window, entries: Vec::new(), values: Vec::new(), spill: None, count: 0, directory: directory.into() }
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
        if self.entries.len() * size_of::<Entry>() + self.values.len() >= self.window {
            self.spill_window()?;
        }
        Ok(())
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
    pub fn finish(mut self) -> io::Result<SortedRows> {
        if self.spill.is_some() {
            self.spill_window()?;
        }
        self.sort_window();
        if let Some(spill) = &mut self.spill {
            // Everything is in the file now; the window's memory is given back before the readers take theirs.
            (self.entries, self.values) = (Vec::new(), Vec::new());
            spill.reduce_runs(self.order, &self.directory)?;
        }
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
            none => none.insert(Spill::create(&self.directory)?),
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
    fn create(directory: &Path) -> io::Result<Self> {
        Ok(Self { file: Mutex::new(tempfile::tempfile_in(directory)?), length: 0, runs: Vec::new(), last: None })
    }

    /// Appends rows, which `write` writes in sorted order: to the last run where they go on from it, as one of their own
    /// otherwise.
    fn append(
        &mut self,
        goes_on: bool,
        write: impl FnOnce(&mut io::BufWriter<&mut std::fs::File>) -> io::Result<()>,
    ) -> io::Result<()> {
        let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.length))?;
        let mut output = io::BufWriter::with_capacity(READ_BUFFER, file);
        write(&mut output)?;
        output.flush()?;
        let end = output.get_mut().stream_position()?;
        match self.runs.last_mut() {
            Some(last) if goes_on => last.end = end,
            _ => self.runs.push(self.length..end),
        }
        self.length = end;
        Ok(())
    }

    /// Merges runs until so few are left that they can be read at once.
    fn reduce_runs(&mut self, order: SortOrder, directory: &Path) -> io::Result<()> {
        while self.runs.len() > FAN_IN {
            let taken: Vec<Range<u64>> = self.runs.drain(..FAN_IN).collect();
            // The merged run goes to a file of its own first, since one file cannot be read and appended to at once.
            let mut merged = tempfile::tempfile_in(directory)?;
            let mut output = io::BufWriter::with_capacity(READ_BUFFER, &mut merged);
            let mut encoded = Vec::new();
            for row in Merge::over(order, self, &taken) {
                let row = row?;
                encoded.clear();
                encode_values(&row.values, &mut encoded)?;
                write_encoded(&mut output, &row.id, &encoded)?;
            }
            output.flush()?;
            drop(output);
            merged.seek(SeekFrom::Start(0))?;
            self.append(false, |output| io::copy(&mut merged, output).map(drop))?;
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
        let mut merge = self.merge();
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
        self.merge().filter_map(move |row| match row {
            Ok(row) if last == Some(row.id) => None,
            Ok(row) => {
                last = Some(row.id);
                Some(Ok(row.id))
            }
            Err(error) => Some(Err(error)),
        })
    }

    fn merge(&self) -> Merge<'_> {
        match &self.spill {
            Some(spill) => Merge::over(self.order, spill, &spill.runs),
            None => Merge::Memory { entries: self.entries.iter(), values: &self.values },
        }
    }
}

/// Sorted rows out of one window or out of several runs.
enum Merge<'a> {
    Memory { entries: std::slice::Iter<'a, Entry>, values: &'a [u8] },
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
        let readers: Vec<RunReader<'a>> = runs.iter().map(|run| RunReader::new(&spill.file, run.clone())).collect();
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

/// Reads one run by position, so that any number of runs of one file can be read side by side.
struct RunReader<'a> {
    file: &'a Mutex<std::fs::File>,
    rest: Range<u64>,
    buffer: Vec<u8>,
    used: usize,
}

impl<'a> RunReader<'a> {
    fn new(file: &'a Mutex<std::fs::File>, rest: Range<u64>) -> Self {
        Self { file, rest, buffer: Vec::new(), used: 0 }
    }

    /// Makes `length` unread bytes stand in the buffer, and gives them.
    fn take(&mut self, length: usize) -> io::Result<&[u8]> {
        let unread = self.buffer.len() - self.used;
        if unread < length {
            self.buffer.drain(..self.used);
            self.used = 0;
            let rest = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
            let wanted = (length - unread).max(READ_BUFFER).min(rest);
            if unread + wanted < length {
                return Err(damaged());
            }
            self.buffer.resize(unread + wanted, 0);
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(self.rest.start))?;
            file.read_exact(&mut self.buffer[unread..])?;
            self.rest.start += wanted as u64;
        }
        let taken = self.used..self.used + length;
        self.used = taken.end;
        Ok(&self.buffer[taken])
    }

    fn take_length(&mut self) -> io::Result<usize> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
    }

    fn next_row(&mut self) -> io::Result<Option<Row>> {
        if self.used == self.buffer.len() && self.rest.is_empty() {
            return Ok(None);
        }
        let head = self.take(1)?[0];
        let key = self.take(usize::from(head & !HAS_VALUES))?;
        let id = std::str::from_utf8(key).ok().and_then(|text| RecordId::new(text).ok()).ok_or_else(damaged)?;
        let values = if head & HAS_VALUES == 0 {
            Vec::new()
        } else {
            let length = self.take_length()?;
            decode_values(self.take(length)?)?
        };
        Ok(Some(Row { id, values }))
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary sort file does not read back as it was written")
}

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

/// Writes one row: the key's length and a flag, the key, and, where there are values, their length and bytes.
fn write_encoded(output: &mut impl Write, id: &RecordId, values: &[u8]) -> io::Result<()> {
    let key = id.as_bytes();
    let flag = if values.is_empty() { 0 } else { HAS_VALUES };
    output.write_all(&[key.len() as u8 | flag])?;
    output.write_all(key)?;
    if !values.is_empty() {
        let length = u32::try_from(values.len()).map_err(|_| io::Error::other("a row larger than 4 GiB"))?;
        output.write_all(&length.to_le_bytes())?;
        output.write_all(values)?;
    }
    Ok(())
}

/// Appends each value with its length in front, so that a value may hold anything.
fn encode_values(values: &[String], into: &mut Vec<u8>) -> io::Result<()> {
    for value in values {
        let length = u32::try_from(value.len()).map_err(|_| io::Error::other("a value larger than 4 GiB"))?;
        into.extend_from_slice(&length.to_le_bytes());
        into.extend_from_slice(value.as_bytes());
    }
    Ok(())
}

fn split_value(encoded: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = encoded.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

fn first_encoded(encoded: &[u8]) -> &[u8] {
    split_value(encoded).map_or(&[], |(first, _)| first)
}

fn decode_values(mut encoded: &[u8]) -> io::Result<Vec<String>> {
    let mut values = Vec::new();
    while !encoded.is_empty() {
        let (value, rest) = split_value(encoded).ok_or_else(damaged)?;
        values.push(std::str::from_utf8(value).map_err(|_| damaged())?.to_owned());
        encoded = rest;
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(id: &str, values: &[&str]) -> Row {
        Row { id: RecordId::new(id).expect("valid"), values: values.iter().map(|value| (*value).into()).collect() }
    }

    fn sorted(rows: &[Row], order: SortOrder, window: usize) -> SortedRows {
        let directory = tempfile::tempdir().expect("a directory");
        let mut sorter = RowSorter::new(directory.path(), order, window);
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
        let mut sorter = RowSorter::new(directory.path(), SortOrder::Id, 1);
        sorter.push(&row("a", &["secret"])).expect("writable");
        let sorted = sorter.finish().expect("writable");
        assert!(sorted.spill.is_some());
        let files = || directory.path().read_dir().expect("readable").count();
        assert!(cfg!(not(unix)) || files() == 0);
        drop(sorted);
        assert_eq!(files(), 0);
    }

    #[test]
    fn says_that_it_cannot_spill() {
        let mut sorter = RowSorter::new("/nowhere/at/all", SortOrder::Id, 1);
        assert!(sorter.push(&row("a", &[])).is_err());
    }
}
