//! A file of a simulated disk.

use std::io;

/// A file of a simulated disk: what a process sees of it, and what of that is durable.
#[derive(Debug, Default)]
pub(super) struct FileNode {
    pub bytes: Vec<u8>,
    durable: Vec<u8>,
    /// What makes `bytes` of `durable`, oldest first.
    unsynced: Vec<Unsynced>,
    /// The handle that has the lock.
    pub locked_by: Option<u64>,
    pub handles: u64,
}

/// A change of a file's bytes that is not durable.
#[derive(Clone, Copy, Debug)]
enum Unsynced {
    Written { start: usize, end: usize },
    Length(usize),
}

impl FileNode {
    pub fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let end = start + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[start..end].copy_from_slice(bytes);
        match self.unsynced.last_mut() {
            Some(Unsynced::Written { end: last, .. }) if *last == start => *last = end,
            _ => self.unsynced.push(Unsynced::Written { start, end }),
        }
        Ok(bytes.len())
    }

    pub fn set_length(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.bytes.resize(length, 0);
        self.unsynced.push(Unsynced::Length(length));
        Ok(())
    }

    pub fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            self.keep(change);
        }
    }

    /// Of what was not synced some becomes durable, perhaps in part, and the rest never will.
    pub fn lose_some(&mut self, random: &mut fastrand::Rng) {
        for change in std::mem::take(&mut self.unsynced) {
            match (random.u8(0..3), change) {
                (0, _) => {}
                (1, Unsynced::Written { start, end }) => {
                    let torn = random.usize(start..=end);
                    self.keep(Unsynced::Written { start, end: torn });
                }
                (_, change) => self.keep(change),
            }
        }
    }

    /// The power goes: what is not durable is not there any more.
    pub fn crash(&mut self, random: &mut fastrand::Rng) {
        self.lose_some(random);
        self.bytes.clone_from(&self.durable);
    }

    /// Every process that has it open ends.
    pub fn close(&mut self) {
        (self.locked_by, self.handles) = (None, 0);
    }

    fn keep(&mut self, change: Unsynced) {
        match change {
            Unsynced::Length(length) => self.durable.resize(length, 0),
            Unsynced::Written { start, end } => {
                // What was cut off again after it was written is nowhere any more.
                let end = end.min(self.bytes.len());
                if start < end {
                    if self.durable.len() < end {
                        self.durable.resize(end, 0);
                    }
                    self.durable[start..end].copy_from_slice(&self.bytes[start..end]);
                }
            }
        }
    }
}
