//! Reading sorted rows back from a scratch file.

use std::io;
use std::ops::Range;

use super::Scratch;
use super::row_encoding::{HAS_VALUES, damaged, decode_values};
use crate::base::RecordId;
use crate::plan::Row;

/// The buffer of each reader.
const READ_BUFFER: usize = 64 * 1024;

/// Reads one run by position, so that any number of runs of one file can be read side by side.
pub(super) struct RunReader<'a> {
    scratch: &'a Scratch,
    rest: Range<u64>,
    buffer: Vec<u8>,
    used: usize,
}

impl<'a> RunReader<'a> {
    /// A reader of the run that stands there.
    pub(super) fn new(scratch: &'a Scratch, rest: Range<u64>) -> Self {
        Self { scratch, rest, buffer: Vec::new(), used: 0 }
    }

    /// Takes the next `length` bytes, read into the buffer if necessary.
    #[inline]
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
            self.scratch.read_at(self.rest.start, &mut self.buffer[unread..])?;
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

    /// The next row; `None` at the end.
    #[inline]
    pub(super) fn next_row(&mut self) -> io::Result<Option<Row>> {
        if self.used == self.buffer.len() && self.rest.is_empty() {
            return Ok(None);
        }
        let head = self.take(1)?[0];
        let key = self.take(usize::from(head & !HAS_VALUES))?;
        let id = RecordId::from_bytes(key).map_err(|_| damaged())?;
        let values = if head & HAS_VALUES == 0 {
            Vec::new()
        } else {
            let length = self.take_length()?;
            decode_values(self.take(length)?)?
        };
        Ok(Some(Row { id, values }))
    }

    /// Gives no row any more.
    pub(super) fn end(&mut self) {
        self.used = self.buffer.len();
        self.rest.start = self.rest.end;
    }
}
