//! What a place that keeps things must be able to do.

use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};

use async_trait::async_trait;
use bytes::Bytes;

use crate::state::LockInfo;

/// The largest object. What may be larger is kept as numbered parts.
pub const MOST_OBJECT_BYTES: usize = 8 << 20;

/// The longest key.
pub const MOST_KEY_BYTES: usize = 512;

/// The longest part of a key: twice as much is still a name that every file system takes.
pub const MOST_PART_BYTES: usize = 120;

/// The name of an object: parts of ASCII letters, digits, `.`, `-` and `_`, separated by `/`.
///
/// It is not a path: a backend decides where the object lies. **Invariants**: no part is empty, `.` or `..`; a part has at most
/// 120 bytes, the whole at most 512. Whoever gives out keys lets none be the beginning of another, as `a` is of
/// `a/b`: not every backend can have both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// A text that names no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be the key of an object")]
pub struct KeyError(String);

impl Key {
    /// The key of that text.
    ///
    /// # Errors
    ///
    /// When a part of it is empty, leads elsewhere, has another character or is too long.
    pub fn new(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = text.into();
        let is_part = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.len() <= MOST_PART_BYTES
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        };
        if text.len() <= MOST_KEY_BYTES && text.split('/').all(is_part) { Ok(Self(text)) } else { Err(KeyError(text)) }
    }

    /// A key that the program itself names.
    pub(crate) fn literal(text: &'static str) -> Self {
        debug_assert!(Self::new(text).is_ok(), "{text}");
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// What an object was at one moment. Two objects of one key and one version have the same bytes; nothing else can be read
/// from it. It is not kept: another process may have other versions of the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub String);

impl Version {
    /// The version of a store that has nothing but the bytes to tell it by. It notices a change and proves nothing, so it is no
    /// digest: large objects are written without being digested twice.
    pub fn of_content(bytes: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        Self(format!("{}-{:016x}", bytes.len(), hasher.finish()))
    }
}

/// An object as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its bytes; at most [`MOST_OBJECT_BYTES`].
    pub bytes: Vec<u8>,
    /// What [`Backend::replace`] compares with.
    pub version: Version,
}

/// Why a backend did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is an object of that key already. Nothing was written.
    #[error("`{place}` already exists")]
    Exists {
        /// Where it lies, for people.
        place: String,
    },
    /// The object is not, or no longer, at the version it was to be replaced at. Nothing was written.
    #[error("`{place}` was changed by another process")]
    Changed {
        /// Where it lies, for people.
        place: String,
    },
    /// It was written by a version of sexton that knows more than this one.
    #[error("`{place}` was written by a newer sexton (format {found}; this one knows {known})")]
    Newer {
        /// Where it lies, for people.
        place: String,
        /// The format it says it has.
        found: u32,
        /// The newest format that this version knows.
        known: u32,
    },
    /// It is not what any version of sexton writes.
    #[error("`{place}` is damaged: {why}")]
    Damaged {
        /// Where it lies, for people.
        place: String,
        /// What is wrong, with the line or byte where that is known.
        why: String,
    },
    /// The place cannot be read or written. After a write it is not known whether the object is there.
    #[error("could not {doing} `{place}`")]
    Access {
        /// What was being done, to read after "could not".
        doing: &'static str,
        /// Where it lies, for people.
        place: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Why the lease could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else has it; who, where that is known.
    #[error("the store is in use by {}", holder(.0))]
    Held(Option<Box<LockInfo>>),
    /// It cannot be taken.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn holder(info: &Option<Box<LockInfo>>) -> String {
    match info {
        Some(info) => {
            let LockInfo { id, operation, who, process, version, created } = info.as_ref();
            format!("`sexton {operation}` of {who} (process {process}, since {created}, version {version}, lock {id})")
        }
        None => "a process that has not identified itself yet: try again".into(),
    }
}

/// The right to write, held until it is dropped or its process dies.
pub trait Lease: Send + Sync + fmt::Debug {
    /// Who had it before and did not give it back: a command that was killed.
    fn left_behind(&self) -> Option<&LockInfo>;
}

/// A place that keeps objects. A directory, an object store or, for tests and simulation, memory.
///
/// **Promises of every implementation**
/// - What `create` and `replace` have answered well is durable: it is there after any crash.
/// - Of two that create one key at a time, exactly one succeeds; likewise of two that replace one version.
/// - A reader sees an object as a whole or not at all.
/// - What was removed does not come back by itself.
/// - An [`StoreError::Access`] of a write leaves the key as it was or as it was to become, and nothing between.
#[async_trait]
pub trait Backend: Send + Sync + fmt::Debug {
    /// The object; `None` where there is none.
    async fn read(&self, key: &Key) -> Result<Option<Object>, StoreError>;

    /// Creates an object that must not exist yet.
    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version, StoreError>;

    /// Puts other bytes in the place of an object that is still at `version`.
    async fn replace(&self, key: &Key, bytes: Vec<u8>, version: &Version) -> Result<Version, StoreError>;

    /// The keys that begin with `prefix` and `/`, in ascending order.
    async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError>;

    /// Takes an object away. One that is not there is no error.
    async fn remove(&self, key: &Key) -> Result<(), StoreError>;

    /// Takes the right to write, which keeps other people's commands waiting or away. It is not what makes concurrent writing
    /// safe: `create` and `replace` are.
    async fn lease(&self, info: &LockInfo) -> Result<Box<dyn Lease>, LeaseError>;

    /// Where an object lies, for people.
    fn place(&self, key: &Key) -> String;
}
