//! What the journal of a run says, told to the machines of its policies again.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::execute_error::ExecuteError;
use super::round::{OpenedRound, RoundFiles};
use crate::apply::{Answers, Batch, Entry, Event, MachineSettings, PolicyMachine, Rechecked, Seal};
use crate::base::{Digest, PolicyName};
use crate::store::{
    JournalEnd, MessagesFile, RunScratch, RunStore, StoreError, read_journal, restore_answers, restore_stored_answers,
};

/// What the journal says of one policy.
#[derive(Clone, Debug)]
pub struct ReplayedPolicy {
    /// The machine, as far as the journal has it.
    pub machine: PolicyMachine,
    /// Its rounds, from the first on.
    pub rounds: Vec<OpenedRound>,
    /// What the recheck before the first round found.
    pub rechecked: Option<Rechecked>,
    /// When the last entry about it was written.
    pub last: Option<Timestamp>,
}

/// What the journal says of a run.
#[derive(Debug)]
pub struct Replay {
    /// Its policies.
    pub policies: BTreeMap<PolicyName, ReplayedPolicy>,
    /// Where to go on.
    pub end: JournalEnd,
}

impl Replay {
    /// Reads the journal of a run once, for all policies of it; an empty one for a run that was never begun.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read, is of another plan, or cannot be followed.
    pub async fn read(
        run: &RunStore,
        policies: impl IntoIterator<Item = (PolicyName, MachineSettings)>,
    ) -> Result<Self, ExecuteError> {
        let mut replayed = new_policies(policies);
        let mut broken = None;
        let end = read_journal(run.backend().as_ref(), &run.journal()?, |entry| {
            if let Err(error) = follow(&mut replayed, run.plan(), &entry) {
                broken.get_or_insert(error);
            }
        })
        .await?;
        match broken {
            Some(error) => Err(error),
            None => Ok(Self { policies: replayed, end }),
        }
    }

    /// The policies of a run of which nothing is journalled.
    pub fn empty(policies: impl IntoIterator<Item = (PolicyName, MachineSettings)>) -> Self {
        Self { policies: new_policies(policies), end: JournalEnd::default() }
    }

    /// Whether a batch of any policy was ever about to be sent.
    pub fn has_begun(&self) -> bool {
        self.policies.values().any(|policy| policy.machine.has_begun())
    }

    /// Whether something was sent, and every policy has come to its end.
    pub fn has_ended(&self) -> bool {
        self.has_begun() && self.policies.values().all(|policy| policy.machine.status().finished.is_some())
    }
}

fn new_policies(policies: impl IntoIterator<Item = (PolicyName, MachineSettings)>) -> BTreeMap<PolicyName, ReplayedPolicy> {
    let new =
        |settings| ReplayedPolicy { machine: PolicyMachine::new(settings), rounds: Vec::new(), rechecked: None, last: None };
    policies.into_iter().map(|(policy, settings)| (policy, new(settings))).collect()
}

fn follow(policies: &mut BTreeMap<PolicyName, ReplayedPolicy>, run: Digest, entry: &Entry) -> Result<(), ExecuteError> {
    if let Event::RunOpened { plan, .. } | Event::RunAbandoned { plan, .. } = &entry.event
        && *plan != run
    {
        return Err(ExecuteError::OtherRun { found: *plan });
    }
    let Some(policy) = &entry.policy else { return Ok(()) };
    let Some(replayed) = policies.get_mut(policy) else { return Ok(()) };
    replayed.machine.record(&entry.event).map_err(|source| ExecuteError::Journalled { policy: policy.clone(), source })?;
    replayed.last = replayed.last.max(Some(entry.at));
    if let Event::RoundOpened { count, ids, excluded, rechecked, .. } = &entry.event {
        replayed.rounds.push(OpenedRound { count: *count, ids: *ids, excluded: *excluded });
        replayed.rechecked = replayed.rechecked.or(*rechecked);
    }
    Ok(())
}

/// Brings the rounds of a policy that was begun before into scratch files, with what is known about their records.
///
/// Answers that are lost from the store make their batch unclear: the events that say so come with the files, and are not
/// journalled yet.
///
/// # Errors
///
/// When the journal or the ids of a round cannot be read; nothing can replace those.
pub(super) async fn restore_rounds(
    run: &RunStore,
    scratch: &RunScratch,
    policy: &PolicyName,
    rounds: &[OpenedRound],
    messages: &Arc<MessagesFile>,
) -> Result<(Vec<RoundFiles>, Vec<Event>), ExecuteError> {
    let mut files = Vec::with_capacity(rounds.len());
    for (number, round) in (0..).zip(rounds) {
        files.push(RoundFiles::fetch(run, scratch, policy, number, round, messages).await?);
    }
    let mut collector =
        AnswerCollector { policy, files: &files, batches: BTreeMap::new(), stored: BTreeMap::new(), broken: None };
    read_journal(run.backend().as_ref(), &run.journal()?, |entry| collector.take(&entry)).await?;
    if let Some(error) = collector.broken {
        return Err(error.into());
    }
    let mut lost = Vec::new();
    for (_, Stored { batch, seal, event }) in collector.stored {
        let Some(round) = files.get(batch.round as usize) else { continue };
        match restore_stored_answers(run, run.answers(policy, batch.number), seal, &batch, &round.statuses).await {
            Ok(()) => {}
            Err(StoreError::Damaged { .. }) => lost.push(event),
            Err(error) => return Err(error.into()),
        }
    }
    Ok((files, lost))
}

/// Answers that lie in an object of their own.
struct Stored {
    batch: Batch,
    seal: Seal,
    /// What the journal is to say should they be lost.
    event: Event,
}

/// Puts the answers that stand in the journal into the statuses, and collects those that lie elsewhere.
struct AnswerCollector<'a> {
    policy: &'a PolicyName,
    files: &'a [RoundFiles],
    /// The batches that are under way at that place of the journal.
    batches: BTreeMap<u64, Batch>,
    stored: BTreeMap<u64, Stored>,
    broken: Option<StoreError>,
}

impl AnswerCollector<'_> {
    fn take(&mut self, entry: &Entry) {
        if entry.policy.as_ref() != Some(self.policy) {
            return;
        }
        match &entry.event {
            Event::Intended { batch, round, first, count } | Event::Lost { batch, round, first, count, .. } => {
                // Answers that were revoked do not count any more.
                self.stored.remove(batch);
                self.batches.insert(*batch, Batch { number: *batch, round: *round, first: *first, count: *count });
            }
            Event::Abandoned { batch, .. } => {
                self.batches.remove(batch);
            }
            // Its answers, should there have been any, do not count any more.
            Event::Unclear { batch, .. } => {
                self.stored.remove(batch);
            }
            Event::Answered { batch, missing: 1.., answers, .. } => {
                if let Some(batch) = self.batches.get(batch).cloned() {
                    let cause = "the store has lost its answers".to_owned();
                    let event = Event::Unclear { batch: batch.number, cause };
                    self.answered(batch, answers, event);
                }
            }
            Event::Answered { batch, again, tally, answers, .. }
            | Event::PresenceChecked { batch, again, tally, answers, .. } => {
                if let Some(batch) = self.batches.remove(batch) {
                    let Batch { number, round, first, count } = batch;
                    let event = Event::Lost { batch: number, round, first, count, again: *again, tally: *tally };
                    self.answered(batch, answers, event);
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, batch: Batch, answers: &Answers, event: Event) {
        match answers {
            Answers::Here(runs) => {
                self.stored.remove(&batch.number);
                if let Some(round) = self.files.get(batch.round as usize)
                    && let Err(error) = restore_answers(&batch, runs, &round.statuses)
                {
                    self.broken.get_or_insert(error);
                }
            }
            Answers::Stored(seal) => {
                self.stored.insert(batch.number, Stored { batch, seal: *seal, event });
            }
        }
    }
}
