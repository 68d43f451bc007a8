//! What a client uploaded to a delete job, read as it arrives and kept small.

use std::borrow::Cow;
use std::collections::BTreeMap;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::dialect::{Dialect, LineEnding};

/// More data than one job takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadTooLarge;

/// The rows of one finished upload.
///
/// Not the records: a row is text, and may be no identifier at all. Invariant: results echo every row as it was sent,
/// so a 15 character identifier stays one. A million identifiers take 18 MB.
#[derive(Debug, Default)]
pub struct Upload {
    header: Vec<String>,
    ids: Vec<[u8; 18]>,
    others: BTreeMap<usize, Vec<String>>,
    refusal: Option<UploadRefusal>,
}

/// Why a job with this data fails before its first row.
#[derive(Clone, Debug, PartialEq, Eq)]
enum UploadRefusal {
    LineEnding(LineEnding),
    NotOnlyIds,
    UnknownColumn(String),
}

/// Stands in the table of identifiers for a row that is none.
const ELSEWHERE: [u8; 18] = [0; 18];

impl Upload {
    /// The number of data rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The column names as sent.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The `errorMessage` with which a job over this data fails, if it does. `operation` is the job's, as sent.
    ///
    /// The first two texts are recorded; the third is recorded for an insert and assumed here.
    pub fn refusal(&self, operation: &str) -> Option<String> {
        self.refusal.as_ref().map(|refusal| match refusal {
            UploadRefusal::LineEnding(setting) => {
                format!("ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {setting}")
            }
            UploadRefusal::NotOnlyIds => {
                format!("InvalidBatch : InvalidBatch : The '{operation}' batch must contain only ids.")
            }
            UploadRefusal::UnknownColumn(name) => format!("InvalidBatch : Field name not found : {name}"),
        })
    }

    /// The cells of a row.
    pub fn cells(&self, row: usize) -> impl Iterator<Item = &str> {
        let compact = &self.ids[row];
        let (id, others) = if *compact == ELSEWHERE {
            (None, self.others.get(&row).map_or(&[][..], Vec::as_slice))
        } else {
            let length = if compact[17] == 0 { 15 } else { 18 };
            (std::str::from_utf8(&compact[..length]).ok(), &[][..])
        };
        id.into_iter().chain(others.iter().map(String::as_str))
    }

    /// The identifier a row names, as sent. Meant for data that is not refused, where each row has one cell.
    pub fn id(&self, row: usize) -> &str {
        self.cells(row).next().unwrap_or_default()
    }

    fn take_row(&mut self, cells: Vec<Cow<'_, str>>) {
        if let [cell] = cells.as_slice()
            && matches!(cell.len(), 15 | 18)
            && cell.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            let mut id = ELSEWHERE;
            id[..cell.len()].copy_from_slice(cell.as_bytes());
            self.ids.push(id);
            return;
        }
        if cells.len() != 1 {
            self.refusal.get_or_insert(UploadRefusal::NotOnlyIds);
        }
        self.others.insert(self.ids.len(), cells.into_iter().map(Cow::into_owned).collect());
        self.ids.push(ELSEWHERE);
    }

    fn take_header(&mut self, cells: Vec<Cow<'_, str>>) {
        self.header = cells.into_iter().map(Cow::into_owned).collect();
        if let Some(first) = self.header.first_mut()
            && let Some(rest) = first.strip_prefix('\u{feff}')
        {
            // Whether the service accepts a byte order mark is unknown; spreadsheets write one, so it is let pass. [guess]
            *first = rest.to_owned();
        }
        // That `ID` and `id` are taken for `Id` is a guess; clients send `Id`.
        match self.header.as_slice() {
            [name] if name.eq_ignore_ascii_case("id") => {}
            [name] => self.refusal = Some(UploadRefusal::UnknownColumn(name.clone())),
            _ => self.refusal = Some(UploadRefusal::NotOnlyIds),
        }
    }
}

/// Takes an upload piece by piece, in pieces of any size.
pub struct UploadReader {
    reader: Reader,
    setting: LineEnding,
    seen: Option<LineEnding>,
    last: u8,
    left: usize,
    text: Vec<u8>,
    text_length: usize,
    ends: Vec<usize>,
    ends_length: usize,
    has_header: bool,
    upload: Upload,
}

impl UploadReader {
    /// A reader for at most so many bytes of data in the job's own dialect.
    pub fn new(dialect: Dialect, most_bytes: usize) -> Self {
        let terminator = match dialect.ending {
            LineEnding::Lf => Terminator::Any(b'\n'),
            LineEnding::Crlf => Terminator::CRLF,
        };
        Self {
            reader: ReaderBuilder::new().delimiter(dialect.delimiter.byte()).terminator(terminator).build(),
            setting: dialect.ending,
            seen: None,
            last: 0,
            left: most_bytes,
            text: vec![0; 1024],
            text_length: 0,
            ends: vec![0; 16],
            ends_length: 0,
            has_header: false,
            upload: Upload::default(),
        }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    ///
    /// When the pieces together are more than a job takes.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), UploadTooLarge> {
        self.left = self.left.checked_sub(piece.len()).ok_or(UploadTooLarge)?;
        self.look_for_line_ending(piece);
        self.read(piece);
        Ok(())
    }

    /// The end of the data.
    pub fn finish(mut self) -> Upload {
        while self.step(&[]).0 != ReadRecordResult::End {}
        if let Some(seen) = self.seen
            && seen != self.setting
        {
            self.upload.refusal = Some(UploadRefusal::LineEnding(self.setting));
        }
        self.upload
    }

    /// The first line end decides, as the service's message suggests that it compares one setting with one file.
    fn look_for_line_ending(&mut self, piece: &[u8]) {
        if self.seen.is_none()
            && let Some(place) = piece.iter().position(|byte| *byte == b'\n')
        {
            let before = place.checked_sub(1).map_or(self.last, |place| piece[place]);
            self.seen = Some(if before == b'\r' { LineEnding::Crlf } else { LineEnding::Lf });
        }
        self.last = piece.last().copied().unwrap_or(self.last);
    }

    fn read(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let (_, read) = self.step(piece);
            piece = &piece[read..];
        }
    }

    /// One step of the reader, which takes an empty piece for the end of the data.
    fn step(&mut self, piece: &[u8]) -> (ReadRecordResult, usize) {
        let (result, read, written, ended) =
            self.reader.read_record(piece, &mut self.text[self.text_length..], &mut self.ends[self.ends_length..]);
        self.text_length += written;
        self.ends_length += ended;
        match result {
            ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
            ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            ReadRecordResult::Record => self.take_record(),
        }
        (result, read)
    }

    fn take_record(&mut self) {
        let mut start = 0;
        let cells = self.ends[..self.ends_length]
            .iter()
            .map(|end| String::from_utf8_lossy(&self.text[std::mem::replace(&mut start, *end)..*end]))
            .collect();
        if std::mem::replace(&mut self.has_header, true) {
            self.upload.take_row(cells);
        } else {
            self.upload.take_header(cells);
        }
        self.text_length = 0;
        self.ends_length = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::dialect::ColumnDelimiter;
    use super::*;

    fn read(dialect: Dialect, text: &str, piece: usize) -> Upload {
        let mut reader = UploadReader::new(dialect, usize::MAX);
        for piece in text.as_bytes().chunks(piece) {
            reader.push(piece).expect("small");
        }
        reader.finish()
    }

    fn rows(upload: &Upload) -> Vec<Vec<&str>> {
        (0..upload.len()).map(|row| upload.cells(row).collect()).collect()
    }

    #[test]
    fn keeps_identifiers_as_they_were_sent() {
        let upload = read(Dialect::default(), "Id\n001D000000ISUr3IAH\n001D000000ISUr3\n\"001D000000ISUr4\"\nabc\n", 4096);
        assert_eq!(rows(&upload), [["001D000000ISUr3IAH"], ["001D000000ISUr3"], ["001D000000ISUr4"], ["abc"]]);
        assert_eq!(upload.header(), ["Id"]);
        assert_eq!(upload.refusal("delete"), None);
        assert_eq!(upload.id(3), "abc");
    }

    #[test]
    fn takes_a_last_row_without_line_end_a_mark_and_another_case() {
        let upload = read(Dialect::default(), "\u{feff}ID\n001D000000ISUr3IAH", 1);
        assert_eq!((upload.len(), upload.refusal("delete")), (1, None));
    }

    #[test]
    fn takes_no_data_and_a_header_alone() {
        for text in ["", "Id", "Id\n"] {
            let upload = read(Dialect::default(), text, 2);
            assert_eq!((upload.len(), upload.refusal("delete")), (0, None), "{text:?}");
        }
    }

    #[test]
    fn refuses_another_column() {
        let upload = read(Dialect::default(), "Id,Name\n001D000000ISUr3IAH,Acme\n", 3);
        assert_eq!(
            upload.refusal("delete").as_deref(),
            Some("InvalidBatch : InvalidBatch : The 'delete' batch must contain only ids.")
        );
        assert_eq!(rows(&upload), [["001D000000ISUr3IAH", "Acme"]]);
        let ragged = read(Dialect::default(), "Id\n001D000000ISUr3IAH,Acme\n", 3);
        assert!(ragged.refusal("hardDelete").expect("refused").contains("'hardDelete' batch"));
        let named = read(Dialect::default(), "Name\nAcme\n", 3);
        assert_eq!(named.refusal("delete").as_deref(), Some("InvalidBatch : Field name not found : Name"));
    }

    #[test]
    fn refuses_the_other_line_ending_in_both_directions() {
        let crlf = Dialect { ending: LineEnding::Crlf, ..Dialect::default() };
        for piece in [1, 3, 4096] {
            let upload = read(Dialect::default(), "Id\r\n001D000000ISUr3IAH\r\n", piece);
            assert_eq!(
                upload.refusal("delete").as_deref(),
                Some("ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF")
            );
            let upload = read(crlf, "Id\n001D000000ISUr3IAH\n", piece);
            assert!(upload.refusal("delete").expect("refused").ends_with("setting is CRLF"));
            assert_eq!(read(crlf, "Id\r\n001D000000ISUr3IAH\r\n", piece).refusal("delete"), None);
        }
    }

    #[test]
    fn refuses_more_than_a_job_takes() {
        let mut reader = UploadReader::new(Dialect::default(), 5);
        assert_eq!(reader.push(b"Id\n0"), Ok(()));
        assert_eq!(reader.push(b"0"), Ok(()));
        assert_eq!(reader.push(b"1"), Err(UploadTooLarge));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn reads_the_same_rows_in_pieces_of_any_size(cells in prop::collection::vec("[ -~]{1,40}|[0-9A-Za-z]{18}|é\"\n", 0..20), piece in 1_usize..50) {
            let dialect = Dialect { delimiter: ColumnDelimiter::Tab, ..Dialect::default() };
            let mut text = b"Id\n".to_vec();
            for cell in &cells {
                dialect.write_quoted(&mut text, [cell.as_str()]);
            }
            let upload = read(dialect, std::str::from_utf8(&text).expect("text"), piece);
            prop_assert_eq!(rows(&upload), cells.iter().map(|cell| vec![cell.as_str()]).collect::<Vec<_>>());
        }
    }
}
