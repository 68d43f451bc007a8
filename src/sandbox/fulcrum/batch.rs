//! A batch and how it advances with the clock.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Form, FulcrumSettings, Member};

/// What a batch is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchStatus {
    /// It was not started.
    Pending,
    /// It deletes.
    Running,
    /// It ended. That every object was deleted is not documented to follow.
    Success,
    /// It ended early.
    Failed,
}

impl BatchStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
        }
    }
}

/// A batch: one deletion of records of one form. There is no way to stop one that runs.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its id.
    pub id: String,
    /// What it is doing.
    pub status: BatchStatus,
    /// The form whose records it deletes.
    pub form_id: String,
    /// What it deletes, in that order.
    pub ids: Vec<String>,
    /// How many objects it says it affects, which a fault can make differ from the ids.
    pub total: u64,
    /// How many it has deleted.
    pub success: u64,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) user: (String, String),
    /// It fails when it has come so far.
    pub(super) fails_after: Option<usize>,
    /// So many of the first ids are passed over.
    pub(super) passes_over: usize,
    /// How many of the ids are behind it.
    pub(super) done: usize,
}

impl Batch {
    /// A batch that waits to be started.
    pub(super) fn new(id: String, form_id: &str, ids: Vec<String>, member: &Member, now: Timestamp) -> Self {
        Self {
            id,
            status: BatchStatus::Pending,
            form_id: form_id.to_owned(),
            total: ids.len() as u64,
            ids,
            success: 0,
            started_at: None,
            completed_at: None,
            created_at: now,
            updated_at: now,
            user: (member.user_id.clone(), member.name.clone()),
            fails_after: None,
            passes_over: 0,
            done: 0,
        }
    }

    /// Lets it run.
    pub(super) fn start(&mut self, now: Timestamp) {
        self.status = BatchStatus::Running;
        self.started_at = Some(now);
        self.updated_at = now;
    }

    /// Deletes what it has had the time for.
    pub(super) fn advance(&mut self, now: Timestamp, form: &mut Form, settings: &FulcrumSettings) {
        let (BatchStatus::Running, Some(started)) = (self.status, self.started_at) else { return };
        let rate = i128::from(settings.batch_records_per_second.max(1));
        let end = self.fails_after.unwrap_or(usize::MAX).min(self.ids.len());
        let due = started.duration_until(now).as_millis().max(0) * rate / 1_000;
        let due = usize::try_from(due).unwrap_or(usize::MAX).min(end);
        for (place, id) in self.ids.iter().enumerate().take(due).skip(self.done) {
            if place >= self.passes_over && form.delete(id, now, settings.shown_until(now)) {
                self.success += 1;
            }
        }
        self.done = due;
        self.updated_at = now;
        if due == end {
            let took = SignedDuration::from_millis_i128((end as i128 * 1_000 + rate - 1) / rate);
            let completed = started.saturating_add(took).unwrap_or(now);
            self.status = if end < self.ids.len() { BatchStatus::Failed } else { BatchStatus::Success };
            self.completed_at = Some(completed);
            self.updated_at = completed;
        }
    }

    /// As in answers.
    pub(super) fn body(&self, now: Timestamp, settings: &FulcrumSettings) -> BatchBody<'_> {
        let counted = self.created_at.duration_until(now).unsigned_abs() >= settings.batch_counting;
        let (user_id, user) = &self.user;
        let time = |time: Option<Timestamp>| time.map(|time| Some(moment(time))).or(settings.null_times.then_some(None));
        BatchBody {
            status: self.status.name(),
            objects_total: if counted { self.total } else { 0 },
            objects_success: self.success,
            id: &self.id,
            created_at: moment(self.created_at),
            updated_at: moment(self.updated_at),
            created_by: user,
            created_by_id: user_id,
            updated_by: user,
            updated_by_id: user_id,
            started_at: time(self.started_at),
            completed_at: time(self.completed_at),
        }
    }
}

/// A batch in answers: the keys and their order are those of the documented sample, which lacks the last two.
#[derive(Serialize)]
pub(super) struct BatchBody<'a> {
    status: &'static str,
    objects_total: u64,
    objects_success: u64,
    id: &'a str,
    created_at: String,
    updated_at: String,
    created_by: &'a str,
    created_by_id: &'a str,
    updated_by: &'a str,
    updated_by_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Option<String>>,
}

/// A moment as everywhere but in queries: whole seconds, UTC.
pub(super) fn moment(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
