//! CSV as it arrives, row by row, in memory that does not grow with it.

use bytes::{Buf as _, Bytes};
use csv_core::ReadRecordResult;
use futures::StreamExt as _;

use crate::provider::transport::ByteStream;

/// The longest row: the vendor's own limit is 400,000 characters (documented), of up to four bytes.
const LONGEST_ROW: usize = 4 * 400_000;
/// The most fields of a row; the vendor's own limit (documented).
const MOST_FIELDS: usize = 5_000;

/// Why CSV could not be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum CsvError {
    /// It broke off.
    #[error("the download was cut off: {0}")]
    Broken(std::io::Error),
    /// It ended inside a quoted value.
    #[error("the download ends in the middle of a value")]
    Unfinished,
    /// A row is longer than any row can be.
    #[error("a row is longer than {LONGEST_ROW} bytes or has more than {MOST_FIELDS} fields")]
    TooLong,
}

/// CSV as it arrives.
pub(super) struct CsvRows {
    body: ByteStream,
    piece: Bytes,
    ended: bool,
    quotes: usize,
    reader: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// One row, until the next is read.
#[derive(Hash)]
pub(super) struct CsvRow<'rows> {
    text: &'rows [u8],
    ends: &'rows [usize],
}

impl CsvRow<'_> {
    /// How many fields it has.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field, or nothing when the row has no such field or it is not UTF-8.
    pub(super) fn field(&self, place: usize) -> Option<&str> {
        let end = *self.ends.get(place)?;
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        std::str::from_utf8(self.text.get(start..end)?).ok()
    }

    /// Which field has that name, whatever its case, in a header.
    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        (0..self.len()).find(|place| self.field(*place).is_some_and(|field| field.eq_ignore_ascii_case(name)))
    }
}

impl CsvRows {
    /// Rows of a body; its header is the first of them.
    pub(super) fn new(body: ByteStream) -> Self {
        Self {
            body,
            piece: Bytes::new(),
            ended: false,
            quotes: 0,
            reader: csv_core::Reader::new(),
            text: vec![0; 1024],
            ends: vec![0; 16],
        }
    }

    /// The next row; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<CsvRow<'_>>, CsvError> {
        let (mut text_length, mut fields) = (0, 0);
        loop {
            // No bytes mean the end to the reader, so that it may only be given none there.
            while self.piece.is_empty() && !self.ended {
                match self.body.next().await {
                    Some(Ok(piece)) => {
                        // A quote within a quoted value is doubled, so that whole CSV has an even number of them.
                        self.quotes += piece.iter().filter(|byte| **byte == b'"').count();
                        self.piece = piece;
                    }
                    Some(Err(cause)) => return Err(CsvError::Broken(cause)),
                    None if self.quotes % 2 == 1 => return Err(CsvError::Unfinished),
                    None => self.ended = true,
                }
            }
            let (result, read, written, ended) =
                self.reader.read_record(&self.piece, &mut self.text[text_length..], &mut self.ends[fields..]);
            self.piece.advance(read);
            text_length += written;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => grow(&mut self.text, LONGEST_ROW)?,
                ReadRecordResult::OutputEndsFull => grow(&mut self.ends, MOST_FIELDS)?,
                ReadRecordResult::Record => {
                    return Ok(Some(CsvRow { text: &self.text[..text_length], ends: &self.ends[..fields] }));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }
}

fn grow<T: Clone + Default>(buffer: &mut Vec<T>, most: usize) -> Result<(), CsvError> {
    if buffer.len() >= most {
        return Err(CsvError::TooLong);
    }
    let length = (buffer.len() * 2).min(most);
    buffer.resize(length, T::default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows_of(pieces: Vec<Bytes>) -> CsvRows {
        CsvRows::new(Box::pin(futures::stream::iter(pieces.into_iter().map(Ok))))
    }

    async fn all(mut rows: CsvRows) -> Result<Vec<Vec<String>>, CsvError> {
        let mut found = Vec::new();
        while let Some(row) = rows.next().await? {
            found.push((0..row.len()).map(|place| row.field(place).expect("text").to_owned()).collect());
        }
        Ok(found)
    }

    async fn split(text: &str, size: usize) -> Vec<Vec<String>> {
        let pieces = text.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
        all(rows_of(pieces)).await.expect("whole")
    }

    #[tokio::test]
    async fn reads_quotes_line_ends_and_wide_characters_however_they_are_split() {
        let text = "\"sf__Id\",\"sf__Error\",Id\r\n\"\",\"A:say \"\"né\"\", 日本\nhere:--\",\"001\"\n\n\"1\",,\"\"";
        let expected =
            [vec!["sf__Id", "sf__Error", "Id"], vec!["", "A:say \"né\", 日本\nhere:--", "001"], vec!["1", "", ""]];
        for size in 1..=text.len() {
            assert_eq!(split(text, size).await, expected, "in pieces of {size}");
        }
    }

    #[tokio::test]
    async fn an_empty_body_has_no_rows() {
        assert!(all(rows_of(Vec::new())).await.expect("whole").is_empty());
        assert!(all(rows_of(vec![Bytes::new(), Bytes::new()])).await.expect("whole").is_empty());
    }

    #[tokio::test]
    async fn refuses_a_body_that_ends_inside_a_value() {
        assert!(matches!(all(rows_of(vec![Bytes::from_static(b"\"Id\"\n\"001D0000")])).await, Err(CsvError::Unfinished)));
    }

    #[tokio::test]
    async fn tells_a_broken_body_from_an_end() {
        let pieces = vec![Ok(Bytes::from_static(b"Id\n1\n")), Err(std::io::Error::other("reset"))];
        assert!(matches!(all(CsvRows::new(Box::pin(futures::stream::iter(pieces)))).await, Err(CsvError::Broken(_))));
    }

    #[tokio::test]
    async fn refuses_a_row_without_an_end() {
        let endless = futures::stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 65_536])));
        assert!(matches!(all(CsvRows::new(Box::pin(endless))).await, Err(CsvError::TooLong)));
        let endless = futures::stream::repeat_with(|| Ok(Bytes::from_static(&[b','; 65_536])));
        assert!(matches!(all(CsvRows::new(Box::pin(endless))).await, Err(CsvError::TooLong)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn gives_back_what_a_writer_wrote(
            rows in prop::collection::vec(prop::collection::vec("(.|\"|,|\n|\r){0,12}", 3), 1..20),
            size in 1usize..64,
        ) {
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).expect("in memory");
            }
            let text = String::from_utf8(writer.into_inner().expect("in memory")).expect("text");
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            prop_assert_eq!(runtime.block_on(split(&text, size)), rows);
        }
    }
}
