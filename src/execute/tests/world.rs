//! A system in memory that does what it is told to go wrong, and notices when it is treated carelessly.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::apply::{
    Answer, AnswerVerdict, BatchSpecification, Event, IdSource, JobProgress, JobStage, Presence, SkipCause, Ticket,
};
use crate::base::{Failure, FailureClass, RecordId};
use crate::plan::{Count, Identity, ObjectFacts, Query};
use crate::provider::{
    AnswerSink, Completeness, DeleteHalf, DeleteJobs, DeleteRequests, ErrorClass, Provider, ProviderError, ReadHalf, RowSink,
};
use crate::system::{ApiShape, Capabilities, DeleteMode, JobAbort, JobShape, JobStart, SystemKind};

/// What goes wrong with one request. A kind that does not fit the request is the nearest one that does, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Nothing,
    Transient,
    Throttled,
    Quota,
    Refused,
    /// No answer, and no effect.
    LostBefore,
    /// No answer, and full effect.
    LostAfter,
    /// No answer, and an effect that comes only after the next look.
    LostLate,
    /// A job ends after some of its rows.
    Breaks,
    /// Some answers are missing.
    Missing,
    /// There are answers about records that were not sent.
    Foreign,
    /// There is a second, different answer about some records.
    Contradiction,
    /// The system forgets the job.
    Forgotten,
    /// An answer that cannot be read.
    Malformed,
}

/// The process dies at this request, before or after it had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Death {
    pub request: u64,
    pub after_effect: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Record {
    pub present: bool,
    pub by_us: bool,
    /// So many attempts meet a lock.
    pub locks: u32,
    pub refuses: bool,
}

#[derive(Debug)]
struct Job {
    loaded: Option<Vec<RecordId>>,
    stage: JobStage,
    ends_as: JobStage,
    answers: Vec<Answer>,
    polls: u32,
    /// A start was not answered, and nobody has asked since.
    start_in_doubt: bool,
}

/// What may have deleted a record and was not yet asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outstanding {
    Request,
    Job(usize),
}

#[derive(Default)]
pub(super) struct Inner {
    pub records: BTreeMap<RecordId, Record>,
    pub allowed: BTreeSet<RecordId>,
    /// What must not be sent, as the process knows.
    pub excluded: BTreeMap<RecordId, SkipCause>,
    /// Whether an atomic request is refused as a whole when a record fails.
    pub nameless: bool,
    /// Whether a record that can never be deleted is said to be gone.
    pub denied: bool,
    /// How many processes have begun.
    pub processes: usize,
    /// What was sent, in a request or a job that was started.
    pub sent: BTreeSet<RecordId>,
    pub schedule: VecDeque<Wrong>,
    pub death: Option<Death>,
    pub violations: Vec<String>,
    pub requests: u64,
    pub sends: Vec<usize>,
    jobs: Vec<Job>,
    outstanding: BTreeMap<RecordId, Outstanding>,
    /// Records that an unanswered request will yet delete.
    late: Vec<RecordId>,
    /// How many requests of a kind have arrived, and how many were announced.
    arrived: [usize; 3],
    announced: [usize; 3],
}

#[derive(Default)]
pub(super) struct World {
    inner: Mutex<Inner>,
    pub died: Notify,
}

fn error(class: ErrorClass, code: &str) -> ProviderError {
    ProviderError { class, doing: "act".into(), status: None, code: code.into(), message: "scripted".into(), help: None }
}

fn failure(class: FailureClass, code: &str) -> Failure {
    Failure { class, code: code.into(), message: "said the world".into() }
}

impl World {
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no test panics inside")
    }

    /// One request: decides what goes wrong, and has the effect unless that comes first.
    async fn request<T>(
        &self,
        kind: Option<usize>,
        effect: impl FnOnce(&mut Inner, Wrong) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        // Requests side by side really are side by side.
        tokio::time::sleep(Duration::from_millis(10)).await;
        let (result, dies) = {
            let mut inner = self.inner();
            inner.requests += 1;
            if let Some(kind) = kind {
                inner.arrives(kind);
            }
            let death = inner.death.filter(|death| death.request == inner.requests);
            if let Some(death) = death {
                inner.death = None;
                inner.schedule.push_front(if death.after_effect { Wrong::LostAfter } else { Wrong::LostBefore });
            }
            let wrong = inner.schedule.pop_front().unwrap_or(Wrong::Nothing);
            let result = match wrong {
                Wrong::Transient => Err(error(ErrorClass::Transient, "SERVER_UNAVAILABLE")),
                Wrong::Throttled => Err(error(ErrorClass::Throttled { wait: Some(Duration::from_secs(30)) }, "SLOW_DOWN")),
                Wrong::Quota => Err(error(ErrorClass::Quota, "REQUEST_LIMIT_EXCEEDED")),
                Wrong::Malformed => Err(error(ErrorClass::Malformed, "malformed")),
                wrong => effect(&mut inner, wrong),
            };
            (result, death.is_some())
        };
        if dies {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
        result
    }
}

impl Inner {
    /// The journal has this, durably.
    pub fn announce(&mut self, event: &Event) {
        let kind = match event {
            Event::Intended { .. } => 0,
            Event::Loading { .. } => 1,
            Event::Starting { .. } => 2,
            _ => return,
        };
        self.announced[kind] += 1;
    }

    /// A request that cannot be taken back arrives: it must have been announced in the journal.
    fn arrives(&mut self, kind: usize) {
        self.arrived[kind] += 1;
        if self.arrived[kind] > self.announced[kind] {
            self.violations.push(format!("request {} of kind {kind} was not announced", self.arrived[kind]));
        }
    }

    fn delete(&mut self, id: &RecordId) -> AnswerVerdict {
        if !self.allowed.contains(id) {
            self.violations.push(format!("{id} was sent and is not in round 0"));
        }
        let Some(record) = self.records.get_mut(id) else {
            return AnswerVerdict::SaidGone(failure(FailureClass::Invalid, "INVALID_CROSS_REFERENCE_KEY"));
        };
        if !record.present {
            return AnswerVerdict::SaidGone(failure(FailureClass::Invalid, "ENTITY_IS_DELETED"));
        }
        if record.locks > 0 {
            record.locks -= 1;
            return AnswerVerdict::Failed(failure(FailureClass::Locked, "UNABLE_TO_LOCK_ROW"));
        }
        if record.refuses && self.denied {
            return AnswerVerdict::SaidGone(failure(FailureClass::Invalid, "ENTITY_IS_DELETED"));
        }
        if record.refuses {
            return AnswerVerdict::Failed(failure(FailureClass::Refused, "FIELD_CUSTOM_VALIDATION_EXCEPTION"));
        }
        (record.present, record.by_us) = (false, true);
        AnswerVerdict::Deleted
    }

    /// Records are handed to the system: none of them may be one that must not be sent.
    fn takes(&mut self, ids: &[RecordId]) {
        let is_excluded = |id: &RecordId| self.excluded.contains_key(id) && self.records[id].present;
        let excluded: Vec<RecordId> = ids.iter().copied().filter(is_excluded).collect();
        self.violations.extend(excluded.iter().map(|id| format!("{id} was to be excluded, and was sent")));
    }

    fn delete_all(&mut self, ids: &[RecordId], atomic: bool) -> Vec<Answer> {
        self.sent.extend(ids);
        let before = self.records.clone();
        let mut answers: Vec<Answer> = ids.iter().map(|id| Answer { id: *id, verdict: self.delete(id) }).collect();
        if atomic && answers.iter().any(|answer| answer.verdict != AnswerVerdict::Deleted) {
            for answer in answers.iter_mut().filter(|answer| answer.verdict == AnswerVerdict::Deleted) {
                let rolled = failure(FailureClass::Invalid, "ALL_OR_NONE_OPERATION_ROLLED_BACK");
                answer.verdict = AnswerVerdict::RolledBack(rolled);
                self.records.insert(answer.id, before[&answer.id].clone());
            }
        }
        answers
    }

    /// Something that may delete these records arrives.
    fn hand_over(&mut self, ids: &[RecordId], by: Outstanding) {
        for id in ids {
            if self.outstanding.get(id).is_some_and(|known| *known != by || *known == Outstanding::Request) {
                self.violations.push(format!("{id} was sent again although nobody asked what became of it"));
            }
            self.outstanding.insert(*id, by);
        }
    }

    /// A job begins to work, and has as good as done it.
    fn run(&mut self, job: usize, ids: &[RecordId], wrong: Wrong) {
        self.hand_over(ids, Outstanding::Job(job));
        let reached = if wrong == Wrong::Breaks { ids.len() / 2 } else { ids.len() };
        let mut answers = self.delete_all(&ids[..reached], false);
        answers.extend(ids[reached..].iter().map(|id| Answer { id: *id, verdict: AnswerVerdict::NotProcessed }));
        answers.reverse();
        let job = &mut self.jobs[job];
        job.stage = if wrong == Wrong::Forgotten { JobStage::Gone } else { JobStage::Running };
        job.ends_as = if wrong == Wrong::Breaks { JobStage::Broken } else { JobStage::Complete };
        job.answers = answers;
    }

    fn settle(&mut self, ids: &[RecordId]) {
        ids.iter().for_each(|id| {
            self.outstanding.remove(id);
        });
    }

    /// What became of these records has been told, unless the answers contradict each other.
    fn settle_answered(&mut self, answers: &[Answer]) {
        for answer in answers {
            if answers.iter().all(|other| other.id != answer.id || other.verdict == answer.verdict) {
                self.settle(&[answer.id]);
            }
        }
    }

    fn job(&mut self, ticket: &Ticket) -> usize {
        ticket.0.parse().expect("a ticket of this world")
    }
}

/// Whether the answer is that of a record which can never be deleted.
fn refuses(answer: &Answer) -> bool {
    match &answer.verdict {
        AnswerVerdict::Failed(failure) => failure.class == FailureClass::Refused,
        AnswerVerdict::SaidGone(_) => true,
        _ => false,
    }
}

fn garble(answers: &mut Vec<Answer>, wrong: Wrong) {
    match wrong {
        Wrong::Missing => answers.truncate(answers.len() / 2),
        Wrong::Foreign => {
            let id = RecordId::new("zzz-not-in-any-batch").expect("valid");
            answers.push(Answer { id, verdict: AnswerVerdict::Deleted });
            let first = RecordId::new("000-not-in-any-batch").expect("valid");
            answers.insert(0, Answer { id: first, verdict: AnswerVerdict::Deleted });
            answers.remove(answers.len() / 2);
        }
        Wrong::Contradiction if !answers.is_empty() => {
            let other = answers[0].clone();
            let verdict = match other.verdict {
                AnswerVerdict::Deleted => AnswerVerdict::NotProcessed,
                _ => AnswerVerdict::Deleted,
            };
            answers.push(Answer { id: other.id, verdict });
        }
        _ => {}
    }
}

const CAPABILITIES: Capabilities = Capabilities {
    system: SystemKind::Salesforce,
    key: "Id",
    change_stamp: None,
    budget: None,
    routes: &[],
    page_size: 7,
    presence_size: 7,
};

#[async_trait]
impl ReadHalf for World {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    async fn identify(&self) -> Result<Identity, ProviderError> {
        Err(error(ErrorClass::Unsupported, "unused"))
    }

    fn clock_difference(&self) -> Option<jiff::SignedDuration> {
        None
    }

    async fn describe(&self, _: &str) -> Result<ObjectFacts, ProviderError> {
        Err(error(ErrorClass::Unsupported, "unused"))
    }

    async fn count(&self, _: &Query) -> Result<Count, ProviderError> {
        Err(error(ErrorClass::Unsupported, "unused"))
    }

    async fn calls_left(&self) -> Result<Option<u64>, ProviderError> {
        Ok(None)
    }

    async fn select(&self, _: &Query, _: u64, _: &mut dyn RowSink) -> Result<Completeness, ProviderError> {
        Err(error(ErrorClass::Unsupported, "unused"))
    }

    async fn check_permission(&self, _: &str, _: DeleteMode) -> Result<(), ProviderError> {
        Err(error(ErrorClass::Unsupported, "unused"))
    }

    async fn check_presence(&self, _: &str, ids: &[RecordId]) -> Result<Vec<Presence>, ProviderError> {
        assert!(ids.len() <= CAPABILITIES.presence_size, "more than can be looked at");
        self.request(None, |inner, wrong| match wrong {
            Wrong::LostBefore | Wrong::LostAfter => Err(error(ErrorClass::Incomplete, "incomplete")),
            _ => {
                inner.settle(ids);
                let seen = |id: &RecordId| match inner.records.get(id) {
                    Some(Record { present: true, .. }) => Presence::Present,
                    Some(Record { by_us: true, .. }) => Presence::InBin,
                    _ => Presence::Absent,
                };
                let shown = ids.iter().map(seen).collect();
                let (now, still): (Vec<_>, Vec<_>) = inner.late.iter().partition(|id| ids.contains(id));
                inner.late = still;
                now.iter().for_each(|id| {
                    inner.delete(id);
                });
                Ok(shown)
            }
        })
        .await
    }
}

impl Provider for World {
    fn delete_half<'a>(&'a self, order: &'a BatchSpecification) -> Result<DeleteHalf<'a>, ProviderError> {
        let half = Half { world: self, order };
        Ok(match order.api.shape() {
            ApiShape::Requests => DeleteHalf::Requests(Box::new(half)),
            ApiShape::Jobs(_) => DeleteHalf::Jobs(Box::new(half)),
        })
    }
}

/// The way in which it deletes.
struct Half<'a> {
    world: &'a World,
    order: &'a BatchSpecification,
}

impl Half<'_> {
    fn jobs(&self) -> JobShape {
        self.order.api.shape().jobs().expect("only an API with jobs is asked for one")
    }
}

#[async_trait]
impl DeleteRequests for Half<'_> {
    async fn send(&self, ids: &[RecordId]) -> Result<Vec<Answer>, ProviderError> {
        self.world
            .request(Some(0), |inner, wrong| {
                inner.hand_over(ids, Outstanding::Request);
                inner.takes(ids);
                inner.sends.push(ids.len());
                if wrong == Wrong::LostLate && !self.order.atomic {
                    inner.late.extend(ids);
                    return Err(error(ErrorClass::Ambiguous, "no-answer"));
                }
                if wrong == Wrong::Refused {
                    inner.settle(ids);
                    return Err(error(ErrorClass::Denied, "INSUFFICIENT_ACCESS"));
                }
                if wrong == Wrong::LostBefore {
                    return Err(error(ErrorClass::Ambiguous, "no-answer"));
                }
                let mut answers = inner.delete_all(ids, self.order.atomic);
                if self.order.atomic && inner.nameless && answers.iter().any(refuses) {
                    inner.settle(ids);
                    return Err(error(ErrorClass::Invalid, "ACCESS_OF_SOME_RECORD"));
                }
                if wrong == Wrong::LostAfter {
                    return Err(error(ErrorClass::Ambiguous, "no-answer"));
                }
                garble(&mut answers, wrong);
                inner.settle_answered(&answers);
                Ok(answers)
            })
            .await
            .inspect_err(|error| {
                if error.class == ErrorClass::Malformed {
                    let mut inner = self.world.inner();
                    inner.hand_over(ids, Outstanding::Request);
                }
            })
    }
}

#[async_trait]
impl DeleteJobs for Half<'_> {
    async fn create(&self, ids: &dyn IdSource) -> Result<Ticket, ProviderError> {
        // A job of this kind has its records from the beginning.
        let loaded = self.jobs().may_be_loaded_again.then(|| ids.read(0, usize::MAX).expect("readable"));
        self.world
            .request(Some(0), |inner, wrong| {
                if wrong == Wrong::Refused {
                    return Err(error(ErrorClass::Denied, "FEATURENOTENABLED"));
                }
                if wrong == Wrong::LostBefore {
                    return Err(error(ErrorClass::Ambiguous, "no-answer"));
                }
                let (stage, ends_as) = (JobStage::Open, JobStage::Complete);
                inner.jobs.push(Job { loaded, stage, ends_as, answers: Vec::new(), polls: 0, start_in_doubt: false });
                if wrong == Wrong::LostAfter {
                    return Err(error(ErrorClass::Ambiguous, "no-answer"));
                }
                Ok(Ticket((inner.jobs.len() - 1).to_string()))
            })
            .await
    }

    async fn load(&self, ticket: &Ticket, ids: Arc<dyn IdSource>) -> Result<(), ProviderError> {
        self.world
            .request(Some(1), |inner, wrong| {
                let job = inner.job(ticket);
                match wrong {
                    Wrong::LostBefore => return Err(error(ErrorClass::Ambiguous, "no-answer")),
                    Wrong::Refused => return Err(error(ErrorClass::Invalid, "CLIENTINPUTERROR")),
                    _ => {}
                }
                let ids = ids.read(0, usize::MAX).expect("readable");
                let known = inner.jobs[job].loaded.replace(ids.clone());
                if known.is_some_and(|known| !self.jobs().may_be_loaded_again || known != ids) {
                    inner.violations.push(format!("job {job} was loaded twice"));
                }
                inner.takes(&ids);
                if self.jobs().starts == JobStart::OnLoad {
                    if inner.jobs[job].stage != JobStage::Open {
                        return Err(error(ErrorClass::Invalid, "INVALIDJOBSTATE"));
                    }
                    inner.run(job, &ids, wrong);
                }
                if wrong == Wrong::LostAfter { Err(error(ErrorClass::Ambiguous, "no-answer")) } else { Ok(()) }
            })
            .await
    }

    async fn start(&self, ticket: &Ticket) -> Result<(), ProviderError> {
        self.world
            .request(Some(2), |inner, wrong| {
                let job = inner.job(ticket);
                if self.jobs().starts == JobStart::OnLoad {
                    return Ok(());
                }
                let ids = inner.jobs[job].loaded.clone().unwrap_or_default();
                inner.takes(&ids);
                if ids.is_empty() {
                    inner.violations.push(format!("job {job} was started without its data"));
                }
                if std::mem::take(&mut inner.jobs[job].start_in_doubt) {
                    inner.violations.push(format!("job {job} was started again although nobody asked what became of it"));
                }
                inner.jobs[job].start_in_doubt = matches!(wrong, Wrong::LostBefore | Wrong::LostAfter);
                match wrong {
                    Wrong::LostBefore => {
                        inner.hand_over(&ids, Outstanding::Job(job));
                        return Err(error(ErrorClass::Ambiguous, "no-answer"));
                    }
                    Wrong::Refused => return Err(error(ErrorClass::Invalid, "INVALIDJOBSTATE")),
                    _ => {}
                }
                if inner.jobs[job].stage != JobStage::Open {
                    return Err(error(ErrorClass::Invalid, "INVALIDJOBSTATE"));
                }
                inner.run(job, &ids, wrong);
                if wrong == Wrong::LostAfter { Err(error(ErrorClass::Ambiguous, "no-answer")) } else { Ok(()) }
            })
            .await
    }

    async fn poll(&self, ticket: &Ticket) -> Result<JobProgress, ProviderError> {
        self.world
            .request(None, |inner, wrong| {
                let number = inner.job(ticket);
                let job = &mut inner.jobs[number];
                job.start_in_doubt = false;
                if matches!(wrong, Wrong::LostBefore | Wrong::LostAfter) {
                    return Err(error(ErrorClass::Transient, "no-answer"));
                }
                if job.stage == JobStage::Running {
                    job.polls += 1;
                    if job.polls > 3 {
                        job.stage = job.ends_as;
                    }
                    if wrong == Wrong::Forgotten {
                        job.stage = JobStage::Gone;
                    }
                }
                Ok(JobProgress { stage: job.stage, processed: None, failed: None, message: None })
            })
            .await
    }

    async fn collect(
        &self,
        ticket: &Ticket,
        _: &dyn IdSource,
        answers: &mut dyn AnswerSink,
    ) -> Result<Option<Failure>, ProviderError> {
        let told = self
            .world
            .request(None, |inner, wrong| {
                let job = inner.job(ticket);
                if !matches!(inner.jobs[job].stage, JobStage::Complete | JobStage::Broken) {
                    return Err(error(ErrorClass::NotFound, "NOT_FOUND"));
                }
                let mut answers = inner.jobs[job].answers.clone();
                match wrong {
                    Wrong::LostBefore | Wrong::LostAfter => {
                        answers.truncate(answers.len() / 2);
                        return Ok((answers, Some(error(ErrorClass::Incomplete, "incomplete"))));
                    }
                    Wrong::Forgotten => return Err(error(ErrorClass::NotFound, "NOT_FOUND")),
                    _ => garble(&mut answers, wrong),
                }
                inner.settle_answered(&answers);
                Ok((answers, None))
            })
            .await?;
        for answer in told.0 {
            answers.answer(answer).map_err(|_: io::Error| error(ErrorClass::Local, "sink"))?;
        }
        told.1.map_or(Ok(None), Err)
    }

    async fn abort(&self, ticket: &Ticket) -> Result<(), ProviderError> {
        self.world
            .request(None, |inner, wrong| {
                let job = inner.job(ticket);
                let stage = inner.jobs[job].stage;
                if self.jobs().may_be_aborted != JobAbort::AnyTime {
                    return if stage == JobStage::Open {
                        Ok(())
                    } else {
                        Err(error(ErrorClass::Unsupported, "unsupported"))
                    };
                }
                // A job that runs can be stopped; what it has done stays done.
                if !matches!(stage, JobStage::Open | JobStage::Running)
                    || matches!(wrong, Wrong::LostBefore | Wrong::Refused)
                {
                    return Err(error(ErrorClass::Invalid, "INVALIDJOBSTATE"));
                }
                inner.jobs[job].stage = JobStage::Broken;
                if wrong == Wrong::LostAfter { Err(error(ErrorClass::Ambiguous, "no-answer")) } else { Ok(()) }
            })
            .await
    }
}
