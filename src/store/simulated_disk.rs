//! A disk in memory that forgets what was not synced, and fails as disks do.

use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::fault_schedule::FaultSchedule;
use super::file_node::FileNode;
use super::simulated_tree::{Node, SimulatedTree};
use super::{FileHandle, FileKind, FileMetadata, Files, OpenMode};

/// How an operation on a [`SimulatedDisk`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// It is not done. A sync that is refused has lost some of what it was to keep, and the next one does not bring it back.
    Refused,
    /// It is done but reported as failed.
    DoneButFailed,
    /// A write is cut short, which is no error. Nothing else notices.
    Short,
    /// There is no space: a write is half done, and nothing can be created. Operations that need no space succeed.
    NoSpace,
    /// The power goes: neither this operation nor any later one is done before [`SimulatedDisk::crash`] or
    /// [`SimulatedDisk::kill`].
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
    tree: SimulatedTree,
    faults: FaultSchedule<DiskFault>,
    random: fastrand::Rng,
    /// How often every process has ended: a handle from before is of no use.
    crashes: u64,
    without_power: bool,
}

/// What an operation needs, for the faults that ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It needs space for a name.
    Make,
    Other,
}

impl SimulatedDisk {
    /// An empty disk. What it loses and how comes from the seed.
    pub fn new(seed: u64) -> Self {
        let disk = Disk {
            tree: SimulatedTree::new(),
            faults: FaultSchedule::new(),
            random: fastrand::Rng::with_seed(seed),
            crashes: 0,
            without_power: false,
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
        self.shared.disk().crash();
        self.shared.unlocked.notify_all();
    }

    /// Kills all processes while the machine keeps running: as [`SimulatedDisk::crash`], but nothing is lost. After a
    /// [`DiskFault::PowerLoss`], they are killed before that operation.
    pub fn kill(&self) {
        self.shared.disk().kill();
        self.shared.unlocked.notify_all();
    }

    #[cfg(test)]
    pub(super) fn nodes(&self) -> usize {
        self.shared.disk().tree.nodes()
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
        self.tree.crash(&mut self.random);
        self.kill();
    }

    fn kill(&mut self) {
        self.crashes += 1;
        self.without_power = false;
        self.tree.close_files();
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
        disk.tree.file(node)?.handles += 1;
        let id = disk.tree.number();
        Ok(Arc::new(Self { shared: Arc::clone(shared), node, id, crashes: disk.crashes, writable }))
    }

    fn file<'d>(&self, disk: &'d mut Disk) -> io::Result<&'d mut FileNode> {
        if disk.crashes != self.crashes {
            return Err(no_power());
        }
        disk.tree.file(self.node)
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
        let Disk { tree, random, .. } = &mut *disk;
        let file = tree.file(self.node)?;
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
            let node = match (disk.tree.find(path), mode) {
                (Ok(_), OpenMode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
                (Ok(node), OpenMode::Truncate) => {
                    disk.tree.file(node)?.set_length(0)?;
                    node
                }
                (Ok(node), _) => node,
                (Err(error), mode) if mode == OpenMode::Read || error.kind() != io::ErrorKind::NotFound => {
                    return Err(error);
                }
                (Err(_), _) => disk.tree.make(path, Node::File(FileNode::default()))?,
            };
            SimulatedFile::open(&self.shared, disk, node, mode != OpenMode::Read)
        })
    }

    fn open_unnamed(&self, directory: &Path) -> io::Result<Arc<dyn FileHandle>> {
        self.shared.run(Kind::Make, |disk| {
            let directory = disk.tree.find(directory)?;
            disk.tree.names(directory)?;
            let node = disk.tree.add(Node::File(FileNode::default()));
            SimulatedFile::open(&self.shared, disk, node, true)
        })
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.shared.run(Kind::Other, |disk| {
            let node = disk.tree.find(path)?;
            match disk.tree.file(node) {
                Ok(file) => Ok(FileMetadata { kind: FileKind::File, length: file.bytes.len() as u64 }),
                Err(_) => Ok(FileMetadata { kind: FileKind::Directory, length: 0 }),
            }
        })
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.shared.run(Kind::Other, |disk| disk.tree.find(path).map(drop))?;
        let mut resolved = PathBuf::from("/");
        for component in path.components() {
            match component {
                Component::Normal(name) => resolved.push(name),
                Component::ParentDir => _ = resolved.pop(),
                _ => {}
            }
        }
        Ok(resolved)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        self.shared.run(Kind::Other, |disk| Ok(disk.tree.names(disk.tree.find(directory)?)?.keys().cloned().collect()))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let directory = Node::directory();
        self.shared.run(Kind::Make, |disk| disk.tree.make(path, directory).map(drop))
    }

    fn link(&self, file: &Path, name: &Path) -> io::Result<()> {
        self.shared.run(Kind::Make, |disk| {
            let node = disk.tree.find(file)?;
            disk.tree.file(node)?;
            let (directory, name, there) = disk.tree.place_for(name)?;
            if there.is_some() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            disk.tree.change(vec![(directory, name.to_owned(), Some(node))]);
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.shared.run(Kind::Make, |disk| disk.tree.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.shared.run(Kind::Other, |disk| {
            disk.tree.remove(path, |node| match node {
                Node::File(_) => Ok(()),
                Node::Directory { .. } => Err(io::ErrorKind::IsADirectory.into()),
            })
        })
    }

    fn remove_empty_directory(&self, path: &Path) -> io::Result<()> {
        self.shared.run(Kind::Other, |disk| {
            disk.tree.remove(path, |node| match node {
                Node::Directory { names, .. } if names.is_empty() => Ok(()),
                Node::Directory { .. } => Err(io::ErrorKind::DirectoryNotEmpty.into()),
                Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
            })
        })
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.shared.run(Kind::Other, |disk| disk.tree.remove_with_contents(path))
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.shared.run(Kind::Other, |disk| disk.tree.sync_directory(directory))
    }

    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.shared.run(Kind::Other, |disk| disk.tree.find(from).and(disk.tree.find(to)).map(drop))
    }

    fn may_wait(&self) -> bool {
        false
    }
}
