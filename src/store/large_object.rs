//! Objects of any size: one whole object, or numbered parts that are each created once.

use bytes::Bytes;

use super::{Backend, Key, StoreError};
use crate::apply::Seal;
use crate::base::Digester;

/// The size of a part. Smaller than a backend allows, since a writer holds one in memory.
pub const PART_BYTES: usize = 1 << 20;

/// A name that can be tried again under another number: `stem.ending`, `stem.1.ending`, `stem.2.ending`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeName {
    stem: String,
    ending: String,
}

impl LargeName {
    /// The name that begins with `stem` and ends with `ending`.
    pub fn new(stem: impl Into<String>, ending: impl Into<String>) -> Self {
        Self { stem: stem.into(), ending: ending.into() }
    }

    /// The key of a whole object.
    fn whole(&self, attempt: u32) -> Result<Key, StoreError> {
        let Self { stem, ending } = self;
        let text = if attempt == 0 { format!("{stem}.{ending}") } else { format!("{stem}.{attempt}.{ending}") };
        Key::new(text).map_err(|error| StoreError::Access {
            doing: "name",
            place: format!("{stem}.{ending}"),
            source: std::io::Error::other(error),
        })
    }

    fn part(&self, attempt: u32, part: u32) -> Result<Key, StoreError> {
        let text = format!("{}.{part:05}", self.whole(attempt)?);
        Key::new(text).map_err(|error| StoreError::Access {
            doing: "name",
            place: self.stem.clone(),
            source: std::io::Error::other(error),
        })
    }

    /// Where the object of a seal lies, for people.
    pub fn place(&self, backend: &dyn Backend, seal: &Seal) -> String {
        match self.whole(seal.attempt) {
            Ok(key) => backend.place(&key),
            Err(_) => format!("{}.{}", self.stem, self.ending),
        }
    }
}

/// Writes one object of any size. Nothing counts before [`LargeWriter::finish`] has given its [`Seal`].
#[must_use = "what is not finished does not count"]
pub struct LargeWriter<'a> {
    backend: &'a dyn Backend,
    name: LargeName,
    attempt: u32,
    parts: u32,
    buffer: Vec<u8>,
    digester: Digester,
}

/// How many names are tried. Each one that exists was written by a process that died before it could journal it.
const MOST_ATTEMPTS: u32 = 1_000;

impl<'a> LargeWriter<'a> {
    /// Begins to write.
    pub fn new(backend: &'a dyn Backend, name: LargeName) -> Self {
        Self { backend, name, attempt: 0, parts: 0, buffer: Vec::new(), digester: Digester::new() }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// When a part cannot be written.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.digester.update(bytes);
        while self.buffer.len() + bytes.len() > PART_BYTES {
            let (now, rest) = bytes.split_at(PART_BYTES - self.buffer.len());
            self.buffer.extend_from_slice(now);
            bytes = rest;
            self.write_part().await?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    async fn write_part(&mut self) -> Result<(), StoreError> {
        let part = Bytes::from(std::mem::take(&mut self.buffer));
        if self.parts == 0 {
            let name = self.name.clone();
            self.create_first(part, |attempt| name.part(attempt, 0)).await?;
        } else {
            self.backend.create(&self.name.part(self.attempt, self.parts)?, part).await?;
        }
        self.parts += 1;
        Ok(())
    }

    /// Creates the first object under the first name that is free.
    async fn create_first(&mut self, bytes: Bytes, key: impl Fn(u32) -> Result<Key, StoreError>) -> Result<(), StoreError> {
        loop {
            match self.backend.create(&key(self.attempt)?, bytes.clone()).await {
                Err(StoreError::Exists { .. }) if self.attempt < MOST_ATTEMPTS => self.attempt += 1,
                created => return created.map(drop),
            }
        }
    }

    /// Writes what is left, and says what was written.
    ///
    /// # Errors
    ///
    /// When the last part cannot be written.
    pub async fn finish(mut self) -> Result<Seal, StoreError> {
        if self.parts == 0 {
            let rest = Bytes::from(std::mem::take(&mut self.buffer));
            let name = self.name.clone();
            self.create_first(rest, |attempt| name.whole(attempt)).await?;
        } else if !self.buffer.is_empty() {
            self.write_part().await?;
        }
        Ok(Seal { attempt: self.attempt, parts: self.parts, digest: self.digester.finish() })
    }
}

/// Reads the object of a seal, a part at a time.
pub struct LargeReader<'a> {
    backend: &'a dyn Backend,
    name: LargeName,
    seal: Seal,
    next: u32,
    digester: Digester,
}

impl<'a> LargeReader<'a> {
    /// Begins to read.
    pub fn new(backend: &'a dyn Backend, name: LargeName, seal: Seal) -> Self {
        Self { backend, name, seal, next: 0, digester: Digester::new() }
    }

    /// The next bytes; `None` at the end, when all of them were what was sealed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] when a part is missing, or the bytes are not those of the seal.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.next == self.seal.parts.max(1) {
            let digest = std::mem::take(&mut self.digester).finish();
            if digest == self.seal.digest {
                return Ok(None);
            }
            return Err(self.damaged(format!("its digest is {digest} and the journal says {}", self.seal.digest)));
        }
        let key = match self.seal.parts {
            0 => self.name.whole(self.seal.attempt)?,
            _ => self.name.part(self.seal.attempt, self.next)?,
        };
        let Some(object) = self.backend.read(&key).await? else {
            return Err(StoreError::Damaged { place: self.backend.place(&key), why: "it is not there".into() });
        };
        self.next += 1;
        self.digester.update(&object.bytes);
        Ok(Some(object.bytes))
    }

    fn damaged(&self, why: String) -> StoreError {
        StoreError::Damaged { place: self.name.place(self.backend, &self.seal), why }
    }
}
