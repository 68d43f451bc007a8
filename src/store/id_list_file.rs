//! A file of ids that people bring: what other tools export, and what stands in a ticket.

use std::io::{self, BufRead, BufReader};
use std::sync::Arc;

use csv_core::ReadRecordResult;

use super::{FileKind, FileStream, OpenMode, Place};
use crate::base::{Digest, Digester, RecordId, counted, with_thousands};
use crate::system::{SystemKind, record_key};

/// The most bytes of one row. What has more is no list of ids.
const LONGEST_ROW: usize = 1 << 20;
/// The most columns.
const MOST_COLUMNS: usize = 2_000;
/// How many mistakes are told one by one.
const TOLD: usize = 10;
/// How much of the file is read at once.
const BUFFER: usize = 64 * 1024;
/// What some programs begin a file in UTF-8 with.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Which column of a file lists the ids, and of which records.
#[derive(Clone, Copy, Debug)]
pub struct IdColumn<'a> {
    /// The name of the column, whatever its case; where it is `None`, the column `Id` or the only one.
    pub name: Option<&'a str>,
    /// The system of the records.
    pub system: SystemKind,
    /// How every key of the object begins, where that is known.
    pub prefix: Option<&'a str>,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedIds {
    /// How many ids there are.
    pub count: u64,
    /// The digest of the ids, each as the system writes it and with a line end, in the order of the file.
    pub digest: Digest,
}

/// Why a file is no list of ids.
#[derive(Debug, thiserror::Error)]
pub enum IdListError {
    /// It cannot be read.
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
    /// It is a directory, a pipe or a device.
    #[error("is not a plain file")]
    NotAFile,
    /// It cannot be the list that is meant.
    #[error("{0}")]
    Form(String),
    /// Some of its lines are wrong.
    #[error("has {}", counted(*.0, "mistake"))]
    Mistakes(u64, Vec<String>),
    /// The ids could not be kept.
    #[error("cannot be sorted")]
    NotKept(#[source] io::Error),
}

/// The mistakes of a list: how many, and the first of them.
#[derive(Debug, Default)]
pub struct ListMistakes {
    count: u64,
    told: Vec<String>,
}

impl ListMistakes {
    /// Notes one more, about a line.
    pub fn add(&mut self, line: u64, what: &str) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(format!("line {}: {what}", with_thousands(line)));
        }
    }

    /// An error where there are any.
    ///
    /// # Errors
    ///
    /// [`IdListError::Mistakes`].
    pub fn refuse(mut self) -> Result<(), IdListError> {
        let more = self.count - self.told.len() as u64;
        if more > 0 {
            self.told.push(format!("and {} more", with_thousands(more)));
        }
        if self.count == 0 { Ok(()) } else { Err(IdListError::Mistakes(self.count, self.told)) }
    }
}

/// Reads every id of a file and hands it to `take`, with the number of its line, in the order of the file.
///
/// A file of one column needs no header; one of several has a header with the column that is meant. Rows are separated by line ends of any
/// kind, columns by commas; by semicolons or tabs where the header has those and no comma. A byte order mark and spaces around an id do not
/// count, and neither do blank lines. That an id comes twice is for the caller to find, who sorts them. No error shows what stands in a
/// cell, unless it is the id of a record: the file may be another one than was meant.
///
/// # Errors
///
/// When the file cannot be read to its end, and for every line that has no id that a record of the object can have.
pub fn read_id_list(
    place: &Place,
    column: IdColumn<'_>,
    mut take: impl FnMut(RecordId, u64) -> io::Result<()>,
) -> Result<ListedIds, IdListError> {
    let metadata = place.resolved_metadata().map_err(IdListError::Unreadable)?;
    if metadata.kind != FileKind::File {
        return Err(IdListError::NotAFile);
    }
    let file = place.open(OpenMode::Read).map_err(IdListError::Unreadable)?;
    let mut rows = Rows::new(BufReader::with_capacity(BUFFER, FileStream::new(Arc::clone(&file))))?;
    let mut mistakes = ListMistakes::default();
    let (mut count, mut digester) = (0_u64, Digester::new());
    let mut which: Option<(usize, usize)> = None;
    while let Some(line) = rows.next()? {
        let (place, columns) = match which {
            Some(known) => known,
            None => {
                let (place, is_header) = column.of_first_row(&rows)?;
                let known = (place, rows.fields);
                which = Some(known);
                if is_header {
                    continue;
                }
                known
            }
        };
        match column.key(&rows, place, columns) {
            Ok(id) => {
                count += 1;
                digester.update(id.as_bytes());
                digester.update(b"\n");
                take(id, line).map_err(IdListError::NotKept)?;
            }
            Err(what) if line == 1 && columns == 1 && column.name.is_none() => {
                mistakes.add(line, &format!("{what}; if this is the name of the column, say so with `column`"));
            }
            Err(what) => mistakes.add(line, &what),
        }
    }
    mistakes.refuse()?;
    match count {
        0 => Err(IdListError::Form("lists no id".to_owned())),
        count => Ok(ListedIds { count, digest: digester.finish() }),
    }
}

impl IdColumn<'_> {
    /// The id in a row of a file that has so many columns.
    fn key<R: BufRead>(&self, row: &Rows<R>, place: usize, columns: usize) -> Result<RecordId, String> {
        // Cells may have moved into another column. Spreadsheets add empty ones at the end.
        let surplus = (columns..row.fields).any(|place| row.field(place) != Some(""));
        if row.fields < columns || surplus {
            return Err(format!("the row has {} and the first one {columns}", counted(row.fields as u64, "column")));
        }
        if row.spans_ids(self) {
            return Err(
                "a value in quotes goes over several lines, and there are ids in it: a quote is missing or too many"
                    .to_owned(),
            );
        }
        let id = match row.field(place).map(str::trim) {
            None => return Err("it is not UTF-8".to_owned()),
            Some("") => return Err("there is no id".to_owned()),
            Some(text) => record_key(self.system, text)?,
        };
        match self.prefix {
            Some(prefix) if !id.as_str().starts_with(prefix) => {
                Err(format!("`{id}` is of another object: the ids of this one begin with `{prefix}`"))
            }
            _ => Ok(id),
        }
    }

    /// Whether a text cannot be but the id of a record.
    fn is_surely_a_key(&self, text: &str) -> bool {
        text.len() >= 15 && text.bytes().any(|byte| byte.is_ascii_digit()) && record_key(self.system, text).is_ok()
    }

    /// Which column of a file with this first row has the ids, and whether that row is a header.
    fn of_first_row<R: BufRead>(&self, row: &Rows<R>) -> Result<(usize, bool), IdListError> {
        let names: Vec<&str> = (0..row.fields).map(|place| row.field(place).unwrap_or_default().trim()).collect();
        let columns = counted(names.len() as u64, "column");
        let refuse = |what: String| Err(IdListError::Form(what));
        let places = |wanted: &dyn Fn(&str) -> bool| -> Vec<usize> {
            (0..names.len()).filter(|place| wanted(names[*place])).collect()
        };
        if let Some(wanted) = self.name {
            return match places(&|name| name.to_lowercase() == wanted.to_lowercase())[..] {
                [place] => Ok((place, true)),
                [] => refuse(format!("has no column `{wanted}` among the {columns} of its first row")),
                _ => refuse(format!("has several columns `{wanted}`")),
            };
        }
        // What the systems and their tools call it.
        let known = ["id", "_record_id", "fulcrum_id"];
        let is_known = |name: &str| known.iter().any(|known| name.eq_ignore_ascii_case(known));
        match places(&is_known)[..] {
            [place] => Ok((place, true)),
            [] if names.len() == 1 => {
                // An only column may be called anything; what is no id and does not say that it names one is a mistake.
                Ok((0, names_ids(names[0])))
            }
            [] => refuse(format!("has {columns} and none of them is `Id`: say in the manifest which `column` has the ids")),
            _ => refuse("has several columns of ids: say in the manifest which `column` is meant".to_owned()),
        }
    }
}

/// Whether a text is the name of a column of ids, such as `LeadId` or `18 Digit ID`, and cannot be an id, damaged or not: those have digits
/// and no spaces.
fn names_ids(text: &str) -> bool {
    let mut words = text.split(|letter: char| !letter.is_alphanumeric());
    let says_so = words.any(|word| word.eq_ignore_ascii_case("id") || word.ends_with("Id") || word.ends_with("ID"));
    says_so && (text.contains(' ') || !text.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Where the next byte of a CSV file stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    /// At the beginning of a value.
    #[default]
    Beginning,
    /// In a value without quotes.
    Plain,
    /// In a value in quotes.
    Quoted,
    /// After a quote in a value in quotes: its end, or the first of two.
    Quote,
}

/// The rows of a CSV file, in memory that does not grow with it.
struct Rows<R> {
    input: R,
    reader: csv_core::Reader,
    delimiter: u8,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    within: Within,
    /// The line of the byte that was read last, and that byte.
    line: u64,
    last: u8,
}

impl<R: BufRead> Rows<R> {
    fn new(mut input: R) -> Result<Self, IdListError> {
        let start = input.fill_buf().map_err(IdListError::Unreadable)?;
        for (mark, name) in [
            (&[0xff, 0xfe][..], "UTF-16"),
            (&[0xfe, 0xff][..], "UTF-16"),
            (&b"PK\x03\x04"[..], "a workbook of a spreadsheet"),
        ] {
            if start.starts_with(mark) {
                return Err(IdListError::Form(format!("is {name}; save it as CSV in UTF-8")));
            }
        }
        let mark = if start.starts_with(&BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        input.consume(mark);
        let start = input.fill_buf().map_err(IdListError::Unreadable)?;
        let header = start.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.is_empty()).unwrap_or_default();
        let has = |byte: u8| header.contains(&byte);
        let delimiter = [b';', b'\t'].into_iter().find(|byte| has(*byte) && !has(b',')).unwrap_or(b',');
        let reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        let (text, ends, within) = (vec![0; 1024], vec![0; 16], Within::default());
        Ok(Self { input, reader, delimiter, text, ends, fields: 0, within, line: 1, last: 0 })
    }

    /// Reads the next row that is not blank, and says on which line it begins.
    fn next(&mut self) -> Result<Option<u64>, IdListError> {
        let (mut length, mut fields) = (0, 0);
        let mut begun = None;
        loop {
            let input = self.input.fill_buf().map_err(IdListError::Unreadable)?;
            // No bytes mean the end to the reader.
            if input.is_empty() && self.within == Within::Quoted {
                return Err(IdListError::Form("ends in the middle of a quoted value".to_owned()));
            }
            let (result, read, written, ended) =
                self.reader.read_record(input, &mut self.text[length..], &mut self.ends[fields..]);
            for byte in &input[..read] {
                if is_line_end(self.last, *byte) {
                    self.line += 1;
                }
                begun = begun.or_else(|| (!matches!(byte, b'\n' | b'\r')).then_some(self.line));
                self.within = match (self.within, *byte) {
                    (Within::Quoted, b'"') => Within::Quote,
                    (Within::Quoted, _) | (Within::Quote, b'"') => Within::Quoted,
                    (_, b'\n' | b'\r') => Within::Beginning,
                    (_, byte) if byte == self.delimiter => Within::Beginning,
                    (Within::Beginning, b'"') => Within::Quoted,
                    (Within::Quote, _) => {
                        let line = with_thousands(self.line);
                        return Err(IdListError::Form(format!("has text after a closing quote on line {line}")));
                    }
                    (Within::Beginning | Within::Plain, _) => Within::Plain,
                };
                self.last = *byte;
            }
            self.input.consume(read);
            (length, fields) = (length + written, fields + ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => grow(&mut self.text, LONGEST_ROW, self.line)?,
                ReadRecordResult::OutputEndsFull => grow(&mut self.ends, MOST_COLUMNS, self.line)?,
                ReadRecordResult::Record => {
                    self.fields = fields;
                    return Ok(Some(begun.unwrap_or(self.line)));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    /// A field of the row that was read; `None` where it has none or it is not UTF-8.
    fn field(&self, place: usize) -> Option<&str> {
        let ends = &self.ends[..self.fields];
        let end = *ends.get(place)?;
        let start = if place == 0 { 0 } else { ends[place - 1] };
        std::str::from_utf8(self.text.get(start..end)?).ok()
    }

    /// Whether a value of several lines has ids in it, as it has where a quote that was never closed swallowed rows.
    fn spans_ids(&self, column: &IdColumn<'_>) -> bool {
        let cells = |value: &str| {
            value.split(['\n', '\r', char::from(self.delimiter)]).any(|cell| column.is_surely_a_key(cell.trim()))
        };
        (0..self.fields).filter_map(|place| self.field(place)).any(|value| value.contains(['\n', '\r']) && cells(value))
    }
}

/// Whether a line ends before the byte that follows `last`: after a line feed, and after a carriage return without one.
fn is_line_end(last: u8, byte: u8) -> bool {
    last == b'\n' || last == b'\r' && byte != b'\n'
}

fn grow<T: Clone + Default>(buffer: &mut Vec<T>, most: usize, line: u64) -> Result<(), IdListError> {
    if buffer.len() >= most {
        let line = with_thousands(line);
        return Err(IdListError::Form(format!(
            "has a row longer than a mebibyte or with more than {MOST_COLUMNS} columns, near line {line}"
        )));
    }
    let length = (buffer.len() * 2).min(most);
    buffer.resize(length, T::default());
    Ok(())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write the files that people bring")]
mod tests {
    use super::*;

    /// Reads a file with these bytes; the ids with their lines, or the error's text and notes.
    fn read(bytes: impl AsRef<[u8]>, name: Option<&str>) -> Result<Vec<(String, u64)>, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("list.csv");
        std::fs::write(&path, bytes).expect("written");
        let column = IdColumn { name, system: SystemKind::Salesforce, prefix: Some("00Q") };
        let mut ids = Vec::new();
        let read = read_id_list(&Place::of_machine(&path), column, |id, line| {
            ids.push((id.to_string(), line));
            Ok(())
        });
        match read {
            Ok(listed) => {
                assert_eq!(listed.count, ids.len() as u64);
                let text: String = ids.iter().map(|(id, _)| format!("{id}\n")).collect();
                assert_eq!(listed.digest, Digest::of(text.as_bytes()));
                Ok(ids)
            }
            Err(IdListError::Mistakes(count, told)) => Err(format!("{count}: {}", told.join("; "))),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The ids of these numbers, in the 18 character form.
    fn id(number: u32) -> String {
        let fifteen = format!("00Q5f0000{number:06}");
        record_key(SystemKind::Salesforce, &fifteen).expect("an id").to_string()
    }

    #[test]
    fn every_form_in_which_tools_write_ids_gives_the_same_ids_with_their_lines() {
        let (one, two) = (id(1), id(2));
        let short = &one[..15];
        let both = |first, second| Ok(vec![(one.clone(), first), (two.clone(), second)]);
        for (text, first, second) in [
            (format!("{one}\n{two}\n"), 1, 2),
            (format!("{short}\n{two}"), 1, 2),
            (format!("ID\r\n{one}\r\n{two}\r\n"), 2, 3),
            (format!("\u{feff}Id\n\n{one}\n  {two} \n\n"), 3, 4),
            (format!("\u{feff}{one}\n{two}\n"), 1, 2),
            (format!("\"ACCOUNT ID\"\n\"{one}\"\n\"{two}\"\n"), 2, 3),
            (format!("Name,ID\n\"Two\nlines, and \"\"quotes\"\"\",{one}\nOther,{two}\n"), 2, 4),
            (format!("Name;Id\r\na,b;{short}\r\nc;{two}\r\n"), 2, 3),
            (format!("id\tname\n{one}\tx\n{two}\ty\n"), 2, 3),
        ] {
            assert_eq!(read(&text, None), both(first, second), "{text:?}");
        }
        assert_eq!(read(format!("Id,Lead Id\n1,{one}\n2,{two}\n"), Some("lead id")), both(2, 3));
    }

    #[test]
    fn the_digest_is_of_the_ids_and_not_of_how_they_are_written() {
        let digest = |text: &str| {
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("list.csv");
            std::fs::write(&path, text).expect("written");
            let column = IdColumn { name: None, system: SystemKind::Salesforce, prefix: None };
            read_id_list(&Place::of_machine(&path), column, |_, _| Ok(())).expect("a list").digest
        };
        let (one, two) = (id(1), id(2));
        let plain = digest(&format!("{one}\n{two}\n"));
        assert_eq!(digest(&format!("Name,Id\r\nx,{}\r\ny,{two}", &one[..15])), plain);
        assert_ne!(digest(&format!("{one}\n")), plain);
    }

    #[test]
    fn every_line_without_an_id_of_the_object_is_named() {
        let one = id(1);
        let lowered = one.to_lowercase();
        let text = format!("Id\n{one}\n001D000000ISUr3IAH\n{lowered}\nerika@example.com\n\"\"\n{one},x\n{one},,\n");
        insta::assert_snapshot!(read(text, None).expect_err("mistakes").replace("; line", "\nline"), @r"
        5: line 3: `001D000000ISUr3IAH` is of another object: the ids of this one begin with `00Q`
        line 4: the id has a wrong checksum, as after a change of letter case: its first 15 characters give `AAA`
        line 5: 17 characters that are no Salesforce id: it has 15 or 18 letters and digits
        line 6: there is no id
        line 7: the row has 2 columns and the first one 1
        ");
        let many = format!("Id\n{}", "x\n".repeat(1_500));
        let told = read(many, None).expect_err("mistakes");
        assert!(told.starts_with("1500: line 2:") && told.ends_with("; and 1,490 more"), "{told}");
        let told = read(format!("Id\r{one}\rx\r"), None).expect_err("a mistake");
        assert!(told.starts_with("1: line 3:"), "line ends of old: {told}");
    }

    #[test]
    fn a_row_whose_cells_may_have_moved_is_no_row() {
        let (one, two) = (id(1), id(2));
        let told = read(format!("Name,Id,Old Id\nSmith,{one},x\n{one},{two}\n"), None).expect_err("a cell is missing");
        assert_eq!(told, "1: line 3: the row has 2 columns and the first one 3");
    }

    #[test]
    fn a_quote_that_was_never_closed_swallows_no_row() {
        let [one, two, three, four] = [1, 2, 3, 4].map(id);
        let told = read(format!("Id,Company\n{one},\"Acme\n{two},Globex\n{three},\"Big Co\n{four},x\n"), None);
        assert_eq!(told, Err("has text after a closing quote on line 4".into()));
        let told = read(format!("Id,Company\n{one},\"Acme\n{two},Globex\n{three},\"\n{four},x\n"), None);
        let told = told.expect_err("ids in a value");
        assert!(told.starts_with("1: line 2: a value in quotes goes over several lines, and there are ids in it"), "{told}");
    }

    #[test]
    fn a_first_line_that_names_no_ids_is_a_mistake_and_no_header() {
        let one = id(1);
        // The last three are words, and an id that was damaged.
        for first in
            ["#N/A", "NULL", "-", "# list", "Case Safe Key", "invalid", "erika.david@example.com", "00Q5f00000aIDbcXYZ"]
        {
            let told = read(format!("{first}\n{one}\n"), None).expect_err("a mistake");
            assert!(told.contains("line 1: ") && told.contains("say so with `column`"), "{first}: {told}");
        }
        for header in ["18 Digit ID", "Case Safe ID (18)", "LeadId", "fulcrum_id"] {
            assert_eq!(read(format!("{header}\n{one}\n"), None), Ok(vec![(one.clone(), 2)]), "{header}");
        }
        assert_eq!(read(format!("Schlüssel,Id\n{one},x\n"), Some("SCHLÜSSEL")), Ok(vec![(one.clone(), 2)]));
    }

    #[test]
    fn what_cannot_be_the_list_is_refused_as_a_whole() {
        let one = id(1);
        for (text, name, told) in [
            (String::new(), None, "lists no id"),
            ("Id\n".into(), None, "lists no id"),
            (format!("Name,Account\nx,{one}\n"), None, "has 2 columns and none of them is `Id`"),
            (format!("Id,Name\n{one},x\n"), Some("Key"), "has no column `Key` among the 2 columns of its first row"),
            (format!("Id,ID\n{one},{one}\n"), None, "has several columns of ids"),
            (format!("Id,Name\n{one},\"x\n"), None, "ends in the middle of a quoted value"),
            (format!("Id\n{}\n", "x".repeat(LONGEST_ROW + 1)), None, "a row longer than a mebibyte"),
        ] {
            let refused = read(&text, name).expect_err("refused");
            assert!(refused.contains(told), "{refused}");
        }
        let utf16: Vec<u8> = format!("\u{feff}{one}\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(utf16, None), Err("is UTF-16; save it as CSV in UTF-8".into()));
        let column = IdColumn { name: None, system: SystemKind::Salesforce, prefix: None };
        let refused = |path: &str| read_id_list(&Place::of_machine(path), column, |_, _| Ok(())).expect_err("refused");
        assert!(matches!(refused("/dev/zero"), IdListError::NotAFile));
        assert!(matches!(refused("/nowhere/list.csv"), IdListError::Unreadable(_)));
    }
}
