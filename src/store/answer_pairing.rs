//! Pairs a job's answers with the records of its batch, in bounded memory.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::Arc;

use super::{EncodedStatus, FileHandle, FileStream, Place, StatusFile};
use crate::apply::{IdSource, RecordStatus};
use crate::base::RecordId;

/// About how many records a bucket holds.
const BUCKET: u64 = 1 << 14;
/// The most buckets, since each is an open file. Larger batches make larger buckets.
const MOST_BUCKETS: u64 = 256;

/// A file without a name, of `(id, payload)` lines of fixed width.
struct Bucket<const WIDTH: usize> {
    file: Arc<dyn FileHandle>,
    output: BufWriter<FileStream>,
}

impl<const WIDTH: usize> Bucket<WIDTH> {
    fn create(directory: &Place) -> io::Result<Self> {
        let file = directory.files().open_unnamed(directory.path())?;
        // There may be some hundred of them.
        let output = BufWriter::with_capacity(1 << 13, FileStream::new(Arc::clone(&file)));
        Ok(Self { file, output })
    }

    fn push(&mut self, id: &RecordId, payload: [u8; WIDTH]) -> io::Result<()> {
        let mut key = [b' '; 36];
        key[..id.as_bytes().len()].copy_from_slice(id.as_bytes());
        self.output.write_all(&key)?;
        self.output.write_all(&payload)
    }

    fn read(mut self, mut each: impl FnMut(RecordId, [u8; WIDTH]) -> io::Result<()>) -> io::Result<()> {
        self.output.flush()?;
        let mut reader = BufReader::with_capacity(1 << 16, FileStream::new(self.file));
        let (mut key, mut payload) = ([0; 36], [0; WIDTH]);
        loop {
            match reader.read_exact(&mut key) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                read => read?,
            }
            reader.read_exact(&mut payload)?;
            let id = RecordId::from_bytes(key.trim_ascii_end()).map_err(|error| io::Error::other(error.to_string()))?;
            each(id, payload)?;
        }
    }
}

/// Which bucket a record belongs to, and who else does.
enum Members {
    /// The batch is in ascending order: a bucket is a window of it, and these are the windows' first ids.
    Windows(Vec<RecordId>),
    /// It is not: a bucket is what has the same hash.
    Hashes(Vec<Bucket<8>>),
}

/// Takes a job's answers in any order, then gives every record of the batch its status.
///
/// Answers are written to one file per bucket; then the buckets are paired in memory, one after the other. Only one bucket is in
/// memory at a time, however many records there are.
pub struct AnswerPairing<'a> {
    ids: &'a dyn IdSource,
    statuses: &'a StatusFile,
    /// The place of the batch's first record in its round.
    first: u64,
    size: u64,
    members: Members,
    buckets: Vec<Bucket<16>>,
    foreign: u64,
}

/// What was wrong with the answers to a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairingReport {
    /// Answers for records that were not in the batch. They are not believed.
    pub foreign: u64,
    /// Records about which the answers contradict each other; their status is [`RecordStatus::Missing`].
    pub contradicted: u64,
}

impl<'a> AnswerPairing<'a> {
    /// Begins to pair for the batch of `ids`, whose first record has the place `first` in the round of `statuses`. `ascending` says
    /// whether the round is in ascending order; the buckets lie in the directory `scratch`.
    ///
    /// # Errors
    ///
    /// When the ids cannot be read or the buckets not be made.
    pub fn new(
        ids: &'a dyn IdSource,
        statuses: &'a StatusFile,
        first: u64,
        ascending: bool,
        scratch: &Place,
    ) -> io::Result<Self> {
        let count = ids.count();
        let size = BUCKET.max(count.div_ceil(MOST_BUCKETS));
        let number = count.div_ceil(size);
        let members = if ascending {
            let starts = (0..number).map(|bucket| ids.read(bucket * size, 1)).collect::<io::Result<Vec<_>>>()?;
            Members::Windows(starts.into_iter().flatten().collect())
        } else {
            let mut buckets = (0..number).map(|_| Bucket::create(scratch)).collect::<io::Result<Vec<_>>>()?;
            for window in 0..number {
                for (id, place) in ids.read(window * size, size as usize)?.into_iter().zip(window * size..) {
                    buckets[hash(&id, number)].push(&id, place.to_le_bytes())?;
                }
            }
            Members::Hashes(buckets)
        };
        let buckets = (0..number).map(|_| Bucket::create(scratch)).collect::<io::Result<_>>()?;
        Ok(Self { ids, statuses, first, size, members, buckets, foreign: 0 })
    }

    /// Takes the answer about one record.
    ///
    /// # Errors
    ///
    /// When it cannot be kept.
    pub fn push(&mut self, id: &RecordId, mark: &RecordStatus) -> io::Result<()> {
        let bucket = match &self.members {
            Members::Windows(starts) => starts.partition_point(|start| start <= id).checked_sub(1),
            Members::Hashes(buckets) => Some(hash(id, buckets.len() as u64)),
        };
        match bucket {
            Some(bucket) => self.buckets[bucket].push(id, self.statuses.encode(mark)?.bytes()),
            None => {
                self.foreign += 1;
                Ok(())
            }
        }
    }

    /// Writes the status of every record of the batch: `unmentioned` for those of which nothing was said.
    ///
    /// # Errors
    ///
    /// When the buckets cannot be read or the statuses not be written.
    pub fn finish(self, unmentioned: EncodedStatus) -> io::Result<PairingReport> {
        let mut report = PairingReport { foreign: self.foreign, contradicted: 0 };
        let mut members: Box<dyn Iterator<Item = io::Result<Vec<(RecordId, u64)>>>> = match self.members {
            Members::Windows(starts) => Box::new((0..starts.len() as u64).map(|window| {
                let from = window * self.size;
                Ok(self.ids.read(from, self.size as usize)?.into_iter().zip(from..).collect())
            })),
            Members::Hashes(buckets) => Box::new(buckets.into_iter().map(|bucket| {
                let mut members = Vec::new();
                bucket.read(|id, place| {
                    members.push((id, u64::from_le_bytes(place)));
                    Ok(())
                })?;
                members.sort_unstable();
                Ok(members)
            })),
        };
        for bucket in self.buckets {
            let members = members.next().ok_or_else(|| io::Error::other("a bucket has no members"))??;
            let mut statuses = vec![EncodedStatus::NONE; members.len()];
            let mut next = 0;
            bucket.read(|id, mark| {
                let mark = EncodedStatus::from_bytes(mark);
                // Most answers come in the order in which the records were sent.
                let found = match members.get(next) {
                    Some(member) if member.0 == id => Ok(next),
                    _ => members.binary_search_by(|member| member.0.cmp(&id)),
                };
                next = found.map_or(next, |found| found + 1);
                match found.map(|found| &mut statuses[found]) {
                    Err(_) => report.foreign += 1,
                    Ok(known) if *known == EncodedStatus::NONE => *known = mark,
                    Ok(known) if known.agrees_with(&mark) || known.is_missing() => {}
                    Ok(known) => {
                        *known = EncodedStatus::MISSING;
                        report.contradicted += 1;
                    }
                }
                Ok(())
            })?;
            let mut placed: Vec<(u64, EncodedStatus)> = members.iter().map(|member| member.1).zip(statuses).collect();
            placed.sort_unstable_by_key(|(place, _)| *place);
            for run in placed.chunk_by(|one, next| one.0 + 1 == next.0) {
                let unset = |mark: EncodedStatus| if mark == EncodedStatus::NONE { unmentioned } else { mark };
                let statuses: Vec<EncodedStatus> = run.iter().map(|(_, mark)| unset(*mark)).collect();
                self.statuses.write(self.first + run[0].0, &statuses)?;
            }
        }
        Ok(report)
    }
}

fn hash(id: &RecordId, buckets: u64) -> usize {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    (hasher.finish() % buckets.max(1)) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::apply::Evidence;
    use crate::store::MessagesFile;

    struct Ids(Vec<RecordId>);

    impl IdSource for Ids {
        fn count(&self) -> u64 {
            self.0.len() as u64
        }

        fn read(&self, first: u64, most: usize) -> io::Result<Vec<RecordId>> {
            Ok(self.0.iter().skip(first as usize).take(most).copied().collect())
        }
    }

    fn id(number: u32) -> RecordId {
        RecordId::new(&format!("{number:08}")).expect("valid")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_record_gets_the_one_answer_about_it(
            count in 1..40_000_u32,
            shuffled in any::<bool>(),
            seed in any::<u64>(),
        ) {
            let mut random = fastrand::Rng::with_seed(seed);
            // Even numbers are in the batch, odd ones are foreign.
            let mut ids: Vec<RecordId> = (0..count).map(|number| id(number * 2)).collect();
            if shuffled {
                random.shuffle(&mut ids);
            }
            let mut answered: Vec<RecordId> = ids.clone();
            random.shuffle(&mut answered);
            answered.truncate(random.usize(0..=ids.len()));
            let folder = tempfile::tempdir().expect("folder");
            let folder = Place::of_machine(folder.path());
            let texts = Arc::new(MessagesFile::create(&folder.join("texts")).expect("made"));
            let statuses = StatusFile::create(&folder.join("statuses"), texts, u64::from(count) + 7).expect("made");
            let source = Ids(ids.clone());
            let mut pairing = AnswerPairing::new(&source, &statuses, 7, !shuffled, &folder).expect("begun");
            let (mut twice, mut foreign) = (Vec::new(), 0);
            for answer in &answered {
                pairing.push(answer, &RecordStatus::Deleted(Evidence::Answer)).expect("taken");
                match random.u32(0..1000) {
                    0 => {
                        pairing.push(answer, &RecordStatus::Unknown).expect("taken");
                        twice.push(*answer);
                    }
                    1 => pairing.push(answer, &RecordStatus::Deleted(Evidence::Answer)).expect("taken"),
                    2 => {
                        pairing.push(&id(random.u32(0..count) * 2 + 1), &RecordStatus::Unknown).expect("taken");
                        foreign += 1;
                    }
                    _ => {}
                }
            }
            let report = pairing.finish(EncodedStatus::MISSING).expect("paired");
            prop_assert_eq!(report, PairingReport { foreign, contradicted: twice.len() as u64 });
            answered.sort();
            twice.sort();
            let read = statuses.read(7, ids.len()).expect("read");
            for (id, mark) in ids.iter().zip(read) {
                let expected = if answered.binary_search(id).is_ok() && twice.binary_search(id).is_err() {
                    RecordStatus::Deleted(Evidence::Answer)
                } else {
                    RecordStatus::Missing
                };
                prop_assert_eq!(statuses.decode(&mark).expect("decoded"), Some(expected));
            }
        }
    }
}
