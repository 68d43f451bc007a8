//! How a deletion API takes records: by single requests, or by jobs.

/// How a deletion API takes records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiShape {
    /// One request deletes a batch, and its answer tells what became of each record.
    Requests,
    /// A job is created, loaded and started, polled until it has ended, and then asked for its answers.
    Jobs(JobShape),
}

/// What a job of an API does at which call, and which calls it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobShape {
    /// The call with which it begins to delete.
    pub starts: JobStart,
    /// Whether a job that was not started may be loaded once more: its records went with its creation, and loading compares only.
    pub may_be_loaded_again: bool,
    /// Until when it can be aborted.
    pub may_be_aborted: JobAbort,
}

/// The call with which a job begins to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStart {
    /// Its creation, which carries its records. It is neither loaded nor started.
    OnCreate,
    /// The upload of its records. Starting it only says that no more will come.
    OnLoad,
    /// A call of its own. Before it a job deletes nothing, however long it is left alone.
    ByStart,
}

/// Until when a job can be aborted. What it deleted by then stays deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobAbort {
    /// Never: the API has no such call, and a job that is not wanted any more is left as it is.
    Never,
    /// Until it was started; then it runs to its end.
    BeforeStart,
    /// Until it has ended.
    AnyTime,
}

impl ApiShape {
    /// Its jobs, where it has any.
    pub fn jobs(self) -> Option<JobShape> {
        match self {
            Self::Requests => None,
            Self::Jobs(jobs) => Some(jobs),
        }
    }

    /// Whether a job that was started runs to its end, whatever becomes of the run.
    pub fn runs_on(self) -> bool {
        self.jobs().is_some_and(|jobs| jobs.may_be_aborted != JobAbort::AnyTime)
    }

    /// Whether a batch begins with a job that deletes nothing yet. One whose creation was never answered may then be forgotten.
    pub fn creates_idle_jobs(self) -> bool {
        self.jobs().is_some_and(|jobs| jobs.starts != JobStart::OnCreate)
    }
}
