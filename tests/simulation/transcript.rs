//! What can be seen of a simulated life from outside.

use std::fmt::{self, Display, Formatter};
use std::sync::{Arc, Mutex};

use sexton::base::{Digest, Observer, PolicyName};
use tokio::time::Instant;

use crate::support::wire::locked;

/// All that could be seen, as text: a simulation that repeats has the same one.
#[derive(Debug, PartialEq, Eq)]
pub struct Transcript(String);

impl Transcript {
    /// Stands for all of it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// The first line in which two differ, with its number, as each of them has it.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let (mut ours, mut theirs) = (self.0.lines(), other.0.lines());
        (1..).find_map(|number| match (ours.next(), theirs.next()) {
            (None, None) => Some(None),
            (one, another) if one != another => Some(Some(format!("line {number}\n  {one:?}\n  {another:?}"))),
            _ => None,
        })?
    }

    /// Whether this was seen.
    pub fn has(&self, text: &str) -> bool {
        self.0.contains(text)
    }
}

/// A transcript that is being written. Clones write the same one.
#[derive(Clone)]
pub struct Recording {
    text: Arc<Mutex<String>>,
    start: Instant,
}

impl Recording {
    /// Begins now, which is the moment 0 of every line.
    pub fn new() -> Self {
        Self { text: Arc::default(), start: Instant::now() }
    }

    /// Adds something that was seen now.
    pub fn add(&self, seen: impl Display) {
        *locked(&self.text) += &format!("{:>9} {seen}\n", self.start.elapsed().as_millis());
    }

    /// Adds bytes under a name. Those that are no text are told by their digest.
    pub fn add_bytes(&self, name: impl Display, bytes: &[u8]) {
        self.add(format_args!("{name}: {} bytes, {}", bytes.len(), Digest::of(bytes).short()));
        if let Ok(text) = std::str::from_utf8(bytes)
            && !text.is_empty()
        {
            self.add(text);
        }
    }

    /// The transcript so far.
    pub fn finish(&self) -> Transcript {
        Transcript(locked(&self.text).clone())
    }
}

impl Display for Transcript {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Observer for Recording {
    fn progress(&self, policy: Option<&PolicyName>, doing: &str, done: u64, total: Option<u64>) {
        self.add(format_args!("progress {policy:?} {doing} {done} {total:?}"));
    }

    fn warn(&self, message: &str) {
        self.add(format_args!("warning {message}"));
    }
}
