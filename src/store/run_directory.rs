//! Where the evidence of a run lies.
#![expect(clippy::disallowed_methods, reason = "this is the adapter for the files of a run")]

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{parent_of, sync_directory};
use crate::apply::SkipCause;
use crate::base::{Digest, PolicyName, RecordId};

/// The directory of one run: everything that shows what happened to which record, and all that is needed to go on after
/// a crash.
///
/// | path | what |
/// |---|---|
/// | `journal.jsonl` | what was about to happen and what happened |
/// | `rounds/<policy>.<n>.ids` | the records of a round in the order in which they are sent |
/// | `rounds/<policy>.<n>.excluded.ids` | the records that are not sent any more from a round of a continued run on, in the same order |
/// | `skipped/<policy>.csv` | the planned records that the recheck kept back, sorted by id |
/// | `answers/<policy>.<n>.statuses`, `answers/<policy>.messages` | what is known about every record of a round |
/// | `outcomes/<policy>.csv` | the one end of every planned record, sorted by id |
#[derive(Clone, Debug)]
pub struct RunDirectory {
    root: PathBuf,
}

impl RunDirectory {
    /// The directory of the run of `plan` below `runs`, made when it is not there. A plan is run once, so that its digest
    /// names its run.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn open(runs: &Path, plan: &Digest) -> io::Result<Self> {
        let root = runs.join(plan.short());
        for folder in ["rounds", "skipped", "answers", "outcomes"] {
            std::fs::create_dir_all(root.join(folder))?;
        }
        sync_name(&root)?;
        sync_name(&root.join("journal.jsonl"))?;
        Ok(Self { root })
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal.jsonl")
    }

    /// The ids of a round.
    pub fn round(&self, policy: &PolicyName, round: u32) -> PathBuf {
        self.root.join(format!("rounds/{policy}.{round}.ids"))
    }

    /// The records that are not sent any more from a round on.
    pub fn excluded(&self, policy: &PolicyName, round: u32) -> PathBuf {
        self.root.join(format!("rounds/{policy}.{round}.excluded.ids"))
    }

    /// The records that the recheck kept back.
    pub fn skipped(&self, policy: &PolicyName) -> PathBuf {
        self.root.join(format!("skipped/{policy}.csv"))
    }

    /// The marks of a round.
    pub fn statuses(&self, policy: &PolicyName, round: u32) -> PathBuf {
        self.root.join(format!("answers/{policy}.{round}.statuses"))
    }

    /// The codes and messages that the marks of all rounds of a policy refer to.
    pub fn messages(&self, policy: &PolicyName) -> PathBuf {
        self.root.join(format!("answers/{policy}.messages"))
    }

    /// The ends of all planned records of a policy.
    pub fn outcomes(&self, policy: &PolicyName) -> PathBuf {
        self.root.join(format!("outcomes/{policy}.csv"))
    }

    /// An empty folder for files that are of use only while one step lasts. What a process that died in that step left there
    /// is removed; `step` names it among all steps of the run.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn scratch(&self, step: &str) -> io::Result<tempfile::TempDir> {
        let name = format!("scratch.{step}");
        match std::fs::remove_dir_all(self.root.join(&name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir_in(&self.root)
    }
}

/// Makes the name of a new or renamed file durable.
pub(super) fn sync_name(file: &Path) -> io::Result<()> {
    sync_directory(parent_of(file)).map_err(|error| error.source)
}

/// Writes the records that the recheck kept back.
#[must_use = "a file that is not finished is not there"]
pub struct SkippedWriter {
    path: PathBuf,
    rows: csv::Writer<File>,
    last: Option<RecordId>,
    count: u64,
}

impl SkippedWriter {
    /// Begins the file that is to stand at `path`.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut rows = csv::Writer::from_path(path.with_extension("part"))?;
        rows.write_record(["Id", "Cause"])?;
        Ok(Self { path: path.to_owned(), rows, last: None, count: 0 })
    }

    /// Writes the next record; they come sorted by id.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or does not come after the one before.
    pub fn push(&mut self, id: RecordId, cause: SkipCause) -> io::Result<()> {
        if self.last.is_some_and(|last| last >= id) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{id} is out of order among skipped records")));
        }
        self.last = Some(id);
        self.count += 1;
        Ok(self.rows.write_record([id.as_str(), cause.word()])?)
    }

    /// Makes the file durable and gives it its name; returns how many records it has.
    ///
    /// # Errors
    ///
    /// When the disk does not take it.
    pub fn finish(self) -> io::Result<u64> {
        let mut file = self.rows.into_inner().map_err(csv::IntoInnerError::into_error)?;
        file.flush()?;
        file.sync_all()?;
        std::fs::rename(self.path.with_extension("part"), &self.path)?;
        sync_name(&self.path)?;
        Ok(self.count)
    }
}

/// Reads the records that the recheck kept back, sorted by id.
///
/// # Errors
///
/// When the file cannot be opened. The items tell when it cannot be read on, or is damaged.
pub fn read_skipped(path: &Path) -> io::Result<impl Iterator<Item = io::Result<(RecordId, SkipCause)>> + Send + use<>> {
    let shown = path.display().to_string();
    Ok(csv::Reader::from_reader(File::open(path)?).into_records().map(move |row| {
        let row = row.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let id = row.get(0).and_then(|text| RecordId::new(text).ok());
        let cause = row.get(1).and_then(SkipCause::from_word);
        id.zip(cause).ok_or_else(|| {
            let line = row.position().map_or(0, csv::Position::line);
            io::Error::new(io::ErrorKind::InvalidData, format!("{shown} is damaged at line {line}"))
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_folder_is_empty_and_goes_with_its_step() {
        let folder = tempfile::tempdir().expect("folder");
        let run = RunDirectory::open(folder.path(), &Digest::of(b"plan")).expect("made");
        let left_by_the_dead = run.scratch("policy.3").expect("made").keep();
        std::fs::write(left_by_the_dead.join("bucket"), "old").expect("written");
        let scratch = run.scratch("policy.3").expect("made");
        assert_eq!(scratch.path(), left_by_the_dead);
        assert!(!scratch.path().join("bucket").exists());
        drop(scratch);
        assert!(!left_by_the_dead.exists());
    }

    #[test]
    fn skipped_records_come_back_and_keep_their_order() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("policy.csv");
        let id = |text| RecordId::new(text).expect("valid");
        let mut writer = SkippedWriter::create(&path).expect("created");
        for (text, cause) in ["a", "b", "c", "d", "e", "f"].into_iter().zip(SkipCause::ALL) {
            writer.push(id(text), cause).expect("written");
        }
        assert!(writer.push(id("f"), SkipCause::Held).is_err());
        assert_eq!(writer.finish().expect("finished"), 6);
        let read: Vec<_> = read_skipped(&path).expect("opened").map(|row| row.expect("read").1).collect();
        assert_eq!(read, SkipCause::ALL);
    }
}
