//! How the policy machine handles a step that failed.

use std::time::Duration;

use jiff::Timestamp;

use super::{DOUBT, PolicyMachine, later};
use crate::apply::{Event, Fault, FaultKind, JobStage, LONGEST_TOLD_WAIT, Step, back_off};

/// After this many pauses without progress the policy stays unfinished; the same command continues it.
const SETBACKS: u32 = 10;
/// After this many consecutive failed reads for one batch the policy stays unfinished; the same command continues it.
const READ_ATTEMPTS: u32 = 10;
/// How often answers are fetched that cannot be trusted, before the presence of every record is checked instead.
const COLLECT_ATTEMPTS: u32 = 3;
/// The pauses after a failure.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

impl PolicyMachine {
    pub(super) fn failed(&mut self, step: &Step, number: u64, fault: &Fault, now: Timestamp) -> Option<Event> {
        let cause = fault.to_string();
        let wait = if let FaultKind::Later { wait } = fault.kind { wait } else { None };
        // Nothing waits for longer than that, a look as little as a deletion.
        let kind = match wait.filter(|wait| *wait > LONGEST_TOLD_WAIT) {
            Some(wait) => {
                let after = later(now, wait).round(jiff::Unit::Second).unwrap_or(now);
                self.stuck.get_or_insert_with(|| format!("{cause}; run the same command again after {after}"));
                FaultKind::Stuck
            }
            None => fault.kind,
        };
        if kind == FaultKind::Stuck {
            self.stuck.get_or_insert_with(|| cause.clone());
        }
        match step {
            Step::Send(_) | Step::Create(_)
                if fault.kind == FaultKind::Unclear && !self.settings.shape.creates_idle_jobs() =>
            {
                self.active.get_mut(&number)?.moment.due = Some(later(now, DOUBT));
                Some(Event::Unclear { batch: number, cause })
            }
            // A job that may have been made has not been started: see `duty`.
            Step::Send(_) | Step::Create(_) => {
                self.set_back(now, wait, &cause);
                Some(Event::Abandoned { batch: number, cause })
            }
            Step::Abort(..) if fault.kind == FaultKind::Missing => {
                if self.active.get(&number)?.may_be_abandoned(self.settings.shape) {
                    return Some(Event::Abandoned { batch: number, cause });
                }
                self.polled(number, JobStage::Gone, now)
            }
            Step::Load(..) | Step::Start(..) | Step::Abort(..) => {
                self.set_back(now, wait, &cause);
                let due = self.paused_until.max(Some(later(now, DOUBT)));
                let parked = self.stuck.is_some();
                let moment = &mut self.active.get_mut(&number)?.moment;
                (moment.doubted, moment.give_up, moment.due, moment.parked) = (true, false, due, parked);
                None
            }
            Step::Poll(..) if fault.kind == FaultKind::Missing => self.polled(number, JobStage::Gone, now),
            Step::Collect(..) => {
                let active = self.active.get(&number)?;
                let hopeless = match kind {
                    FaultKind::Refused | FaultKind::Missing => true,
                    FaultKind::Unclear => active.moment.failures + 1 >= COLLECT_ATTEMPTS,
                    FaultKind::Later { .. } | FaultKind::Stuck => false,
                };
                if hopeless {
                    return Some(Event::Unclear { batch: number, cause });
                }
                self.read_failed(number, kind, wait, cause, now);
                None
            }
            _ => {
                self.read_failed(number, kind, wait, cause, now);
                None
            }
        }
    }

    /// A step that changes nothing failed: it is tried again after a pause, a bounded number of times.
    fn read_failed(&mut self, number: u64, kind: FaultKind, wait: Option<Duration>, cause: String, now: Timestamp) {
        let seed = self.settings.seed ^ number;
        let Some(active) = self.active.get_mut(&number) else { return };
        active.moment.failures += 1;
        if matches!(kind, FaultKind::Stuck) || active.moment.failures >= READ_ATTEMPTS {
            active.moment.parked = true;
            self.stuck.get_or_insert(cause);
        } else {
            let pause = back_off(PAUSE.0, PAUSE.1, active.moment.failures, seed);
            active.moment.due = Some(later(now, wait.unwrap_or(pause)));
        }
    }

    /// Something that was to change the system had no effect: nothing new is begun for a while. Failures of batches side by
    /// side within one pause count once.
    fn set_back(&mut self, now: Timestamp, wait: Option<Duration>, cause: &str) {
        let seed = self.settings.seed;
        let known = self.paused_until.filter(|until| *until > now);
        if known.is_none() {
            self.setbacks += 1;
            if self.setbacks >= SETBACKS {
                self.stuck.get_or_insert_with(|| cause.to_owned());
            }
        }
        let pause = wait.unwrap_or_else(|| back_off(PAUSE.0, PAUSE.1, self.setbacks, seed));
        self.paused_until = known.max(Some(later(now, pause)));
    }
}
