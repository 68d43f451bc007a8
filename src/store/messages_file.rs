//! The codes and messages that statuses refer to.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{FileHandle, OpenMode, Place};
use crate::base::Failure;

/// How many bytes are buffered before they are written.
const HELD_BACK: usize = 1 << 16;

/// The codes and messages that a policy's statuses refer to, in no order.
///
/// It only grows. What no status refers to, after a repeated download, does no harm.
pub struct MessagesFile {
    place: Place,
    tail: Mutex<MessagesTail>,
}

struct MessagesTail {
    file: Arc<dyn FileHandle>,
    /// The length of the file, without what is held back.
    written: u64,
    held_back: Vec<u8>,
    last: Option<(u64, Vec<u8>)>,
}

impl MessagesFile {
    /// Begins the file.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn create(place: &Place) -> io::Result<Self> {
        let file = place.open(OpenMode::Truncate)?;
        let tail = MessagesTail { file, written: 0, held_back: Vec::new(), last: None };
        Ok(Self { place: place.clone(), tail: Mutex::new(tail) })
    }

    fn tail(&self) -> MutexGuard<'_, MessagesTail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a text and returns its place and length. A text equal to the last one is not written twice.
    pub(super) fn add(&self, failure: &Failure) -> io::Result<(u64, u32)> {
        let mut text = failure.code.replace('\0', " ").into_bytes();
        text.push(0);
        text.extend_from_slice(failure.message.replace('\0', " ").as_bytes());
        let length = u32::try_from(text.len()).map_err(|_| self.damaged("a message is longer than 4 GiB"))?;
        let mut tail = self.tail();
        if let Some((place, last)) = &tail.last
            && *last == text
        {
            return Ok((*place, length));
        }
        let place = tail.written + tail.held_back.len() as u64;
        tail.held_back.extend_from_slice(&text);
        tail.last = Some((place, text));
        if tail.held_back.len() >= HELD_BACK {
            tail.write()?;
        }
        Ok((place, length))
    }

    pub(super) fn read(&self, place: u64, length: u32) -> io::Result<(String, String)> {
        let mut tail = self.tail();
        tail.write()?;
        if place + u64::from(length) > tail.written {
            return Err(self.damaged("a text is missing"));
        }
        let mut text = vec![0; length as usize];
        tail.file.read_exact_at(&mut text, place)?;
        let text = String::from_utf8(text).map_err(|_| self.damaged("a text is not UTF-8"))?;
        let (code, message) = text.split_once('\0').ok_or_else(|| self.damaged("a text has no code"))?;
        Ok((code.into(), message.into()))
    }

    fn damaged(&self, why: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged: {why}", self.place.path().display()))
    }
}

impl MessagesTail {
    fn write(&mut self) -> io::Result<()> {
        if !self.held_back.is_empty() {
            self.file.write_all_at(&self.held_back, self.written)?;
            self.written += self.held_back.len() as u64;
            self.held_back.clear();
        }
        Ok(())
    }
}
