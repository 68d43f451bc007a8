//! A file of ids that people bring: what other tools export, and what stands in a ticket.

use std::io::{self, BufRead, BufReader};
use std::sync::Arc;

use csv_core::ReadRecordResult;

use super::{FileKind, FileStream, OpenMode, Place};
use crate::base::{Digest, Digester, RecordId, counted, shortened, with_thousands};
use crate::system::{SystemKind, record_key};

/// The most bytes of one row. What has more is no list of ids.
const LONGEST_ROW: usize = 1 << 20;
/// The most columns.
const MOST_COLUMNS: usize = 2_000;
/// How many mistakes are told one by one.
const TOLD: usize = 10;
/// How much of the file is read at once.
const BUFFER: usize = 64 * 1024;

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
/// count, and neither do blank lines. That an id comes twice is for the caller to find, who sorts them.
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
    let mut which = None;
    while let Some(line) = rows.next()? {
        let place = match which {
            Some(place) => place,
            None => {
                let (place, is_header) = column.of_first_row(&rows)?;
                which = Some(place);
                if is_header {
                    continue;
                }
                place
            }
        };
        let text = rows.field(place);
        let key = match text.map(str::trim) {
            None => Err("the row has no such column, or it is not UTF-8".to_owned()),
            Some("") => Err("there is no id".to_owned()),
            Some(text) => record_key(column.system, text).and_then(|id| match column.prefix {
                Some(prefix) if !id.as_str().starts_with(prefix) => {
                    Err(format!("`{id}` is of another object: the ids of this one begin with `{prefix}`"))
                }
                _ => Ok(id),
            }),
        };
        match key {
            Ok(id) => {
                count += 1;
                digester.update(id.as_bytes());
                digester.update(b"\n");
                take(id, line).map_err(IdListError::NotKept)?;
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
    /// Which column of a file with this first row has the ids, and whether that row is a header.
    fn of_first_row<R: BufRead>(&self, row: &Rows<R>) -> Result<(usize, bool), IdListError> {
        let names: Vec<&str> = (0..row.fields).map(|place| row.field(place).unwrap_or_default().trim()).collect();
        let named = |wanted: &str| {
            let mut places = (0..names.len()).filter(|place| names[*place].eq_ignore_ascii_case(wanted));
            (places.next(), places.next())
        };
        let wanted = self.name.unwrap_or("Id");
        let none = |what: &str| {
            let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{}`", shortened(name))).collect();
            IdListError::Form(format!("{what}; its first row has {}", shown.join(", ")))
        };
        match named(wanted) {
            (Some(_), Some(_)) => Err(none(&format!("has two columns `{wanted}`"))),
            (Some(place), None) => Ok((place, true)),
            (None, _) if self.name.is_some() => Err(none(&format!("has no column `{wanted}`"))),
            (None, _) if names.len() > 1 => {
                Err(none("has several columns and none of them is `Id`: say in the manifest which `column` has the ids"))
            }
            // Ids have digits, in every system, and the name of an only column has none.
            (None, _) => Ok((0, !names.iter().any(|name| name.bytes().any(|byte| byte.is_ascii_digit())))),
        }
    }
}

/// The rows of a CSV file, in memory that does not grow with it.
struct Rows<R> {
    input: R,
    reader: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    quotes: u64,
}

impl<R: BufRead> Rows<R> {
    fn new(mut input: R) -> Result<Self, IdListError> {
        let start = input.fill_buf().map_err(IdListError::Unreadable)?;
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            return Err(IdListError::Form("is UTF-16; save it as UTF-8".to_owned()));
        }
        let header = start.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.is_empty()).unwrap_or_default();
        let has = |byte: u8| header.contains(&byte);
        let delimiter = [b';', b'\t'].into_iter().find(|byte| has(*byte) && !has(b',')).unwrap_or(b',');
        let reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Ok(Self { input, reader, text: vec![0; 1024], ends: vec![0; 16], fields: 0, quotes: 0 })
    }

    /// Reads the next row that is not blank, and says on which line it begins.
    fn next(&mut self) -> Result<Option<u64>, IdListError> {
        let (mut length, mut fields) = (0, 0);
        loop {
            let input = self.input.fill_buf().map_err(IdListError::Unreadable)?;
            // No bytes mean the end to the reader. A quote within a quoted value is doubled, so that whole CSV has an even number of them.
            if input.is_empty() && self.quotes % 2 == 1 {
                return Err(IdListError::Form("ends in the middle of a quoted value".to_owned()));
            }
            let (result, read, written, ended) =
                self.reader.read_record(input, &mut self.text[length..], &mut self.ends[fields..]);
            let taken = &input[..read];
            self.quotes += taken.iter().filter(|byte| **byte == b'"').count() as u64;
            let ends_a_line = u64::from(taken.last() == Some(&b'\n'));
            self.input.consume(read);
            (length, fields) = (length + written, fields + ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => grow(&mut self.text, LONGEST_ROW, self.reader.line())?,
                ReadRecordResult::OutputEndsFull => grow(&mut self.ends, MOST_COLUMNS, self.reader.line())?,
                ReadRecordResult::Record => {
                    self.fields = fields;
                    let within = self.text[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
                    return Ok(Some(self.reader.line() - ends_a_line - within));
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
        let text = format!("Id\n{one}\n001D000000ISUr3IAH\n{}\nAcme\n\"\"\n", one.to_lowercase());
        insta::assert_snapshot!(read(text, None).expect_err("mistakes").replace("; line", "\nline"), @r"
        4: line 3: `001D000000ISUr3IAH` is of another object: the ids of this one begin with `00Q`
        line 4: `00q5f0000000001eaa` has a wrong checksum: its first 15 characters give `AAA`
        line 5: `Acme` is not a Salesforce id: 15 or 18 letters and digits
        line 6: there is no id
        ");
        let many = format!("Id\n{}", "x\n".repeat(1_500));
        let told = read(many, None).expect_err("mistakes");
        assert!(told.starts_with("1500: line 2:") && told.ends_with("; and 1,490 more"), "{told}");
    }

    #[test]
    fn what_cannot_be_the_list_is_refused_as_a_whole() {
        let one = id(1);
        for (text, name, told) in [
            (String::new(), None, "lists no id"),
            ("Id\n".into(), None, "lists no id"),
            (format!("Name,Account\nx,{one}\n"), None, "has several columns and none of them is `Id`"),
            (format!("Id,Name\n{one},x\n"), Some("Key"), "has no column `Key`; its first row has `Id`, `Name`"),
            (format!("Id,ID\n{one},{one}\n"), None, "has two columns `Id`"),
            (format!("Id,Name\n{one},\"x\n"), None, "ends in the middle of a quoted value"),
            (format!("Id\n{}\n", "x".repeat(LONGEST_ROW + 1)), None, "a row longer than a mebibyte"),
        ] {
            let refused = read(&text, name).expect_err("refused");
            assert!(refused.contains(told), "{refused}");
        }
        let utf16: Vec<u8> = format!("\u{feff}{one}\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(utf16, None), Err("is UTF-16; save it as UTF-8".into()));
        let column = IdColumn { name: None, system: SystemKind::Salesforce, prefix: None };
        let refused = |path: &str| read_id_list(&Place::of_machine(path), column, |_, _| Ok(())).expect_err("refused");
        assert!(matches!(refused("/dev/zero"), IdListError::NotAFile));
        assert!(matches!(refused("/nowhere/list.csv"), IdListError::Unreadable(_)));
    }
}
