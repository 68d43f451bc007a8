//! The records files of a bundle: CSV, sorted by key, compressed above a size.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use super::bundle_error::LineError;
use super::cell::{guard_cell, unguard_cell};
use super::line_ends::digest_with_unix_ends;
use super::{BundleError, FileError, FileKind, FileStream, OpenMode, Place};
use crate::base::{Digest, Digester, RecordId};
use crate::plan::{RecordsSeal, Row};

/// The heading of the column of keys.
const KEY_COLUMN: &str = "Id";

/// The largest row that is read. A row that is written is at most a quarter of it, since every character may be a
/// quote, which CSV doubles; so a small compressed file cannot fill the memory of whoever reads it.
const MOST_ROW_BYTES: u64 = 8 * 1024 * 1024;

/// The buffer between the CSV and the file.
const BUFFER: usize = 64 * 1024;

/// The cells of the first line.
fn header(columns: &[String]) -> Vec<Cow<'_, str>> {
    std::iter::once(Cow::Borrowed(KEY_COLUMN)).chain(columns.iter().map(|column| guard_cell(column))).collect()
}

/// Writes one records file. Rows come sorted by key, each key once.
#[must_use = "a records file is sealed by `finish`"]
pub struct RecordsWriter {
    file: String,
    columns: Vec<String>,
    rows: u64,
    last: Option<RecordId>,
    output: csv::Writer<Encoder>,
    place: Place,
}

/// The way from CSV to the file's bytes.
enum Encoder {
    Plain(DigestingFile),
    Gzip(Box<GzEncoder<DigestingFile>>),
}

/// A file whose bytes are digested while they are written.
struct DigestingFile {
    file: FileStream,
    digester: Digester,
}

impl RecordsWriter {
    /// Makes the file that the bundle in `directory` calls `file`; compressed when that name ends in `.gz`.
    pub(super) fn create(directory: &Place, file: String, columns: &[String]) -> Result<Self, BundleError> {
        let place = directory.join(&file);
        let made = place.open(OpenMode::CreateNew).map_err(FileError::at("make", place.path()))?;
        let digesting = DigestingFile { file: FileStream::new(made), digester: Digester::new() };
        // Neither a time nor a name goes into the compressed file, so that equal records give equal bytes.
        let encoder = if file.ends_with(".gz") {
            Encoder::Gzip(Box::new(GzBuilder::new().mtime(0).write(digesting, Compression::fast())))
        } else {
            Encoder::Plain(digesting)
        };
        let mut output =
            csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).buffer_capacity(BUFFER).from_writer(encoder);
        output
            .write_record(header(columns).iter().map(|cell| cell.as_bytes()))
            .map_err(|error| FileError::at("write", place.path())(error.into()))?;
        Ok(Self { file, columns: columns.to_vec(), rows: 0, last: None, output, place })
    }

    /// Takes the next row.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, the row does not sort after the one before it, or it has not one value for each
    /// column.
    #[inline]
    pub fn push(&mut self, row: &Row) -> Result<(), BundleError> {
        let unwritable = |cause| BundleError::Unwritable { file: self.file.clone(), cause };
        if let Some(last) = self.last.filter(|last| *last >= row.id) {
            return Err(unwritable(format!("`{}` comes after `{last}`", row.id)));
        }
        if row.values.len() != self.columns.len() {
            let cause = format!("`{}` has {} values for {} columns", row.id, row.values.len(), self.columns.len());
            return Err(unwritable(cause));
        }
        if row.values.iter().map(String::len).sum::<usize>() as u64 > MOST_ROW_BYTES / 4 {
            return Err(unwritable(format!("the values of `{}` are larger than {} bytes", row.id, MOST_ROW_BYTES / 4)));
        }
        let key = guard_cell(row.id.as_str());
        let values = row.values.iter().map(|value| guard_cell(value));
        // Without values the iterator over cells would cost more than the writing.
        let written = if self.columns.is_empty() {
            self.output.write_record([key.as_bytes()])
        } else {
            values
                .fold(self.output.write_field(key.as_bytes()), |written, cell| {
                    written.and_then(|()| self.output.write_field(cell.as_bytes()))
                })
                .and_then(|()| self.output.write_record(None::<&[u8]>))
        };
        written.map_err(|error| FileError::at("write", self.place.path())(error.into()))?;
        self.last = Some(row.id);
        self.rows += 1;
        Ok(())
    }

    /// Makes the file durable, and says what seals it.
    ///
    /// # Errors
    ///
    /// When the last bytes cannot be written or made durable.
    pub fn finish(self) -> Result<RecordsSeal, BundleError> {
        let at = || FileError::at("write", self.place.path());
        let encoder = self.output.into_inner().map_err(|error| at()(error.into_error()))?;
        let DigestingFile { file, digester } = match encoder {
            Encoder::Plain(file) => file,
            Encoder::Gzip(encoder) => encoder.finish().map_err(at())?,
        };
        file.handle().sync().map_err(at())?;
        Ok(RecordsSeal { path: self.file, columns: self.columns, digest: digester.finish(), rows: self.rows })
    }
}

impl Write for Encoder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            // Flushing would cut the compressed stream into more blocks; `finish` writes what is left.
            Self::Gzip(_) => Ok(()),
        }
    }
}

impl Write for DigestingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digester.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for DigestingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.digester.update(&buffer[..read]);
        Ok(read)
    }
}

/// The way from the file's bytes to CSV.
struct Decoder {
    source: Source,
    /// What was read since the last whole row.
    pending: u64,
}

enum Source {
    Plain(DigestingFile),
    Gzip(Box<GzDecoder<io::BufReader<DigestingFile>>>),
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pending > MOST_ROW_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row larger than any that is written"));
        }
        let read = match &mut self.source {
            Source::Plain(file) => file.read(buffer),
            Source::Gzip(decoder) => decoder.read(buffer),
        }?;
        self.pending += read as u64;
        Ok(read)
    }
}

impl Decoder {
    /// The digest of the whole file, whatever part of it was decoded, and whether bytes followed after the compressed
    /// part.
    fn digest(self) -> io::Result<(Digest, bool)> {
        let (mut file, mut trailing) = match self.source {
            Source::Plain(file) => (file, false),
            Source::Gzip(decoder) => {
                let buffered = decoder.into_inner();
                let unread = !buffered.buffer().is_empty();
                (buffered.into_inner(), unread)
            }
        };
        trailing |= io::copy(&mut file, &mut io::sink())? > 0;
        Ok((file.digester.finish(), trailing))
    }
}

/// Reads one records file again, and proves on the way that it is the sealed one: the reading ends well only when the
/// digest, the number of rows, their order and their form are right. Whoever acts on rows before the end acts on
/// unproven rows.
pub struct RecordsReader {
    seal: RecordsSeal,
    place: Place,
    input: Option<csv::Reader<Decoder>>,
    record: csv::ByteRecord,
    rows: u64,
    last: Option<RecordId>,
}

impl RecordsReader {
    pub(super) fn open(directory: &Place, seal: &RecordsSeal) -> Result<Self, BundleError> {
        let place = directory.join(&seal.path);
        // A pipe or a device would block or never end.
        match place.metadata() {
            Ok(metadata) if metadata.kind == FileKind::File => {}
            Ok(_) => return Err(BundleError::Malformed { file: seal.path.clone(), cause: "it is not a plain file".into() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BundleError::FileMissing { file: seal.path.clone() });
            }
            Err(error) => return Err(FileError::at("read", place.path())(error).into()),
        }
        let file = place.open(OpenMode::Read).map_err(FileError::at("read", place.path()))?;
        let digesting = DigestingFile { file: FileStream::new(file), digester: Digester::new() };
        let source = if seal.path.ends_with(".gz") {
            Source::Gzip(Box::new(GzDecoder::new(io::BufReader::with_capacity(BUFFER, digesting))))
        } else {
            Source::Plain(digesting)
        };
        let decoder = Decoder { source, pending: 0 };
        let input = csv::ReaderBuilder::new().has_headers(false).buffer_capacity(BUFFER).from_reader(decoder);
        let record = csv::ByteRecord::new();
        let mut reader = Self { seal: seal.clone(), place, input: Some(input), record, rows: 0, last: None };
        let expected = header(&seal.columns);
        let found = reader.read_record();
        let is_header = matches!(found, Ok(true)) && reader.record.iter().eq(expected.iter().map(|cell| cell.as_bytes()));
        match found {
            Err(cause) if is_unread(&cause) => Err(reader.explain(LineError::Csv { number: 0, cause })),
            _ if is_header => Ok(reader),
            _ => Err(reader.explain(LineError::Header { expected: expected.join(",") })),
        }
    }

    fn read_record(&mut self) -> Result<bool, csv::Error> {
        let Some(input) = &mut self.input else { return Ok(false) };
        input.get_mut().pending = 0;
        input.read_byte_record(&mut self.record)
    }

    /// The next row, or `None` once everything is read and proven.
    #[inline]
    pub(super) fn next_row(&mut self) -> Result<Option<Row>, BundleError> {
        if self.input.is_none() {
            return Ok(None);
        }
        match self.read_record() {
            Ok(true) => self.row().map(Some).map_err(|error| self.explain(error)),
            Ok(false) => self.end().map(|()| None),
            Err(cause) => Err(self.explain(LineError::Csv { number: self.rows + 1, cause })),
        }
    }

    #[inline]
    fn row(&mut self) -> Result<Row, LineError> {
        let number = self.rows + 1;
        let cell = |bytes| std::str::from_utf8(bytes).ok().and_then(unguard_cell).ok_or(LineError::Value { number });
        let mut cells = self.record.iter();
        let id = match cells.next().unwrap_or_default() {
            // What is guarded, or should have been.
            key @ [b'\'' | b'-', ..] => RecordId::new(&cell(key)?),
            key => RecordId::from_bytes(key),
        };
        let id = id.map_err(|cause| LineError::Key { number, cause })?;
        let mut values = Vec::with_capacity(self.seal.columns.len());
        for bytes in cells {
            values.push(cell(bytes)?.into_owned());
        }
        if self.last.is_some_and(|last| last >= id) {
            return Err(LineError::Order { number });
        }
        self.last = Some(id);
        self.rows = number;
        Ok(Row { id, values })
    }

    /// What the file is, judged by its digest.
    fn verify(&mut self) -> Result<(), BundleError> {
        let Some(input) = self.input.take() else { return Ok(()) };
        let (found, trailing) = input.into_inner().digest().map_err(FileError::at("read", self.place.path()))?;
        if found != self.seal.digest {
            let expected = self.seal.digest;
            let by_line_ends = !self.seal.path.ends_with(".gz") && self.digest_with_unix_ends()? == expected;
            return Err(BundleError::Altered { file: self.seal.path.clone(), expected, found, by_line_ends });
        }
        if trailing {
            let error = LineError::Compression(io::Error::other("something follows after its end"));
            return Err(BundleError::Malformed { file: self.seal.path.clone(), cause: error.to_string() });
        }
        Ok(())
    }

    fn digest_with_unix_ends(&self) -> Result<Digest, FileError> {
        let again = self.place.open(OpenMode::Read).and_then(|file| digest_with_unix_ends(FileStream::new(file)));
        again.map_err(FileError::at("read", self.place.path()))
    }

    fn end(&mut self) -> Result<(), BundleError> {
        self.verify()?;
        if self.rows == self.seal.rows {
            return Ok(());
        }
        let cause = LineError::Rows { found: self.rows, expected: self.seal.rows }.to_string();
        Err(BundleError::Malformed { file: self.seal.path.clone(), cause })
    }

    /// An altered file is called altered, whatever the first nonsense in it was; only with the right digest is the
    /// nonsense the cause. What the disk does not give says nothing about the file.
    fn explain(&mut self, error: LineError) -> BundleError {
        let file = self.seal.path.clone();
        match (self.verify(), error) {
            (Err(known @ (BundleError::Altered { .. } | BundleError::File(_))), _) => known,
            (_, LineError::Csv { cause, .. }) if is_unread(&cause) => {
                FileError::at("read", self.place.path())(cause.into()).into()
            }
            (_, error) => BundleError::Malformed { file, cause: error.to_string() },
        }
    }
}

/// Whether the bytes could not be read, rather than make no sense.
fn is_unread(error: &csv::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), csv::ErrorKind::Io(error) if !matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof))
}

impl Iterator for RecordsReader {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<io::Result<Row>> {
        self.next_row().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)).transpose()
    }
}
