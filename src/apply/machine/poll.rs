//! How the policy machine handles the result of a poll.

use jiff::Timestamp;

use super::{DOUBT, POLL, PolicyMachine, later};
use crate::apply::active::{PollVerdict, judge_poll};
use crate::apply::{Event, JobStage, back_off};
use crate::system::JobAbort;

impl PolicyMachine {
    pub(super) fn polled(&mut self, number: u64, seen: JobStage, now: Timestamp) -> Option<Event> {
        let (seed, never_aborted) = (self.settings.seed, self.may_be_aborted(JobAbort::Never));
        let active = self.active.get_mut(&number)?;
        match judge_poll(self.settings.shape, &active.stage, seen) {
            PollVerdict::Started => return Some(Event::Started { batch: number }),
            PollVerdict::Ended => return Some(Event::Ended { batch: number, stage: seen }),
            // Asked for once: a system that does not let a running job go has it run to its end.
            PollVerdict::Running if std::mem::take(&mut active.moment.recalled) && !never_aborted => {
                active.moment.give_up = true;
            }
            PollVerdict::Running => {
                active.moment.polls += 1;
                // Four polls at each length: a pause is about a quarter of the time waited so far, so that little of it is wasted.
                let pause = back_off(POLL.0, POLL.1, active.moment.polls.div_ceil(4), seed);
                active.moment.due = Some(later(now, pause));
            }
            // Also one whose start was sent and has not arrived: to send it again would be to begin.
            PollVerdict::Loadable | PollVerdict::Startable if active.moment.excluded || self.halted.is_some() => {
                active.moment.give_up = true;
            }
            PollVerdict::Loadable | PollVerdict::Startable if self.stuck.is_some() => active.moment.parked = true,
            PollVerdict::Loadable | PollVerdict::Startable => active.moment.doubted = false,
            PollVerdict::Useless => active.moment.give_up = true,
            PollVerdict::NeverWas => {
                return Some(Event::Abandoned { batch: number, cause: "the job was never started and has ended".into() });
            }
            PollVerdict::Lost => {
                active.moment.due = Some(later(now, DOUBT));
                return Some(Event::Unclear { batch: number, cause: "the system no longer knows the job".into() });
            }
        }
        if active.moment.give_up && never_aborted {
            active.moment.give_up = false;
            if active.may_be_abandoned(self.settings.shape) {
                return Some(Event::Abandoned {
                    batch: number,
                    cause: "the job was not started, and is left as it is".into(),
                });
            }
            active.moment.due = Some(later(now, DOUBT));
            return Some(Event::Unclear { batch: number, cause: "the job may have begun, and cannot be aborted".into() });
        }
        None
    }
}
