//! Where everything of one run lies.

use std::sync::Arc;

use super::directory_name::access;
use super::{Backend, Key, LargeName, LargeReader, LargeWriter, OpenMode, Place, StoreError};
use crate::apply::Seal;
use crate::base::{Digest, PolicyName};

/// How much of a file is copied at once.
const WINDOW: usize = 1 << 16;
/// Answers of up to this many runs of equal statuses are put into the journal itself.
const INLINE_RUNS: usize = 48;

/// Everything that shows what happened to which record of one run, and all that is needed to continue it from any machine.
///
/// | object | what |
/// |---|---|
/// | `runs/<plan>/journal/<n>.jsonl` | what was about to happen and what happened |
/// | `runs/<plan>/rounds/<policy>.<n>.ids` | the records of a round in the order in which they are sent |
/// | `runs/<plan>/rounds/<policy>.<n>.excluded` | the records that are not sent any more from that round on, in the same order |
/// | `runs/<plan>/answers/<policy>.<batch>.jsonl` | what became of every record of a batch, where that is too much for the journal |
/// | `runs/<plan>/outcomes/<policy>.csv` | the one end of every planned record, sorted by id |
///
/// A plan is run once, so that the first digits of its digest name its run.
#[derive(Clone, Debug)]
pub struct RunStore {
    backend: Arc<dyn Backend>,
    plan: Digest,
    inline_runs: usize,
}

impl RunStore {
    /// The run of a plan.
    pub fn new(backend: Arc<dyn Backend>, plan: Digest) -> Self {
        Self { backend, plan, inline_runs: INLINE_RUNS }
    }

    /// The same, with answers of more than so many runs in an object of their own.
    #[must_use]
    pub fn with_inline_runs(self, inline_runs: usize) -> Self {
        Self { inline_runs, ..self }
    }

    /// Answers of up to this many runs of equal statuses are put into the journal itself.
    pub fn inline_runs(&self) -> usize {
        self.inline_runs
    }

    /// Where its objects are kept.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    /// The plan it executes.
    pub fn plan(&self) -> Digest {
        self.plan
    }

    fn below(&self, rest: &str) -> String {
        format!("runs/{}/{rest}", self.plan.short())
    }

    /// What every object of the run begins with.
    ///
    /// # Errors
    ///
    /// Never: a digest is made of digits.
    pub fn prefix(&self) -> Result<Key, StoreError> {
        key(format!("runs/{}", self.plan.short()))
    }

    /// What every segment of the journal begins with.
    ///
    /// # Errors
    ///
    /// Never: a digest is made of digits.
    pub fn journal(&self) -> Result<Key, StoreError> {
        key(self.below("journal"))
    }

    /// Where the run lies, for people.
    pub fn place(&self) -> String {
        self.prefix().map_or_else(|_| self.below(""), |prefix| self.backend.place(&prefix))
    }

    /// The ids of a round.
    pub fn round(&self, policy: &PolicyName, round: u32) -> LargeName {
        LargeName::new(self.below(&format!("rounds/{policy}.{round}")), "ids")
    }

    /// The records that are not sent any more from a round on.
    pub fn excluded(&self, policy: &PolicyName, round: u32) -> LargeName {
        LargeName::new(self.below(&format!("rounds/{policy}.{round}")), "excluded")
    }

    /// The answers to a batch.
    pub fn answers(&self, policy: &PolicyName, batch: u64) -> LargeName {
        LargeName::new(self.below(&format!("answers/{policy}.{batch}")), "jsonl")
    }

    /// The ends of all planned records of a policy.
    pub fn outcomes(&self, policy: &PolicyName) -> LargeName {
        LargeName::new(self.below(&format!("outcomes/{policy}")), "csv")
    }

    /// Begins to write an object.
    pub fn write(&self, name: LargeName) -> LargeWriter<'_> {
        LargeWriter::new(self.backend.as_ref(), name)
    }

    /// Begins to read an object.
    pub fn read(&self, name: LargeName, seal: Seal) -> LargeReader<'_> {
        LargeReader::new(self.backend.as_ref(), name, seal)
    }

    /// Makes an object of a scratch file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or the object not be written.
    pub async fn publish(&self, name: LargeName, scratch: &Place) -> Result<Seal, StoreError> {
        let unreadable = || access("read", scratch.path());
        let file = scratch.open(OpenMode::Read).map_err(unreadable())?;
        let mut writer = self.write(name);
        let (mut window, mut place) = (vec![0; WINDOW], 0);
        loop {
            match file.read_at(&mut window, place).map_err(unreadable())? {
                0 => return writer.finish().await,
                length => {
                    writer.write(&window[..length]).await?;
                    place += length as u64;
                }
            }
        }
    }

    /// Makes a scratch file of an object, proven to its last byte.
    ///
    /// # Errors
    ///
    /// When the object is not there or not the one of the seal, or the file cannot be written.
    pub async fn fetch(&self, name: LargeName, seal: Seal, scratch: &Place) -> Result<(), StoreError> {
        let unwritable = || access("write", scratch.path());
        let file = scratch.open(OpenMode::Truncate).map_err(unwritable())?;
        let mut reader = self.read(name, seal);
        let mut place = 0;
        while let Some(bytes) = reader.next().await? {
            file.write_all_at(&bytes, place).map_err(unwritable())?;
            place += bytes.len() as u64;
        }
        Ok(())
    }

    /// Removes everything of the run, and gives whether there was anything.
    ///
    /// # Errors
    ///
    /// When an object cannot be removed; what is left is then still there.
    pub async fn remove(&self) -> Result<bool, StoreError> {
        self.remove_below(&self.prefix()?).await
    }

    /// Removes the bundle that is kept of the run, and gives whether there was one.
    ///
    /// # Errors
    ///
    /// As [`RunStore::remove`].
    pub async fn remove_bundle(&self) -> Result<bool, StoreError> {
        self.remove_below(&key(format!("plans/{}", self.plan.short()))?).await
    }

    async fn remove_below(&self, prefix: &Key) -> Result<bool, StoreError> {
        let objects = self.backend.list(prefix).await?;
        for object in &objects {
            self.backend.remove(object).await?;
        }
        Ok(!objects.is_empty())
    }
}

fn key(text: String) -> Result<Key, StoreError> {
    Key::new(text.clone()).map_err(|error| StoreError::Access {
        doing: "name",
        place: text,
        source: std::io::Error::other(error),
    })
}
