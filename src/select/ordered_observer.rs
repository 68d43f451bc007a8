//! Reports the progress of concurrent pieces of work in a fixed order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::{Observer, PolicyName};

/// Passes on what the first unfinished piece of work reports, and keeps what later ones report until their turn: so the order of
/// output does not depend on which answers come first.
pub(super) struct OrderedObserver {
    inner: Arc<dyn Observer>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// The place of the first unfinished work.
    first: usize,
    ended: BTreeSet<usize>,
    kept: BTreeMap<usize, Vec<Told>>,
}

enum Told {
    Progress { policy: Option<PolicyName>, doing: String, done: u64, total: Option<u64> },
    Warning(String),
}

impl OrderedObserver {
    pub(super) fn new(inner: Arc<dyn Observer>) -> Arc<Self> {
        Arc::new(Self { inner, queue: Mutex::default() })
    }

    /// The observer of the work at a place, counted from 0.
    pub(super) fn at(self: &Arc<Self>, place: usize) -> Arc<dyn Observer> {
        Arc::new(Placed { ordered: Arc::clone(self), place })
    }

    /// The work at a place has ended and tells nothing more.
    pub(super) fn end(&self, place: usize) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.ended.insert(place);
        let mut first = queue.first;
        while queue.ended.remove(&first) {
            first += 1;
            let kept = queue.kept.remove(&first).unwrap_or_default();
            kept.iter().for_each(|told| self.pass_on(told));
        }
        queue.first = first;
    }

    fn take(&self, place: usize, told: Told) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if place == queue.first {
            self.pass_on(&told);
            return;
        }
        let kept = queue.kept.entry(place).or_default();
        if !kept.last().is_some_and(|last| told.adds_nothing_to(last)) {
            kept.push(told);
        }
    }

    fn pass_on(&self, told: &Told) {
        match told {
            Told::Progress { policy, doing, done, total } => self.inner.progress(policy.as_ref(), doing, *done, *total),
            Told::Warning(message) => self.inner.warn(message),
        }
    }
}

impl Told {
    /// Whether nobody misses it after `last`: progress within the same quarter, which is all that is shown afterwards. So little
    /// is kept, however many records there are.
    fn adds_nothing_to(&self, last: &Self) -> bool {
        let quarter = |done: u64, total: Option<u64>| {
            total.filter(|total| *total > 0).map_or(done / 250_000, |total| done.saturating_mul(4) / total)
        };
        match (self, last) {
            (
                Self::Progress { policy, doing, done, total },
                Self::Progress { policy: last_policy, doing: last_doing, done: last_done, total: last_total },
            ) => {
                (policy, doing, total) == (last_policy, last_doing, last_total)
                    && quarter(*done, *total) == quarter(*last_done, *last_total)
            }
            _ => false,
        }
    }
}

struct Placed {
    ordered: Arc<OrderedObserver>,
    place: usize,
}

impl Observer for Placed {
    fn progress(&self, policy: Option<&PolicyName>, doing: &str, done: u64, total: Option<u64>) {
        let told = Told::Progress { policy: policy.cloned(), doing: doing.to_owned(), done, total };
        self.ordered.take(self.place, told);
    }

    fn warn(&self, message: &str) {
        self.ordered.take(self.place, Told::Warning(message.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Mutex<Vec<String>>);

    impl Seen {
        fn lines(&self) -> Vec<String> {
            self.0.lock().expect("not poisoned").clone()
        }
    }

    impl Observer for Seen {
        fn progress(&self, _: Option<&PolicyName>, doing: &str, done: u64, _: Option<u64>) {
            self.0.lock().expect("not poisoned").push(format!("{doing} {done}"));
        }

        fn warn(&self, message: &str) {
            self.0.lock().expect("not poisoned").push(message.to_owned());
        }
    }

    #[test]
    fn what_is_told_comes_in_the_order_of_the_works_whichever_ends_first() {
        let seen = Arc::new(Seen::default());
        let ordered = OrderedObserver::new(seen.clone());
        let [a, b, c] = [0, 1, 2].map(|place| ordered.at(place));
        c.warn("c");
        ordered.end(2);
        b.warn("b1");
        a.warn("a1");
        assert_eq!(seen.lines(), ["a1"]);
        a.warn("a2");
        ordered.end(0);
        assert_eq!(seen.lines(), ["a1", "a2", "b1"]);
        b.warn("b2");
        ordered.end(1);
        assert_eq!(seen.lines(), ["a1", "a2", "b1", "b2", "c"]);
    }

    #[test]
    fn of_a_work_that_waits_for_its_turn_one_line_a_quarter_is_kept() {
        let seen = Arc::new(Seen::default());
        let ordered = OrderedObserver::new(seen.clone());
        let behind = ordered.at(1);
        (1..=100).for_each(|done| behind.progress(None, "selecting", done, Some(100)));
        ordered.end(0);
        assert_eq!(seen.lines(), ["selecting 1", "selecting 25", "selecting 50", "selecting 75", "selecting 100"]);
    }
}
