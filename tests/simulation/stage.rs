//! The world of a life, and everything that is known of it without the program: whose hand does what to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sexton::base::Clock as _;
use sexton::sandbox::Sandbox;
use sexton::store::{FileKind, Files as _, OpenMode, SimulatedDisk, create_directories, parent_of};

use crate::project::{Hold, PLACES, PROJECT, Policy, Project, WORDS};
use crate::step::{Deed, Edit};
use crate::support::route::System;
use crate::support::wire::locked;
use crate::transcript::Recording;

/// A record that was ever there.
#[derive(Clone, Debug)]
pub struct Record {
    pub system: System,
    pub word: String,
    /// Whether the hold on marked records has it.
    pub marked: bool,
    pub born: Timestamp,
    /// Whether nobody can delete it.
    pub stubborn: bool,
    /// Whether somebody else deleted it.
    pub removed: bool,
    /// Since when a hold has had it.
    pub held_since: Option<Timestamp>,
    pub was_ever_held: bool,
    /// Whether somebody changed it, so that no policy wants it.
    pub renewed: bool,
}

/// The files below a directory, with their bytes.
pub type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// What is known.
pub struct Known {
    pub records: BTreeMap<String, Record>,
    pub project: Project,
    /// What each of [`PLACES`] held after the plans so far, the last one last.
    pub plans: [Vec<Tree>; PLACES.len()],
    /// The state after the commands so far, the last one last.
    pub states: Vec<Vec<u8>>,
    /// Whether an older state was ever restored.
    pub was_state_restored: bool,
    /// When time last passed at once.
    pub jumped: Option<Timestamp>,
}

/// The systems, the disk, and what is known of them. Clones are the same ones.
#[derive(Clone)]
pub struct Stage {
    pub sandbox: Sandbox,
    pub disk: SimulatedDisk,
    pub recording: Recording,
    known: Arc<Mutex<Known>>,
}

impl Known {
    /// Whether a hold has a record.
    fn is_held(&self, record: &Record) -> bool {
        let mut holds = self.project.holds.iter().filter(|hold| hold.system == record.system);
        holds.any(|hold| hold.keeps(&record.word, record.marked))
    }

    /// Finds anew what is held, from `now` on.
    fn find_held(&mut self, now: Timestamp) {
        let held: Vec<String> =
            self.records.iter().filter(|(_, record)| self.is_held(record)).map(|(id, _)| id.clone()).collect();
        let held: BTreeSet<String> = held.into_iter().collect();
        for (id, record) in &mut self.records {
            let is_held = held.contains(id);
            record.was_ever_held |= is_held;
            record.held_since = is_held.then(|| record.held_since.unwrap_or(now));
        }
    }

    fn policy(&mut self, number: usize) -> &mut Policy {
        let count = self.project.policies.len();
        &mut self.project.policies[number % count]
    }
}

impl Stage {
    pub fn new(sandbox: Sandbox, disk: SimulatedDisk, recording: Recording, project: Project) -> Self {
        create_directories(&disk, Path::new(PROJECT), true).expect("a directory");
        let known = Known {
            records: BTreeMap::new(),
            project,
            plans: Default::default(),
            states: Vec::new(),
            was_state_restored: false,
            jumped: None,
        };
        Self { sandbox, disk, recording, known: Arc::new(Mutex::new(known)) }
    }

    pub fn known(&self) -> MutexGuard<'_, Known> {
        locked(&self.known)
    }

    /// The right time.
    pub fn now(&self) -> Timestamp {
        self.sandbox.clock().now()
    }

    /// The records that there are.
    pub fn live(&self) -> BTreeSet<String> {
        let systems = self.known().project.systems.clone();
        systems.iter().flat_map(|system| system.live(&self.sandbox)).collect()
    }

    /// The records that policies select or would, were they not held: live, matching, in order of ids.
    pub fn matching(&self, policy: &Policy, now: Timestamp) -> BTreeSet<String> {
        let live = policy.route.system.live(&self.sandbox);
        let known = self.known();
        let matches = |id: &String| {
            let record = &known.records[id];
            policy.matches(&record.word, record.born, now)
        };
        live.into_iter().filter(matches).collect()
    }

    /// Makes records with a word.
    pub fn add(&self, system: System, count: usize, word: &str) -> Vec<String> {
        let ids = system.add(&self.sandbox, count, word);
        let mut known = self.known();
        let record = Record {
            system,
            word: word.to_owned(),
            marked: false,
            born: self.now(),
            stubborn: false,
            removed: false,
            held_since: None,
            was_ever_held: false,
            renewed: false,
        };
        known.records.extend(ids.iter().map(|id| (id.clone(), record.clone())));
        known.find_held(self.now());
        ids
    }

    /// From now on nobody can delete the record, where there are such.
    pub fn make_stubborn(&self, id: &str) {
        if let Some(record) = self.known().records.get_mut(id) {
            record.stubborn = record.system.refuse(&self.sandbox, id);
        }
    }

    /// Finds anew what is held, since the manifests are others now.
    pub fn find_held(&self) {
        self.known().find_held(self.now());
    }

    pub fn mark(&self, id: &str) {
        self.change(id, |system| system.hold(&self.sandbox, id), |record| record.marked = true);
    }

    fn change(&self, id: &str, there: impl FnOnce(System), here: impl FnOnce(&mut Record)) {
        let mut known = self.known();
        let record = known.records.get_mut(id).expect("a record");
        there(record.system);
        here(record);
        let now = self.now();
        known.find_held(now);
    }

    /// Writes the manifests as they are by now.
    pub fn write_manifests(&self) {
        let text = self.known().project.text();
        self.write(&Path::new(PROJECT).join("sexton.yaml"), text.as_bytes());
    }

    /// Writes a file durably, as an editor does: whole or not at all.
    fn write(&self, path: &Path, bytes: &[u8]) {
        let directory = parent_of(path);
        create_directories(&self.disk, directory, true).expect("a directory");
        let beside = directory.join(".edited");
        let file = self.disk.open(&beside, OpenMode::Truncate).expect("made");
        file.write_all_at(bytes, 0).and_then(|()| file.sync()).expect("written");
        self.disk.rename(&beside, path).and_then(|()| self.disk.sync_directory(directory)).expect("durable");
    }

    /// Puts other files in the place of what a directory holds.
    pub fn write_tree(&self, directory: &Path, tree: &Tree) {
        for path in self.files_below(directory).keys() {
            self.disk.remove_file(path).expect("removed");
        }
        for (path, bytes) in tree {
            self.write(&directory.join(path), bytes);
        }
    }

    /// Every file below a directory, with its bytes.
    pub fn files_below(&self, directory: &Path) -> Tree {
        let mut found = Tree::new();
        for name in self.disk.list(directory).unwrap_or_default() {
            let path = directory.join(name);
            match self.disk.metadata(&path).expect("it is there").kind {
                FileKind::Directory => found.extend(self.files_below(&path)),
                _ => {
                    let file = self.disk.open(&path, OpenMode::Read).expect("a file");
                    found.insert(path, file.read_whole(u64::MAX).expect("readable"));
                }
            }
        }
        found
    }

    /// The same, with paths below the directory.
    pub fn tree(&self, directory: &Path) -> Tree {
        let below = |(path, bytes): (PathBuf, Vec<u8>)| (path.strip_prefix(directory).expect("below it").to_owned(), bytes);
        self.files_below(directory).into_iter().map(below).collect()
    }

    /// Does something to the record of that number.
    fn edit_record(&self, deed: Deed, number: usize) {
        let live: Vec<String> = self.live().into_iter().collect();
        let Some(id) = number.checked_rem(live.len()).map(|place| live[place].clone()) else { return };
        if matches!(deed, Deed::Remove) && self.known().records[&id].stubborn {
            return;
        }
        self.recording.add(format_args!("somebody does {deed:?} to {id}"));
        let sandbox = &self.sandbox;
        match deed {
            Deed::Renew => {
                let renew = |record: &mut Record| (record.word, record.renewed) = ("new".to_owned(), true);
                self.change(&id, |system| system.renew(sandbox, &id), renew);
            }
            Deed::Mark => self.mark(&id),
            Deed::Touch => self.change(&id, |system| system.touch(sandbox, &id), |record| record.marked = false),
            Deed::Remove => self.change(&id, |system| system.remove(sandbox, &id), |record| record.removed = true),
        }
    }

    /// Does what people do.
    pub fn edit(&self, edit: &Edit) {
        match edit {
            Edit::Records { deed, first, count } => {
                (0..*count).for_each(|next| self.edit_record(*deed, first.wrapping_add(next * 7)));
            }
            Edit::Add { system, count, word } => {
                let systems = self.known().project.systems.clone();
                let ids = self.add(systems[system % systems.len()], *count, WORDS[word % WORDS.len()]);
                self.recording.add(format_args!("somebody adds {ids:?}"));
            }
            Edit::RestorePlan { place, back } => {
                let tree = self.known().plans[*place].iter().rev().nth(*back).cloned();
                if let Some(tree) = tree {
                    self.write_tree(&Path::new(PROJECT).join(PLACES[*place]), &tree);
                }
            }
            Edit::RestoreState { back } => {
                let state = self.known().states.iter().rev().nth(*back).cloned();
                if let Some(state) = state {
                    self.write(&Path::new(PROJECT).join(".sexton/state.json"), &state);
                    self.known().was_state_restored = true;
                }
            }
            Edit::Pass(time) => {
                self.sandbox.clock().advance(*time);
                self.known().jumped = Some(self.now());
            }
            Edit::Hold { .. } | Edit::Lift(_) | Edit::Limit { .. } | Edit::ReviewBy { .. } | Edit::OlderThan { .. } => {
                self.edit_manifests(edit);
            }
        }
    }

    fn edit_manifests(&self, edit: &Edit) {
        let now = self.now();
        {
            let known = &mut *self.known();
            match edit {
                Edit::Hold { system, word } => {
                    let system = known.project.systems[system % known.project.systems.len()];
                    let word = WORDS[word % WORDS.len()];
                    let name = format!("{}-{word}", system.target());
                    if !known.project.holds.iter().any(|hold| hold.name == name) {
                        known.project.holds.push(Hold { name, system, word: Some(word.to_owned()) });
                    }
                }
                Edit::Lift(number) => {
                    let holds = &mut known.project.holds;
                    if let Some(number) = number.checked_rem(holds.len()) {
                        holds.remove(number);
                    }
                }
                Edit::Limit { policy, most } => known.policy(*policy).max_records = *most,
                Edit::ReviewBy { policy, days } => {
                    let day = (now + SignedDuration::from_hours(24 * days)).to_zoned(TimeZone::UTC).date();
                    known.policy(*policy).review_by = Some(day);
                }
                Edit::OlderThan { policy, days } => known.policy(*policy).days = Some(*days),
                _ => {}
            }
            known.find_held(now);
        }
        self.recording.add(format_args!("the person writes {edit:?}"));
        self.write_manifests();
    }
}
