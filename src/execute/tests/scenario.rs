//! What a test does to a run: its records, what goes wrong, and where processes die.

use proptest::prelude::*;

use super::world::Wrong;
use crate::apply::SkipCause;
use crate::system::{Api, ApiShape};

/// Where one process of a run dies.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// At a request, counted from the start of this process.
    Request(u64, bool),
    /// At a journal entry.
    Entry(u64, bool),
    /// Not at all.
    Natural,
}

#[derive(Clone, Debug)]
pub(super) struct Scenario {
    /// For each planned record: whether it is kept back, gone, refused by the system, and how often it is locked.
    pub(super) records: Vec<(bool, bool, bool, u32)>,
    pub(super) api: Api,
    pub(super) atomic: bool,
    /// Whether failing records of atomic batches are isolated.
    pub(super) isolates: bool,
    /// Whether an atomic request with a record that fails is refused as a whole, without a word about which.
    pub(super) nameless: bool,
    /// Whether a record that is refused is said to be gone.
    pub(super) denied: bool,
    pub(super) grouped: bool,
    pub(super) batch_size: u64,
    pub(super) parallel: u32,
    pub(super) faults: Vec<Wrong>,
    pub(super) ends: Vec<End>,
    /// Whether answers lie in objects of their own.
    pub(super) stored_answers: bool,
    /// What rechecks find when processes begin: the first process, the first that does not find it any more, the record, and why
    /// it is not to be sent.
    pub(super) excluded: Vec<(usize, usize, usize, SkipCause)>,
}

impl Scenario {
    pub(super) fn calm(count: usize, jobs: bool) -> Self {
        let records = vec![(false, false, false, 0); count];
        let (faults, ends, excluded) = (Vec::new(), Vec::new(), Vec::new());
        let api = if jobs { Api::Bulk2 } else { Api::Collections };
        Self {
            records,
            api,
            atomic: false,
            isolates: false,
            nameless: false,
            denied: false,
            grouped: false,
            batch_size: 5,
            parallel: 2,
            faults,
            ends,
            stored_answers: false,
            excluded,
        }
    }
}

pub(super) fn wrongs() -> impl Strategy<Value = Wrong> {
    prop_oneof![
        20 => Just(Wrong::Nothing),
        2 => Just(Wrong::Transient),
        1 => Just(Wrong::Throttled),
        1 => Just(Wrong::Quota),
        1 => Just(Wrong::Refused),
        3 => Just(Wrong::LostBefore),
        3 => Just(Wrong::LostAfter),
        2 => Just(Wrong::Breaks),
        2 => Just(Wrong::Missing),
        1 => Just(Wrong::Foreign),
        1 => Just(Wrong::Contradiction),
        1 => Just(Wrong::Forgotten),
        1 => Just(Wrong::Malformed),
    ]
}

pub(super) fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        (1..20_u64, any::<bool>()).prop_map(|(request, after)| End::Request(request, after)),
        (1..20_u64, any::<bool>()).prop_map(|(entry, durable)| End::Entry(entry, durable)),
    ]
}

pub(super) fn scenarios() -> impl Strategy<Value = Scenario> {
    let locks = prop_oneof![8 => Just(0_u32), 3 => 1..4_u32, 1 => Just(99)];
    let record = (prop::bool::weighted(0.1), prop::bool::weighted(0.1), prop::bool::weighted(0.1), locks);
    let api =
        prop_oneof![3 => Just(Api::Collections), 3 => Just(Api::Bulk2), 1 => Just(Api::Bulk1), 1 => Just(Api::FulcrumBatch)];
    let shape = (api, prop::bool::weighted(0.3), any::<(bool, bool, bool, bool)>(), any::<bool>(), 1..12_u64, 1..4_u32);
    let causes = prop::sample::select(vec![SkipCause::Held, SkipCause::Changed, SkipCause::NoLongerMatches]);
    let excluded = (1..4_usize, 1..3_usize, any::<prop::sample::Index>(), causes);
    (
        prop::collection::vec(record, 0..40),
        shape,
        prop::collection::vec(wrongs(), 0..60),
        prop::collection::vec(ends(), 0..5),
        prop::collection::vec(excluded, 0..5),
    )
        .prop_map(
            |(
                records,
                (api, atomic, (isolates, nameless, stored_answers, denied), grouped, batch_size, parallel),
                faults,
                ends,
                excluded,
            )| {
                let count = records.len();
                let excluded = excluded.into_iter().filter(|_| count > 0);
                let excluded = excluded
                    .map(|(from, length, record, cause)| (from, from + length, record.index(count), cause))
                    .collect();
                let atomic = atomic && api.shape() == ApiShape::Requests;
                let isolates = isolates && atomic;
                Scenario {
                    records,
                    api,
                    atomic,
                    isolates,
                    nameless,
                    denied,
                    grouped,
                    batch_size,
                    parallel,
                    faults,
                    ends,
                    stored_answers,
                    excluded,
                }
            },
        )
}
