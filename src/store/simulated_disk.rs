//! A disk in memory that forgets what was not synced, and fails as disks do.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::fault_schedule::FaultSchedule;
use super::{FileHandle, FileKind, FileMetadata, Files, OpenMode};

/// How an operation on a [`SimulatedDisk`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// It is not done. A sync that is refused has lost some of what it was to keep, and the next one does not bring it back.
    Refused,
    /// It is done, and an error is told.
    DoneButFailed,
    /// A write is cut short, which is no error. Nothing else notices.
    Short,
    /// A write is done by half and then there is no room. Nothing can be made either; what needs no room notices nothing.
    NoSpace,
    /// The power goes: neither this operation nor any later one is done before [`SimulatedDisk::crash`].
    PowerLoss,
}

/// A disk in memory. It keeps apart what a process sees and what is durable, for each file's bytes and for each name in a directory.
///
/// Everything that is by chance comes from its seed. Clones are the same disk. It is for tests and simulation: it holds all files in
/// memory, twice.
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    disk: Mutex<Disk>,
    unlocked: Condvar,
}

#[derive(Debug)]
struct Disk {
    nodes: BTreeMap<u64, Node>,
    made: u64,
    /// Changes of names that no sync has made durable, oldest first.
    changes: Vec<Change>,
    faults: FaultSchedule<DiskFault>,
    random: fastrand::Rng,
    /// How often it has crashed: a handle from before a crash is of no use.
    crashes: u64,
    without_power: bool,
    /// With so many nodes, those that nothing reaches are looked for.
    collect_at: usize,
}

/// The directory that has no name.
const ROOT: u64 = 0;

#[derive(Debug)]
enum Node {
    File(FileNode),
    Directory { names: Names, durable: Names },
}

type Names = BTreeMap<OsString, u64>;

#[derive(Debug, Default)]
struct FileNode {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// What makes `bytes` of `durable`, oldest first.
    unsynced: Vec<Unsynced>,
    /// The handle that has the lock.
    locked_by: Option<u64>,
    handles: u64,
}

/// A change of a file's bytes that is not durable.
#[derive(Clone, Copy, Debug)]
enum Unsynced {
    Written { start: usize, end: usize },
    Length(usize),
}

/// Names that changed in one step: made, replaced or, without a node, removed. All of them become durable together or none does.
#[derive(Debug)]
struct Change(Vec<(u64, OsString, Option<u64>)>);

/// What an operation needs, for the faults that ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Needs room for a name.
    Make,
    Other,
}

impl SimulatedDisk {
    /// An empty disk. What it loses and how comes from the seed.
    pub fn new(seed: u64) -> Self {
        let root = Node::Directory { names: Names::new(), durable: Names::new() };
        let disk = Disk {
            nodes: BTreeMap::from([(ROOT, root)]),
            made: ROOT,
            changes: Vec::new(),
            faults: FaultSchedule::new(),
            random: fastrand::Rng::with_seed(seed),
            crashes: 0,
            without_power: false,
            collect_at: 64,
        };
        Self { shared: Arc::new(Shared { disk: Mutex::new(disk), unlocked: Condvar::new() }) }
    }

    /// How many operations it was asked for.
    pub fn operations(&self) -> u64 {
        self.shared.disk().faults.operations()
    }

    /// Lets the `number`th operation from here fail; the next one is 0.
    pub fn fail_at(&self, number: u64, fault: DiskFault) {
        self.shared.disk().faults.fail_at(number, fault);
    }

    /// Lets of 1,000 operations about `per_mille` fail, in one of these ways.
    pub fn fail_by_chance(&self, per_mille: u32, faults: Vec<DiskFault>) {
        let mut disk = self.shared.disk();
        let seed = disk.random.u64(..);
        disk.faults.fail_by_chance(seed, per_mille, faults);
    }

    /// Lets nothing fail any more.
    pub fn heal(&self) {
        self.shared.disk().faults.clear();
    }

    /// The power goes and comes back. Every process is dead: its handles are of no use, its locks are free. Of what was not synced, some
    /// is there and some is not: names that were made, renamed or removed, whole writes and beginnings of writes.
    pub fn crash(&self) {
        let mut disk = self.shared.disk();
        disk.crash();
        drop(disk);
        self.shared.unlocked.notify_all();
    }

    #[cfg(test)]
    pub(super) fn nodes(&self) -> usize {
        self.shared.disk().nodes.len()
    }
}

impl Shared {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does one operation, or fails as the schedule says.
    fn run<T>(&self, kind: Kind, operation: impl FnOnce(&mut Disk) -> io::Result<T>) -> io::Result<T> {
        let mut disk = self.disk();
        let fault = disk.next_fault()?;
        let done = match fault {
            Some(DiskFault::Refused) => Err(refused()),
            Some(DiskFault::NoSpace) if kind == Kind::Make => Err(io::ErrorKind::StorageFull.into()),
            _ => operation(&mut disk),
        };
        // A handle that nobody gets is closed below, which needs the disk.
        drop(disk);
        if fault == Some(DiskFault::DoneButFailed) { done.and_then(|_| Err(refused())) } else { done }
    }
}

fn refused() -> io::Error {
    io::Error::other("the disk failed")
}

fn no_power() -> io::Error {
    io::Error::other("the power went")
}

impl Disk {
    fn next_fault(&mut self) -> io::Result<Option<DiskFault>> {
        if self.without_power {
            return Err(no_power());
        }
        match self.faults.next() {
            Some(DiskFault::PowerLoss) => {
                self.without_power = true;
                Err(no_power())
            }
            fault => Ok(fault),
        }
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.without_power = false;
        for Change(names) in std::mem::take(&mut self.changes) {
            if self.random.bool() {
                self.make_durable(&names);
            }
        }
        for node in self.nodes.values_mut() {
            match node {
                Node::Directory { names, durable } => names.clone_from(durable),
                Node::File(file) => {
                    file.lose_some(&mut self.random);
                    file.bytes.clone_from(&file.durable);
                    (file.locked_by, file.handles) = (None, 0);
                }
            }
        }
        self.collect();
    }

    fn make_durable(&mut self, changed: &[(u64, OsString, Option<u64>)]) {
        for (directory, name, node) in changed {
            if let Some(Node::Directory { durable, .. }) = self.nodes.get_mut(directory) {
                match node {
                    Some(node) => durable.insert(name.clone(), *node),
                    None => durable.remove(name),
                };
            }
        }
    }

    /// Forgets nodes that no name, no name to come and no handle reaches.
    fn collect(&mut self) {
        let mut reached = BTreeSet::new();
        let open = |(id, node): (&u64, &Node)| matches!(node, Node::File(file) if file.handles > 0).then_some(*id);
        let changed = self.changes.iter().flat_map(|Change(names)| names.iter().filter_map(|(_, _, node)| *node));
        let mut waiting: Vec<u64> = self.nodes.iter().filter_map(open).chain(changed).chain([ROOT]).collect();
        while let Some(id) = waiting.pop() {
            if reached.insert(id)
                && let Some(Node::Directory { names, durable }) = self.nodes.get(&id)
            {
                waiting.extend(names.values().chain(durable.values()));
            }
        }
        self.nodes.retain(|id, _| reached.contains(id));
        self.collect_at = 64.max(2 * self.nodes.len());
    }

    fn add(&mut self, node: Node) -> u64 {
        if self.nodes.len() >= self.collect_at {
            self.collect();
        }
        self.made += 1;
        self.nodes.insert(self.made, node);
        self.made
    }

    fn names(&self, directory: u64) -> io::Result<&Names> {
        match self.nodes.get(&directory) {
            Some(Node::Directory { names, .. }) => Ok(names),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn file(&mut self, node: u64) -> io::Result<&mut FileNode> {
        match self.nodes.get_mut(&node) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Directory { .. }) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The directory a path stands in, and its name there; no name for the root.
    fn place<'p>(&self, path: &'p Path) -> io::Result<(u64, Option<&'p OsStr>)> {
        let mut above = Vec::new();
        let mut place = (ROOT, None);
        for component in path.components() {
            match component {
                Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
                Component::ParentDir => place = above.pop().unwrap_or((ROOT, None)),
                Component::Normal(name) => {
                    above.push(place);
                    let directory = self.node_at(place)?;
                    self.names(directory)?;
                    place = (directory, Some(name));
                }
            }
        }
        Ok(place)
    }

    fn node_at(&self, (directory, name): (u64, Option<&OsStr>)) -> io::Result<u64> {
        match name {
            Some(name) => self.names(directory)?.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into()),
            None => Ok(directory),
        }
    }

    fn find(&self, path: &Path) -> io::Result<u64> {
        self.node_at(self.place(path)?)
    }

    /// A place where a name can be made, and what has the name now.
    fn place_for<'p>(&self, path: &'p Path) -> io::Result<(u64, &'p OsStr, Option<u64>)> {
        let (directory, name) = self.place(path)?;
        let name = name.ok_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists))?;
        let there = self.names(directory)?.get(name).copied();
        Ok((directory, name, there))
    }

    fn change(&mut self, changed: Vec<(u64, OsString, Option<u64>)>) {
        for (directory, name, node) in &changed {
            if let Some(Node::Directory { names, .. }) = self.nodes.get_mut(directory) {
                match node {
                    Some(node) => names.insert(name.clone(), *node),
                    None => names.remove(name),
                };
            }
        }
        self.changes.push(Change(changed));
    }

    fn make(&mut self, path: &Path, node: Node) -> io::Result<u64> {
        let (directory, name, there) = self.place_for(path)?;
        if there.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let made = self.add(node);
        self.change(vec![(directory, name.to_owned(), Some(made))]);
        Ok(made)
    }

    fn remove(&mut self, path: &Path, may_remove: impl Fn(&Node) -> io::Result<()>) -> io::Result<()> {
        let (directory, name, there) = self.place_for(path)?;
        let there = there.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        self.nodes.get(&there).map_or(Ok(()), may_remove)?;
        self.change(vec![(directory, name.to_owned(), None)]);
        Ok(())
    }

    fn remove_with_contents(&mut self, path: &Path) -> io::Result<()> {
        let node = self.find(path)?;
        for name in self.names(node)?.keys().cloned().collect::<Vec<_>>() {
            let below = path.join(name);
            match self.nodes.get(&self.find(&below)?) {
                Some(Node::Directory { .. }) => self.remove_with_contents(&below)?,
                _ => self.remove(&below, |_| Ok(()))?,
            }
        }
        self.remove(path, |_| Ok(()))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (directory, name, there) = self.place_for(from)?;
        let moved = there.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let (into, new_name, replaced) = self.place_for(to)?;
        let is_directory = |node: u64| matches!(self.nodes.get(&node), Some(Node::Directory { .. }));
        match replaced {
            Some(replaced) if replaced == moved => return Ok(()),
            Some(replaced) => match (is_directory(moved), is_directory(replaced)) {
                (false, true) => return Err(io::ErrorKind::IsADirectory.into()),
                (true, false) => return Err(io::ErrorKind::NotADirectory.into()),
                (true, true) if !self.names(replaced)?.is_empty() => {
                    return Err(io::ErrorKind::DirectoryNotEmpty.into());
                }
                _ => {}
            },
            None => {}
        }
        self.change(vec![(directory, name.to_owned(), None), (into, new_name.to_owned(), Some(moved))]);
        Ok(())
    }

    fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        let directory = self.find(path)?;
        self.names(directory)?;
        let (synced, mut kept): (Vec<Change>, Vec<Change>) = std::mem::take(&mut self.changes)
            .into_iter()
            .partition(|Change(names)| names.iter().any(|(changed, ..)| *changed == directory));
        for Change(names) in synced {
            self.make_durable(&names);
            // An older change of the same name elsewhere must not come back over this one.
            let overtaken: Vec<(u64, &OsString)> = names
                .iter()
                .filter(|(changed, ..)| *changed != directory)
                .map(|(changed, name, _)| (*changed, name))
                .collect();
            for Change(older) in &mut kept {
                older.retain(|(changed, name, _)| !overtaken.contains(&(*changed, name)));
            }
        }
        self.changes = kept;
        Ok(())
    }
}

impl FileNode {
    fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
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

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.bytes.resize(length, 0);
        self.unsynced.push(Unsynced::Length(length));
        Ok(())
    }

    fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            self.keep(change);
        }
    }

    /// Of what was not synced some becomes durable, perhaps in part, and the rest never will.
    fn lose_some(&mut self, random: &mut fastrand::Rng) {
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

/// An open file of a simulated disk.
#[derive(Debug)]
struct SimulatedFile {
    shared: Arc<Shared>,
    node: u64,
    /// No other handle has it.
    id: u64,
    /// The disk's crashes when it was opened.
    crashes: u64,
    writable: bool,
}

impl SimulatedFile {
    fn open(shared: &Arc<Shared>, disk: &mut Disk, node: u64, writable: bool) -> io::Result<Arc<dyn FileHandle>> {
        disk.file(node)?.handles += 1;
        disk.made += 1;
        Ok(Arc::new(Self { shared: Arc::clone(shared), node, id: disk.made, crashes: disk.crashes, writable }))
    }

    fn file<'d>(&self, disk: &'d mut Disk) -> io::Result<&'d mut FileNode> {
        if disk.crashes != self.crashes {
            return Err(no_power());
        }
        disk.file(self.node)
    }

    fn writable<'d>(&self, disk: &'d mut Disk) -> io::Result<&'d mut FileNode> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.file(disk)
    }
}

impl FileHandle for SimulatedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.shared.run(Kind::Other, |disk| {
            let bytes = &self.file(disk)?.bytes;
            let rest = usize::try_from(offset).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
            let read = rest.len().min(buffer.len());
            buffer[..read].copy_from_slice(&rest[..read]);
            Ok(read)
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut disk = self.shared.disk();
        let fault = disk.next_fault()?;
        let file = self.writable(&mut disk)?;
        let half = &bytes[..bytes.len() / 2];
        match fault {
            Some(DiskFault::Refused) => Err(refused()),
            Some(DiskFault::DoneButFailed) => file.write(bytes, offset).and_then(|_| Err(refused())),
            Some(DiskFault::Short) if !half.is_empty() => file.write(half, offset),
            Some(DiskFault::NoSpace) => file.write(half, offset).and_then(|_| Err(io::ErrorKind::StorageFull.into())),
            _ => file.write(bytes, offset),
        }
    }

    fn length(&self) -> io::Result<u64> {
        self.shared.run(Kind::Other, |disk| Ok(self.file(disk)?.bytes.len() as u64))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.shared.run(Kind::Other, |disk| self.writable(disk)?.set_length(length))
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.shared.disk();
        let fault = disk.next_fault()?;
        self.file(&mut disk)?;
        let Disk { nodes, random, .. } = &mut *disk;
        let Some(Node::File(file)) = nodes.get_mut(&self.node) else { return Err(io::ErrorKind::NotFound.into()) };
        match fault {
            Some(DiskFault::Refused) => file.lose_some(random),
            _ => file.sync(),
        }
        match fault {
            Some(DiskFault::Refused | DiskFault::DoneButFailed) => Err(refused()),
            _ => Ok(()),
        }
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut disk = self.shared.disk();
        if disk.without_power {
            return Err(no_power());
        }
        let file = self.file(&mut disk)?;
        let mine = *file.locked_by.get_or_insert(self.id) == self.id;
        Ok(mine)
    }

    fn lock(&self) -> io::Result<()> {
        let mut disk = self.shared.disk();
        loop {
            if disk.without_power {
                return Err(no_power());
            }
            if *self.file(&mut disk)?.locked_by.get_or_insert(self.id) == self.id {
                return Ok(());
            }
            disk = self.shared.unlocked.wait(disk).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for SimulatedFile {
    fn drop(&mut self) {
        let mut disk = self.shared.disk();
        if let Ok(file) = self.file(&mut disk) {
            file.handles = file.handles.saturating_sub(1);
            if file.locked_by == Some(self.id) {
                file.locked_by = None;
            }
        }
        drop(disk);
        self.shared.unlocked.notify_all();
    }
}

impl Files for SimulatedDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn FileHandle>> {
        let kind = if mode == OpenMode::Read { Kind::Other } else { Kind::Make };
        self.shared.run(kind, |disk| {
            let node = match (disk.find(path), mode) {
                (Ok(_), OpenMode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
                (Ok(node), OpenMode::Truncate) => {
                    disk.file(node)?.set_length(0)?;
                    node
                }
                (Ok(node), _) => node,
                (Err(error), mode) if mode == OpenMode::Read || error.kind() != io::ErrorKind::NotFound => {
                    return Err(error);
                }
                (Err(_), _) => disk.make(path, Node::File(FileNode::default()))?,
            };
            SimulatedFile::open(&self.shared, disk, node, mode != OpenMode::Read)
        })
    }

    fn open_unnamed(&self, directory: &Path) -> io::Result<Arc<dyn FileHandle>> {
        self.shared.run(Kind::Make, |disk| {
            let directory = disk.find(directory)?;
            disk.names(directory)?;
            let node = disk.add(Node::File(FileNode::default()));
            SimulatedFile::open(&self.shared, disk, node, true)
        })
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.shared.run(Kind::Other, |disk| {
            let node = disk.find(path)?;
            match disk.file(node) {
                Ok(file) => Ok(FileMetadata { kind: FileKind::File, length: file.bytes.len() as u64 }),
                Err(_) => Ok(FileMetadata { kind: FileKind::Directory, length: 0 }),
            }
        })
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        self.shared.run(Kind::Other, |disk| Ok(disk.names(disk.find(directory)?)?.keys().cloned().collect()))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let directory = Node::Directory { names: Names::new(), durable: Names::new() };
        self.shared.run(Kind::Make, |disk| disk.make(path, directory).map(drop))
    }

    fn link(&self, file: &Path, name: &Path) -> io::Result<()> {
        self.shared.run(Kind::Make, |disk| {
            let node = disk.find(file)?;
            disk.file(node)?;
            let (directory, name, there) = disk.place_for(name)?;
            if there.is_some() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            disk.change(vec![(directory, name.to_owned(), Some(node))]);
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.shared.run(Kind::Make, |disk| disk.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.shared.run(Kind::Other, |disk| {
            disk.remove(path, |node| match node {
                Node::File(_) => Ok(()),
                Node::Directory { .. } => Err(io::ErrorKind::IsADirectory.into()),
            })
        })
    }

    fn remove_empty_directory(&self, path: &Path) -> io::Result<()> {
        self.shared.run(Kind::Other, |disk| {
            disk.remove(path, |node| match node {
                Node::Directory { names, .. } if names.is_empty() => Ok(()),
                Node::Directory { .. } => Err(io::ErrorKind::DirectoryNotEmpty.into()),
                Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
            })
        })
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.shared.run(Kind::Other, |disk| disk.remove_with_contents(path))
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.shared.run(Kind::Other, |disk| disk.sync_directory(directory))
    }

    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.shared.run(Kind::Other, |disk| disk.find(from).and(disk.find(to)).map(drop))
    }

    fn may_wait(&self) -> bool {
        false
    }
}
