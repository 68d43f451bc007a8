//! The journal of a run: numbered segments, each created once and never changed.
//!
//! A segment can be created only once, which keeps two processes from continuing one run: the first to continue creates the next
//! segment, and the other can then write nothing more.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::{Backend, Key, StoreError};
use crate::apply::{Entry, Event};
use crate::base::{Clock, PolicyName, inert_json};

/// The format of a segment.
const FORMAT: u32 = 1;
/// After this many segments of this process they are joined into one object, while the run continues.
const COMPACT_EVERY: u64 = 1_000;
/// Segments are joined up to this size.
const JOINED_BYTES: usize = 2 << 20;

/// Why the journal cannot be used. Nothing may be sent without one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has gone on with the run.
    #[error("another process has taken over this run: it has written {place}")]
    Overtaken {
        /// The segment that is there already.
        place: String,
    },
    /// It cannot be read or written.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// An earlier write failed; what came after it is not known.
    #[error("the journal was closed after a write that failed")]
    Closed,
}

impl From<StoreError> for JournalError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// Where a run writes down what is about to happen and what happened.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Makes events durable, in this order and without another between them.
    ///
    /// # Errors
    ///
    /// When they may not be there. Nothing that rests on them may then be done.
    async fn append(&self, policy: Option<&PolicyName>, events: &[Event]) -> Result<(), JournalError>;
}

/// The first line of a segment.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Head {
    /// [`FORMAT`].
    format: u32,
    /// The process that wrote it.
    writer: String,
}

/// The end of a journal, needed to continue it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalEnd {
    /// The number of the next segment.
    segment: u64,
    /// The number of the next entry.
    sequence: u64,
}

impl JournalEnd {
    /// Whether there is no journal.
    pub fn is_empty(&self) -> bool {
        self.segment == 0
    }
}

/// A range of segments in one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    first: u64,
    last: u64,
}

impl Range {
    fn of(key: &Key) -> Option<Self> {
        let name = key.name().strip_suffix(".jsonl")?;
        let (first, last) = name.split_once('-').unwrap_or((name, name));
        let number = |text: &str| text.parse().ok().filter(|_| text.len() == 8);
        Some(Self { first: number(first)?, last: number(last)? }).filter(|range| range.first <= range.last)
    }

    fn key(self, prefix: &Key) -> Result<Key, StoreError> {
        let Self { first, last } = self;
        let name = if first == last { format!("{first:08}") } else { format!("{first:08}-{last:08}") };
        Key::new(format!("{prefix}/{name}.jsonl")).map_err(|error| StoreError::Access {
            doing: "name",
            place: prefix.to_string(),
            source: std::io::Error::other(error),
        })
    }
}

/// Reads the journal whose segments lie below `prefix`, and tells `each` every entry in order.
///
/// # Errors
///
/// When it cannot be read, a segment is missing or damaged, or it was written by a newer sexton.
pub async fn read_journal(
    backend: &dyn Backend,
    prefix: &Key,
    mut each: impl FnMut(Entry),
) -> Result<JournalEnd, StoreError> {
    let mut end = JournalEnd::default();
    for range in ranges(backend, prefix).await? {
        if range.last < end.segment {
            // It was joined with others, and the process that did it died before it took it away.
            continue;
        }
        if range.first != end.segment {
            let missing = Range { first: end.segment, last: end.segment }.key(prefix)?;
            return Err(StoreError::Damaged { place: backend.place(&missing), why: "it is missing".into() });
        }
        let key = range.key(prefix)?;
        let (_, entries) = read_segment(backend, &key).await?;
        for (line, entry) in (2..).zip(entries.split_inclusive(|byte| *byte == b'\n')) {
            let damaged =
                |why: String| StoreError::Damaged { place: backend.place(&key), why: format!("line {line}: {why}") };
            let entry: Entry = serde_json::from_slice(entry).map_err(|error| damaged(error.to_string()))?;
            if entry.sequence != end.sequence {
                return Err(damaged(format!("its sequence number is {}, not {}", entry.sequence, end.sequence)));
            }
            end.sequence += 1;
            each(entry);
        }
        end.segment = range.last + 1;
    }
    Ok(end)
}

/// All segments and joined ones, in order; of those that begin at one number the longest first.
async fn ranges(backend: &dyn Backend, prefix: &Key) -> Result<Vec<Range>, StoreError> {
    let mut ranges: Vec<Range> = backend.list(prefix).await?.iter().filter_map(Range::of).collect();
    ranges.sort_by_key(|range| (range.first, std::cmp::Reverse(range.last)));
    Ok(ranges)
}

/// The process that wrote a segment, and the lines of its entries.
async fn read_segment(backend: &dyn Backend, key: &Key) -> Result<(String, Vec<u8>), StoreError> {
    let damaged = |why: String| StoreError::Damaged { place: backend.place(key), why };
    let Some(object) = backend.read(key).await? else { return Err(damaged("it is missing".into())) };
    let Some(end) = object.bytes.iter().position(|byte| *byte == b'\n').filter(|_| object.bytes.ends_with(b"\n")) else {
        return Err(damaged("it is cut off".into()));
    };
    let (head, entries) = object.bytes.split_at(end + 1);
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let Format { format } = serde_json::from_slice(head).map_err(|error| damaged(format!("line 1: {error}")))?;
    if format > FORMAT {
        return Err(StoreError::Newer { place: backend.place(key), found: format, known: FORMAT });
    }
    let Head { writer, .. } = serde_json::from_slice(head).map_err(|error| damaged(format!("line 1: {error}")))?;
    Ok((writer, entries.to_vec()))
}

type Waiting = (Option<PolicyName>, Vec<Event>, oneshot::Sender<Result<(), JournalError>>);

/// The journal of a run, for appending. Whatever is ready while a segment is written goes into the next one together.
pub struct RunJournal {
    backend: Arc<dyn Backend>,
    prefix: Key,
    clock: Arc<dyn Clock>,
    writer: String,
    waiting: Mutex<Vec<Waiting>>,
    tail: tokio::sync::Mutex<Tail>,
}

struct Tail {
    end: JournalEnd,
    closed: Option<JournalError>,
    /// The first segment of this process that may be joined: the one after its very first, or after those joined before.
    joinable: u64,
}

impl RunJournal {
    /// Goes on at `end`. `writer` is a name that no other process has.
    ///
    /// Nothing is written yet: the first append is what keeps other processes out.
    pub fn new(backend: Arc<dyn Backend>, prefix: Key, clock: Arc<dyn Clock>, writer: String, end: JournalEnd) -> Self {
        let joinable = end.segment + 1;
        let tail = tokio::sync::Mutex::new(Tail { end, closed: None, joinable });
        Self { backend, prefix, clock, writer, waiting: Mutex::new(Vec::new()), tail }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn head(&self) -> Result<Vec<u8>, JournalError> {
        line(&Head { format: FORMAT, writer: self.writer.clone() })
    }

    async fn write(&self, tail: &mut Tail, batch: &[Waiting]) -> Result<(), JournalError> {
        let mut bytes = self.head()?;
        let (at, mut sequence) = (self.clock.now(), tail.end.sequence);
        for (policy, events, _) in batch {
            for event in events {
                bytes.extend(line(&Entry { sequence, at, policy: policy.clone(), event: event.clone() })?);
                sequence += 1;
            }
        }
        let number = tail.end.segment;
        let key = Range { first: number, last: number }.key(&self.prefix)?;
        match self.backend.create(&key, bytes.into()).await {
            Ok(_) => {}
            Err(StoreError::Exists { place }) => return Err(JournalError::Overtaken { place }),
            Err(error) => return Err(error.into()),
        }
        tail.end = JournalEnd { segment: number + 1, sequence };
        if tail.end.segment - tail.joinable >= COMPACT_EVERY {
            let range = Range { first: tail.joinable, last: number };
            join(self.backend.as_ref(), &self.prefix, range).await?;
            tail.joinable = tail.end.segment;
        }
        Ok(())
    }
}

fn line(value: &impl Serialize) -> Result<Vec<u8>, JournalError> {
    let text = serde_json::to_string(value).map_err(|error| StoreError::Access {
        doing: "write",
        place: "an entry of the journal".into(),
        source: error.into(),
    })?;
    let mut bytes = inert_json(text).into_bytes();
    bytes.push(b'\n');
    Ok(bytes)
}

#[async_trait]
impl Journal for RunJournal {
    async fn append(&self, policy: Option<&PolicyName>, events: &[Event]) -> Result<(), JournalError> {
        let (tell, mut told) = oneshot::channel();
        self.waiting().push((policy.cloned(), events.to_vec(), tell));
        let mut tail = self.tail.lock().await;
        // Whoever had the turn before may have written this together with its own.
        if let Ok(done) = told.try_recv() {
            return done;
        }
        let batch = std::mem::take(&mut *self.waiting());
        let done = match &tail.closed {
            Some(error) => Err(error.clone()),
            None => {
                // Open again only when all went well: a process that dies, or an error, leaves it closed.
                tail.closed = Some(JournalError::Closed);
                let written = self.write(&mut tail, &batch).await;
                if !matches!(&written, Err(error) if !matches!(error, JournalError::Overtaken { .. })) {
                    tail.closed = written.as_ref().err().cloned();
                }
                written
            }
        };
        for (_, _, tell) in batch {
            let _ = tell.send(done.clone());
        }
        done
    }
}

/// Joins the segments of `range`, which one process wrote, into as few objects as their size allows. A process that dies
/// between leaves both, which read the same.
async fn join(backend: &dyn Backend, prefix: &Key, range: Range) -> Result<(), StoreError> {
    let mut next = range.first;
    while next <= range.last {
        let first = next;
        let mut joined: Vec<u8> = Vec::new();
        let mut taken = Vec::new();
        while next <= range.last {
            let key = Range { first: next, last: next }.key(prefix)?;
            let Some(object) = backend.read(&key).await? else {
                return Err(StoreError::Damaged { place: backend.place(&key), why: "it is missing".into() });
            };
            let from = if joined.is_empty() {
                0
            } else {
                object.bytes.iter().position(|byte| *byte == b'\n').map_or(object.bytes.len(), |end| end + 1)
            };
            if !joined.is_empty() && joined.len() + object.bytes.len() > JOINED_BYTES {
                break;
            }
            joined.extend_from_slice(&object.bytes[from..]);
            taken.push(key);
            next += 1;
        }
        if taken.len() < 2 {
            continue;
        }
        let joined_key = Range { first, last: next - 1 }.key(prefix)?;
        match backend.create(&joined_key, joined.into()).await {
            // Of a process that died in the middle of this.
            Ok(_) | Err(StoreError::Exists { .. }) => {}
            Err(error) => return Err(error),
        }
        for key in taken {
            backend.remove(&key).await?;
        }
    }
    Ok(())
}

/// Joins the segments of a run that has ended, up to a handful of objects. The first segment of every process stays: it is the
/// one that a process which was overtaken would create.
///
/// # Errors
///
/// When the store cannot be read or written. The journal is whole in any case.
pub async fn compact_journal(backend: &dyn Backend, prefix: &Key) -> Result<(), StoreError> {
    let mut writer: Option<String> = None;
    let mut run: Option<Range> = None;
    let mut next = 0;
    for range in ranges(backend, prefix).await? {
        if range.last < next {
            // It is in a joined one already.
            backend.remove(&range.key(prefix)?).await?;
            continue;
        }
        next = range.last + 1;
        let (by, _) = read_segment(backend, &range.key(prefix)?).await?;
        let begins = writer.replace(by.clone()).is_none_or(|before| before != by);
        if begins || range.first != range.last {
            if let Some(run) = run.take() {
                join(backend, prefix, run).await?;
            }
            continue;
        }
        run = Some(run.map_or(range, |run| Range { last: range.last, ..run }));
    }
    match run {
        Some(run) => join(backend, prefix, run).await,
        None => Ok(()),
    }
}
