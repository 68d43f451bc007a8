//! The machine by itself: what it accepts, and that it is nothing but a fold.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::PolicyMachine;
use crate::apply::{
    Answers, CheckedBatch, Event, Excluded, Fault, FaultKind, JobProgress, JobStage, MachineSettings, Seal, SentState,
    SkipCause, Step, StepEnd, Tally, Ticket,
};
use crate::base::{Digest, Failure, FailureClass};
use crate::system::{Api, ApiShape, JobAbort, JobShape, JobStart};

fn settings(jobs: bool) -> MachineSettings {
    settings_of(if jobs { Api::Bulk2 } else { Api::Collections })
}

fn settings_of(api: Api) -> MachineSettings {
    shaped(api.shape())
}

fn shaped(shape: ApiShape) -> MachineSettings {
    MachineSettings { shape, same_size: false, batch_size: 10, transaction: 10, parallel: 3, seed: 1 }
}

fn jobs(starts: JobStart, may_be_aborted: JobAbort) -> ApiShape {
    ApiShape::Jobs(JobShape { starts, may_be_loaded_again: false, may_be_aborted })
}

/// Every shape an API can have, also those that no API has yet.
fn shapes() -> impl Strategy<Value = ApiShape> {
    let starts = prop::sample::select(vec![JobStart::OnCreate, JobStart::OnLoad, JobStart::ByStart]);
    let aborts = prop::sample::select(vec![JobAbort::Never, JobAbort::BeforeStart, JobAbort::AnyTime]);
    let jobs = (starts, any::<bool>(), aborts).prop_map(|(starts, may_be_loaded_again, may_be_aborted)| {
        ApiShape::Jobs(JobShape { starts, may_be_loaded_again, may_be_aborted })
    });
    prop_oneof![1 => Just(ApiShape::Requests), 3 => jobs]
}

/// Whether an API of that shape has the call that the step makes.
fn has_the_call(shape: ApiShape, step: &Step) -> bool {
    match (shape, step) {
        (ApiShape::Requests, Step::Send(_)) => true,
        (
            ApiShape::Requests,
            Step::Create(_) | Step::Load(..) | Step::Start(..) | Step::Poll(..) | Step::Collect(..) | Step::Abort(..),
        )
        | (ApiShape::Jobs(_), Step::Send(_)) => false,
        (ApiShape::Jobs(jobs), Step::Load(..) | Step::Start(..)) => jobs.starts != JobStart::OnCreate,
        (ApiShape::Jobs(jobs), Step::Abort(..)) => jobs.may_be_aborted != JobAbort::Never,
        _ => true,
    }
}

fn seal() -> Seal {
    Seal { attempt: 0, parts: 0, digest: Digest::of(b"") }
}

fn cleared(count: u64) -> Event {
    Event::RoundOpened { round: 0, count, ids: seal(), excluded: None, rechecked: None }
}

fn opened(count: u64, excluded: u64) -> Event {
    let excluded = (excluded > 0).then_some(Excluded { count: excluded, records: seal() });
    Event::RoundOpened { round: 1, count, ids: seal(), excluded, rechecked: None }
}

fn fault(kind: FaultKind) -> StepEnd {
    let failure = Failure { class: FailureClass::Transient, code: "CODE".into(), message: "words".into() };
    StepEnd::Failed(Fault { kind, failure })
}

impl PolicyMachine {
    /// All that the journal has told it.
    fn told(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        let active: Vec<_> = self
            .active
            .values()
            .map(|active| (active.batch.clone(), format!("{:?}", active.stage), active.ticket.clone()))
            .collect();
        let round = format!("{:?}", self.round);
        (round, self.free.clone(), active, self.next_batch, (self.tally, self.refusals, self.halted.clone(), self.finished))
    }
}

/// A machine, the time, and the events it was told.
struct ReplayedHistory {
    machine: PolicyMachine,
    now: Timestamp,
    events: Vec<Event>,
}

impl ReplayedHistory {
    fn new(settings: MachineSettings, count: u64) -> Self {
        let mut history = Self { machine: PolicyMachine::new(settings), now: Timestamp::UNIX_EPOCH, events: Vec::new() };
        history.tell(cleared(count));
        history
    }

    fn tell(&mut self, event: Event) {
        self.machine.record(&event).expect("it follows");
        self.events.push(event);
    }

    /// Asks for the next step that is not a wait, and begins it.
    fn step(&mut self) -> Step {
        loop {
            match self.machine.next(self.now) {
                Step::Wait(Some(until)) => self.now = until,
                step => {
                    if let Some(intent) = step.intent() {
                        self.tell(intent);
                    }
                    self.machine.begin(&step);
                    return step;
                }
            }
        }
    }

    fn close(&mut self, step: &Step, end: StepEnd) {
        if let Some(event) = self.machine.close(step, end, self.now) {
            self.tell(event);
        }
    }
}

fn polled(stage: JobStage) -> StepEnd {
    StepEnd::Polled(JobProgress { stage, processed: None, failed: None, message: None })
}

/// An end for a step, chosen by a number.
fn end_of(step: &Step, choice: u8, jobs: &mut u64) -> StepEnd {
    let count = step.batch().map_or(0, |batch| batch.count);
    let answered = |again: u64, missing: u64| StepEnd::Answered {
        again,
        missing,
        tally: Tally { deleted: count - again - missing, ..Tally::default() },
        answers: Answers::Here(Vec::new()),
        refused: None,
        isolates: false,
    };
    match (choice, step) {
        (0..=2, _) => {
            let kinds = [FaultKind::Later { wait: Some(Duration::from_secs(2)) }, FaultKind::Unclear, FaultKind::Missing];
            fault(kinds[usize::from(choice)])
        }
        (_, Step::Create(_)) => {
            *jobs += 1;
            StepEnd::Created(Ticket(jobs.to_string()))
        }
        (3, Step::Poll(..)) => polled(JobStage::Gone),
        (4, Step::Poll(..)) => polled(JobStage::Open),
        (5, Step::Poll(..)) => polled(JobStage::Running),
        (6, Step::Poll(..)) => polled(JobStage::Broken),
        (_, Step::Poll(..)) => polled(JobStage::Complete),
        (3, Step::Send(_) | Step::Collect(..)) => answered(1, 0),
        (4, Step::Send(_) | Step::Collect(..)) => answered(0, 1),
        (_, Step::Send(_) | Step::Collect(..)) => answered(0, 0),
        (_, Step::CheckPresence { from, .. }) => {
            let next = count.min(from + 4);
            let ended = (next == count).then(|| CheckedBatch {
                again: 0,
                tally: Tally { deleted: count, ..Tally::default() },
                answers: Answers::Here(Vec::new()),
                isolates: false,
            });
            StepEnd::PresenceChecked { next, ended }
        }
        _ => StepEnd::Done,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The journal is the whole memory: at any moment a machine that was only told the events stands where the one stands that
    /// lived through them. And it wants no call that its API does not have.
    #[test]
    fn a_policy_machine_is_a_fold_over_its_events(
        shape in shapes(),
        count in 0..60_u64,
        choices in prop::collection::vec((0..20_u8, any::<prop::sample::Index>()), 0..120),
    ) {
        let mut history = ReplayedHistory::new(shaped(shape), count);
        let mut open: Vec<Step> = Vec::new();
        let mut made = 0;
        for (choice, which) in choices {
            match history.step() {
                Step::Wait(_) | Step::Pause(_) => {
                    if open.is_empty() {
                        break;
                    }
                    let step = open.swap_remove(which.index(open.len()));
                    let end = end_of(&step, choice, &mut made);
                    history.close(&step, end);
                }
                Step::OpenRound(round) => {
                    // One of each batch that asked for it.
                    let count = history.events.iter().rev()
                        .take_while(|event| !matches!(event, Event::RoundOpened { .. }))
                        .map(|event| match event {
                            Event::Answered { again, missing: 0, .. } | Event::PresenceChecked { again, .. } => *again,
                            _ => 0,
                        })
                        .sum();
                    history.tell(Event::RoundOpened { round, count, ids: seal(), excluded: None, rechecked: None });
                }
                Step::Finish => {
                    let tally = history.machine.status().tally;
                    history.tell(Event::Finished { tally, outcomes: seal() });
                    break;
                }
                Step::Write(_) => {}
                step => {
                    prop_assert!(has_the_call(shape, &step), "{step:?}");
                    open.push(step);
                }
            }
            let mut told = PolicyMachine::new(shaped(shape));
            history.events.iter().for_each(|event| told.record(event).expect("it was told before"));
            prop_assert_eq!(history.machine.told(), told.told());
            prop_assert!(history.machine.active.len() <= 3, "more under way than allowed");
        }
    }
}

#[test]
fn refuses_a_journal_that_tells_no_story() {
    let intended = |batch, first, count| Event::Intended { batch, round: 0, first, count };
    let deleted = |deleted| Tally { deleted, ..Tally::default() };
    let answered = |batch, count| Event::Answered {
        batch,
        again: 0,
        missing: 0,
        tally: deleted(count),
        answers: Answers::Here(Vec::new()),
        refused: None,
        isolates: false,
    };
    let cases: [(&str, Vec<Event>); 11] = [
        ("nothing was cleared", vec![intended(0, 0, 5)]),
        ("cleared twice", vec![cleared(5), cleared(5)]),
        ("records sent twice", vec![cleared(20), intended(0, 0, 10), intended(1, 0, 10)]),
        ("more than there are", vec![cleared(5), intended(0, 0, 6)]),
        ("a batch number used twice", vec![cleared(20), intended(0, 0, 5), intended(0, 5, 5)]),
        ("an answer to nothing", vec![cleared(5), answered(0, 5)]),
        ("answers for more than were sent", vec![cleared(5), intended(0, 0, 5), answered(0, 6)]),
        ("a start without data", vec![cleared(5), intended(0, 0, 5), Event::Starting { batch: 0 }]),
        (
            "a started job abandoned",
            vec![
                cleared(5),
                intended(0, 0, 5),
                Event::Created { batch: 0, ticket: Ticket("1".into()) },
                Event::Loading { batch: 0 },
                Event::Loaded { batch: 0 },
                Event::Starting { batch: 0 },
                Event::Abandoned { batch: 0, cause: String::new() },
            ],
        ),
        ("a round over another that is open", vec![cleared(5), intended(0, 0, 5), opened(0, 0)]),
        ("a round that loses a record", vec![cleared(5), opened(3, 1)]),
    ];
    for (name, events) in cases {
        let mut machine = PolicyMachine::new(settings(true));
        let (last, before) = events.split_last().expect("not empty");
        before.iter().for_each(|event| machine.record(event).expect("it follows"));
        assert!(machine.record(last).is_err(), "{name}");
    }
}

#[test]
fn an_unanswered_request_is_given_time_before_anybody_looks() {
    let mut history = ReplayedHistory::new(settings(false), 5);
    let step = history.step();
    assert!(matches!(step, Step::Send(_)));
    history.close(&step, fault(FaultKind::Unclear));
    let before = history.now;
    assert!(matches!(history.step(), Step::CheckPresence { sent: SentState::AtWork, .. }));
    assert!(history.now.duration_since(before).as_secs() >= 2);
}

#[test]
fn what_is_looked_at_long_after_the_last_entry_is_not_at_work_any_more() {
    let minutes = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
    for (resumed_at, last, expected) in [
        (minutes(0), None, SentState::AtWork),
        (minutes(25), Some(minutes(0)), SentState::AtWork),
        (minutes(26), Some(minutes(0)), SentState::Over),
        (minutes(0), Some(minutes(26)), SentState::AtWork),
    ] {
        let mut history = ReplayedHistory::new(settings(false), 5);
        history.tell(Event::Intended { batch: 0, round: 0, first: 0, count: 5 });
        history.machine.resume(resumed_at, last);
        history.now = resumed_at;
        assert!(matches!(history.step(), Step::Write(Event::Unclear { .. })));
        let step = history.step();
        assert!(matches!(step, Step::CheckPresence { sent, .. } if sent == expected), "{step:?}");
    }
    // A start that is repeated now is at work again.
    let mut history = resumed(Api::Bulk2, &[Event::Loading { batch: 0 }, Event::Loaded { batch: 0 }]);
    history.machine.resume(minutes(99), Some(minutes(0)));
    history.now = minutes(99);
    let step = history.step();
    history.close(&step, polled(JobStage::Open));
    let step = history.step();
    assert!(matches!(step, Step::Start(..)), "{step:?}");
    history.close(&step, fault(FaultKind::Unclear));
    let step = history.step();
    history.close(&step, polled(JobStage::Gone));
    let step = history.step();
    assert!(matches!(step, Step::CheckPresence { sent: SentState::AtWork, .. }), "{step:?}");
}

#[test]
fn a_throttled_request_waits_as_long_as_the_system_asks() {
    let mut history = ReplayedHistory::new(settings(false), 5);
    let step = history.step();
    history.close(&step, fault(FaultKind::Later { wait: Some(Duration::from_secs(600)) }));
    let before = history.now;
    assert!(matches!(history.step(), Step::Send(_)));
    assert_eq!(history.now.duration_since(before).as_secs(), 600);
}

#[test]
fn a_system_that_asks_to_wait_for_hours_ends_the_run_and_not_the_records() {
    let mut history = ReplayedHistory::new(settings(false), 5);
    let step = history.step();
    history.close(&step, fault(FaultKind::Later { wait: Some(Duration::from_secs(3 * 3600)) }));
    let after = "CODE: words; run the same command again after 1970-01-01T03:00:00Z";
    assert_eq!(history.step(), Step::Pause(after.into()));
    assert_eq!(history.machine.status().tally, Tally::default());
    // So does one that says it to a look.
    let mut history = resumed(Api::Bulk2, &[Event::Loading { batch: 0 }, Event::Loaded { batch: 0 }]);
    let step = history.step();
    assert!(matches!(step, Step::Poll(..)), "{step:?}");
    history.close(&step, fault(FaultKind::Later { wait: Some(Duration::from_secs(3_600)) }));
    let before = history.now;
    assert!(
        matches!(history.step(), Step::Pause(cause) if cause.starts_with("CODE: words; run the same command again after"))
    );
    assert_eq!(history.now, before, "it did not wait");
}

#[test]
fn a_start_without_an_answer_is_asked_about_and_then_repeated_for_the_same_job() {
    let mut history = ReplayedHistory::new(settings(true), 5);
    let step = history.step();
    history.close(&step, StepEnd::Created(Ticket("1".into())));
    let step = history.step();
    assert!(matches!(step, Step::Load(..)));
    history.close(&step, StepEnd::Done);
    let step = history.step();
    assert!(matches!(step, Step::Start(..)));
    history.close(&step, fault(FaultKind::Unclear));
    let step = history.step();
    assert!(matches!(step, Step::Poll(..)));
    history.close(&step, polled(JobStage::Open));
    assert!(matches!(history.step(), Step::Start(_, Ticket(ticket)) if ticket == "1"));
}

/// A job of the API that was brought to these events, and then died with its process.
fn resumed(api: Api, events: &[Event]) -> ReplayedHistory {
    resumed_as(api.shape(), events)
}

fn resumed_as(shape: ApiShape, events: &[Event]) -> ReplayedHistory {
    let mut history = ReplayedHistory::new(shaped(shape), 5);
    history.tell(Event::Intended { batch: 0, round: 0, first: 0, count: 5 });
    history.tell(Event::Created { batch: 0, ticket: Ticket("1".into()) });
    events.iter().for_each(|event| history.tell(event.clone()));
    history.machine.resume(history.now, None);
    history
}

#[test]
fn a_job_that_was_made_and_not_loaded_is_gone_on_with() {
    for api in [Api::Bulk2, Api::Bulk1, Api::FulcrumBatch] {
        let mut history = resumed(api, &[]);
        let step = history.step();
        assert!(matches!(step, Step::Poll(..)));
        history.close(&step, polled(JobStage::Open));
        assert!(matches!(history.step(), Step::Load(_, Ticket(ticket)) if ticket == "1"), "{api}");
    }
}

#[test]
fn a_load_without_an_answer_is_repeated_only_where_it_may_be() {
    for api in [Api::Bulk2, Api::Bulk1, Api::FulcrumBatch] {
        let mut history = resumed(api, &[Event::Loading { batch: 0 }]);
        let step = history.step();
        history.close(&step, polled(JobStage::Open));
        let step = history.step();
        assert_eq!(matches!(step, Step::Load(..)), api == Api::FulcrumBatch, "{api}: {step:?}");
        assert_eq!(matches!(step, Step::Abort(..)), api != Api::FulcrumBatch, "{api}: {step:?}");
        history.close(&step, StepEnd::Done);
        let expected = match api {
            // The upload may yet have arrived before the end of the job.
            Api::Bulk1 => Event::Started { batch: 0 },
            Api::FulcrumBatch => Event::Loaded { batch: 0 },
            _ => {
                assert!(matches!(history.events.last(), Some(Event::Abandoned { .. })), "{api}");
                continue;
            }
        };
        assert_eq!(history.events.last(), Some(&expected), "{api}");
    }
}

#[test]
fn a_job_that_begins_with_its_creation_is_looked_into_and_never_forgotten() {
    let shape = jobs(JobStart::OnCreate, JobAbort::AnyTime);
    // Its creation was not answered: it may run.
    let mut history = ReplayedHistory::new(shaped(shape), 5);
    let step = history.step();
    assert!(matches!(step, Step::Create(_)));
    history.close(&step, fault(FaultKind::Unclear));
    assert!(matches!(history.step(), Step::CheckPresence { .. }));
    // The process died before the answer.
    let mut history = ReplayedHistory::new(shaped(shape), 5);
    history.tell(Event::Intended { batch: 0, round: 0, first: 0, count: 5 });
    history.machine.resume(history.now, None);
    assert!(matches!(history.step(), Step::Write(Event::Unclear { .. })));
    // It was created: it is polled, and whatever is seen of it, it has begun.
    for seen in [JobStage::Open, JobStage::Running, JobStage::Complete, JobStage::Broken, JobStage::Gone] {
        let mut history = ReplayedHistory::new(shaped(shape), 5);
        let step = history.step();
        history.close(&step, StepEnd::Created(Ticket("1".into())));
        let step = history.step();
        assert!(matches!(step, Step::Poll(..)), "{step:?}");
        history.close(&step, polled(seen));
        let unclear = matches!(history.events.last(), Some(Event::Unclear { .. }));
        assert_eq!(unclear, seen == JobStage::Gone, "{seen:?}");
        assert!(unclear || history.events.last() == Some(&Event::Started { batch: 0 }), "{seen:?}");
    }
}

#[test]
fn a_job_that_cannot_be_aborted_is_left_where_it_is_or_looked_into() {
    for (starts, events, abandoned) in [
        (JobStart::ByStart, vec![Event::Loading { batch: 0 }], true),
        (JobStart::OnLoad, vec![Event::Loading { batch: 0 }], false),
    ] {
        let shape = jobs(starts, JobAbort::Never);
        let mut history = resumed_as(shape, &events);
        let step = history.step();
        history.close(&step, polled(JobStage::Open));
        let last = history.events.last().expect("an end");
        assert_eq!(matches!(last, Event::Abandoned { .. }), abandoned, "{starts:?}: {last:?}");
        assert_eq!(matches!(last, Event::Unclear { .. }), !abandoned, "{starts:?}: {last:?}");
    }
}

#[test]
fn polls_become_rarer_up_to_half_a_minute() {
    let mut history = ReplayedHistory::new(settings(true), 5);
    for end in [StepEnd::Created(Ticket("1".into())), StepEnd::Done, StepEnd::Done] {
        let step = history.step();
        history.close(&step, end);
    }
    let mut polls = 0;
    let started = history.now;
    while history.now.duration_since(started).as_secs() < 3600 {
        let step = history.step();
        assert!(matches!(step, Step::Poll(..)));
        history.close(&step, polled(JobStage::Running));
        polls += 1;
    }
    assert!((120..280).contains(&polls), "{polls} polls in an hour");
}

/// A job of five records that was brought to `Loaded`, and then died with its process.
fn loaded_and_resumed() -> ReplayedHistory {
    let mut history = ReplayedHistory::new(settings(true), 15);
    let step = history.step();
    history.close(&step, StepEnd::Created(Ticket("1".into())));
    let mut resumed = ReplayedHistory { machine: PolicyMachine::new(settings(true)), now: history.now, events: Vec::new() };
    history.events.extend([Event::Loading { batch: 0 }, Event::Loaded { batch: 0 }]);
    history.events.into_iter().for_each(|event| resumed.tell(event));
    resumed.machine.resume(resumed.now, None);
    resumed
}

#[test]
fn a_round_with_a_held_record_is_cut_short_and_its_rest_is_no_later_attempt() {
    let mut history = ReplayedHistory::new(settings(false), 25);
    history.machine.exclude(24, true);
    assert_eq!(history.step(), Step::OpenRound(1));
    history.tell(opened(24, 1));
    assert_eq!(history.machine.status().tally, Tally { skipped: 1, ..Tally::default() });
    let before = history.now;
    assert!(matches!(history.step(), Step::Send(batch) if (batch.first, batch.count, batch.round) == (0, 10, 1)));
    assert_eq!(history.now, before, "nothing is locked, so nothing is waited for");
}

#[test]
fn a_job_with_a_held_record_is_given_up_before_it_starts() {
    let mut history = loaded_and_resumed();
    history.machine.exclude(3, true);
    let step = history.step();
    assert!(matches!(step, Step::Poll(..)));
    history.close(&step, polled(JobStage::Open));
    let step = history.step();
    assert!(matches!(step, Step::Abort(..)), "{step:?}");
    history.close(&step, StepEnd::Done);
    assert_eq!(history.step(), Step::OpenRound(1));
}

#[test]
fn a_running_job_with_a_held_record_is_stopped_and_its_answers_are_fetched() {
    for stopped in [true, false] {
        let mut history = loaded_and_resumed();
        history.tell(Event::Starting { batch: 0 });
        history.machine.resume(history.now, None);
        history.machine.exclude(3, true);
        let mut asked = 0;
        for polls in 0.. {
            let step = history.step();
            match &step {
                Step::Poll(..) if polls < 6 => history.close(&step, polled(JobStage::Running)),
                Step::Poll(..) => history.close(&step, polled(JobStage::Broken)),
                Step::Abort(..) => {
                    asked += 1;
                    let end = if stopped { StepEnd::Done } else { fault(FaultKind::Refused) };
                    history.close(&step, end);
                }
                // The rest of the round has no held record, so it goes on meanwhile.
                Step::Create(_) => {}
                Step::Collect(batch, _) => {
                    assert_eq!(batch.number, 0);
                    break;
                }
                step => panic!("{step:?}"),
            }
        }
        assert_eq!(asked, 1, "it is asked for once");
    }
}

#[test]
fn a_running_job_is_not_stopped_for_a_record_it_may_have_deleted_itself() {
    let mut history = loaded_and_resumed();
    history.tell(Event::Starting { batch: 0 });
    history.machine.resume(history.now, None);
    history.machine.exclude(3, false);
    for stage in [JobStage::Running, JobStage::Running, JobStage::Running, JobStage::Complete] {
        let step = loop {
            match history.step() {
                Step::Create(_) => {}
                step => break step,
            }
        };
        assert!(matches!(step, Step::Poll(..)), "{step:?}");
        history.close(&step, polled(stage));
    }
}

#[test]
fn a_job_whose_start_did_not_arrive_is_not_started_once_its_policy_was_halted() {
    let of = |api| [(api, true), (api, false)];
    for (api, is_resumed) in [of(Api::Bulk2), of(Api::FulcrumBatch)].concat() {
        let mut history = resumed(api, &[Event::Loading { batch: 0 }, Event::Loaded { batch: 0 }]);
        history.tell(Event::Starting { batch: 0 });
        if is_resumed {
            history.machine.resume(history.now, None);
        }
        history.tell(Event::Halted { cause: "clock: set it right".into(), skip: SkipCause::Refused });
        let step = history.step();
        assert!(matches!(step, Step::Poll(..)), "{api:?}: {step:?}");
        history.close(&step, polled(JobStage::Open));
        let step = history.step();
        assert!(matches!(step, Step::Abort(..)), "{api:?}: {step:?}");
        history.close(&step, StepEnd::Done);
        // Whether it began all the same is found out by its answers, or else by its records.
        let asks = match history.events.last() {
            Some(Event::Started { .. }) => api == Api::Bulk2,
            Some(Event::Unclear { .. }) => api == Api::FulcrumBatch,
            _ => false,
        };
        assert!(asks, "{api:?}: {:?}", history.events.last());
    }
}

#[test]
fn a_job_with_a_held_record_whose_start_may_be_under_way_is_stopped_and_not_forgotten() {
    let mut history = loaded_and_resumed();
    history.tell(Event::Starting { batch: 0 });
    history.machine.resume(history.now, None);
    history.machine.exclude(3, true);
    let step = history.step();
    history.close(&step, polled(JobStage::Open));
    let step = history.step();
    assert!(matches!(step, Step::Abort(..)), "{step:?}");
    history.close(&step, StepEnd::Done);
    assert_eq!(history.events.last(), Some(&Event::Started { batch: 0 }), "its answers tell what it came to");
}
