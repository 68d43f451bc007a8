//! The names and files of a simulated disk.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path};

use super::file_node::FileNode;

/// The directory that has no name.
const ROOT: u64 = 0;

#[derive(Debug)]
pub(super) enum Node {
    File(FileNode),
    Directory { names: Names, durable: Names },
}

impl Node {
    pub fn directory() -> Self {
        Self::Directory { names: Names::new(), durable: Names::new() }
    }
}

pub(super) type Names = BTreeMap<OsString, u64>;

/// Names that changed in one step: made, replaced or, without a node, removed. All of them become durable together or none does.
#[derive(Debug)]
struct Change(Vec<(u64, OsString, Option<u64>)>);

/// The names and files of a simulated disk: what a process sees of them, and what of that is durable.
#[derive(Debug)]
pub(super) struct SimulatedTree {
    nodes: BTreeMap<u64, Node>,
    numbers: u64,
    /// Changes of names that no sync has made durable, oldest first.
    changes: Vec<Change>,
    /// The number of nodes at which unreachable ones are collected.
    collect_at: usize,
}

impl SimulatedTree {
    pub fn new() -> Self {
        let nodes = BTreeMap::from([(ROOT, Node::directory())]);
        Self { nodes, numbers: ROOT, changes: Vec::new(), collect_at: 64 }
    }

    /// A number that nothing else has.
    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    #[cfg(test)]
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The power goes: some of what was not synced is there and some is not.
    pub fn crash(&mut self, random: &mut fastrand::Rng) {
        for Change(names) in std::mem::take(&mut self.changes) {
            if random.bool() {
                self.make_durable(&names);
            }
        }
        for node in self.nodes.values_mut() {
            match node {
                Node::Directory { names, durable } => names.clone_from(durable),
                Node::File(file) => file.crash(random),
            }
        }
    }

    /// Every process that has files open ends.
    pub fn close_files(&mut self) {
        for node in self.nodes.values_mut() {
            if let Node::File(file) = node {
                file.close();
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

    pub fn add(&mut self, node: Node) -> u64 {
        if self.nodes.len() >= self.collect_at {
            self.collect();
        }
        let number = self.number();
        self.nodes.insert(number, node);
        number
    }

    pub fn names(&self, directory: u64) -> io::Result<&Names> {
        match self.nodes.get(&directory) {
            Some(Node::Directory { names, .. }) => Ok(names),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub fn file(&mut self, node: u64) -> io::Result<&mut FileNode> {
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

    pub fn find(&self, path: &Path) -> io::Result<u64> {
        self.node_at(self.place(path)?)
    }

    /// A place where a name can be made, and what has the name now.
    pub fn place_for<'p>(&self, path: &'p Path) -> io::Result<(u64, &'p OsStr, Option<u64>)> {
        let (directory, name) = self.place(path)?;
        let name = name.ok_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists))?;
        let there = self.names(directory)?.get(name).copied();
        Ok((directory, name, there))
    }

    pub fn change(&mut self, changed: Vec<(u64, OsString, Option<u64>)>) {
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

    pub fn make(&mut self, path: &Path, node: Node) -> io::Result<u64> {
        let (directory, name, there) = self.place_for(path)?;
        if there.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let made = self.add(node);
        self.change(vec![(directory, name.to_owned(), Some(made))]);
        Ok(made)
    }

    pub fn remove(&mut self, path: &Path, may_remove: impl Fn(&Node) -> io::Result<()>) -> io::Result<()> {
        let (directory, name, there) = self.place_for(path)?;
        let there = there.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        self.nodes.get(&there).map_or(Ok(()), may_remove)?;
        self.change(vec![(directory, name.to_owned(), None)]);
        Ok(())
    }

    pub fn remove_with_contents(&mut self, path: &Path) -> io::Result<()> {
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

    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
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

    pub fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
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
