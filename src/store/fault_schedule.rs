//! When something is to fail.

use std::collections::BTreeMap;

/// Says of each operation in turn whether it fails and how: at numbers that were named, by seeded chance, or both. The same seed and
/// the same operations give the same faults.
#[derive(Clone, Debug)]
pub(super) struct FaultSchedule<F> {
    operations: u64,
    at: BTreeMap<u64, F>,
    chance: Option<Chance<F>>,
}

#[derive(Clone, Debug)]
struct Chance<F> {
    random: fastrand::Rng,
    per_mille: u32,
    faults: Vec<F>,
}

impl<F: Copy> FaultSchedule<F> {
    /// Nothing fails.
    pub fn new() -> Self {
        Self { operations: 0, at: BTreeMap::new(), chance: None }
    }

    /// How many operations there were.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Lets the `number`th operation from here fail; the next one is 0.
    pub fn fail_at(&mut self, number: u64, fault: F) {
        self.at.insert(self.operations + number, fault);
    }

    /// Lets of 1,000 operations about `per_mille` fail, in one of these ways.
    pub fn fail_by_chance(&mut self, seed: u64, per_mille: u32, faults: Vec<F>) {
        self.chance = Some(Chance { random: fastrand::Rng::with_seed(seed), per_mille, faults });
    }

    /// Lets nothing fail any more.
    pub fn clear(&mut self) {
        self.at.clear();
        self.chance = None;
    }

    /// Counts one operation, and says how it fails.
    pub fn next(&mut self) -> Option<F> {
        let named = self.at.remove(&self.operations);
        self.operations += 1;
        // A random number is drawn for every operation, so that a given fault does not shift the random ones.
        let thrown = self.chance.as_mut().and_then(|Chance { random, per_mille, faults }| {
            let hit = random.u32(0..1_000) < *per_mille;
            let fault = random.choice(faults.iter()).copied();
            fault.filter(|_| hit)
        });
        named.or(thrown)
    }
}
